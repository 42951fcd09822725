//! A wallet's last requests to the issuer, in its folder: written by every process that plays this wallet, read by
//! `saifu trace` and `saifu bundle`. A line says what was asked and how it ended, and nothing of what was said.
//!
//! A request is written when it is sent and again when its end is known, so that one whose process was killed in between
//! is there too. The file is turned like any log: at [`TURN_AT`] bytes it becomes the older half and a new one begins, so
//! the folder never holds more than twice that. Whoever appends needs no lock; whoever turns takes one and looks again, and
//! if somebody else is turning there is nothing left to do. What is damaged is counted and left out.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use saifu_policy::Class;
use saifu_wire::{Millis, Name, Operation, ProblemCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::word;
use crate::files;

const NEWER: &str = "requests.jsonl";
const OLDER: &str = "requests.1.jsonl";
const LOCK: &str = "requests.lock";
/// Bytes: room for more than 500 requests.
const TURN_AT: u64 = 160 * 1024;
/// Bytes that are read of one file, whatever somebody has put there.
const READ_AT_MOST: u64 = 1024 * 1024;
/// Requests that [`RequestLog::read`] gives at most.
pub(crate) const MOST: usize = 500;
/// Characters of a trace id that the wallet draws.
const TRACE_LENGTH: usize = 16;

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Lost {
    /// It was never sent.
    Offline,
    /// None came; the issuer may have acted.
    NoAnswer,
    /// By this machine's date the issuer's certificate is not valid; it was never sent.
    WrongClock,
    /// Whoever answers is not the issuer.
    Untrusted,
    /// The process ended, or stopped waiting, before its end was known.
    Unfinished,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoggedRequest {
    /// Which request of its process; with the trace it names this one.
    pub(crate) nth: u64,
    /// When it was sent, by the wallet's clock.
    pub(crate) at: Millis,
    pub(crate) operation: Name,
    /// Of the tap it belongs to.
    pub(crate) trace: Name,
    pub(crate) class: Name,
    /// HTTP status of the answer.
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<ProblemCode>,
    pub(crate) lost: Option<Lost>,
    /// Milliseconds until its end was known.
    pub(crate) ms: Option<u64>,
}

impl LoggedRequest {
    /// As it is shown: which one of its process it was means nothing to anybody else.
    pub(crate) fn shown(&self) -> Value {
        let Self { nth: _, at, operation, trace, class, status, code, lost, ms } = self;
        json!({
            "at": at, "operation": operation, "trace": trace, "class": class, "status": status, "code": code,
            "lost": lost, "ms": ms,
        })
    }

    /// How it ended, in a word.
    pub(crate) fn end(&self) -> String {
        match (self.lost, self.status, self.code) {
            (Some(lost), _, _) => word(lost),
            (None, Some(status), Some(code)) => format!("{status} {}", code.as_str()),
            (None, Some(status), None) => status.to_string(),
            (None, None, _) => String::new(),
        }
    }

    /// Whether only words of ours stand in it: a damaged file must not bring anything else into a report.
    fn is_ours(&self) -> bool {
        let trace = self.trace.as_str();
        Operation::ALL.iter().any(|known| known.name() == self.operation.as_str())
            && Class::ALL.iter().any(|known| known.as_str() == self.class.as_str())
            && trace.len() == TRACE_LENGTH
            && trace.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    /// In the order of sending, the newest last; at most [`MOST`].
    pub(crate) requests: Vec<LoggedRequest>,
    /// Lines that make no sense.
    pub(crate) damaged: usize,
}

/// The files of one wallet.
#[derive(Debug)]
pub(crate) struct RequestLog {
    folder: PathBuf,
}

impl RequestLog {
    /// In this folder. Nothing is made before the first line, and the folder never.
    pub(crate) fn new(wallet: &Path) -> Self {
        Self { folder: wallet.to_owned() }
    }

    /// Adds a line; one for a request that is there already replaces it.
    ///
    /// # Errors
    /// Whatever the system says; the request itself is none the worse for it.
    pub(crate) fn append(&self, asked: &LoggedRequest) -> io::Result<()> {
        let file = files::append(&self.folder.join(NEWER), asked)?;
        if file.metadata()?.len() > TURN_AT { self.turn() } else { Ok(()) }
    }

    fn turn(&self) -> io::Result<()> {
        let lock = File::create(self.folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let newer = self.folder.join(NEWER);
        if std::fs::metadata(&newer)?.len() > TURN_AT {
            std::fs::rename(&newer, self.folder.join(OLDER))?;
        }
        Ok(())
    }

    /// The newest requests; nothing where nothing was ever asked.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub(crate) fn read(&self) -> io::Result<Requests> {
        // The newer first: turned in between, it is read twice rather than never.
        let newer = read(&self.folder.join(NEWER))?;
        let older = read(&self.folder.join(OLDER))?;
        let mut requests: Vec<LoggedRequest> = Vec::new();
        let mut places: HashMap<(Name, u64), usize> = HashMap::new();
        let mut damaged: usize = 0;
        for line in older.split(|byte| *byte == b'\n').chain(newer.split(|byte| *byte == b'\n')) {
            if line.is_empty() {
                continue;
            }
            let Some(asked) = serde_json::from_slice::<LoggedRequest>(line).ok().filter(LoggedRequest::is_ours) else {
                damaged = damaged.saturating_add(1);
                continue;
            };
            let place = *places.entry((asked.trace.clone(), asked.nth)).or_insert(requests.len());
            match requests.get_mut(place) {
                Some(known) if known.lost == Some(Lost::Unfinished) => *known = asked,
                Some(_) => {}
                None => requests.push(asked),
            }
        }
        requests.drain(..requests.len().saturating_sub(MOST));
        Ok(Requests { requests, damaged })
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(READ_AT_MOST).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(process: u64, nth: u64) -> LoggedRequest {
        LoggedRequest {
            nth,
            at: Millis(nth),
            operation: Name::new("intent-resolve").unwrap(),
            trace: Name::new(format!("{process:016x}")).unwrap(),
            class: Name::new("background").unwrap(),
            status: None,
            code: None,
            lost: Some(Lost::Unfinished),
            ms: None,
        }
    }

    fn answered(sent: LoggedRequest) -> LoggedRequest {
        LoggedRequest { status: Some(422), code: Some(ProblemCode::KeyReused), lost: None, ms: Some(60_000), ..sent }
    }

    fn bytes(folder: &Path) -> u64 {
        [NEWER, OLDER].iter().filter_map(|name| std::fs::metadata(folder.join(name)).ok()).map(|file| file.len()).sum()
    }

    #[test]
    fn end_replaces_the_beginning_and_a_killed_request_stays_unfinished() {
        let folder = tempfile::tempdir().unwrap();
        let log = RequestLog::new(folder.path());
        assert!(log.read().unwrap().requests.is_empty());
        for line in [asked(1, 1), asked(1, 2), answered(asked(1, 1)), asked(2, 1), answered(asked(2, 1))] {
            log.append(&line).unwrap();
        }
        let read = log.read().unwrap();
        assert_eq!(read.requests, [answered(asked(1, 1)), asked(1, 2), answered(asked(2, 1))]);
        assert_eq!(read.damaged, 0);
    }

    /// Control: without `turn`, the folder grows past its bound here.
    #[test]
    fn thousands_of_requests_stay_within_their_bytes_and_the_newest_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let log = RequestLog::new(folder.path());
        for nth in 0..3_000 {
            log.append(&asked(1, nth)).unwrap();
            log.append(&answered(asked(1, nth))).unwrap();
        }
        assert!(bytes(folder.path()) <= 2 * (TURN_AT + 1_000), "{}", bytes(folder.path()));
        let read = log.read().unwrap();
        let kept: Vec<u64> = read.requests.iter().map(|asked| asked.nth).collect();
        assert_eq!(kept, (2_500..3_000).collect::<Vec<_>>());
        assert_eq!(read.damaged, 0);
    }

    #[test]
    fn lines_of_writers_at_once_never_mix_and_turning_loses_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::thread::scope(|scope| {
            for process in 0..4 {
                scope.spawn(move || {
                    for nth in 0..300 {
                        RequestLog::new(path).append(&answered(asked(process, nth))).unwrap();
                    }
                });
            }
        });
        let lines: Vec<u8> = [read(&path.join(OLDER)).unwrap(), read(&path.join(NEWER)).unwrap()].concat();
        let mut all: Vec<LoggedRequest> = lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        all.sort_by_key(|asked| (asked.trace.clone(), asked.nth));
        let expected: Vec<LoggedRequest> =
            (0..4).flat_map(|process| (0..300).map(move |nth| answered(asked(process, nth)))).collect();
        assert!(path.join(OLDER).exists(), "it was turned");
        assert_eq!(all, expected);
    }

    #[test]
    fn damage_is_counted_and_brings_nothing_into_the_report() {
        let folder = tempfile::tempdir().unwrap();
        let log = RequestLog::new(folder.path());
        let good = serde_json::to_string(&answered(asked(1, 1))).unwrap();
        let strange = [
            good.replace("intent-resolve", "09012345678"),
            good.replace("background", "123456"),
            good.replace(&"0".repeat(15), "123456789012345-"),
            good.replace("\"nth\":1", "\"nth\":1,\"totp\":\"123456\""),
            good.get(..40).unwrap().to_owned(),
            "\u{0}\u{ffff}".to_owned(),
        ];
        std::fs::write(folder.path().join(NEWER), format!("{}\n{good}\n", strange.join("\n"))).unwrap();
        let read = log.read().unwrap();
        assert_eq!((read.damaged, read.requests), (strange.len(), vec![answered(asked(1, 1))]));
    }
}
