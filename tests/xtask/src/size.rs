//! The library that ships: built as a phone's build does it, for this machine. How big it is, whether it grew, and what it
//! gives away.
//!
//! `bindings/size.json` is its history. `cargo xtask size` appends to it; the suite `size` of the gate only reads it.
//! `secrets` are strings that must not be in it. Which crates the bytes come from, `cargo bloat --release --crates -p saifu-ffi`
//! tells.

mod secrets;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::ffi;
use crate::process::{Runner, capture};
use crate::report::Report;
use crate::workspace::Workspace;
use secrets::Scan;

/// What it may have at most, bytes, stripped, on x86-64.
const MOST: usize = 4_000_000;
/// From one entry of the history to the next, growth by more than this needs a reason, bytes.
const STEP: usize = 100_000;

const HISTORY: &str = "bindings/size.json";

#[derive(Args)]
pub(crate) struct SizeArgs {
    /// Why it grew; needed for more than 100 kB.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// One measurement.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The commit it was built from, and that commit's day.
    commit: String,
    date: String,
    rustc: String,
    bytes: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Builds the library as it ships. Paths of the machine that builds are replaced: they are nobody's business, and the same
/// sources give the same bytes everywhere.
pub(crate) fn build(runner: &Runner) -> io::Result<PathBuf> {
    // Where crates are unpacked is only known once they are.
    runner.need(&mut runner.cargo(&["fetch", "--locked"]))?;
    let library = ["rustc", "--release", "--locked", "-p", ffi::CRATE, "--lib", "--crate-type", "cdylib"];
    runner.need(runner.cargo(&library).env("CARGO_ENCODED_RUSTFLAGS", remap(&runner.workspace.root)?))?;
    Ok(runner.workspace.target.join("release").join(ffi::LIBRARY))
}

/// The suite `size` of the gate.
pub(crate) fn suite(runner: &Runner) -> io::Result<Report> {
    let mut report = Report::default();
    let bytes = fs::read(build(runner)?)?;
    let faults = faults(&runner.workspace, bytes.len())?;
    report.check(faults.is_empty(), || faults.join("\n"));
    let scan = Scan::new(&runner.workspace.root)?;
    let findings = scan.findings(&bytes);
    report.check(findings.is_empty(), || format!("the library holds {}", findings.join(", ")));
    let missed = scan.missed(&bytes);
    report.check(missed.is_empty(), || format!("control: the scan does not find {}", missed.join(", ")));
    Ok(report)
}

/// What is wrong with a library of so many bytes; nothing, mostly.
fn faults(workspace: &Workspace, bytes: usize) -> io::Result<Vec<String>> {
    let history = read(&workspace.root.join(HISTORY))?;
    let mut faults = unexplained(&history);
    if bytes > MOST {
        faults.push(format!("the library has {bytes} bytes, {MOST} are the most"));
    }
    match history.last() {
        Some(last) if grew(last.bytes, bytes) => faults.push(format!(
            "the library has {bytes} bytes, at {} it had {}: record it with cargo xtask size --reason '…'",
            last.commit, last.bytes
        )),
        Some(_) => {}
        None => faults.push(format!("{HISTORY} is empty: cargo xtask size begins it")),
    }
    Ok(faults)
}

/// `cargo xtask size`: measures and appends to the history.
pub(crate) fn record(args: SizeArgs) -> io::Result<u8> {
    let runner = Runner::new("size", None)?;
    let bytes = fs::read(build(&runner)?)?.len();
    let path = runner.workspace.root.join(HISTORY);
    let mut history = read(&path)?;
    let before = history.last().map(|last| last.bytes);
    println!("{bytes:>10} bytes in all; {MOST} are the most; before: {}", before.unwrap_or_default());
    if before == Some(bytes) {
        println!("unchanged");
        return Ok(0);
    }
    let head = runner.workspace.git(&["log", "-1", "--format=%h %cs"])?;
    let (commit, date) = head.trim().split_once(' ').unwrap_or_default();
    let rustc = capture(Command::new("rustc").arg("--version"))?.split(' ').nth(1).unwrap_or_default().to_owned();
    history.push(Entry { commit: commit.to_owned(), date: date.to_owned(), rustc, bytes, reason: args.reason });
    if let Some(fault) = unexplained(&history).last() {
        eprintln!("error: {fault}; say why with --reason");
        return Ok(1);
    }
    let json = serde_json::to_string_pretty(&history).map_err(io::Error::other)?;
    fs::write(path, json + "\n")?;
    Ok(u8::from(bytes > MOST))
}

/// Compiler flags that replace the paths of this machine.
fn remap(root: &Path) -> io::Result<OsString> {
    let mut paths = vec![(root.to_owned(), "saifu")];
    if let Some(home) = cargo_home() {
        for registry in fs::read_dir(home.join("registry").join("src"))? {
            paths.push((registry?.path(), "crates"));
        }
    }
    let mut flags = Vec::new();
    for (from, to) in paths {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push(format!("={to}"));
        flags.push(flag);
    }
    Ok(flags.join("\x1f".as_ref()))
}

/// Where cargo keeps the sources of crates.
fn cargo_home() -> Option<PathBuf> {
    let own = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    own.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
}

fn read(path: &Path) -> io::Result<Vec<Entry>> {
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| io::Error::other(format!("{HISTORY}: {error}"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn grew(before: usize, now: usize) -> bool {
    now > before.saturating_add(STEP)
}

/// Entries that are much bigger than the one before and do not say why.
fn unexplained(history: &[Entry]) -> Vec<String> {
    let pairs = history.iter().zip(history.iter().skip(1));
    let silent = pairs.filter(|(before, entry)| {
        grew(before.bytes, entry.bytes) && entry.reason.as_deref().is_none_or(|reason| reason.trim().is_empty())
    });
    let text = |(before, entry): (&Entry, &Entry)| {
        format!("{HISTORY}: {} grew from {} to {} bytes without a reason", entry.commit, before.bytes, entry.bytes)
    };
    silent.map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(bytes: usize, reason: Option<&str>) -> Entry {
        let reason = reason.map(str::to_owned);
        Entry { commit: "c".into(), date: "d".into(), rustc: "r".into(), bytes, reason }
    }

    #[test]
    fn a_step_of_more_than_100_kb_needs_a_reason() {
        let sizes = |next| unexplained(&[entry(1_000_000, None), next]).len();
        assert_eq!(sizes(entry(1_100_000, None)), 0);
        assert_eq!(sizes(entry(1_100_001, None)), 1);
        assert_eq!(sizes(entry(1_100_001, Some(" "))), 1);
        assert_eq!(sizes(entry(1_100_001, Some("TLS"))), 0);
        assert_eq!(sizes(entry(500_000, None)), 0);
    }
}
