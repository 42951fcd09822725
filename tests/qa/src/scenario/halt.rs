//! Why a verb gave no result: a refusal is an outcome that a step may expect; what is broken is not.

use saifu::Error;
use serde_json::{Value, json};

use crate::failure::Failure;

/// Why a verb gave no result.
#[derive(Debug)]
pub(super) enum Halt {
    /// Somebody refused: the document says who and why.
    Refused(Value),
    /// The scenario or the machine is at fault.
    Broken(String),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Refused(match &error {
            Error::Refused(problem) => json!({
                "error": problem.code, "title": problem.title, "detail": problem.detail, "rule": problem.rule,
                "retry_after_ms": problem.retry_after_ms,
            }),
            other => refusal(other.name(), &other.to_string(), other.detail()),
        })
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        let title = json!(failure).get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
        Self::Refused(refusal(failure.code(), &title, failure.detail()))
    }
}

fn refusal(code: &str, title: &str, detail: Option<&str>) -> Value {
    json!({ "error": code, "title": title, "detail": detail, "rule": null, "retry_after_ms": null })
}
