//! Reads JUnit's XML, which nextest and Surefire write: what each suite counts, and which tests said that they skipped themselves.
//! The modules of a program `it` count each by itself.
//!
//! A test that needs something this machine lacks prints `SAIFU-SKIP: what is missing` and returns; that is a pass for whoever
//! ran it, and a skip here.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use roxmltree::{Document, Node};

use crate::process::tail;

/// A program that holds all integration tests of its crate, each of its modules a suite.
pub(crate) const OF_MODULES: &str = "it";
const SKIP: &str = "SAIFU-SKIP:";
/// How much of a failed test's output is shown.
const SHOWN_LINES: usize = 60;

/// What one suite came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) name: String,
    pub(crate) passed: u64,
    /// What each skipped test missed.
    pub(crate) missing: Vec<String>,
    /// Each failed test, with the end of what it printed.
    pub(crate) faults: Vec<String>,
    pub(crate) time: Duration,
}

/// Every suite of a report that has a test.
pub(crate) fn read(xml: &str) -> io::Result<Vec<Counted>> {
    let document = Document::parse(xml).map_err(io::Error::other)?;
    let mut suites = BTreeMap::<String, Counted>::new();
    for case in document.descendants().filter(|node| node.has_tag_name("testcase")) {
        let name = suite(case);
        suites.entry(name.clone()).or_insert_with(|| Counted { name, ..Counted::default() }).count(case);
    }
    Ok(suites.into_values().collect())
}

/// The name of the suite that a test belongs to.
fn suite(case: Node<'_, '_>) -> String {
    let program = case.parent().and_then(|suite| suite.attribute("name")).unwrap_or_default();
    let test = case.attribute("name").unwrap_or_default();
    match (program.rsplit_once("::"), test.split_once("::")) {
        (Some((package, OF_MODULES)), Some((module, _))) => format!("{package}::{module}"),
        _ => program.to_owned(),
    }
}

impl Counted {
    fn count(&mut self, case: Node<'_, '_>) {
        let test = case.attribute("name").unwrap_or_default();
        let seconds = case.attribute("time").and_then(|time| time.parse().ok()).unwrap_or_default();
        self.time = self.time.saturating_add(Duration::try_from_secs_f64(seconds).unwrap_or_default());
        let printed = text(case, &["system-out", "system-err"]);
        let failed = |child: Node<'_, '_>| ["failure", "error"].iter().any(|name| child.has_tag_name(*name));
        let missing = printed.lines().find_map(|line| line.trim_start().strip_prefix(SKIP));
        if case.children().any(failed) {
            let why = text(case, &["failure", "error"]);
            let said = if printed.trim().is_empty() { why } else { printed };
            self.faults.push(format!("--- {} {test}\n{}\n---", self.name, tail(said.trim_end(), SHOWN_LINES)));
        } else if let Some(missing) = missing {
            self.missing.push(missing.trim().to_owned());
        } else if case.children().any(|child| child.has_tag_name("skipped")) {
            // A test that is switched off guards nothing.
            self.faults.push(format!("{}: {test} is switched off", self.name));
        } else {
            self.passed = self.passed.saturating_add(1);
        }
    }
}

fn text(case: Node<'_, '_>, names: &[&str]) -> String {
    let wanted = case.children().filter(|child| names.iter().any(|name| child.has_tag_name(*name)));
    wanted.filter_map(|child| child.text()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"<?xml version="1.0"?><testsuites><testsuite name="saifu::a" tests="5">
        <testcase name="one" time="0.5"><system-out>99 passed</system-out></testcase>
        <testcase name="two" time="1.25"><failure message="m">why</failure><system-out>panicked
at "here" &lt;x&gt;</system-out></testcase>
        <testcase name="three"><system-out>SAIFU-SKIP: zbarimg
SAIFU-SKIP: zbarimg again</system-out></testcase>
        <testcase name="four"><skipped/></testcase>
        <testcase name="five"><error>killed</error></testcase>
    </testsuite><testsuite name="saifu-qa::it">
        <testcase name="clock::moves"/><testcase name="wallet::pays"/><testcase name="clock::told::stops"/>
    </testsuite></testsuites>"#;

    #[test]
    fn passes_failures_and_skips_are_told_apart() {
        let suites = read(SAMPLE).unwrap();
        let [clock, wallet, a] = suites.as_slice() else { panic!("{suites:?}") };
        assert_eq!((a.passed, a.faults.len(), a.missing.as_slice()), (1, 3, &["zbarimg".to_owned()][..]));
        assert!(a.faults[0].contains("saifu::a two") && a.faults[0].contains("at \"here\" <x>"), "{:?}", a.faults);
        assert!(a.faults[1].contains("four is switched off") && a.faults[2].contains("killed"), "{:?}", a.faults);
        assert_eq!(a.time, Duration::from_millis(1_750));
        let counts = [clock, wallet].map(|module| (module.name.as_str(), module.passed));
        assert_eq!(counts, [("saifu-qa::clock", 2), ("saifu-qa::wallet", 1)]);
    }

    #[test]
    fn report_that_was_cut_off_is_an_error() {
        assert!(read(&SAMPLE[..200]).is_err());
    }
}
