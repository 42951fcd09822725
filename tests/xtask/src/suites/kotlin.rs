//! The Kotlin package on a JVM: generated code, its own code, its tests, and the scenarios played word for word.
//!
//! Maven does the building and testing; this suite hands it the library, counts what its tests say, and has the scenarios
//! played with the Kotlin driver. It is never skipped: without Maven it fails.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Desk, Suite, excerpt, played, written};
use crate::ffi::kotlin::{self, PACKAGE, PROGRAMS};
use crate::ffi::{self, Language, Package};
use crate::junit;
use crate::process::{Ended, on_path};
use crate::report::{Outcome, Report};

const NAME: &str = "kotlin";
/// What Maven writes into its folder: the arguments with which Java is the driver of scenarios.
const DRIVER: &str = "driver.args";

pub(super) fn suites() -> Vec<Suite> {
    vec![Suite::new(NAME, run).needing(PROGRAMS)]
}

fn run(desk: &Desk<'_>) -> io::Result<Outcome> {
    let mut report = Report::default();
    let missing: Vec<&str> = PROGRAMS.iter().copied().filter(|name| on_path(name).is_none()).collect();
    if !missing.is_empty() {
        report.fail(format!("missing: {}; on Debian, apt-get install maven default-jdk-headless", missing.join(", ")));
        return Ok(Outcome::Ran(report));
    }
    let saifu = desk.saifu()?;
    let bindings = ffi::generate(desk.workspace, Language::Kotlin, |command| desk.run(command))?;

    let folder = desk.workspace.target().join(NAME);
    let (results, driver) = (folder.join("surefire-reports"), folder.join(DRIVER));
    // What an earlier run left must not be counted.
    if results.exists() {
        fs::remove_dir_all(&results)?;
    }
    let package = Package { workspace: desk.workspace, saifu: &saifu, bindings: &bindings };
    let ended = kotlin::test(&package, &desk.progress, &[], &[], |command| desk.run(command))?;
    count(&results, &ended, &mut report)?;
    let annotations = ["@Test", "@TestFactory", "@ParameterizedTest"];
    let written = written(desk, PACKAGE, ".kt", |line| annotations.contains(&line))?;
    let passed = report.passed;
    report.check(passed >= written, || {
        format!("{passed} tests passed, but the sources have {written}: some did not run")
    });
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&saifu);
        command.current_dir(&desk.workspace.root).args(arguments);
        Ok(command)
    };
    played::compare(desk, "Kotlin", &format!("java '@{}'", driver.display()), command, &mut report)?;
    Ok(Outcome::Ran(report))
}

/// Adds what the tests' own reports say. Maven's word counts too: a build can fail before or after every test.
fn count(results: &Path, maven: &Ended, report: &mut Report) -> io::Result<()> {
    for file in files(results, "xml")? {
        junit::read(&fs::read_to_string(&file)?)?.iter().for_each(|suite| report.add(suite));
    }
    if !maven.success {
        report.fail(excerpt("mvn test", &maven.output));
    }
    Ok(())
}

/// The files of `folder` that end in `extension`; none if there is no such folder.
fn files(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
