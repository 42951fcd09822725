//! Answers, refusals and events as a later version of the issuer may write them within `/v1`: with fields that nobody knows yet, at
//! every level, and with another word wherever a word is open. Everything else stays as it is.

use bytes::Bytes;
use saifu_wire::Name;
use saifu_wire::messages::{Event, SignedDocument};
use serde_json::{Value, json};

use super::answer::{Answer, Content};
use crate::service::Service;

/// What makes a word one of tomorrow's.
const OF_TOMORROW: &str = "-of-tomorrow";
/// The members that hold open words.
const WORDS: [&str; 10] =
    ["channel", "code", "kind", "notice", "outcome", "qr", "reason", "standing", "state", "switch"];

/// An answer or a refusal.
pub(super) fn rewrite(answer: &mut Answer, service: &Service) {
    match &mut answer.content {
        Content::Whole(bytes) => {
            if let Some(text) = whole(bytes, service) {
                *bytes = text;
            }
        }
        Content::Events(subscription) => subscription.newer = true,
        Content::Nothing => {}
    }
}

/// `None` where there is no JSON to say more with.
fn whole(bytes: &Bytes, service: &Service) -> Option<Bytes> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    if let Ok(signed) = serde_json::from_slice::<SignedDocument>(bytes) {
        let mut document: Value = serde_json::from_str(&signed.document).ok()?;
        tomorrow(&mut document);
        value = json!(service.signed(document.to_string())?);
    }
    tomorrow(&mut value);
    Some(value.to_string().into())
}

/// An event. Those with an odd number are of a kind that nobody knows; the others of one that is known, with words in it that
/// are not.
pub(super) fn event(event: &Event) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(event)?;
    let kind = value.get("kind").cloned();
    tomorrow(&mut value);
    if let (Some(written), Some(kind)) = (value.get_mut("kind"), kind.filter(|_| event.number.is_multiple_of(2))) {
        *written = kind;
    }
    Ok(value)
}

fn tomorrow(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member {
                    Value::String(word) if is_word(name, word) => word.push_str(OF_TOMORROW),
                    other => tomorrow(other),
                }
            }
            members.insert("of_tomorrow".into(), json!({"word": "unheard-of", "list": [1, {"deep": null}]}));
        }
        Value::Array(items) => items.iter_mut().for_each(tomorrow),
        _ => {}
    }
}

fn is_word(name: &str, text: &str) -> bool {
    // A refusal's type names its code once more.
    WORDS.contains(&name) && Name::new(text).is_ok() || name == "type" && text.starts_with("urn:saifu:problem:")
}
