//! The interface that the library exports (`crate::api`) as a suite.

use std::io;

use super::{Desk, Suite};
use crate::api;
use crate::report::{Outcome, Report};

pub(super) fn suites() -> Vec<Suite> {
    vec![Suite::new("api", interface)]
}

fn interface(desk: &Desk<'_>) -> io::Result<Outcome> {
    let exported = api::exported(desk.workspace, |command| desk.run(command))?;
    let faults = api::faults(desk.workspace, &exported);
    let mut report = Report::default();
    report.check(faults.is_empty(), || faults.join("\n"));
    Ok(Outcome::Ran(report))
}
