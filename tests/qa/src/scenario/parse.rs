//! Reading a scenario. Whatever the table of verbs does not know is refused here, with its place, before anything runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use saifu_sandbox::policy::Policy;
use saifu_wire::PhoneNumber;
use serde_json::{Map, Value};

use super::expect::{self, Expectation};
use super::verbs::{self, Actor, Kind, Verb};
use super::{Persona, Scenario, Step};

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// JSON path: `$.steps[2].yen`.
    pub path: String,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

fn wrong<T>(path: impl Into<String>, what: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed { path: path.into(), what: what.into() })
}

/// Reads a scenario.
///
/// # Errors
/// [`Malformed`]: the first thing that is not as the format says.
pub fn parse(text: &str) -> Result<Scenario, Malformed> {
    let value: Value = serde_json::from_str(text).or_else(|error| wrong("$", error.to_string()))?;
    let fields = object(&value, "$")?;
    only(fields, &["$schema", "name", "shows", "personas", "policy", "steps"], "$")?;
    let name = text_of(fields, "name", "$")?;
    if !is_name(name) {
        return wrong("$.name", "small letters, digits and hyphens, beginning with a letter");
    }
    let shows = text_of(fields, "shows", "$")?;
    if shows.is_empty() {
        return wrong("$.shows", "say what it shows");
    }
    let personas = personas(required(fields, "personas", "$")?)?;
    let policy = match fields.get("policy") {
        None => Policy::default(),
        Some(policy) if policy.is_object() => {
            serde_json::from_value(policy.clone()).or_else(|error| wrong("$.policy", error.to_string()))?
        }
        Some(_) => return wrong("$.policy", "an object is needed"),
    };
    if let Some(schema) = fields.get("$schema").filter(|schema| !schema.is_string()) {
        return wrong("$.$schema", format!("a text is needed, not {schema}"));
    }
    let Some(rows) = required(fields, "steps", "$")?.as_array().filter(|rows| !rows.is_empty()) else {
        return wrong("$.steps", "a list of steps is needed");
    };
    let mut saved = BTreeSet::new();
    let mut steps = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        for Round { path, number, row } in rounds(row, &format!("$.steps[{index}]"))? {
            let mut step = step(&row, &path, &personas, &mut saved)?;
            step.place = number.map_or(path.clone(), |number| format!("{path}, round {number}"));
            steps.push(step);
        }
    }
    let canonical = canonical(&value);
    Ok(Scenario { name: name.into(), shows: shows.into(), personas, policy, steps, canonical })
}

fn personas(value: &Value) -> Result<BTreeMap<String, Persona>, Malformed> {
    let mut personas = BTreeMap::new();
    for (name, value) in object(value, "$.personas")? {
        let path = format!("$.personas.{name}");
        if !is_name(name) {
            return wrong(path, "a name is small letters, digits and hyphens, beginning with a letter");
        }
        let fields = object(value, &path)?;
        only(fields, &["number", "state", "balance_yen"], &path)?;
        let number = PhoneNumber::parse(text_of(fields, "number", &path)?);
        let number = number.or_else(|error| wrong(format!("{path}.number"), error.to_string()))?;
        let signed_up = match fields.get("state").map(Value::as_str) {
            None | Some(Some("new")) => false,
            Some(Some("starter")) => true,
            Some(_) => return wrong(format!("{path}.state"), "`new` or `starter` is needed"),
        };
        let balance_yen = match fields.get("balance_yen") {
            None => None,
            Some(value) => match value.as_i64().filter(|yen| *yen >= 1) {
                Some(yen) if signed_up => Some(yen),
                Some(_) => return wrong(format!("{path}.balance_yen"), "only a `starter` has a balance"),
                None => return wrong(format!("{path}.balance_yen"), "a whole number from 1 on is needed"),
            },
        };
        personas.insert(name.clone(), Persona { number, signed_up, balance_yen });
    }
    Ok(personas)
}

/// A step as it stands in one round.
struct Round {
    path: String,
    /// Counted from 1; none outside a `repeat`.
    number: Option<u64>,
    row: Value,
}

/// The steps that a row stands for: itself, or what it repeats, round after round.
fn rounds(row: &Value, path: &str) -> Result<Vec<Round>, Malformed> {
    let fields = object(row, path)?;
    let Some(times) = fields.get("repeat") else {
        return Ok(vec![Round { path: path.to_owned(), number: None, row: row.clone() }]);
    };
    let Some(times) = times.as_u64().filter(|times| (1..=MOST_ROUNDS).contains(times)) else {
        return wrong(format!("{path}.repeat"), format!("a whole number from 1 to {MOST_ROUNDS} is needed"));
    };
    let body: Vec<(String, Value)> = match fields.get("steps") {
        Some(steps) => {
            only(fields, &["repeat", "steps"], path)?;
            let path = format!("{path}.steps");
            let Some(rows) = steps.as_array().filter(|rows| !rows.is_empty()) else {
                return wrong(path, "a list of steps is needed");
            };
            rows.iter().enumerate().map(|(index, row)| (format!("{path}[{index}]"), row.clone())).collect()
        }
        None => {
            let one = fields.iter().filter(|(name, _)| *name != "repeat");
            vec![(path.to_owned(), one.map(|(name, value)| (name.clone(), value.clone())).collect())]
        }
    };
    let round = |number| {
        let numbered = move |(path, row): &(String, Value)| Round {
            path: path.clone(),
            number: Some(number),
            row: expect::numbered(row, number),
        };
        body.iter().map(numbered)
    };
    Ok((1..=times).flat_map(round).collect())
}

pub(super) fn step(
    value: &Value,
    path: &str,
    personas: &BTreeMap<String, Persona>,
    saved: &mut BTreeSet<String>,
) -> Result<Step, Malformed> {
    let fields = object(value, path)?;
    let name = text_of(fields, "do", path)?;
    let Some(verb) = verbs::find(name) else { return wrong(format!("{path}.do"), format!("no verb is `{name}`")) };
    let known: Vec<&str> =
        ["do", "as", "expect", "save", "within"].into_iter().chain(verb.arguments.iter().map(|it| it.name)).collect();
    only(fields, &known, path)?;
    let actor = actor(verb, fields, path, |name| personas.contains_key(name))?;
    let arguments = arguments(verb, fields, path)?;
    let expect = expectations(verb, fields, path)?;
    let used = arguments.values().chain(expect.iter().flat_map(|(_, expected)| expected.values()));
    for name in used.filter_map(Value::as_str).flat_map(expect::names) {
        if !saved.contains(&name) {
            return wrong(path, format!("`${{{name}}}` is not saved by an earlier step"));
        }
    }
    let save = saves(verb, fields, path)?;
    saved.extend(save.keys().cloned());
    let within_ms = match fields.get("within") {
        None => None,
        Some(_) if !verb.reads => {
            return wrong(format!("{path}.within"), format!("`{name}` changes something, so it is not repeated"));
        }
        Some(value) => match value.as_str().and_then(span_ms) {
            Some(ms) => Some(ms),
            None => return wrong(format!("{path}.within"), SPAN),
        },
    };
    Ok(Step { place: path.to_owned(), verb, actor, arguments, expect, save, within_ms })
}

/// How often something may be repeated.
pub(super) const MOST_ROUNDS: u64 = 1_000;

const SPAN: &str = "a time span such as 90s, 15m, 72h or 3d is needed";

/// Who does it, by `as` or by default.
pub(super) fn actor(
    verb: &Verb,
    fields: &Map<String, Value>,
    path: &str,
    is_persona: impl Fn(&str) -> bool,
) -> Result<Option<String>, Malformed> {
    let path = format!("{path}.as");
    let named = match fields.get("as") {
        None => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(_) => return wrong(path, "a name is needed"),
    };
    match (verb.actor, named) {
        (Actor::Persona, Some(name)) if is_persona(&name) => Ok(Some(name)),
        (Actor::Persona, Some(name)) => wrong(path, format!("no persona is `{name}`")),
        (Actor::Persona, None) => wrong(path, "the persona is missing"),
        (Actor::Terminal(default), name) => {
            let name = name.unwrap_or_else(|| default.to_owned());
            let kind = default.trim_end_matches("-1");
            if name.starts_with(kind) { Ok(Some(name)) } else { wrong(path, format!("`{name}` is no {kind}")) }
        }
        (Actor::Nobody, None) => Ok(None),
        (Actor::Nobody, Some(_)) => wrong(path, format!("nobody does `{}`", verb.name)),
    }
}

/// What the verb takes of the fields, each of its kind.
pub(super) fn arguments(verb: &Verb, fields: &Map<String, Value>, path: &str) -> Result<Map<String, Value>, Malformed> {
    let mut arguments = Map::new();
    for argument in verb.arguments {
        let path = format!("{path}.{}", argument.name);
        let Some(value) = fields.get(argument.name) else {
            if argument.required {
                return wrong(path, "it is missing");
            }
            continue;
        };
        let reference = value.as_str().is_some_and(expect::is_reference);
        match argument.kind {
            Kind::Text if value.is_string() => {}
            Kind::Number if reference || value.as_i64().is_some_and(|number| number >= 1) => {}
            Kind::Flag if value.is_boolean() => {}
            Kind::Span if value.as_str().and_then(span_ms).is_some() => {}
            Kind::OneOf(words) if value.as_str().is_some_and(|word| words.contains(&word)) => {}
            Kind::Text => return wrong(path, "a text is needed"),
            Kind::Number => return wrong(path, "a whole number from 1 on is needed"),
            Kind::Flag => return wrong(path, "true or false is needed"),
            Kind::Span => return wrong(path, SPAN),
            Kind::OneOf(words) => return wrong(path, format!("one of {} is needed", words.join(", "))),
        }
        arguments.insert(argument.name.to_owned(), value.clone());
    }
    Ok(arguments)
}

fn expectations(verb: &Verb, fields: &Map<String, Value>, path: &str) -> Result<Vec<(String, Expectation)>, Malformed> {
    let path = format!("{path}.expect");
    let Some(value) = fields.get("expect") else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for (field, value) in object(value, &path)? {
        if !verb.gives_path(field) {
            return wrong(format!("{path}.{field}"), format!("`{}` does not give it", verb.name));
        }
        let Some(expected) = Expectation::read(value) else {
            return wrong(format!("{path}.{field}"), format!("no expectation is {value}"));
        };
        all.push((field.clone(), expected));
    }
    Ok(all)
}

fn saves(verb: &Verb, fields: &Map<String, Value>, path: &str) -> Result<BTreeMap<String, String>, Malformed> {
    let path = format!("{path}.save");
    let Some(value) = fields.get("save") else { return Ok(BTreeMap::new()) };
    let mut all = BTreeMap::new();
    for (name, value) in object(value, &path)? {
        let path = format!("{path}.{name}");
        if !is_name(name) {
            return wrong(path, "a name is small letters, digits and hyphens, beginning with a letter");
        }
        match value.as_str() {
            Some(field) if verb.gives_path(field) => all.insert(name.clone(), field.to_owned()),
            Some(field) => return wrong(path, format!("`{}` does not give `{field}`", verb.name)),
            None => return wrong(path, "the path of a value is needed"),
        };
    }
    Ok(all)
}

fn object<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>, Malformed> {
    value.as_object().map_or_else(|| wrong(path, "an object is needed"), Ok)
}

pub(super) fn only(fields: &Map<String, Value>, known: &[&str], path: &str) -> Result<(), Malformed> {
    match fields.keys().find(|field| !known.contains(&field.as_str())) {
        Some(field) => {
            wrong(format!("{path}.{field}"), format!("it is not known here; known are {}", known.join(", ")))
        }
        None => Ok(()),
    }
}

fn required<'a>(fields: &'a Map<String, Value>, name: &str, path: &str) -> Result<&'a Value, Malformed> {
    fields.get(name).map_or_else(|| wrong(format!("{path}.{name}"), "it is missing"), Ok)
}

fn text_of<'a>(fields: &'a Map<String, Value>, name: &str, path: &str) -> Result<&'a str, Malformed> {
    required(fields, name, path)?.as_str().map_or_else(|| wrong(format!("{path}.{name}"), "a text is needed"), Ok)
}

pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Milliseconds of `90s`, `15m`, `72h`, `3d`.
pub(super) fn span_ms(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let digits = text.strip_suffix(unit)?;
    let each: u64 = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return None,
    };
    let plain = digits.starts_with(|c: char| matches!(c, '1'..='9')) && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse::<u64>().ok()?.checked_mul(each) } else { None }
}

/// The same in words, of the whole seconds in it.
pub(crate) fn span(ms: u64) -> String {
    let seconds = ms.div_euclid(1_000);
    let of =
        |(unit, each): (char, u64)| seconds.is_multiple_of(each).then(|| format!("{}{unit}", seconds.div_euclid(each)));
    [('d', 86_400), ('h', 3_600), ('m', 60)].into_iter().find_map(of).unwrap_or_else(|| format!("{seconds}s"))
}

/// JSON without blanks, keys in byte order: the same text for the same scenario in every language.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
            let fields: Vec<String> = sorted
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::String(name.clone()), canonical(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn good() -> Value {
        json!({
            "name": "n", "shows": "s", "personas": {"taro": {"number": "090-1234-5678"}},
            "steps": [
                {"do": "wallet.sign-up", "as": "taro", "save": {"ends": "expires_at"}},
                {"do": "wallet.home", "as": "taro", "within": "1m", "expect": {"as_of": {"lte": "${ends}"}}},
                {"do": "register.scan", "digits": "1", "yen": 5}
            ]
        })
    }

    fn refused(pointer: &str, value: Value) -> Malformed {
        let mut file = good();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        match file.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[field.parse::<usize>().unwrap()] = value,
            fields => drop(fields.as_object_mut().unwrap().insert(field.to_owned(), value)),
        }
        parse(&file.to_string()).unwrap_err()
    }

    #[test]
    fn what_is_repeated_knows_its_round() {
        let mut file = good();
        let scan = json!({"do": "register.scan", "digits": "1", "yen": "${index}", "txid": "t-${index}"});
        file["steps"] =
            json!([{"do": "sandbox.held", "repeat": 2}, {"repeat": 3, "steps": [scan, {"do": "sandbox.held"}]}]);
        let steps = parse(&file.to_string()).unwrap().steps;
        let places: Vec<&str> = steps.iter().map(|step| step.place.as_str()).collect();
        assert_eq!(places[..3], ["$.steps[0], round 1", "$.steps[0], round 2", "$.steps[1].steps[0], round 1"]);
        assert_eq!(
            (steps.len(), &steps[6].arguments["yen"], &steps[6].arguments["txid"]),
            (8, &json!(3), &json!("t-3"))
        );
    }

    #[test]
    fn each_mistake_is_named_by_its_place() {
        assert_eq!(parse(&good().to_string()).unwrap().step_count(), 3);
        let cases = [
            ("/extra", json!(1), "$.extra"),
            ("/name", json!("Big"), "$.name"),
            ("/personas/taro/number", json!("1"), "$.personas.taro.number"),
            ("/personas/taro/state", json!("rich"), "$.personas.taro.state"),
            ("/personas/taro/balance_yen", json!(5), "$.personas.taro.balance_yen"),
            ("/policy", json!({"pay": {"daily": 1}}), "$.policy"),
            ("/steps", json!([]), "$.steps"),
            ("/steps/0/do", json!("wallet.fly"), "$.steps[0].do"),
            ("/steps/0/as", json!("hanako"), "$.steps[0].as"),
            ("/steps/0/yen", json!(1), "$.steps[0].yen"),
            ("/steps/0/within", json!("1m"), "$.steps[0].within"),
            ("/steps/0/save", json!({"x": "balance_yen"}), "$.steps[0].save.x"),
            ("/steps/1/within", json!("1 m"), "$.steps[1].within"),
            ("/steps/1/expect", json!({"as_of": {"above": 1}}), "$.steps[1].expect.as_of"),
            ("/steps/1/expect", json!({"balanse": 1}), "$.steps[1].expect.balanse"),
            ("/steps/1/expect", json!({"as_of": "${nobody}"}), "$.steps[1]"),
            ("/steps/2/repeat", json!(0), "$.steps[2].repeat"),
            ("/steps/2/repeat", json!(1001), "$.steps[2].repeat"),
            ("/steps/2/txid", json!("t-${index}"), "$.steps[2]"),
            ("/steps/2", json!({"repeat": 2, "steps": []}), "$.steps[2].steps"),
            (
                "/steps/2",
                json!({"repeat": 2, "steps": [{"do": "sandbox.held", "repeat": 2}]}),
                "$.steps[2].steps[0].repeat",
            ),
            ("/steps/2", json!({"repeat": 2, "as": "taro", "steps": [{"do": "sandbox.held"}]}), "$.steps[2].as"),
            ("/steps/2/yen", json!("5"), "$.steps[2].yen"),
            ("/steps/2/yen", json!(0), "$.steps[2].yen"),
            ("/steps/2/as", json!("atm-1"), "$.steps[2].as"),
            ("/steps/2/digits", json!(5), "$.steps[2].digits"),
        ];
        for (pointer, value, path) in cases {
            assert_eq!(refused(pointer, value).path, path);
        }
    }

    #[test]
    fn canonical_text_does_not_depend_on_order_or_blanks() {
        let one = parse(&good().to_string()).unwrap().canonical;
        let two = parse(&serde_json::to_string_pretty(&good()).unwrap()).unwrap().canonical;
        assert_eq!(one, two);
        assert!(one.starts_with(r#"{"name":"n","personas":{"taro":"#), "{one}");
    }
}
