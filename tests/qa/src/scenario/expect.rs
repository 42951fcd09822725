//! What a step expects of its outcome, and how saved values get into steps.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Saved values by name.
pub(crate) type Saved = BTreeMap<String, Value>;

/// What is expected at one path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expectation {
    /// This very text, number or flag.
    Equal(Value),
    /// A number in these bounds, both included.
    Between { least: Option<Value>, most: Option<Value> },
    /// Nothing stands there.
    Absent,
    /// A null stands there.
    Null,
}

impl Expectation {
    /// Reads it as a file says it. `None`: it makes no sense.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let bound = |value: &Value| (value.is_i64() || value.as_str().is_some_and(is_reference)).then(|| value.clone());
        match value {
            Value::String(_) | Value::Bool(_) => Some(Self::Equal(value.clone())),
            Value::Number(number) => number.is_i64().then(|| Self::Equal(value.clone())),
            Value::Object(fields) => {
                let only = |name: &str| fields.len() == 1 && fields.get(name) == Some(&Value::Bool(true));
                if only("absent") {
                    return Some(Self::Absent);
                }
                if only("null") {
                    return Some(Self::Null);
                }
                let known = fields.keys().all(|name| name == "gte" || name == "lte");
                let read = |name: &str| fields.get(name).map(bound);
                match (read("gte"), read("lte")) {
                    (None, None) | (Some(None), _) | (_, Some(None)) => None,
                    (least, most) if known => Some(Self::Between { least: least.flatten(), most: most.flatten() }),
                    _ => None,
                }
            }
            Value::Null | Value::Array(_) => None,
        }
    }

    /// The values in it, which may name saved ones.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        let (one, two) = match self {
            Self::Equal(value) => (Some(value), None),
            Self::Between { least, most } => (least.as_ref(), most.as_ref()),
            Self::Absent | Self::Null => (None, None),
        };
        one.into_iter().chain(two)
    }

    /// The same with saved values in place of their names.
    pub(crate) fn filled(&self, saved: &Saved) -> Self {
        let fill = |value: &Option<Value>| value.as_ref().map(|value| substitute(value, saved));
        match self {
            Self::Equal(value) => Self::Equal(substitute(value, saved)),
            Self::Between { least, most } => Self::Between { least: fill(least), most: fill(most) },
            Self::Absent => Self::Absent,
            Self::Null => Self::Null,
        }
    }

    /// Whether what stands at the path, if anything, is as expected.
    pub(crate) fn met(&self, seen: Option<&Value>) -> bool {
        let number = seen.and_then(Value::as_i64);
        match self {
            Self::Equal(value) => seen == Some(value),
            Self::Between { least, most } => number.is_some_and(|number| {
                let at_least = least.as_ref().is_none_or(|least| least.as_i64().is_some_and(|it| number >= it));
                let at_most = most.as_ref().is_none_or(|most| most.as_i64().is_some_and(|it| number <= it));
                at_least && at_most
            }),
            Self::Absent => seen.is_none(),
            Self::Null => seen == Some(&Value::Null),
        }
    }

    /// As a file says it.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Equal(value) => value.clone(),
            Self::Between { least, most } => {
                let fields = [("gte", least), ("lte", most)].into_iter();
                fields.filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect()
            }
            Self::Absent => json!({ "absent": true }),
            Self::Null => json!({ "null": true }),
        }
    }
}

/// What stands at a dotted path; a number picks from a list.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, part| match value {
        Value::Object(fields) => fields.get(part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// `${name}` or `${wrong:name}`, and nothing beside it.
pub(crate) fn is_reference(text: &str) -> bool {
    matches!(pieces(text).as_slice(), [Piece::Saved { .. }])
}

/// The names that a text refers to.
pub(crate) fn names(text: &str) -> Vec<String> {
    let names = pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Saved { name, .. } => Some(name.to_owned()),
        Piece::Plain(_) => None,
    });
    names.collect()
}

enum Piece<'a> {
    Plain(&'a str),
    Saved { name: &'a str, wrong: bool },
}

fn pieces(mut text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while let Some((before, rest)) = text.split_once("${") {
        let Some((name, after)) = rest.split_once('}') else { break };
        if !before.is_empty() {
            pieces.push(Piece::Plain(before));
        }
        let (wrong, name) = name.strip_prefix("wrong:").map_or((false, name), |name| (true, name));
        pieces.push(Piece::Saved { name, wrong });
        text = after;
    }
    if !text.is_empty() {
        pieces.push(Piece::Plain(text));
    }
    pieces
}

/// The value with saved ones in place of their names. A text that is one name becomes the saved value itself, so a number
/// stays a number. Unknown names cannot be here: the parser refuses them.
pub(crate) fn substitute(value: &Value, saved: &Saved) -> Value {
    let Value::String(text) = value else { return value.clone() };
    let pieces = pieces(text);
    if let [Piece::Saved { name, wrong: false }] = pieces.as_slice() {
        return saved.get(*name).cloned().unwrap_or(Value::Null);
    }
    let words = pieces.iter().map(|piece| match piece {
        Piece::Plain(text) => (*text).to_owned(),
        Piece::Saved { name, wrong } => {
            let text = match saved.get(*name) {
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => String::new(),
            };
            if *wrong { with_another_last_digit(&text) } else { text }
        }
    });
    Value::String(words.collect())
}

/// The same with the round's number for `${index}`, wherever it stands; a text that is nothing else becomes the number.
pub(crate) fn numbered(value: &Value, round: u64) -> Value {
    match value {
        Value::String(text) if text == "${index}" => json!(round),
        Value::String(text) => json!(text.replace("${index}", &round.to_string())),
        Value::Array(items) => items.iter().map(|item| numbered(item, round)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), numbered(value, round))).collect(),
        other => other.clone(),
    }
}

fn with_another_last_digit(text: &str) -> String {
    let mut text = text.to_owned();
    let other = match text.pop() {
        Some(digit @ '0'..='8') => char::from_digit(digit.to_digit(10).map_or(0, |digit| digit.saturating_add(1)), 10),
        _ => Some('0'),
    };
    text.extend(other);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectation_reads_what_the_format_has_and_nothing_else() {
        for good in [json!("a"), json!(1), json!(true), json!({"gte": 1}), json!({"lte": "${a}", "gte": 0})] {
            assert_eq!(Expectation::read(&good).map(|it| it.to_json()), Some(good));
        }
        for good in [json!({"absent": true}), json!({"null": true})] {
            assert_eq!(Expectation::read(&good).map(|it| it.to_json()), Some(good));
        }
        let bad = [
            json!(null),
            json!([]),
            json!(1.5),
            json!({}),
            json!({"gt": 1}),
            json!({"gte": "x"}),
            json!({"gte": 1.5}),
            json!({"absent": false}),
            json!({"null": true, "absent": true}),
            json!({"gte": 1, "null": true}),
        ];
        for bad in bad {
            assert_eq!(Expectation::read(&bad), None, "{bad}");
        }
    }

    #[test]
    fn bounds_hold_for_numbers_only() {
        let between = Expectation::read(&json!({"gte": 2, "lte": 3})).unwrap();
        let met: Vec<bool> = [json!(1), json!(2), json!(3), json!(4), json!("2"), json!(null)]
            .iter()
            .map(|seen| between.met(Some(seen)))
            .collect();
        assert_eq!(met, [false, true, true, false, false, false]);
        assert!(!between.met(None));
    }

    #[test]
    fn absent_and_null_are_two_things() {
        let document = json!({"a": null, "list": [{"b": 1}]});
        assert!(Expectation::Null.met(at(&document, "a")) && !Expectation::Absent.met(at(&document, "a")));
        assert!(Expectation::Absent.met(at(&document, "c")) && !Expectation::Null.met(at(&document, "c")));
        assert!(Expectation::Absent.met(at(&document, "list.1")));
        assert_eq!(at(&document, "list.0.b"), Some(&json!(1)));
    }

    #[test]
    fn saved_values_keep_their_kind_and_wrong_ones_differ_in_the_last_digit() {
        let saved = Saved::from([("n".into(), json!(5)), ("code".into(), json!("123459"))]);
        assert_eq!(substitute(&json!("${n}"), &saved), json!(5));
        assert_eq!(substitute(&json!("no ${n}: ${code}"), &saved), json!("no 5: 123459"));
        assert_eq!(substitute(&json!("${wrong:code}"), &saved), json!("123450"));
        assert_eq!(names("${a}${wrong:b} ${"), ["a", "b"]);
    }
}
