//! Reads JUnit's XML, which nextest and Surefire write: what each suite counts, and which tests said that they skipped themselves.
//!
//! A test that needs something this machine lacks prints `SAIFU-SKIP: what is missing` and returns; that is a pass for whoever
//! ran it, and a skip here.

use std::io;
use std::time::Duration;

use roxmltree::{Document, Node};

use crate::process::tail;

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

/// Every suite of a report, in its order.
pub(crate) fn read(xml: &str) -> io::Result<Vec<Counted>> {
    let document = Document::parse(xml).map_err(io::Error::other)?;
    Ok(document.descendants().filter(|node| node.has_tag_name("testsuite")).map(suite).collect())
}

fn suite(node: Node<'_, '_>) -> Counted {
    let mut counted = Counted { name: node.attribute("name").unwrap_or_default().to_owned(), ..Counted::default() };
    for case in node.children().filter(|child| child.has_tag_name("testcase")) {
        let seconds = case.attribute("time").and_then(|time| time.parse().ok()).unwrap_or_default();
        counted.time = counted.time.saturating_add(Duration::try_from_secs_f64(seconds).unwrap_or_default());
        let printed = text(case, &["system-out", "system-err"]);
        let failed = |child: Node<'_, '_>| ["failure", "error"].iter().any(|name| child.has_tag_name(*name));
        let missing = printed.lines().find_map(|line| line.trim_start().strip_prefix(SKIP));
        if case.children().any(failed) {
            let (name, why) = (case.attribute("name").unwrap_or_default(), text(case, &["failure", "error"]));
            let said = if printed.trim().is_empty() { why } else { printed };
            counted.faults.push(format!("--- {} {name}\n{}\n---", counted.name, tail(said.trim_end(), SHOWN_LINES)));
        } else if let Some(missing) = missing {
            counted.missing.push(missing.trim().to_owned());
        } else if case.children().any(|child| child.has_tag_name("skipped")) {
            // A test that is switched off guards nothing.
            counted.faults.push(format!(
                "{}: {} is switched off",
                counted.name,
                case.attribute("name").unwrap_or_default()
            ));
        } else {
            counted.passed = counted.passed.saturating_add(1);
        }
    }
    counted
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
    </testsuite><testsuite name="saifu::b"/></testsuites>"#;

    #[test]
    fn passes_failures_and_skips_are_told_apart() {
        let suites = read(SAMPLE).unwrap();
        let [a, b] = suites.as_slice() else { panic!("{suites:?}") };
        assert_eq!((a.passed, a.faults.len(), a.missing.as_slice()), (1, 3, &["zbarimg".to_owned()][..]));
        assert!(a.faults[0].contains("saifu::a two") && a.faults[0].contains("at \"here\" <x>"), "{:?}", a.faults);
        assert!(a.faults[1].contains("four is switched off") && a.faults[2].contains("killed"), "{:?}", a.faults);
        assert_eq!(a.time, Duration::from_millis(1_750));
        assert_eq!(*b, Counted { name: "saifu::b".to_owned(), ..Counted::default() });
    }

    #[test]
    fn report_that_was_cut_off_is_an_error() {
        assert!(read(&SAMPLE[..200]).is_err());
    }
}
