//! What a suite returns, and the table and the counts that a run ends with.

use std::io::{self, Write};
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

use crate::junit::Counted;

/// How a suite ended.
pub(crate) enum Outcome {
    /// It ran; its report says what came of it.
    Ran(Report),
    /// It could not run because something is not on this machine.
    Skipped {
        /// What is missing, as a person would install it.
        missing: String,
    },
}

/// The counts of a suite that ran.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// One entry for each skipped test: what it missed.
    pub(crate) missing: Vec<String>,
    /// One text for each failure, to be printed.
    pub(crate) faults: Vec<String>,
    /// How long it took, where the suite is a part of something that ran as a whole.
    pub(crate) time: Option<Duration>,
}

impl Report {
    /// Takes in what tests told of themselves.
    pub(crate) fn add(&mut self, counted: &Counted) {
        self.passed = self.passed.saturating_add(counted.passed);
        self.missing.extend(counted.missing.iter().cloned());
        self.time = self.time.map(|time| time.saturating_add(counted.time));
        counted.faults.iter().for_each(|fault| self.fail(fault.clone()));
    }

    /// One check that passed, or failed with `fault`.
    pub(crate) fn check(&mut self, passed: bool, fault: impl FnOnce() -> String) {
        if passed {
            self.passed = self.passed.saturating_add(1);
        } else {
            self.fail(fault());
        }
    }

    /// One more failure.
    pub(crate) fn fail(&mut self, fault: String) {
        self.failed = self.failed.saturating_add(1);
        self.faults.push(fault);
    }
}

/// A suite's line in the table.
pub(crate) struct Row {
    pub(crate) suite: String,
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) missing: Vec<String>,
    pub(crate) faults: Vec<String>,
    pub(crate) time: Duration,
}

impl Row {
    /// Turns an outcome into a row. A suite that could not be run at all, or that ran nothing, has failed:
    /// silence is not success.
    pub(crate) fn new(suite: &str, outcome: io::Result<Outcome>, time: Duration) -> Self {
        let mut report = match outcome {
            Ok(Outcome::Ran(report)) => report,
            Ok(Outcome::Skipped { missing }) => Report { missing: vec![missing], ..Report::default() },
            Err(error) => Report { failed: 1, faults: vec![error.to_string()], ..Report::default() },
        };
        if report.passed == 0 && report.failed == 0 && report.missing.is_empty() {
            report.fail("the suite ran nothing".to_owned());
        }
        Self {
            suite: suite.to_owned(),
            passed: report.passed,
            failed: report.failed,
            skipped: u64::try_from(report.missing.len()).unwrap_or(u64::MAX),
            missing: report.missing,
            faults: report.faults,
            time: report.time.unwrap_or(time),
        }
    }

    /// The counts in words, for the progress line.
    pub(crate) fn counts(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Writes the table, what was skipped, and as the last line the sum alone. Returns whether nothing failed.
pub(crate) fn finish(rows: &[Row], out: &mut impl Write) -> io::Result<bool> {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY);
    table.set_header(["suite", "passed", "failed", "skipped", "seconds"]);
    for row in rows {
        let seconds = format!("{:.1}", row.time.as_secs_f32());
        let counts = [row.passed, row.failed, row.skipped].map(|count| count.to_string());
        table.add_row([vec![row.suite.clone()], counts.to_vec(), vec![seconds]].concat());
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(out, "{table}")?;
    for row in rows {
        for missing in &row.missing {
            writeln!(out, "skipped in {}: {missing}", row.suite)?;
        }
    }
    let sum = |count: fn(&Row) -> u64| rows.iter().map(count).fold(0, u64::saturating_add);
    let failed = sum(|row| row.failed);
    writeln!(out, "{} passed, {failed} failed, {} skipped", sum(|row| row.passed), sum(|row| row.skipped))?;
    Ok(failed == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(outcome: io::Result<Outcome>) -> Row {
        Row::new("sample", outcome, Duration::from_millis(1500))
    }

    fn printed(rows: &[Row]) -> (bool, String) {
        let mut out = Vec::new();
        let passed = finish(rows, &mut out).unwrap();
        (passed, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_suite_that_ran_nothing_has_failed() {
        assert_eq!(row(Ok(Outcome::Ran(Report::default()))).failed, 1);
    }

    #[test]
    fn a_suite_that_could_not_be_started_has_failed() {
        assert_eq!(row(Err(io::Error::other("no such program"))).failed, 1);
    }

    #[test]
    fn the_last_line_is_the_sum_alone() {
        let ran = row(Ok(Outcome::Ran(Report { passed: 3, ..Report::default() })));
        let skipped = row(Ok(Outcome::Skipped { missing: "zbarimg".to_owned() }));
        let (passed, text) = printed(&[ran, skipped]);
        assert!(passed);
        assert_eq!(text.lines().last(), Some("3 passed, 0 failed, 1 skipped"));
        assert!(text.contains("skipped in sample: zbarimg"));
    }

    #[test]
    fn one_failure_among_passes_fails_the_run() {
        let mut report = Report { passed: 3, ..Report::default() };
        report.check(false, || "broken".to_owned());
        let (passed, text) = printed(&[row(Ok(Outcome::Ran(report)))]);
        assert!(!passed);
        assert_eq!(text.lines().last(), Some("3 passed, 1 failed, 0 skipped"));
    }
}
