//! The library that ships (`crate::size`) and its exported interface (`crate::api`).

use std::fs;
use std::io;

use super::{Desk, Suite};
use crate::api;
use crate::report::{Outcome, Report};
use crate::size::{self, Scan};

pub(super) fn suites() -> Vec<Suite> {
    vec![Suite::new("api", interface), Suite::new("size", size)]
}

fn interface(desk: &Desk<'_>) -> io::Result<Outcome> {
    let exported = api::exported(desk.workspace, |command| desk.run(command))?;
    let faults = api::faults(desk.workspace, &exported);
    let mut report = Report::default();
    report.check(faults.is_empty(), || faults.join("\n"));
    Ok(Outcome::Ran(report))
}

fn size(desk: &Desk<'_>) -> io::Result<Outcome> {
    let library = size::build(desk.workspace, |command| desk.run(command))?;
    let mut report = Report::default();
    let faults = size::faults(desk.workspace, &library)?;
    report.check(faults.is_empty(), || faults.join("\n"));
    let bytes = fs::read(&library)?;
    let scan = Scan::new(&desk.workspace.root);
    let findings = scan.findings(&bytes);
    report.check(findings.is_empty(), || format!("the library holds {}", findings.join(", ")));
    let missed = scan.missed(&bytes);
    report.check(missed.is_empty(), || format!("control: the scan does not find {}", missed.join(", ")));
    Ok(Outcome::Ran(report))
}
