//! `saifu trace`: what a wallet last asked the issuer, and how each request ended. The trace id is the one of the issuer's
//! log, so it leads from a tap to its postings.

use serde_json::json;

use super::{table, time};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::report::Report;
use crate::request_log::{LoggedRequest, RequestLog, Requests};

pub(super) fn run(last: usize, context: &Context) -> Result<Report, Failure> {
    let folder = context.folder()?;
    let read = RequestLog::new(folder.path()).read();
    let unreadable =
        |error| LocalCode::FileFailed.detail(format!("the requests in {}: {error}", folder.path().display()));
    let Requests { mut requests, damaged } = read.map_err(unreadable)?;
    requests.drain(..requests.len().saturating_sub(last));
    let text = words(&requests, damaged, context);
    Report::new(
        json!({ "requests": requests.iter().map(LoggedRequest::shown).collect::<Vec<_>>(), "damaged": damaged }),
        text,
    )
}

fn words(requests: &[LoggedRequest], damaged: usize, context: &Context) -> String {
    let rows = requests.iter().map(|asked| {
        let ms = asked.ms.map(|ms| format!("{ms} ms")).unwrap_or_default();
        let (operation, class) = (asked.operation.to_string(), asked.class.to_string());
        vec![time(asked.at), operation, asked.trace.to_string(), asked.end(), ms, class]
    });
    let mut text = match requests {
        [] => format!("The wallet `{}` has asked the issuer nothing yet.", context.wallet.as_str()),
        _ => table(&["when", "what", "trace", "end", "took", "class"], rows),
    };
    if damaged > 0 {
        text.push_str(&format!("\n{damaged} damaged lines of the file are left out."));
    }
    text
}
