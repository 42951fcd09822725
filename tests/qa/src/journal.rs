//! What was done by hand with a sandbox, a line for each command, in a file beside `sandbox.json`: `saifu scenario record` makes
//! a scenario of it. The words are those of scenarios. The file holds codes and numbers, and is its owner's alone.

use std::io;
use std::path::PathBuf;

use saifu_sandbox::COMMANDS;
use saifu_wire::Millis;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::files;
use crate::peers::sandbox_clock;
use crate::report::Report;

/// Bytes of the file at most: some fifty thousand commands.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// One thing that was done.
#[derive(Serialize, Deserialize)]
pub(crate) struct Done {
    /// By the clock that wallets and terminals share with the issuer.
    pub(crate) began: Millis,
    pub(crate) ended: Millis,
    /// As it was typed.
    pub(crate) command: String,
    /// The wallet's folder.
    pub(crate) wallet: PathBuf,
    pub(crate) verb: String,
    pub(crate) arguments: Map<String, Value>,
    /// The command's document, or `{error}`.
    pub(crate) outcome: Value,
}

impl Context {
    /// Does what a command does, and writes down that it was done.
    pub(crate) async fn did(
        &self,
        verb: &str,
        arguments: Value,
        work: impl Future<Output = Result<Report, Failure>>,
    ) -> Result<Report, Failure> {
        self.did_giving(verb, arguments, work, |report| report.document().cloned().unwrap_or_default()).await
    }

    /// The same of something that is no whole command, with what of it later steps may use.
    pub(crate) async fn did_giving<T>(
        &self,
        verb: &str,
        arguments: Value,
        work: impl Future<Output = Result<T, Failure>>,
        gives: impl Fn(&T) -> Value,
    ) -> Result<T, Failure> {
        let began = self.shared_time();
        let done = work.await;
        let outcome = done.as_ref().map_or_else(|failure| json!({ "error": failure.code() }), gives);
        if let Err(error) = self.write_down(began, verb, arguments, outcome) {
            self.printer.note(&format!("`saifu scenario record` will not know of this: {COMMANDS}: {error}"));
        }
        done
    }

    /// What was done since the accounts of this sandbox began.
    pub(crate) fn all_done(&self) -> Result<Vec<Done>, Failure> {
        let path = self.sandbox_file()?.with_file_name(COMMANDS);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let wrong = |error: serde_json::Error| LocalCode::BadInput.detail(format!("{}: {error}", path.display()));
        serde_json::Deserializer::from_slice(&files::read(&path, MOST_BYTES)?)
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(wrong)
    }

    fn shared_time(&self) -> Millis {
        let clock = self.sandbox_file().and_then(|file| sandbox_clock(&file, None));
        clock.map_or(Millis(0), |clock| Millis(clock.read().wall_ms))
    }

    fn write_down(&self, began: Millis, verb: &str, arguments: Value, outcome: Value) -> io::Result<()> {
        let Ok(file) = self.sandbox_file() else { return Ok(()) };
        // Only beside a sandbox that is at home there: `--sandbox` may name a copy anywhere.
        if !file.with_file_name("format.json").is_file() {
            return Ok(());
        }
        let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        let done = Done {
            began,
            ended: self.shared_time(),
            command: format!("saifu {}", words.join(" ")),
            wallet: self.folder().map(|folder| folder.path().to_owned()).unwrap_or_default(),
            verb: verb.to_owned(),
            arguments: arguments.as_object().cloned().unwrap_or_default(),
            outcome,
        };
        files::append(&file.with_file_name(COMMANDS), &done).map(drop)
    }
}
