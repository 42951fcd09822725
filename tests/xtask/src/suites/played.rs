//! The scenarios as another language played them, held against Rust's own report: the same files, all of them, each with the
//! same end. Called by the suites of the packages.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::Desk;
use crate::process::run_logged;
use crate::report::Report;

/// A runner's report, as far as two of them must agree.
#[derive(Deserialize, Debug, PartialEq, Eq)]
struct Played {
    count: u64,
    hash: String,
    scenarios: Vec<One>,
}

#[derive(Deserialize, Debug, PartialEq, Eq)]
struct One {
    name: String,
    steps: u64,
    ok: bool,
}

/// Plays every scenario with Rust's wallet and adds to `report` how `theirs`, the file that `language` wrote, compares.
pub(super) fn compare(
    desk: &Desk<'_>,
    language: &str,
    saifu: &Path,
    theirs: &Path,
    report: &mut Report,
) -> io::Result<()> {
    let ours = desk.scratch.join("scenarios.json");
    let mut command = Command::new(saifu);
    command.current_dir(&desk.workspace.root).args(["scenario", "run", "--all", "--json"]);
    run_logged(&mut command, &desk.log.borrow(), Some(&ours), &desk.progress, desk.deadline)?;
    match (read(&ours), read(theirs)) {
        (Ok(ours), Ok(theirs)) => agree(&ours, language, &theirs, report),
        (ours, theirs) => {
            let whys: Vec<_> =
                [ours.err(), theirs.err()].into_iter().flatten().map(|error| error.to_string()).collect();
            report.fail(format!("a report of the scenarios is missing: {}", whys.join("; ")));
        }
    }
    Ok(())
}

fn read(path: &Path) -> io::Result<Played> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    serde_json::from_str(&fs::read_to_string(path).map_err(named)?).map_err(|error| named(error.into()))
}

fn agree(ours: &Played, language: &str, theirs: &Played, report: &mut Report) {
    report.check(theirs.count >= ours.count && ours.count > 0, || {
        format!("{language} played {} scenarios, Rust {}", theirs.count, ours.count)
    });
    report.check(theirs.hash == ours.hash, || {
        format!("{language} played other scenarios than Rust: {} against {}", theirs.hash, ours.hash)
    });
    let otherwise = |one: &&One| !one.ok || !theirs.scenarios.contains(one);
    let otherwise: Vec<&str> = ours.scenarios.iter().filter(otherwise).map(|one| one.name.as_str()).collect();
    report.check(otherwise.is_empty(), || format!("these ended otherwise in {language}: {}", otherwise.join(", ")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(json: &str) -> Played {
        serde_json::from_str(json).unwrap()
    }

    const TWO: &str = r#"{"count": 2, "hash": "ab", "scenarios": [
        {"name": "a", "steps": 1, "ok": true}, {"name": "b", "steps": 2, "ok": true}]}"#;

    #[test]
    fn fewer_or_other_scenarios_or_another_end_is_a_failure() {
        let ours = played(TWO);
        for (theirs, failed) in [
            (TWO.to_owned(), 0),
            (TWO.replace("\"count\": 2", "\"count\": 1"), 1),
            (TWO.replace("\"ab\"", "\"ac\""), 1),
            (TWO.replace("\"steps\": 2", "\"steps\": 1"), 1),
            (TWO.replace("true}]", "false}]"), 1),
        ] {
            let mut report = Report::default();
            agree(&ours, "Swift", &played(&theirs), &mut report);
            assert_eq!(report.failed, failed, "{theirs}");
        }
    }

    #[test]
    fn nothing_played_at_all_is_a_failure() {
        let none = played(r#"{"count": 0, "hash": "", "scenarios": []}"#);
        let mut report = Report::default();
        agree(&none, "Swift", &none, &mut report);
        assert_eq!(report.failed, 1);
    }
}
