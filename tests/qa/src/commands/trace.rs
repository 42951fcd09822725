//! `saifu trace`: what a wallet last asked the issuer, and how each request ended. The trace id is the one of the issuer's
//! log, so it leads from a tap to its postings.

use saifu_wire::{Millis, Name, ProblemCode};
use serde::Serialize;

use super::{table, time};
use crate::cli::TraceArgs;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::report::Report;
use crate::request_log::{Asked, Lost, RequestLog, Requests};

/// A request as it is shown.
#[derive(Serialize)]
pub(super) struct Shown {
    at: Millis,
    operation: Name,
    pub(super) trace: Name,
    class: Name,
    status: Option<u16>,
    code: Option<ProblemCode>,
    lost: Option<Lost>,
    ms: Option<u64>,
}

impl From<Asked> for Shown {
    fn from(asked: Asked) -> Self {
        let Asked { nth: _, at, operation, trace, class, status, code, lost, ms } = asked;
        Self { at, operation, trace, class, status, code, lost, ms }
    }
}

impl Shown {
    /// How it ended, in a word.
    fn end(&self) -> String {
        match (self.lost, self.status, self.code) {
            (Some(lost), _, _) => lost.as_str().to_owned(),
            (None, Some(status), Some(code)) => format!("{status} {}", code.as_str()),
            (None, Some(status), None) => status.to_string(),
            (None, None, _) => String::new(),
        }
    }
}

pub(super) fn run(args: &TraceArgs, context: &Context) -> Result<Report, Failure> {
    #[derive(Serialize)]
    struct Document {
        requests: Vec<Shown>,
        damaged: usize,
    }
    let folder = context.folder()?;
    let read = RequestLog::new(folder.path()).read();
    let unreadable =
        |error| LocalCode::FileFailed.detail(format!("the requests in {}: {error}", folder.path().display()));
    let Requests { requests, damaged } = read.map_err(unreadable)?;
    let before = requests.len().saturating_sub(args.last);
    let requests: Vec<Shown> = requests.into_iter().skip(before).map(Shown::from).collect();
    let text = words(&requests, damaged, context);
    Report::new(&Document { requests, damaged }, text)
}

fn words(requests: &[Shown], damaged: usize, context: &Context) -> String {
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
