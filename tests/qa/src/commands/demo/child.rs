//! This executable, run again: one process for each part of the demo.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use crate::failure::{Failure, LocalCode};

/// No step of the demo takes this long, not even in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the caller's environment must not decide.
const OURS: &[&str] = &["SAIFU_HOME", "SAIFU_SANDBOX", "SAIFU_KEY_STORE", "SAIFU_YES", "SAIFU_LOG", "SAIFU_KILL_AT"];

/// Runs `saifu` with this home folder.
pub(super) struct Runner {
    program: PathBuf,
    home: PathBuf,
}

/// How a process ended, and its document.
pub(super) struct ChildAnswer {
    status: ExitStatus,
    document: Value,
    what: String,
}

/// A process that goes on.
pub(super) struct Running {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

fn failed(what: impl std::fmt::Display) -> Failure {
    LocalCode::StepFailed.detail(what.to_string())
}

impl Runner {
    pub(super) fn new(home: &Path) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| failed(format!("this executable: {error}")))?;
        Ok(Self { program, home: home.to_owned() })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--json", "--key-store", "file", "--home"]).arg(&self.home).args(words);
        for name in OURS {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs to the end.
    pub(super) async fn run(&self, words: &[&str]) -> Result<ChildAnswer, Failure> {
        let what = format!("saifu {}", words.join(" "));
        let output = tokio::time::timeout(PATIENCE, self.command(words).output()).await;
        let output = output.map_err(|_| failed(format!("{what}: no end")))?.map_err(failed)?;
        let document = serde_json::from_slice(&output.stdout)
            .map_err(|_| failed(format!("{what}: {}", String::from_utf8_lossy(&output.stderr))))?;
        Ok(ChildAnswer { status: output.status, document, what })
    }

    /// Starts one that goes on.
    pub(super) fn start(&self, words: &[&str]) -> Result<Running, Failure> {
        let mut child = self.command(words).spawn().map_err(failed)?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(failed("the pipes of a process"));
        };
        Ok(Running { child, stdout: BufReader::new(stdout).lines(), stderr: BufReader::new(stderr).lines() })
    }
}

impl ChildAnswer {
    /// The document of a process that did what it was asked.
    pub(super) fn done<T: DeserializeOwned>(self) -> Result<T, Failure> {
        if !self.status.success() {
            return Err(failed(format!("{}: {}", self.what, self.document)));
        }
        serde_json::from_value(self.document).map_err(|error| failed(format!("{}: {error}", self.what)))
    }

    /// Makes sure that it was refused, with this exit code and this error code.
    pub(super) fn refused(self, exit: i32, code: &str) -> Result<(), Failure> {
        let told = self.document.pointer("/error/code").and_then(Value::as_str);
        if self.status.code() == Some(exit) && told == Some(code) {
            return Ok(());
        }
        Err(failed(format!("{}: expected `{code}`, got {} and {}", self.what, self.status, self.document)))
    }
}

/// A line of a process that goes on. One that could not begin says so in its first.
fn document(line: &str) -> Result<Value, Failure> {
    let document: Value = serde_json::from_str(line).map_err(failed)?;
    if document.get("error").is_some() { Err(failed(document)) } else { Ok(document) }
}

impl Running {
    /// The next line of stdout as a document.
    pub(super) async fn next(&mut self) -> Result<Value, Failure> {
        let line = tokio::time::timeout(PATIENCE, self.stdout.next_line()).await;
        match line.map_err(|_| failed("a process stays silent"))?.map_err(failed)? {
            Some(line) => document(&line),
            None => {
                let told = self.stderr.next_line().await.ok().flatten().unwrap_or_default();
                Err(failed(format!("a process ended: {told}")))
            }
        }
    }

    /// Waits until stderr says this.
    pub(super) async fn says(&mut self, words: &str) -> Result<(), Failure> {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.stderr.next_line()).await;
            match line.map_err(|_| failed("a process stays silent"))?.map_err(failed)? {
                Some(line) if line.contains(words) => return Ok(()),
                Some(line) if line.starts_with("error") => return Err(failed(line)),
                Some(_) => {}
                None => return Err(failed("a process ended")),
            }
        }
    }

    /// SIGKILL, as a phone's system or a power cut would.
    pub(super) async fn kill(mut self) -> Result<(), Failure> {
        self.child.kill().await.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Control: taken for a document like any other, an error is an issuer that started.
    #[test]
    fn a_process_that_could_not_begin_is_no_step_that_went_well() {
        assert!(document(r#"{"customer_url":"https://127.0.0.1:1"}"#).is_ok());
        let why = document(r#"{"error":{"code":"bad-input","detail":"the port"}}"#).unwrap_err();
        assert!(why.detail().unwrap().contains("the port"));
        assert!(document("no JSON").is_err());
    }
}
