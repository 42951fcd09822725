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
    right(files, &play(RIGHT, &driven)?, language, report);
    wrong(&play(WRONG, &[])?, &play(WRONG, &driven)?, language, report);
    Ok(())
}

/// Each of the files must have been played to its end.
fn right(files: usize, played: &Played, language: &str, report: &mut Report) {
    let count = played.scenarios.len();
    report.check(count == files && files > 0, || format!("{count} scenarios of {files} were played in {language}"));
    agree(played, |one| one.ok, language, report);
}

/// Each must have failed, and as it does in Rust.
fn wrong(ours: &Played, theirs: &Played, language: &str, report: &mut Report) {
    let count = theirs.scenarios.len();
    report
        .check(count == ours.scenarios.len() && count > 0, || format!("{count} wrong ones were played in {language}"));
    agree(theirs, |one| !one.ok && ours.scenarios.contains(one), language, report);
}

fn agree(played: &Played, as_expected: impl Fn(&One) -> bool, language: &str, report: &mut Report) {
    let otherwise = played.scenarios.iter().filter(|one| !as_expected(one)).map(|one| one.name.as_str());
    let otherwise: Vec<&str> = otherwise.collect();
    report.check(otherwise.is_empty(), || format!("these ended otherwise in {language}: {}", otherwise.join(", ")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_scenarios_or_another_end_is_a_failure() {
        let played = |json: &str| serde_json::from_str::<Played>(json).unwrap();
        let two = r#"{"scenarios": [{"name": "a", "steps": 1, "ok": true}, {"name": "b", "steps": 2, "ok": true}]}"#;
        let faults = |judge: &dyn Fn(&mut Report)| {
            let mut report = Report::default();
            judge(&mut report);
            report.faults.len()
        };
        for (files, json, expected) in
            [(2, two.to_owned(), 0), (3, two.to_owned(), 1), (2, two.replace("true}]", "false}]"), 1)]
        {
            assert_eq!(faults(&|report| right(files, &played(&json), "Swift", report)), expected, "{json}");
        }
        assert_eq!(faults(&|report| right(0, &played(r#"{"scenarios": []}"#), "Swift", report)), 1);
        let failed = two.replace("true}", r#"false, "failure": {"path": "$.x"}}"#);
        for (theirs, expected) in [
            (failed.clone(), 0),
            (failed.replace("$.x", "$.y"), 1),
            (failed.replace("\"steps\": 2", "\"steps\": 1"), 1),
            (two.to_owned(), 1),
            (r#"{"scenarios": []}"#.to_owned(), 1),
        ] {
            assert_eq!(
                faults(&|report| wrong(&played(&failed), &played(&theirs), "Swift", report)),
                expected,
                "{theirs}"
            );
        }
    }
}
