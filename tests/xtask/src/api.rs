//! What the library exports to Kotlin and Swift, held against `bindings/api.txt`, so that the interface changes only on
//! purpose and a reviewer sees how.

use std::fs;
use std::io;
use std::process::Command;

use clap::Args;

use crate::ffi;
use crate::process::{Ended, capture, cargo, stream};
use crate::workspace::Workspace;

const COMMITTED: &str = "bindings/api.txt";

#[derive(Args)]
pub(crate) struct ApiArgs {
    /// Write `bindings/api.txt` anew.
    #[arg(long)]
    accept: bool,
}

/// The interface of the library as it is, one line a thing.
pub(crate) fn exported(workspace: &Workspace, run: impl Fn(&mut Command) -> io::Result<Ended>) -> io::Result<String> {
    let library = ffi::library(workspace, &run)?;
    let mut command = cargo(&workspace.root);
    command.args(["run", "--quiet", "-p", ffi::CRATE, "--features", "bindgen", "--bin", "api", "--"]);
    capture(command.arg(library))
}

/// What is wrong with it: nothing, or the lines that differ.
pub(crate) fn faults(workspace: &Workspace, exported: &str) -> Vec<String> {
    let committed = fs::read_to_string(workspace.root.join(COMMITTED)).unwrap_or_default();
    let mut faults = difference(&committed, exported);
    if !faults.is_empty() {
        faults.push(format!("{COMMITTED} is not what the library exports: cargo xtask api --accept, if it is meant"));
    }
    faults
}

/// `cargo xtask api`: shows the difference, or accepts it.
pub(crate) fn run(workspace: &Workspace, args: &ApiArgs) -> io::Result<u8> {
    let exported = exported(workspace, |command| {
        stream(command).map(|status| Ended { success: status.success(), output: String::new() })
    })?;
    if args.accept {
        fs::write(workspace.root.join(COMMITTED), &exported)?;
    }
    let faults = faults(workspace, &exported);
    for fault in &faults {
        println!("{fault}");
    }
    println!("{}", exported.lines().next().unwrap_or_default());
    Ok(u8::from(!faults.is_empty()))
}

/// Lines of one and not of the other, each under the block it stands in.
fn difference(committed: &str, exported: &str) -> Vec<String> {
    let (before, now) = (placed(committed), placed(exported));
    let only = |sign: &str, these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|line| !those.contains(line)).map(|line| format!("{sign} {line}")).collect()
    };
    let lines = [only("-", &before, &now), only("+", &now, &before)].concat();
    // The same lines in another order.
    if lines.is_empty() && committed != exported { vec!["the order of lines differs".to_owned()] } else { lines }
}

/// Every line with the title of its block.
fn placed(text: &str) -> Vec<String> {
    let mut title = "";
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("  ") {
            Some(member) => lines.push(format!("{title}: {member}")),
            None => {
                title = line;
                lines.push(line.to_owned());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "2 types\n\nenum A\n  One\n  Two\n\nrecord B\n  x: u8\n";

    #[test]
    fn a_change_is_shown_with_where_it_is() {
        assert_eq!(difference(BEFORE, BEFORE), [""; 0]);
        assert_eq!(difference(BEFORE, &BEFORE.replace("x: u8", "x: u16")), ["- record B: x: u8", "+ record B: x: u16"]);
        assert_eq!(difference(BEFORE, &BEFORE.replace("One\n  Two", "Two\n  One")), ["the order of lines differs"]);
        assert_eq!(difference("", BEFORE).len(), 6);
    }
}
