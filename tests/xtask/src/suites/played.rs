//! The scenarios with a language's wallets: all of them, each to its end. And those of the folder `wrong`, each of which expects
//! something that is not so and must fail where it does with Rust's wallets: a runner that believes a driver everything would be as
//! green as one that checks.

use std::fs;
use std::io;
use std::process::Command;

use serde::Deserialize;

use crate::process::Runner;
use crate::report::Report;

const RIGHT: &str = "tests/scenarios";
const WRONG: &str = "tests/scenarios/wrong";

/// A report of `saifu scenario run`, as far as two languages must agree.
#[derive(Deserialize)]
struct Played {
    scenarios: Vec<One>,
}

#[derive(Deserialize, PartialEq, Eq)]
struct One {
    name: String,
    /// Those before the one that failed.
    steps: u64,
    ok: bool,
    #[serde(default)]
    failure: Option<Failed>,
}

/// What was not as expected, as far as it is the same in every language.
#[derive(Deserialize, PartialEq, Eq)]
struct Failed {
    path: Option<String>,
}

/// Plays them with `driver`, a command line; `saifu` is the command with such arguments.
pub(super) fn compare(
    runner: &Runner,
    language: &str,
    driver: &str,
    saifu: impl Fn(&[&str]) -> Command,
    report: &mut Report,
) -> io::Result<()> {
    let play = |folder: &str, more: &[&str]| -> io::Result<Played> {
        let written = runner.scratch.join("scenarios.json");
        let arguments = [&["--json", "scenario", "run", "--all", "--folder", folder][..], more].concat();
        runner.run_into(&written, &mut saifu(&arguments))?;
        serde_json::from_str(&fs::read_to_string(&written)?)
            .map_err(|error| io::Error::other(format!("the report of {folder} in {language}: {error}")))
    };
    let driven = ["--driver", driver];
    let mut files = 0_usize;
    for entry in fs::read_dir(runner.workspace.root.join(RIGHT))? {
        files = files.saturating_add(usize::from(entry?.path().extension().is_some_and(|it| it == "json")));
    }
    agree(&play(RIGHT, &driven)?, files, |one| one.ok, language, report);
    let ours = play(WRONG, &[])?;
    agree(&play(WRONG, &driven)?, ours.scenarios.len(), |one| as_wrong(&ours, one), language, report);
    Ok(())
}

/// Failed, and as it does in Rust.
fn as_wrong(ours: &Played, one: &One) -> bool {
    !one.ok && ours.scenarios.contains(one)
}

/// So many must have been played, and each to the end that is expected.
fn agree(played: &Played, count: usize, expected: impl Fn(&One) -> bool, language: &str, report: &mut Report) {
    let found = played.scenarios.len();
    report.check(found == count && count > 0, || format!("{found} scenarios of {count} were played in {language}"));
    let otherwise = played.scenarios.iter().filter(|one| !expected(one)).map(|one| one.name.as_str());
    let otherwise: Vec<&str> = otherwise.collect();
    report.check(otherwise.is_empty(), || format!("these ended otherwise in {language}: {}", otherwise.join(", ")));
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &str = r#"{"scenarios": []}"#;
    const TWO: &str =
        r#"{"scenarios": [{"name": "a", "steps": 1, "ok": true}, {"name": "b", "steps": 2, "ok": true}]}"#;

    fn played(json: &str) -> Played {
        serde_json::from_str(json).unwrap()
    }

    fn faults(json: &str, count: usize, expected: impl Fn(&One) -> bool) -> usize {
        let mut report = Report::default();
        agree(&played(json), count, expected, "Swift", &mut report);
        report.faults.len()
    }

    #[test]
    fn fewer_scenarios_or_another_end_is_a_failure() {
        assert_eq!(faults(TWO, 2, |one| one.ok), 0);
        assert_eq!(faults(TWO, 3, |one| one.ok), 1);
        assert_eq!(faults(&TWO.replace("true}]", "false}]"), 2, |one| one.ok), 1);
        assert_eq!(faults(NONE, 0, |one| one.ok), 1);
        let failed = TWO.replace("true}", r#"false, "failure": {"path": "$.x"}}"#);
        for (theirs, expected) in [
            (failed.clone(), 0),
            (failed.replace("$.x", "$.y"), 1),
            (failed.replace("\"steps\": 2", "\"steps\": 1"), 1),
            (TWO.to_owned(), 1),
            (NONE.to_owned(), 1),
        ] {
            assert_eq!(faults(&theirs, 2, |one| as_wrong(&played(&failed), one)), expected, "{theirs}");
        }
    }
}
