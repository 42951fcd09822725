//! cargo-deny: banned crates, licences and sources, by `deny.toml` at the root.

use std::io;
use std::process::Command;

use super::{Desk, Suite, excerpt};
use crate::process::without_own_variables;
use crate::report::{Outcome, Report};
use crate::tools::{self, CARGO_DENY};

const CHECKS: [&str; 3] = ["bans", "licenses", "sources"];

pub(super) fn suites() -> Vec<Suite> {
    vec![Suite::new("deny", run)]
}

fn run(desk: &Desk<'_>) -> io::Result<Outcome> {
    let Some(program) = tools::cargo_tool(&CARGO_DENY, &desk.progress, |command| desk.run(command))? else {
        return Ok(Outcome::Skipped { missing: CARGO_DENY.missing() });
    };
    // cargo-deny reads the crates of every platform, which an ordinary build does not fetch.
    let fetched = desk.run(&mut desk.cargo(&["fetch", "--locked"]))?;
    let mut command = Command::new(program);
    command.current_dir(&desk.workspace.root).args(["--offline", "--color", "never", "check"]).args(CHECKS);
    without_own_variables(&mut command);
    let ended = desk.run(&mut command)?;
    let mut report = Report::default();
    report.check(fetched.success, || excerpt("cargo fetch --locked", &fetched.output));
    for check in CHECKS {
        report.check(ended.output.contains(&format!("{check} ok")), || format!("{check}: not in order"));
    }
    if !ended.success {
        report.faults.push(excerpt("cargo deny", &ended.output));
    }
    Ok(Outcome::Ran(report))
}
