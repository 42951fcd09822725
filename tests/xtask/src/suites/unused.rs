//! cargo-shear: dependencies that a manifest names and no code uses. One that is there for the features it chooses is listed in
//! its manifest, under `package.metadata.cargo-shear`.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::{Desk, Suite, excerpt};
use crate::process::without_own_variables;
use crate::report::{Outcome, Report};
use crate::tools::{self, CARGO_SHEAR};

pub(super) fn suites() -> Vec<Suite> {
    vec![Suite::new("unused", run)]
}

fn run(desk: &Desk<'_>) -> io::Result<Outcome> {
    let Some(program) = tools::cargo_tool(&CARGO_SHEAR, &desk.progress, |command| desk.run(command))? else {
        return Ok(Outcome::Skipped { missing: CARGO_SHEAR.missing() });
    };
    let shear = |folder: &Path| {
        let mut command = Command::new(&program);
        command.current_dir(folder).args(["--color", "never"]);
        without_own_variables(&mut command);
        desk.run(&mut command)
    };
    // It reads the crates of every platform, which an ordinary build does not fetch.
    let fetched = desk.run(&mut desk.cargo(&["fetch", "--locked"]))?;
    let mut report = Report::default();
    report.check(fetched.success, || excerpt("cargo fetch --locked", &fetched.output));
    let ended = shear(&desk.workspace.root)?;
    report.check(ended.success, || excerpt("cargo shear", &ended.output));
    let planted = shear(&planted(&desk.scratch)?)?;
    let found = !planted.success && planted.output.contains("unused dependency `spare`");
    report.check(found, || format!("control: a planted one is not found\n{}", excerpt("cargo shear", &planted.output)));
    Ok(Outcome::Ran(report))
}

/// A workspace of two crates, one of which names the other for nothing.
fn planted(scratch: &Path) -> io::Result<std::path::PathBuf> {
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
