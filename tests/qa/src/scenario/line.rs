//! The lines between the runner and a driver: one JSON object each, strictly one answer after one request.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::halt::Halt;

/// What the runner asks.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    /// The answer's too.
    pub(super) id: u64,
    pub(super) verb: String,
    /// The persona.
    #[serde(rename = "as")]
    pub(super) who: String,
    #[serde(default)]
    pub(super) arguments: Value,
}

/// What a driver answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DriverAnswer {
    pub(super) id: u64,
    #[serde(flatten)]
    pub(super) end: End,
}

/// How a request ended.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum End {
    /// What the verb gives.
    Outcome(Value),
    /// Who refused, and why: a step may expect it.
    Error(Value),
    /// Why it cannot be done at all: no step may expect that.
    Broken(String),
}

impl End {
    pub(super) fn of(ended: Result<Value, Halt>) -> Self {
        match ended {
            Ok(outcome) => Self::Outcome(outcome),
            Err(Halt::Refused(document)) => Self::Error(document),
            Err(Halt::Broken(why)) => Self::Broken(why),
        }
    }

    pub(super) fn into_result(self) -> Result<Value, Halt> {
        match self {
            Self::Outcome(outcome) => Ok(outcome),
            Self::Error(document) => Err(Halt::Refused(document)),
            Self::Broken(why) => Err(Halt::Broken(why)),
        }
    }
}
