//! The library for phones compiles (`crate::mobile`): one suite for Android, one for the iPhone, whose static library must hold
//! every function that the generated header declares. Where the pieces for it are not to be had, the suite is a skip that
//! names them.

use std::fs;
use std::io;
use std::path::Path;

use super::{Desk, Suite, excerpt};
use crate::ffi::{self, Language};
use crate::mobile::{self, ANDROID, IPHONE, Job, Kit, PROGRAMS};
use crate::process::on_path;
use crate::report::{Outcome, Report};

/// What Swift's compiler reads of the library.
const HEADER: &str = "SaifuFFI.h";

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
        if let Some(archive) = job.archive(&kit).filter(|_| ended.success) {
            whole(desk, &archive, &mut report)?;
        }
    }
    Ok(Outcome::Ran(report))
}

/// Whether Swift's code would find everything that it calls.
fn whole(desk: &Desk<'_>, archive: &Path, report: &mut Report) -> io::Result<()> {
    let bindings = ffi::generate(desk.workspace, Language::Swift, |command| desk.run(command))?;
    let declared = mobile::declared(&fs::read_to_string(bindings.generated.join(HEADER))?);
    let defined = mobile::defined(archive, |command| desk.run(command))?;
    let absent: Vec<&str> = declared.difference(&defined).map(String::as_str).collect();
    report.check(!declared.is_empty() && absent.is_empty(), || {
        let (name, header) = (archive.display(), declared.len());
        format!("{name}: of {header} functions in {HEADER} these are not there: {}", absent.join(", "))
    });
    Ok(())
}
