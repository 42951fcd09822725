//! The arguments of one step with their saved values, as the verbs read them.

use saifu::Amount;
use saifu_wire::Name;
use serde_json::{Map, Value};

use super::halt::Halt;
use super::parse::span_ms;
use crate::peers::new_txid;

/// What a step says beside its verb.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'a>(pub(super) &'a Map<String, Value>);

impl Arguments<'_> {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A text that the parser has made sure of; a saved number reads as its digits.
    pub(super) fn needed(&self, name: &str) -> Result<String, Halt> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            _ => Err(Halt::Broken(format!("`{name}` is no text"))),
        }
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    pub(super) fn span_ms(&self, name: &str) -> Option<u64> {
        self.text(name).and_then(span_ms)
    }

    pub(super) fn yen(&self) -> Result<Amount, Halt> {
        let amount = self.0.get("yen").and_then(Value::as_i64).and_then(Amount::new);
        amount.ok_or_else(|| Halt::Broken("`yen` is no amount between 1 and 9999999".into()))
    }

    pub(super) fn name(&self, name: &str) -> Result<Name, Halt> {
        Name::new(self.needed(name)?).map_err(|error| Halt::Broken(format!("`{name}`: {error}")))
    }

    pub(super) fn txid(&self) -> Result<Name, Halt> {
        if self.0.contains_key("txid") { self.name("txid") } else { Ok(new_txid("scenario")?) }
    }
}
