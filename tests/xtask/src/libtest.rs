//! Reads what Rust's own test harness prints: the counts, and which tests said that they skipped themselves.
//!
//! A test that needs something this machine lacks prints `SAIFU-SKIP: what is missing` and returns; the harness
//! calls that a pass, this tool does not. The harness runs with `--show-output`, without which the output of a
//! passing test is lost.

const RESULT: &str = "test result: ";
const SKIP: &str = "SAIFU-SKIP:";

/// The sums over everything one log holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Passed, without those that skipped themselves.
    pub(crate) passed: u64,
    /// Failed, with those marked as ignored: a test that never runs guards nothing.
    pub(crate) failed: u64,
    /// What each skipped test missed.
    pub(crate) missing: Vec<String>,
}

/// Parses the output of one or more test programs.
pub(crate) fn parse(log: &str) -> Counts {
    let mut counts = Counts::default();
    let mut skipped_here = false;
    for line in log.lines() {
        if is_section(line) {
            skipped_here = false;
        } else if let Some(missing) = line.trim_start().strip_prefix(SKIP) {
            // One skip a test, however often it says so.
            if !skipped_here {
                counts.missing.push(missing.trim().to_owned());
            }
            skipped_here = true;
        } else if let Some(result) = line.strip_prefix(RESULT) {
            skipped_here = false;
            counts.passed = counts.passed.saturating_add(number(result, "passed"));
            let failed = number(result, "failed").saturating_add(number(result, "ignored"));
            counts.failed = counts.failed.saturating_add(failed);
        }
    }
    let skipped = u64::try_from(counts.missing.len()).unwrap_or(u64::MAX);
    counts.passed = counts.passed.saturating_sub(skipped);
    counts
}

/// `---- module::name stdout ----`, which opens the output of one test.
fn is_section(line: &str) -> bool {
    line.starts_with("---- ") && line.ends_with(" ----")
}

/// The number before `word` in `ok. 3 passed; 0 failed; …`, zero if there is none.
fn number(result: &str, word: &str) -> u64 {
    let words: Vec<&str> = result.split([' ', ';']).filter(|word| !word.is_empty()).collect();
    let pair = words.iter().zip(words.iter().skip(1)).find(|(_, name)| **name == word);
    pair.and_then(|(number, _)| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSING: &str = "\
running 3 tests
test a ... ok
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    #[test]
    fn counts_of_several_programs_are_summed() {
        let failing = "test result: FAILED. 12 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1s";
        let counts = parse(&format!("{PASSING}\n{failing}\n"));
        assert_eq!(counts, Counts { passed: 15, failed: 2, missing: vec![] });
    }

    #[test]
    fn an_ignored_test_is_a_failure() {
        let counts = parse("test result: ok. 1 passed; 0 failed; 4 ignored; 0 measured; 0 filtered out\n");
        assert_eq!(counts, Counts { passed: 1, failed: 4, missing: vec![] });
    }

    #[test]
    fn a_test_that_skips_itself_is_no_pass_and_counts_once() {
        let log = format!(
            "---- one stdout ----\n{SKIP} zbarimg\n{SKIP} zbarimg again\n\n---- two stdout ----\n{SKIP} oathtool\n{PASSING}"
        );
        let counts = parse(&log);
        assert_eq!(counts, Counts { passed: 1, failed: 0, missing: vec!["zbarimg".into(), "oathtool".into()] });
    }

    #[test]
    fn output_without_a_result_line_counts_nothing() {
        assert_eq!(parse("thread 'main' panicked\n"), Counts::default());
    }

    #[test]
    fn a_test_that_prints_the_word_passed_changes_nothing() {
        assert_eq!(parse(&format!("99 passed; 1 failed;\n{PASSING}")).passed, 3);
    }
}
