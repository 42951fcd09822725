//! What the library exports to Kotlin and Swift, held against `bindings/api.txt`, so that the interface changes only on
//! purpose and a reviewer sees how.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::ffi;
use crate::process::Runner;
use crate::report::Report;

const COMMITTED: &str = "bindings/api.txt";

#[derive(Args)]
pub(crate) struct ApiArgs {
    /// Write `bindings/api.txt` anew.
    #[arg(long)]
    accept: bool,
}

/// The suite `api` of the gate.
pub(crate) fn suite(runner: &Runner) -> io::Result<Report> {
    let mut report = Report::default();
    let difference = difference(runner, &exported(runner)?)?;
    report.check(difference.is_empty(), || difference);
    Ok(report)
}

/// `cargo xtask api`: shows the difference, or accepts it.
pub(crate) fn run(args: &ApiArgs) -> io::Result<u8> {
    let runner = Runner::new("api", None)?;
    let exported = exported(&runner)?;
    if args.accept {
        fs::copy(&exported, runner.workspace.root.join(COMMITTED))?;
    }
    let difference = difference(&runner, &exported)?;
    println!("{difference}{}", fs::read_to_string(exported)?.lines().next().unwrap_or_default());
    Ok(u8::from(!difference.is_empty()))
}

/// A file with the interface of the library as it is, one line a thing.
fn exported(runner: &Runner) -> io::Result<PathBuf> {
    let library = ffi::library(runner)?;
    let file = runner.scratch.join("api.txt");
    let mut program =
        runner.cargo(&["run", "--quiet", "-p", ffi::CRATE, "--features", "bindgen", "--bin", "api", "--"]);
    let ended = runner.run_into(&file, program.arg(library))?;
    if ended.success { Ok(file) } else { Err(io::Error::other(ended.output)) }
}

/// The lines that differ, each change under the block it stands in; nothing if there are none.
fn difference(runner: &Runner, exported: &Path) -> io::Result<String> {
    let mut diff = Command::new("git");
    diff.current_dir(&runner.workspace.root)
        .args(["diff", "--no-index", "--no-ext-diff", "--no-color", "--unified=0", COMMITTED])
        .arg(exported);
    let ended = runner.run(&mut diff)?;
    let how = format!("{COMMITTED} is not what the library exports: cargo xtask api --accept, if it is meant\n");
    Ok(if ended.success { String::new() } else { format!("{}{how}", ended.output) })
}
