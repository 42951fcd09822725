//! Child processes: cargo with a clean environment, output into a log file, a time limit.
//!
//! Every suite starts its children through this file, so that none reads the terminal, none outlives the
//! time limit unnoticed, and every line a child prints can be read again in its log.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::progress::Progress;

/// How often a running child is looked at.
const POLL: Duration = Duration::from_millis(20);

/// What a child left behind.
pub(crate) struct Ended {
    /// It ended by itself with status zero.
    pub(crate) success: bool,
    /// What it printed into the log: both streams, or stderr alone when stdout went to a file of its own.
    pub(crate) output: String,
}

/// `cargo` (the one that started this tool) in `root`, without the variables that cargo itself set for this
/// process: build scripts watch some of them, and would be run again for nothing.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).env("CARGO_TERM_COLOR", "never");
    without_own_variables(&mut command);
    command
}

/// Removes what `cargo run` told this process about its own package.
pub(crate) fn without_own_variables(command: &mut Command) {
    let own = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_", "OUT_DIR"];
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| own.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
}

/// Runs `command` with its output appended to `log` (stdout to `stdout` instead, if given) until it ends or
/// `deadline` has passed.
pub(crate) fn run_logged(
    command: &mut Command,
    log: &Path,
    stdout: Option<&Path>,
    progress: &Progress,
    deadline: Option<Instant>,
) -> io::Result<Ended> {
    let mut file = File::options().create(true).append(true).read(true).open(log)?;
    writeln!(file, "$ {}", shown(command))?;
    let start = file.seek(SeekFrom::End(0))?;
    let out = match stdout {
        Some(path) => File::create(path)?,
        None => file.try_clone()?,
    };
    command.stdin(Stdio::null()).stdout(out).stderr(file.try_clone()?);
    let mut child = command.spawn().map_err(|error| named(error, command))?;
    let mut status = child.try_wait()?;
    while status.is_none() {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            child.kill()?;
            child.wait()?;
            writeln!(file, "xtask: stopped, the time limit has passed")?;
            break;
        }
        sleep(POLL);
        progress.tick();
        status = child.try_wait()?;
    }
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let success = status.is_some_and(|status| status.success());
    Ok(Ended { success, output: String::from_utf8_lossy(&bytes).into_owned() })
}

/// Runs `command` and returns its stdout; a failure carries its stderr.
pub(crate) fn capture(command: &mut Command) -> io::Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| named(error, command))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(io::Error::other(format!("{}: {}", shown(command), String::from_utf8_lossy(&output.stderr).trim())))
}

/// Runs `command` on this terminal, without stdin.
pub(crate) fn stream(command: &mut Command) -> io::Result<ExitStatus> {
    command.stdin(Stdio::null()).status().map_err(|error| named(error, command))
}

/// Where the program `name` is, if `PATH` has it.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The last `count` lines of `text`.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.len().saturating_sub(count);
    lines.get(start..).unwrap_or_default().join("\n")
}

fn named(error: io::Error, command: &Command) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", command.get_program().to_string_lossy()))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tail_keeps_the_last_lines_only() {
        assert_eq!(tail("a\nb\nc\n", 2), "b\nc");
        assert_eq!(tail("a", 80), "a");
        assert_eq!(tail("", 80), "");
    }

    #[test]
    fn a_child_past_the_deadline_is_stopped_and_has_failed() {
        let log = std::env::temp_dir().join(format!("xtask-process-{}.log", std::process::id()));
        let progress = Progress::quiet();
        let past = Some(Instant::now());
        let ended = run_logged(Command::new("sleep").arg("60"), &log, None, &progress, past).unwrap();
        std::fs::remove_file(&log).unwrap();
        assert!(!ended.success);
        assert!(ended.output.contains("time limit"));
    }

    #[test]
    fn the_output_of_one_child_does_not_hold_the_one_before_it() {
        let log = std::env::temp_dir().join(format!("xtask-output-{}.log", std::process::id()));
        let progress = Progress::quiet();
        let echo = |word: &str| run_logged(Command::new("echo").arg(word), &log, None, &progress, None).unwrap();
        assert_eq!(echo("first").output, "first\n");
        assert_eq!(echo("second").output, "second\n");
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "$ echo first\nfirst\n$ echo second\nsecond\n");
        std::fs::remove_file(&log).unwrap();
    }
}
