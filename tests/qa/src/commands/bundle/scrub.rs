//! Redaction of a whole document.

use saifu_wire::redacted;
use serde_json::Value;

/// The same with `…` for every number in its strings that could be a secret. Numbers that are no strings, times and amounts,
/// stay.
pub(super) fn scrubbed(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(redacted(&text)),
        Value::Array(list) => Value::Array(list.into_iter().map(scrubbed).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, scrubbed(value))).collect())
        }
        other => other,
    }
}
