//! The files of the suite: reading them, and refusing what `FORMAT.md` does not have.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{KeyError, Role};

/// One step, every part of it understood.
pub(super) struct Step {
    pub(super) call: Call,
    pub(super) expect: Expect,
    pub(super) save: Option<String>,
    /// The rule, or the verb of a step that has none: what a finding says.
    pub(super) shows: String,
}

/// A verb with its arguments.
#[derive(Deserialize)]
#[serde(tag = "do", deny_unknown_fields)]
pub(super) enum Call {
    #[serde(rename = "keys.create")]
    Create { role: RoleName },
    #[serde(rename = "keys.info")]
    Info { role: RoleName },
    #[serde(rename = "keys.sign")]
    Sign { message: Bytes },
    #[serde(rename = "keys.delete")]
    Delete { role: RoleName },
    #[serde(rename = "authorize")]
    Authorize { message: Bytes },
    #[serde(rename = "verify")]
    Verify { key: String, message: Bytes, signature: String },
    #[serde(rename = "secrets.id")]
    Id {},
    #[serde(rename = "secrets.renew")]
    Renew {},
    #[serde(rename = "secrets.retire")]
    Retire {},
    #[serde(rename = "secrets.seal")]
    Seal { plain: Bytes },
    #[serde(rename = "secrets.unseal")]
    Unseal { sealed: String },
    #[serde(rename = "secrets.unseal-damaged")]
    UnsealDamaged { sealed: String },
    #[serde(rename = "clock.read")]
    Read { times: Option<u64> },
    #[serde(rename = "pause")]
    Pause { ms: u64 },
    #[serde(rename = "reopen")]
    Reopen {},
}

/// The expectations of a step; those that are there must all be met.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) error: Option<ErrorName>,
    pub(super) same: Option<String>,
    pub(super) differs: Option<String>,
    pub(super) valid: Option<bool>,
    pub(super) none: Option<True>,
    pub(super) random_install: Option<True>,
    pub(super) follows: Option<String>,
    pub(super) bytes: Option<Bytes>,
    pub(super) lacks: Option<Bytes>,
    pub(super) opened: Option<u64>,
    pub(super) wall_ms: Option<Range>,
    pub(super) elapsed_ms: Option<Since>,
    pub(super) rising: Option<True>,
    pub(super) boot: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Range {
    pub(super) from: u64,
    pub(super) below: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    pub(super) since: String,
    pub(super) from: u64,
    pub(super) below: u64,
}

/// The one value of an expectation that cannot be turned round.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "bool")]
pub(super) struct True;

impl TryFrom<bool> for True {
    type Error = &'static str;
    fn try_from(value: bool) -> Result<Self, Self::Error> {
        if value { Ok(Self) } else { Err("this expectation can only be true") }
    }
}

/// Bytes as they are written in a file.
#[derive(Deserialize)]
#[serde(from = "Written")]
pub(super) struct Bytes(pub(super) Vec<u8>);

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Written {
    Text(String),
    Filled { fill: u8, len: usize },
}

impl From<Written> for Bytes {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(text) => Self(text.into_bytes()),
            Written::Filled { fill, len } => Self(vec![fill; len]),
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RoleName {
    Device,
    Authorization,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Device => Self::Device,
            RoleName::Authorization => Self::Authorization,
        }
    }
}

/// Why a call failed, by the names of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ErrorName {
    Temporary,
    UserDeclined,
    NoScreenLock,
    Gone,
    Unexpected,
}

impl From<KeyError> for ErrorName {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Temporary => Self::Temporary,
            KeyError::UserDeclined => Self::UserDeclined,
            KeyError::NoScreenLock => Self::NoScreenLock,
            KeyError::Gone => Self::Gone,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "about")]
    _about: String,
    steps: Vec<Map<String, Value>>,
}

/// The steps of a file, or what is wrong with it.
pub(super) fn read(text: &str) -> Result<Vec<Step>, String> {
    let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let steps = file.steps.into_iter().zip(1_usize..);
    steps.map(|(fields, number)| step(fields).map_err(|broken| format!("step {number}: {broken}"))).collect()
}

fn step(mut fields: Map<String, Value>) -> Result<Step, String> {
    let expect = fields.remove("expect");
    let [rule, save] = ["rule", "save"].map(|name| fields.remove(name).map(serde_json::from_value::<String>));
    let (rule, save) = (rule.transpose().map_err(text)?, save.transpose().map_err(text)?);
    if expect.is_some() && rule.is_none() {
        return Err("it expects something and names no rule".to_owned());
    }
    if expect.as_ref().is_some_and(|expect| expect.as_object().is_none_or(Map::is_empty)) {
        return Err("it expects nothing in particular".to_owned());
    }
    let alone =
        expect.as_ref().and_then(Value::as_object).is_some_and(|all| all.len() > 1 && all.contains_key("error"));
    if alone {
        return Err("an error is expected together with something else".to_owned());
    }
    let verb = fields.get("do").and_then(Value::as_str).unwrap_or_default().to_owned();
    let expect = expect.map(serde_json::from_value).transpose().map_err(text)?.unwrap_or_default();
    let call: Call = serde_json::from_value(Value::Object(fields)).map_err(text)?;
    if matches!(call, Call::Pause { ms: 0 } | Call::Read { times: Some(0) }) {
        return Err("it does nothing".to_owned());
    }
    Ok(Step { call, expect, save, shows: rule.unwrap_or(verb) })
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn text(error: serde_json::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(step: &str) -> String {
        read(&format!(r#"{{"about": "a", "steps": [{step}]}}"#)).err().unwrap_or_default()
    }

    #[test]
    fn a_good_step_is_read() {
        assert_eq!(broken(r#"{"do": "reopen"}"#), "");
        assert_eq!(broken(r#"{"do": "keys.sign", "message": {"fill": 7, "len": 3}, "save": "s"}"#), "");
    }

    #[test]
    fn what_the_format_does_not_have_is_refused() {
        for (step, says) in [
            (r#"{"do": "keys.steal", "role": "device"}"#, "unknown variant"),
            (r#"{"do": "reopen", "role": "device"}"#, "unknown field"),
            (r#"{"do": "keys.info", "role": "device", "message": "m"}"#, "unknown field"),
            (r#"{"do": "keys.info"}"#, "missing field"),
            (r#"{"do": "keys.info", "role": "owner"}"#, "unknown variant"),
            (r#"{"role": "device"}"#, "missing field"),
            (r#"{"do": "keys.sign", "message": {"fill": 256, "len": 1}}"#, "did not match"),
            (r#"{"do": "keys.sign", "message": {"fill": 1, "len": 1, "of": 2}}"#, "did not match"),
            (r#"{"do": "reopen", "rule": "r", "expect": {"luck": true}}"#, "unknown field"),
            (r#"{"do": "reopen", "rule": "r", "expect": {"error": "tired"}}"#, "unknown variant"),
            (r#"{"do": "secrets.id", "rule": "r", "expect": {"none": false}}"#, "can only be true"),
            (r#"{"do": "reopen", "rule": "r", "expect": {}}"#, "nothing in particular"),
            (r#"{"do": "reopen", "rule": "r", "expect": {"error": "gone", "none": true}}"#, "together"),
            (r#"{"do": "reopen", "expect": {"error": "gone"}}"#, "names no rule"),
            (r#"{"do": "clock.read", "times": 0}"#, "does nothing"),
            (r#"{"do": "reopen", "save": 1}"#, "invalid type"),
        ] {
            let said = broken(step);
            assert!(said.starts_with("step 1: ") && said.contains(says), "{step}: {said}");
        }
        assert!(read(r#"{"about": "a", "steps": [], "more": 1}"#).is_err());
    }
}
