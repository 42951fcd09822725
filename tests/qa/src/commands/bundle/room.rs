//! A document that never grows over its bound: each part takes what room is left, and what does not fit is named.

use serde_json::{Map, Value};

/// Bytes kept back for the list of what was cut, and for the document's own brackets.
const KEPT_BACK: usize = 4_000;
/// Things that are named as cut. The parts are few, and each is named once.
const CUTS: usize = 20;

/// The document as it grows.
pub(super) struct Room {
    left: usize,
    parts: Map<String, Value>,
    cut: Vec<String>,
}

impl Room {
    /// For a document of at most so many bytes of JSON, which are more than [`KEPT_BACK`].
    pub(super) fn new(most: usize) -> Self {
        Self { left: most.saturating_sub(KEPT_BACK), parts: Map::new(), cut: Vec::new() }
    }

    /// A part that makes sense as a whole only. `name` is a word of ours.
    pub(super) fn whole(&mut self, name: &'static str, value: Value, at_most: usize) {
        let bytes = size(&value).saturating_add(name.len());
        if bytes <= self.left.min(at_most) {
            self.take(name, bytes, value);
        } else {
            self.say(format!("{name}: {bytes} bytes are too many"));
        }
    }

    /// A list whose end matters most.
    pub(super) fn newest(&mut self, name: &'static str, list: Vec<Value>, at_most: usize) {
        let (all, room) = (list.len(), self.left.min(at_most));
        let (mut kept, bytes) = fitting(list.into_iter().rev(), room.saturating_sub(name.len()));
        kept.reverse();
        self.list(name, all, kept, bytes, "the oldest");
    }

    /// A list whose beginning matters most.
    pub(super) fn first(&mut self, name: &'static str, list: Vec<Value>, at_most: usize) {
        let (all, room) = (list.len(), self.left.min(at_most));
        let (kept, bytes) = fitting(list.into_iter(), room.saturating_sub(name.len()));
        self.list(name, all, kept, bytes, "the last");
    }

    fn list(&mut self, name: &'static str, all: usize, kept: Vec<Value>, bytes: usize, which: &str) {
        let gone = all.saturating_sub(kept.len());
        if gone > 0 {
            self.say(format!("{name}: {which} {gone} of {all}"));
        }
        self.take(name, bytes.saturating_add(name.len()), Value::Array(kept));
    }

    /// With what stands around a part: quotes, colon, comma, brackets.
    fn take(&mut self, name: &'static str, bytes: usize, value: Value) {
        self.left = self.left.saturating_sub(bytes.saturating_add(8));
        self.parts.insert(name.to_owned(), value);
    }

    fn say(&mut self, what: String) {
        if self.cut.len() < CUTS {
            self.cut.push(what);
        }
    }

    /// The document, `cut` included, and what was cut.
    pub(super) fn finish(mut self) -> (Value, Vec<String>) {
        self.parts.insert("cut".into(), self.cut.clone().into());
        (Value::Object(self.parts), self.cut)
    }
}

fn size(value: &Value) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |text| text.len())
}

/// As many as fit from the front, and their bytes with commas.
fn fitting(list: impl Iterator<Item = Value>, room: usize) -> (Vec<Value>, usize) {
    let mut bytes: usize = 0;
    let kept = list.take_while(|value| {
        let with = bytes.saturating_add(size(value)).saturating_add(1);
        let fits = with <= room;
        if fits {
            bytes = with;
        }
        fits
    });
    (kept.collect(), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Control: with `fitting` keeping everything, or `whole` taking whatever comes, the bound is broken here.
    #[test]
    fn whatever_comes_the_document_stays_within_its_bound_and_says_what_was_cut() {
        for length in [1, 10, 1_000, 50_000, 1_000_000] {
            let mut room = Room::new(100_000);
            let text = |n: u32| json!({ "n": n, "text": "\"é\u{1}".repeat(length) });
            room.whole("one", text(0), 50_000);
            room.whole("two", text(0), usize::MAX);
            room.first("first", (0..20_000).map(|n| json!(n)).collect(), 20_000);
            room.newest("newest", (0..50).map(text).collect(), 40_000);
            room.newest("rest", (0..20_000).map(|n| json!(n)).collect(), usize::MAX);
            let (document, cut) = room.finish();
            let bytes = size(&document);
            assert!(bytes <= 100_000, "{length}: {bytes}");
            assert_eq!(document["cut"], json!(cut));
            assert!(cut.iter().any(|what| what.starts_with("first: the last ")), "{cut:?}");
            assert_eq!(document["first"][0], 0);
            let rest = document["rest"].as_array().unwrap();
            assert!(rest.is_empty() || rest.last() == Some(&json!(19_999)));
            assert_eq!(document.get("one").is_none(), cut.iter().any(|what| what.starts_with("one: ")));
        }
    }

    #[test]
    fn what_fits_is_kept_whole_and_nothing_is_said() {
        let mut room = Room::new(100_000);
        room.whole("one", json!({"a": 1}), 20);
        room.newest("list", vec![json!(1), json!(2)], 20);
        let (document, cut) = room.finish();
        assert_eq!(document, json!({"one": {"a": 1}, "list": [1, 2], "cut": []}));
        assert!(cut.is_empty());
    }
}
