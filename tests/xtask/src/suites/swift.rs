//! The Swift package on Linux: its format, its tests, and the scenarios played word for word.
//!
//! It is never skipped: what is missing is a failure.

use std::io;
use std::process::Command;

use super::{Desk, Suite, excerpt, played, written};
use crate::ffi::swift::{self, PACKAGE, Toolchain};
use crate::ffi::{self, Language, Package};
use crate::process::Ended;
use crate::report::{Outcome, Report};

const NAME: &str = "swift";
/// What a person writes, from inside the package.
const WRITTEN: [&str; 6] = [
    "Package.swift",
    "Sources/Saifu",
    "Sources/SaifuGenerated/Sensitive.swift",
    "Sources/SaifuTestSupport",
    "Tests",
    "Examples",
];

pub(super) fn suites() -> Vec<Suite> {
    vec![Suite::new(NAME, run)]
}

fn run(desk: &Desk<'_>) -> io::Result<Outcome> {
    let mut report = Report::default();
    let saifu = desk.saifu()?;
    let bindings = ffi::generate(desk.workspace, Language::Swift, |command| desk.run(command))?;
    let package = Package { workspace: desk.workspace, saifu: &saifu, bindings: &bindings };
    swift::place(&package)?;
    let toolchain = Toolchain::find(&desk.progress, &|command: &mut Command| desk.run(command))?;

    let lint = [&["lint", "--strict", "--recursive"][..], &WRITTEN].concat();
    let linted = desk.run(&mut toolchain.command(desk.workspace, PACKAGE, &[], "swift-format", &lint)?)?;
    report.check(linted.success, || excerpt("swift-format lint --strict", &linted.output));

    let tested = desk.run(&mut swift::test(&package, &toolchain, &[], &[], &[])?)?;
    count(&tested, written(desk, PACKAGE, ".swift", |line| line.starts_with("@Test"))?, &mut report);
    let command = |arguments: &[&str]| swift::saifu(&package, &toolchain, arguments);
    played::compare(desk, "Swift", &swift::driver(&package, &toolchain)?, command, &mut report)?;
    Ok(Outcome::Ran(report))
}

/// Adds what the tests say. Every test that is written must have run: a filter or a crash must not look like success.
fn count(tested: &Ended, written: u64, report: &mut Report) {
    let counts = Counts::read(&tested.output);
    report.passed = report.passed.saturating_add(counts.passed);
    let bad = counts.failed.saturating_add(counts.skipped);
    if bad > 0 || !tested.success {
        report.failed = report.failed.saturating_add(bad.max(1));
        report.faults.push(excerpt("swift test", &tested.output));
    }
    report.check(counts.ended == Some(written), || {
        format!("the sources have {written} tests; the run ended with {:?}", counts.ended)
    });
}

/// What Swift Testing prints.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    /// A test that was switched off guards nothing.
    skipped: u64,
    /// How many the last line counts; none if the run did not come to its end.
    ended: Option<u64>,
}

impl Counts {
    /// A line is `✔ Test NAME passed after …`, the last one `✔ Test run with N tests passed after …`.
    fn read(log: &str) -> Self {
        let mut counts = Self::default();
        for line in log.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [_, "Test", rest @ ..] = words.as_slice() else { continue };
            if let ["run", "with", number, "tests" | "test", "passed" | "failed", ..] = rest {
                counts.ended = number.parse().ok();
            } else if rest.windows(2).any(|pair| pair == ["passed", "after"]) {
                counts.passed = counts.passed.saturating_add(1);
            } else if rest.windows(2).any(|pair| pair == ["failed", "after"]) {
                counts.failed = counts.failed.saturating_add(1);
            } else if rest.contains(&"skipped.") || rest.contains(&"skipped:") {
                counts.skipped = counts.skipped.saturating_add(1);
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_tests_and_not_of_suites_or_arguments() {
        let log = "◇ Suite HostTests started.\n\
                   ◇ Passing 1 argument step → \"Test passed after\" to refuses(step:)\n\
                   ✔ Test refuses(step:) passed after 0.017 seconds.\n\
                   ✘ Test opens() recorded an issue at A.swift:5:9: Expectation failed: 1 == 2\n\
                   ✘ Test opens() failed after 0.001 seconds with 1 issue.\n\
                   ➜ Test sleeps() skipped.\n\
                   ✔ Suite HostTests passed after 0.730 seconds.\n\
                   ✘ Test run with 3 tests failed after 0.730 seconds with 1 issue.\n";
        assert_eq!(Counts::read(log), Counts { passed: 1, failed: 1, skipped: 1, ended: Some(3) });
    }

    #[test]
    fn run_that_ran_fewer_tests_than_are_written_has_failed() {
        let tested = |output: &str| Ended { success: true, output: output.to_owned() };
        let one = "✔ Test a() passed after 0.1 seconds.\n";
        for (log, failed) in [
            (format!("{one}✔ Test run with 1 test passed after 0.1 seconds."), 0),
            (format!("{one}✔ Test run with 0 tests passed after 0.1 seconds."), 1),
            (one.to_owned(), 1),
        ] {
            let mut report = Report::default();
            count(&tested(&log), 1, &mut report);
            assert_eq!(report.failed, failed, "{log}");
        }
    }
}
