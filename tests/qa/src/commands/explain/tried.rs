//! Why one try ended as it did: what the issuer wrote down when it decided.

use std::fmt::Write as _;

use saifu_wire::{Millis, Name, ProblemCode};
use serde_json::Value;

use crate::commands::{table, time};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::peers::ControlApi;
use crate::report::Report;

/// Asks the sandbox; `None` where there is none, or it knows nothing of the kind.
pub(super) async fn explain(id: &str, context: &Context) -> Result<Option<Report>, Failure> {
    let (Ok(name), Ok(info)) = (Name::new(id), context.sandbox()) else { return Ok(None) };
    let document = match ControlApi::new(&info)?.explain(&name).await {
        Ok(document) => document,
        Err(failure) if failure.code() == ProblemCode::NotFound.as_str() => return Ok(None),
        Err(failure) if failure.code() == LocalCode::Offline.as_str() => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let mut text = words(&document);
    for earlier in document.get("earlier").and_then(Value::as_array).into_iter().flatten() {
        let _ = write!(text, "\nbefore it:\n{}", words(earlier));
    }
    Report::new(&document, text).map(Some)
}

fn words(try_: &Value) -> String {
    let text = |name: &str| try_.get(name).and_then(Value::as_str).unwrap_or_default();
    let at = Millis(try_.get("at").and_then(Value::as_u64).unwrap_or_default());
    let came_to = [text("result"), text("reason"), text("code")].join(" ");
    let decided = match text("decided_by") {
        "" => "every rule allowed it".to_owned(),
        rule => format!("decided by {rule}"),
    };
    let mut out = format!("{} {} at {}: {decided}", text("what"), came_to.trim(), time(at));
    let rows = |name: &str, columns: &[&str]| -> Vec<Vec<String>> {
        let all = try_.get(name).and_then(Value::as_array).into_iter().flatten();
        all.map(|row| columns.iter().map(|column| cell(row.get(*column))).collect()).collect()
    };
    let _ =
        write!(out, "\n{}", table(&["rule", "limit", "seen", "ok"], rows("rules", &["rule", "limit", "seen", "ok"])));
    let postings = rows("postings", &["phase", "from", "to", "amount", "unit"]);
    if !postings.is_empty() {
        let _ = write!(out, "\n{}", table(&["posting", "from", "to", "amount", "unit"], postings));
    }
    for id in ["settlement", "trace"].iter().filter(|id| !text(id).is_empty()) {
        let _ = write!(out, "\n{id} {}", text(id));
    }
    out
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(ok)) => if *ok { "yes" } else { "NO" }.to_owned(),
        Some(other) => other.to_string(),
    }
}
