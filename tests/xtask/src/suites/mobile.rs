//! The library for phones compiles (`crate::mobile`): one suite for Android, one for the iPhone. Where the pieces for it
//! are not to be had, the suite is a skip that names them.

use std::io;

use super::{Desk, Suite, excerpt};
use crate::mobile::{ANDROID, IPHONE, Job, Kit, PROGRAMS};
use crate::process::on_path;
use crate::report::{Outcome, Report};

pub(super) fn suites() -> Vec<Suite> {
    [("android", ANDROID), ("ios", IPHONE)]
        .map(|(name, jobs)| Suite::new(name, move |desk: &Desk<'_>| run(desk, jobs)).needing(PROGRAMS))
        .into()
}

fn run(desk: &Desk<'_>, jobs: &[Job]) -> io::Result<Outcome> {
    let missing: Vec<&str> = PROGRAMS.iter().copied().filter(|name| on_path(name).is_none()).collect();
    if !missing.is_empty() {
        return Ok(Outcome::Skipped { missing: missing.join(", ") });
    }
    let kit = match Kit::get(&desk.progress, |command| desk.run(command))? {
        Ok(kit) => kit,
        Err(missing) => return Ok(Outcome::Skipped { missing }),
    };
    let mut report = Report::default();
    for job in jobs {
        let ended = desk.run(&mut job.command(&kit, &desk.workspace.root)?)?;
        report.check(ended.success, || excerpt(&job.title(), &ended.output));
    }
    Ok(Outcome::Ran(report))
}
