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
use crate::process::{Ended, capture, cargo, stream};
use crate::workspace::Workspace;
pub(crate) use secrets::Scan;

/// What it may have at most, bytes, stripped, on x86-64.
const MOST: u64 = 4_000_000;
/// From one entry of the history to the next, growth by more than this needs a reason, bytes.
const STEP: u64 = 100_000;

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
    bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Builds the library as it ships. Paths of the machine that builds are replaced: they are nobody's business, and the same
/// sources give the same bytes everywhere.
pub(crate) fn build(workspace: &Workspace, run: impl Fn(&mut Command) -> io::Result<Ended>) -> io::Result<PathBuf> {
    // Where crates are unpacked is only known once they are.
    ffi::need(&run, cargo(&workspace.root).args(["fetch", "--locked"]))?;
    let mut command = cargo(&workspace.root);
    command.args(["rustc", "--release", "--locked", "-p", ffi::CRATE, "--lib", "--crate-type", "cdylib"]);
    ffi::need(&run, command.env("CARGO_ENCODED_RUSTFLAGS", remap(&workspace.root)?))?;
    Ok(workspace.target().join("release").join(ffi::LIBRARY))
}

/// What is wrong with its size; nothing, mostly.
pub(crate) fn faults(workspace: &Workspace, library: &Path) -> io::Result<Vec<String>> {
    let bytes = fs::metadata(library)?.len();
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
pub(crate) fn record(workspace: &Workspace, args: SizeArgs) -> io::Result<u8> {
    let run = |command: &mut Command| {
        stream(command).map(|status| Ended { success: status.success(), output: String::new() })
    };
    let bytes = fs::metadata(build(workspace, run)?)?.len();

    let path = workspace.root.join(HISTORY);
    let mut history = read(&path)?;
    let before = history.last().map(|last| last.bytes);
    let git = |format: &str| {
        let format = format!("--format={format}");
        let mut command = Command::new("git");
        capture(command.current_dir(&workspace.root).args(["log", "-1", &format])).map(|text| text.trim().to_owned())
    };
    let rustc = capture(Command::new("rustc").arg("--version"))?.split(' ').nth(1).unwrap_or_default().to_owned();
    let entry = Entry { commit: git("%h")?, date: git("%cs")?, rustc, bytes, reason: args.reason };
    println!("{bytes:>10} bytes in all; {MOST} are the most; before: {}", before.unwrap_or_default());
    if before == Some(bytes) {
        println!("unchanged");
        return Ok(0);
    }
    history.push(entry);
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
    let mut flags = OsString::new();
    let mut replace = |from: &Path, to: &str| {
        if !flags.is_empty() {
            flags.push("\x1f");
        }
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    };
    replace(root, "saifu");
    if let Some(home) = cargo_home() {
        for registry in fs::read_dir(home.join("registry").join("src"))? {
            replace(&registry?.path(), "crates");
        }
    }
    Ok(flags)
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

fn grew(before: u64, now: u64) -> bool {
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

    fn entry(bytes: u64, reason: Option<&str>) -> Entry {
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
