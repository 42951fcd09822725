//! `saifu bundle`: a bug report in one file, to be attached and read by somebody else.
//!
//! It is one JSON document and no archive: an editor, a diff and `jq` open it, nothing has to be unpacked, and whoever sends
//! it can read all of it first. What may leave is named field by field: nothing of the wallet's files, of `sandbox.json` or
//! of an inbox is copied. Text that others wrote (a path, an error) loses its longer numbers on the way.

mod parts;
mod room;
mod scrub;

use std::path::Path;

use serde_json::{Value, json};

use crate::commands::doctor;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::files::{self, Readers};
use crate::report::Report;
use crate::request_log::LoggedRequest;
use crate::words::shown_path;
use room::Room;
use scrub::scrubbed;

/// Of the file.
const FORMAT: u32 = 1;
/// Bytes of the file at most, whatever was found.
const MOST_BYTES: usize = 200_000;
/// Bytes of the parts that are read first, so that none crowds out the others.
const PART_BYTES: usize = 20_000;
const REQUESTS_BYTES: usize = 60_000;

pub(super) async fn run(out: &Path, context: &Context) -> Result<Report, Failure> {
    let (text, cut) = written(context).await?;
    files::write(out, &text, Readers::Owner)?;
    let document = json!({ "file": out.to_string_lossy(), "bytes": text.len(), "cut": cut });
    let mut words = format!("{}: {} bytes", shown_path(out), text.len());
    for what in &cut {
        words.push_str(&format!("\n  left out: {what}"));
    }
    Report::new(document, words)
}

/// The document, in the order of what must not be missing, and what was left out.
async fn written(context: &Context) -> Result<(Vec<u8>, Vec<String>), Failure> {
    let mut room = Room::new(MOST_BYTES);
    let sandbox = parts::sandbox(context).await;
    let (requests, damaged) = parts::requests(context);
    room.whole("format", json!(FORMAT), PART_BYTES);
    room.whole("versions", parts::versions(context), PART_BYTES);
    room.whole("clock", parts::clock(context), PART_BYTES);
    room.whole("wallet", parts::wallet(context).await, PART_BYTES);
    room.first("doctor", checks(context).await?, PART_BYTES);
    let mut names = Value::Null;
    let mut log = Vec::new();
    match sandbox {
        Ok(told) => {
            names = told.names(&requests).await;
            room.whole("sandbox", told.state, PART_BYTES);
            room.newest("faults", told.faults, PART_BYTES);
            room.newest("events", told.events, PART_BYTES);
            log = told.lines;
        }
        Err(failure) => room.whole("sandbox", json!({ "error": scrubbed(json!(failure)) }), PART_BYTES),
    }
    room.whole("trace", json!({ "damaged": damaged, "names": names }), PART_BYTES);
    room.newest("requests", requests.iter().map(LoggedRequest::shown).collect(), REQUESTS_BYTES);
    room.newest("log", log, MOST_BYTES);
    let (document, cut) = room.finish();
    let text = serde_json::to_vec(&document).map_err(|error| LocalCode::Bug.detail(error.to_string()))?;
    Ok((text, cut))
}

async fn checks(context: &Context) -> Result<Vec<Value>, Failure> {
    let report = doctor::run(context).await?;
    let checks = report.document().and_then(|document| document.get("checks")).and_then(Value::as_array);
    Ok(checks.cloned().unwrap_or_default().into_iter().map(scrubbed).collect())
}
