//! What a suite came to, and the table and the counts that a run ends with.

use std::io::{self, Write};
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

use crate::junit::Counted;

/// The counts of a suite.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) passed: u64,
    /// One entry for each skipped test, or for the whole suite: what it missed, as a person would install it.
    pub(crate) missing: Vec<String>,
    /// One text for each failure, to be printed.
    pub(crate) faults: Vec<String>,
    /// How long it took, where the suite is a part of something that ran as a whole.
    pub(crate) time: Option<Duration>,
}

impl Report {
    /// Of a suite that could not run because something is not on this machine.
    pub(crate) fn skipped(missing: String) -> Self {
        Self { missing: vec![missing], ..Self::default() }
    }

    /// Takes in what tests told of themselves.
    pub(crate) fn add(&mut self, counted: &Counted) {
        self.passed = self.passed.saturating_add(counted.passed);
        self.missing.extend_from_slice(&counted.missing);
        self.faults.extend_from_slice(&counted.faults);
        self.time = self.time.map(|time| time.saturating_add(counted.time));
    }

    /// One check that passed, or failed with `fault`.
    pub(crate) fn check(&mut self, passed: bool, fault: impl FnOnce() -> String) {
        if passed {
            self.passed = self.passed.saturating_add(1);
        } else {
            self.faults.push(fault());
        }
    }

    /// Nothing was run, skipped or failed.
    pub(crate) fn is_empty(&self) -> bool {
        self.passed == 0 && self.missing.is_empty() && self.faults.is_empty()
    }

    /// Passed, failed, skipped.
    pub(crate) fn counts(&self) -> [u64; 3] {
        let count = |texts: &[String]| u64::try_from(texts.len()).unwrap_or(u64::MAX);
        [self.passed, count(&self.faults), count(&self.missing)]
    }
}

/// A suite's line in the table.
pub(crate) struct Row {
    suite: String,
    pub(crate) report: Report,
    time: Duration,
}

impl Row {
    /// A suite that could not be run at all, or that ran nothing, has failed: silence is not success.
    pub(crate) fn new(suite: &str, outcome: io::Result<Report>, time: Duration) -> Self {
        let failed = |fault: String| Report { faults: vec![fault], ..Report::default() };
        let report = match outcome {
            Ok(report) if report.is_empty() => failed("the suite ran nothing".to_owned()),
            Ok(report) => report,
            Err(error) => failed(error.to_string()),
        };
        Self { suite: suite.to_owned(), time: report.time.unwrap_or(time), report }
    }
}

/// Counts as a person reads them.
pub(crate) fn in_words([passed, failed, skipped]: [u64; 3]) -> String {
    format!("{passed} passed, {failed} failed, {skipped} skipped")
}

/// Writes the table, what was skipped, and as the last line the sum alone. Returns whether nothing failed.
pub(crate) fn finish(rows: &[Row], out: &mut impl Write) -> io::Result<bool> {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY);
    table.set_header(["suite", "passed", "failed", "skipped", "seconds"]);
    let mut sum = [0_u64; 3];
    for row in rows {
        let counts = row.report.counts();
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum = sum.saturating_add(count));
        let seconds = format!("{:.1}", row.time.as_secs_f32());
        table.add_row([vec![row.suite.clone()], counts.map(|count| count.to_string()).into(), vec![seconds]].concat());
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(out, "{table}")?;
    for (row, missing) in rows.iter().flat_map(|row| row.report.missing.iter().map(move |missing| (row, missing))) {
        writeln!(out, "skipped in {}: {missing}", row.suite)?;
    }
    writeln!(out, "{}", in_words(sum))?;
    Ok(rows.iter().all(|row| row.report.faults.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(outcome: io::Result<Report>) -> Row {
        Row::new("sample", outcome, Duration::from_millis(1500))
    }

    #[test]
    fn a_suite_that_ran_nothing_or_could_not_be_started_has_failed() {
        for outcome in [Ok(Report::default()), Err(io::Error::other("no such program"))] {
            assert_eq!(row(outcome).report.counts(), [0, 1, 0]);
        }
    }

    #[test]
    fn the_last_line_is_the_sum_alone_and_one_failure_fails_the_run() {
        let ran = || row(Ok(Report { passed: 3, ..Report::default() }));
        let mut broken = Report { passed: 2, ..Report::default() };
        broken.check(false, || "broken".to_owned());
        for (second, passed, last) in [
            (Report::skipped("zbarimg".to_owned()), true, "3 passed, 0 failed, 1 skipped"),
            (broken, false, "5 passed, 1 failed, 0 skipped"),
        ] {
            let mut out = Vec::new();
            assert_eq!(finish(&[ran(), row(Ok(second))], &mut out).unwrap(), passed);
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.lines().last(), Some(last));
            assert_eq!(text.contains("skipped in sample: zbarimg"), passed);
        }
    }
}
