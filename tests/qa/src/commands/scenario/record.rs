//! `saifu scenario record`: what was done by hand becomes a file.

use std::path::Path;

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::files::{self, Readers};
use crate::report::Report;
use crate::scenario::{parse, recorded};
use crate::words::{shown, shown_path};

pub(super) async fn run(file: &Path, context: &Context) -> Result<Report, Failure> {
    let bad = |what: &str| LocalCode::BadInput.detail(format!("{}: {what}", shown_path(file)));
    let name = file.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json"));
    let name = name.ok_or_else(|| bad("a name that ends in .json is needed"))?;
    let policy = context.control()?.policy(None).await?;
    let (scenario, left_out) = recorded(context.all_done()?, name, &policy);
    let steps = scenario.get("steps").and_then(Value::as_array).map_or(0, Vec::len);
    if steps == 0 {
        let first = left_out.first().map(|(command, why)| format!("; `{command}`: {why}")).unwrap_or_default();
        return Err(bad(&format!("nothing was done in this sandbox that a scenario has{first}")));
    }
    let text = serde_json::to_string_pretty(&scenario).map_err(|error| LocalCode::Bug.detail(error.to_string()))?;
    parse(&text).map_err(|malformed| bad(&malformed.to_string()))?;
    files::write(file, format!("{text}\n").as_bytes(), Readers::Usual)?;
    let mut lines = vec![format!("{}: {steps} steps; `saifu scenario run` plays it", shown_path(file))];
    lines.extend(left_out.iter().map(|(command, why)| format!("left out: {}\n  because: {why}", shown(command))));
    let left_out: Vec<Value> =
        left_out.iter().map(|(command, why)| json!({ "command": command, "why": why })).collect();
    let document = json!({ "file": file.to_string_lossy(), "steps": steps, "left_out": left_out });
    Report::new(document, lines.join("\n"))
}
