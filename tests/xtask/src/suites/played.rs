//! The scenarios with a language's wallets, held against the same run with Rust's: the same files, all of them, each with the same
//! end. And those of the folder `wrong`, each of which expects something that is not so: a runner that believes a driver
//! everything would be as green as one that checks. Called by the suites of the packages.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::Desk;
use crate::process::run_logged;
use crate::report::Report;

/// Where the scenarios are, and whether each of them does what it shows.
const FOLDERS: [(&str, bool); 2] = [("tests/scenarios", true), ("tests/scenarios/wrong", false)];

/// A report of `saifu scenario run`, as far as two of them must agree.
#[derive(Deserialize, Debug, PartialEq, Eq)]
struct Played {
    count: u64,
    hash: String,
    scenarios: Vec<One>,
}

#[derive(Deserialize, Debug, PartialEq, Eq)]
struct One {
    name: String,
    /// Those before the one that failed.
    steps: u64,
    ok: bool,
    #[serde(default)]
    failure: Option<Failed>,
}

/// What was not as expected, as far as it is the same in every language.
#[derive(Deserialize, Debug, PartialEq, Eq)]
struct Failed {
    path: Option<String>,
}

/// Plays every scenario twice, without and with `driver`, a command line; `saifu` is the command with such arguments.
pub(super) fn compare(
    desk: &Desk<'_>,
    language: &str,
    driver: &str,
    saifu: impl Fn(&[&str]) -> io::Result<Command>,
    report: &mut Report,
) -> io::Result<()> {
    for (folder, right) in FOLDERS {
        let play = |more: &[&str], name: &str| {
            let written = desk.scratch.join(name);
            let arguments = [&["--json", "scenario", "run", "--all", "--folder", folder][..], more].concat();
            run_logged(&mut saifu(&arguments)?, &desk.log.borrow(), Some(&written), &desk.progress, desk.deadline)?;
            read(&written)
        };
        match (play(&[], "scenarios.json"), play(&["--driver", driver], "driven.json")) {
            (Ok(ours), Ok(theirs)) => agree(&ours, language, &theirs, right, report),
            (ours, theirs) => {
                let whys: Vec<_> =
                    [ours.err(), theirs.err()].into_iter().flatten().map(|error| error.to_string()).collect();
                report.fail(format!("a report of the scenarios is missing: {}", whys.join("; ")));
            }
        }
    }
    Ok(())
}

fn read(path: &Path) -> io::Result<Played> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    serde_json::from_str(&fs::read_to_string(path).map_err(named)?).map_err(|error| named(error.into()))
}

fn agree(ours: &Played, language: &str, theirs: &Played, right: bool, report: &mut Report) {
    report.check(theirs.count == ours.count && ours.count > 0, || {
        format!("{} scenarios were played in {language}, {} in Rust", theirs.count, ours.count)
    });
    report.check(theirs.hash == ours.hash, || {
        format!("other scenarios were played in {language} than in Rust: {} against {}", theirs.hash, ours.hash)
    });
    let otherwise = |one: &&One| one.ok != right || !theirs.scenarios.contains(one);
    let otherwise: Vec<&str> = ours.scenarios.iter().filter(otherwise).map(|one| one.name.as_str()).collect();
    report.check(otherwise.is_empty(), || format!("these ended otherwise in {language}: {}", otherwise.join(", ")));
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"{"count": 2, "hash": "ab", "scenarios": [
        {"name": "a", "steps": 1, "ok": true}, {"name": "b", "steps": 2, "ok": true}]}"#;

    #[test]
    fn fewer_or_other_scenarios_or_another_end_is_a_failure() {
        let none = r#"{"count": 0, "hash": "", "scenarios": []}"#;
        let failed = TWO.replace("true", "false");
        for (ours, theirs, right, faults) in [
            (TWO, TWO.to_owned(), true, 0),
            (TWO, TWO.replace("\"count\": 2", "\"count\": 1"), true, 1),
            (TWO, TWO.replace("\"ab\"", "\"ac\""), true, 1),
            (TWO, TWO.replace("\"steps\": 2", "\"steps\": 1"), true, 1),
            (TWO, TWO.replace("true}]", "false}]"), true, 1),
            (none, none.to_owned(), true, 1),
            (&failed, failed.clone(), false, 0),
            (&failed, failed.clone(), true, 1),
            (TWO, TWO.to_owned(), false, 1),
        ] {
            let mut report = Report::default();
            let played = |json: &str| serde_json::from_str(json).unwrap();
            agree(&played(ours), "Swift", &played(&theirs), right, &mut report);
            assert_eq!(report.failed, faults, "{theirs}");
        }
    }
}
