//! The Kotlin package on a JVM: generated code, its own code, its tests, and the scenarios played word for word.
//!
//! Maven does the building and testing; this suite hands it the library, counts what its tests say, and has the scenarios
//! played with the Kotlin driver. It is never skipped: without Maven it fails.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Desk, Suite, excerpt, played};
use crate::ffi::kotlin::{self, PACKAGE, PROGRAMS};
use crate::ffi::{self, Language, Package};
use crate::process::{Ended, on_path};
use crate::report::{Outcome, Report};

const NAME: &str = "kotlin";
/// What Maven writes into its folder: the arguments with which Java is the driver of scenarios.
const DRIVER: &str = "driver.args";

pub(super) fn suites() -> Vec<Suite> {
    vec![Suite::new(NAME, run).needing(PROGRAMS)]
}

fn run(desk: &Desk<'_>) -> io::Result<Outcome> {
    let mut report = Report::default();
    let missing: Vec<&str> = PROGRAMS.iter().copied().filter(|name| on_path(name).is_none()).collect();
    if !missing.is_empty() {
        report.fail(format!("missing: {}; on Debian, apt-get install maven default-jdk-headless", missing.join(", ")));
        return Ok(Outcome::Ran(report));
    }
    let saifu = desk.saifu()?;
    let bindings = ffi::generate(desk.workspace, Language::Kotlin, |command| desk.run(command))?;

    let folder = desk.workspace.target().join(NAME);
    let (results, driver) = (folder.join("surefire-reports"), folder.join(DRIVER));
    // What an earlier run left must not be counted.
    if results.exists() {
        fs::remove_dir_all(&results)?;
    }
    let package = Package { workspace: desk.workspace, saifu: &saifu, bindings: &bindings };
    let ended = kotlin::test(&package, &desk.progress, &[], &[], |command| desk.run(command))?;
    count(&results, &ended, &mut report)?;
    let written = written_tests(desk)?;
    let passed = report.passed;
    report.check(passed >= written, || {
        format!("{passed} tests passed, but the sources have {written}: some did not run")
    });
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&saifu);
        command.current_dir(&desk.workspace.root).args(arguments);
        Ok(command)
    };
    played::compare(desk, "Kotlin", &format!("java '@{}'", driver.display()), command, &mut report)?;
    Ok(Outcome::Ran(report))
}

/// Adds what the tests' own reports say. Maven's word counts too: a build can fail before or after every test.
fn count(results: &Path, maven: &Ended, report: &mut Report) -> io::Result<()> {
    for file in files(results, "xml")? {
        let text = fs::read_to_string(&file)?;
        let Some(counts) = Counts::read(&text) else {
            report.fail(format!("{}: no counts of tests", file.display()));
            continue;
        };
        report.passed = report.passed.saturating_add(counts.passed());
        report.failed = report.failed.saturating_add(counts.bad());
    }
    if report.failed > 0 || !maven.success {
        report.failed = report.failed.max(1);
        report.faults.push(excerpt("mvn test", &maven.output));
    }
    Ok(())
}

/// The counts in the opening tag of a file of Surefire.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
}

impl Counts {
    fn read(xml: &str) -> Option<Self> {
        let (_, rest) = xml.split_once("<testsuite ")?;
        let (tag, _) = rest.split_once('>')?;
        let number = |name: &str| {
            let (_, value) = tag.split_once(&format!(" {name}=\""))?;
            value.split_once('"')?.0.parse().ok()
        };
        Some(Self {
            tests: number("tests")?,
            failures: number("failures")?,
            errors: number("errors")?,
            skipped: number("skipped")?,
        })
    }

    /// A test that was switched off guards nothing.
    fn bad(&self) -> u64 {
        self.failures.saturating_add(self.errors).saturating_add(self.skipped)
    }

    fn passed(&self) -> u64 {
        self.tests.saturating_sub(self.bad())
    }
}

/// How many tests the sources have, at least.
fn written_tests(desk: &Desk<'_>) -> io::Result<u64> {
    let files = desk.workspace.files()?;
    let tests = files.iter().filter(|(path, _)| path.starts_with(PACKAGE) && path.ends_with(".kt"));
    let lines = tests.filter_map(|(_, text)| text.as_deref()).flat_map(str::lines);
    let written = lines.filter(|line| matches!(line.trim(), "@Test" | "@TestFactory" | "@ParameterizedTest")).count();
    Ok(u64::try_from(written).unwrap_or(u64::MAX))
}

/// The files of `folder` that end in `extension`; none if there is no such folder.
fn files(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_suite_and_not_of_a_property() {
        let xml = "<?xml version=\"1.0\"?>\n<testsuite xmlns:xsi=\"x\" version=\"3.0.2\" name=\"A\" time=\"1.2\" tests=\"5\" \
                   errors=\"1\" skipped=\"1\" failures=\"1\" flakes=\"0\">\n<properties><property name=\"tests\" \
                   value=\"9\"/></properties></testsuite>";
        let counts = Counts::read(xml).unwrap();
        assert_eq!(counts, Counts { tests: 5, failures: 1, errors: 1, skipped: 1 });
        assert_eq!((counts.passed(), counts.bad()), (2, 3));
        assert_eq!(Counts::read("<testsuites/>"), None);
        assert_eq!(Counts::read("<testsuite name=\"A\">"), None);
    }
}
