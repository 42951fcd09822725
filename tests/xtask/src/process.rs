//! Child processes: cargo with a clean environment, output into a log file, a time limit.
//!
//! Every command of this tool starts its children through a [`Runner`], so that none reads the terminal, none outlives the time
//! limit unnoticed, and every line a child prints can be read again in its log.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::progress::Progress;
use crate::report::Report;
use crate::workspace::Workspace;

/// How often a running child is looked at.
const POLL: Duration = Duration::from_millis(20);
/// How much of a failing program's output is shown.
const SHOWN_LINES: usize = 80;

/// What a child left behind.
pub(crate) struct Ended {
    /// It ended by itself with status zero.
    pub(crate) success: bool,
    /// What it printed into the log: both streams, or stderr alone when stdout went to a file of its own.
    pub(crate) output: String,
}

/// What one command of this tool works with: the workspace, a log, what it says meanwhile, the time that is left.
pub(crate) struct Runner {
    pub(crate) workspace: Workspace,
    pub(crate) progress: Progress,
    /// `target/xtask`, where logs and other files go.
    pub(crate) scratch: PathBuf,
    log: RefCell<PathBuf>,
    deadline: Option<Instant>,
}

impl Runner {
    /// For the workspace of the current folder, with a log that is called `name`; children are stopped after `limit`.
    pub(crate) fn new(name: &str, limit: Option<Duration>) -> io::Result<Self> {
        let workspace = Workspace::load()?;
        let scratch = workspace.target.join("xtask");
        fs::create_dir_all(&scratch)?;
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let runner = Self { workspace, progress: Progress::new(name), scratch, log: RefCell::default(), deadline };
        runner.log_to(name)?;
        Ok(runner)
    }

    /// Begins the log of this name; where it is.
    pub(crate) fn log_to(&self, name: &str) -> io::Result<PathBuf> {
        let log = self.scratch.join(format!("{}.log", name.replace("::", ".")));
        File::create(&log)?;
        self.log.replace(log.clone());
        Ok(log)
    }

    /// Whether the time limit has passed.
    pub(crate) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// `cargo` at the root of the workspace.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo(&self.workspace.root);
        command.args(arguments);
        command
    }

    /// Runs `command` into the log.
    pub(crate) fn run(&self, command: &mut Command) -> io::Result<Ended> {
        self.logged(command, None)
    }

    /// The same with its stdout in a file of its own.
    pub(crate) fn run_into(&self, stdout: &Path, command: &mut Command) -> io::Result<Ended> {
        self.logged(command, Some(stdout))
    }

    /// Runs a command that must succeed.
    pub(crate) fn need(&self, command: &mut Command) -> io::Result<()> {
        let ended = self.run(command)?;
        if ended.success { Ok(()) } else { Err(io::Error::other(excerpt(&shown(command), &ended.output))) }
    }

    /// Runs a command that is one check of `report`.
    pub(crate) fn check(&self, report: &mut Report, command: &mut Command) -> io::Result<Ended> {
        let ended = self.run(command)?;
        report.check(ended.success, || excerpt(&shown(command), &ended.output));
        Ok(ended)
    }

    /// A report of one check, which a command is.
    pub(crate) fn checked(&self, command: &mut Command) -> io::Result<Report> {
        let mut report = Report::default();
        self.check(&mut report, command)?;
        Ok(report)
    }

    /// The command `saifu`, built; with the features of the whole workspace, so that nothing is built twice.
    pub(crate) fn saifu(&self) -> io::Result<PathBuf> {
        self.need(&mut self.cargo(&["build", "--workspace", "--all-features", "--bin", "saifu"]))?;
        Ok(self.workspace.target.join("debug").join("saifu"))
    }

    fn logged(&self, command: &mut Command, stdout: Option<&Path>) -> io::Result<Ended> {
        let mut file = File::options().create(true).append(true).read(true).open(&*self.log.borrow())?;
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
            if self.is_late() {
                child.kill()?;
                child.wait()?;
                writeln!(file, "xtask: stopped, the time limit has passed")?;
                break;
            }
            sleep(POLL);
            self.progress.tick();
            status = child.try_wait()?;
        }
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let success = status.is_some_and(|status| status.success());
        Ok(Ended { success, output: String::from_utf8_lossy(&bytes).into_owned() })
    }
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

/// The end of a failing program's output, under a line that says whose it is.
pub(crate) fn excerpt(whose: &str, output: &str) -> String {
    format!("--- {whose}\n{}\n---", tail(output, SHOWN_LINES))
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

/// The command as it would be typed; of a script among its words, the last line.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
    words.lines().last().unwrap_or_default().trim().to_owned()
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
        let runner = Runner::new("test-late", Some(Duration::ZERO)).unwrap();
        let ended = runner.run(Command::new("sleep").arg("60")).unwrap();
        assert!(!ended.success);
        assert!(ended.output.contains("time limit"));
    }

    #[test]
    fn the_output_of_one_child_does_not_hold_the_one_before_it() {
        let runner = Runner::new("test-output", None).unwrap();
        let log = runner.log_to("test::output").unwrap();
        let echo = |word: &str| runner.run(Command::new("echo").arg(word)).unwrap().output;
        assert_eq!([echo("first"), echo("second")], ["first\n", "second\n"]);
        assert_eq!(std::fs::read_to_string(log).unwrap(), "$ echo first\nfirst\n$ echo second\nsecond\n");
    }
}
