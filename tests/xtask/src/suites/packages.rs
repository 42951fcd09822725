//! The Kotlin package on a JVM, the app upon it, and the Swift package on Linux: generated code, its own code, its tests, and every
//! scenario played with its driver. Never skipped: what is missing is a failure.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use super::played;
use crate::ffi::{self, Language, kotlin, swift};
use crate::junit;
use crate::process::{Ended, Runner, excerpt};
use crate::report::Report;
use crate::tools::packages;

/// Where both tests' reports are, in the folder of the language.
const RESULTS: &str = "surefire-reports";
/// How a JUnit test begins.
const JUNIT: fn(&str) -> bool = |line| ["@Test", "@TestFactory", "@ParameterizedTest"].contains(&line);
/// What a person writes of the Swift package.
const WRITTEN: [&str; 6] = [
    "Package.swift",
    "Sources/Saifu",
    "Sources/SaifuGenerated/Sensitive.swift",
    "Sources/SaifuTestSupport",
    "Tests",
    "Examples",
];

pub(super) fn kotlin(runner: &Runner) -> io::Result<Report> {
    need(runner, &["mvn", "javac"])?;
    let mut report = Report::default();
    let (saifu, bindings) = (runner.saifu()?, ffi::generate(runner, Language::Kotlin)?);
    let folder = runner.workspace.target.join("kotlin");
    count(runner, &[folder.join(RESULTS)], kotlin::PACKAGE, ".kt", JUNIT, &mut report, || {
        kotlin::test(runner, &saifu, &bindings, kotlin::PACKAGES, &[], &[])
    })?;
    // Maven has written the arguments with which Java is the driver.
    let driver = format!("java '@{}'", folder.join("driver.args").display());
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&saifu);
        command.current_dir(&runner.workspace.root).args(arguments);
        command
    };
    played::compare(runner, "Kotlin", &driver, command, &mut report)?;
    Ok(report)
}

/// The Android app: its screens without a screen, then drawn, read by decoders that are not ours, and used against a sandbox.
pub(super) fn app(runner: &Runner) -> io::Result<Report> {
    // The libraries are what Compose draws with.
    need(runner, &["mvn", "javac", "zbarimg", "libGL.so.1", "libX11.so.6", "libfontconfig.so.1"])?;
    let mut report = Report::default();
    let (saifu, bindings) = (runner.saifu()?, ffi::generate(runner, Language::Kotlin)?);
    let results = |module: &str| runner.workspace.target.join("android").join(module).join(RESULTS);
    let modules = ["fixtures", "desktop"].map(results);
    // The package that it stands on is in the same build; its own tests are the suite `kotlin`.
    let arguments = ["-Dsaifu.tests.skipped=true"];
    count(runner, &modules, "android", ".kt", JUNIT, &mut report, || {
        kotlin::test(runner, &saifu, &bindings, kotlin::APP, &arguments, &[])
    })?;
    Ok(report)
}

pub(super) fn swift(runner: &Runner) -> io::Result<Report> {
    let mut report = Report::default();
    let (saifu, bindings) = (runner.saifu()?, ffi::generate(runner, Language::Swift)?);
    swift::place(runner, &bindings)?;
    let toolchain = swift::Toolchain::find(runner)?;
    let lint = [&["lint", "--strict", "--recursive"][..], &WRITTEN].concat();
    runner.check(&mut report, &mut toolchain.command(swift::PACKAGE, &[], "swift-format", &lint))?;

    let results = runner.workspace.target.join("swift").join(RESULTS);
    let tests = |line: &str| line.starts_with("@Test");
    count(runner, std::slice::from_ref(&results), swift::PACKAGE, ".swift", tests, &mut report, || {
        let file = toolchain.inside(&results.join("tests.xml"))?;
        runner.run(&mut swift::test(&toolchain, &saifu, &bindings, &["--xunit-output", &file], &[])?)
    })?;
    let driver = toolchain.inside(&runner.workspace.target.join("swift/debug/ScenarioDriver"))?;
    let inside = toolchain.inside(&saifu)?;
    let command = |arguments: &[&str]| toolchain.command(".", &[], &inside, arguments);
    played::compare(runner, "Swift", &driver, command, &mut report)?;
    Ok(report)
}

fn need(runner: &Runner, programs: &[&str]) -> io::Result<()> {
    packages::missing(programs, &runner.progress)
        .map_or(Ok(()), |missing| Err(io::Error::other(format!("missing: {missing}"))))
}

/// Has `test` write its reports into `results`, and adds what they say. Every test that is written must have run: a filter or a
/// crash must not look like success. The program's own word counts too: it can fail before or after every test.
fn count(
    runner: &Runner,
    results: &[PathBuf],
    package: &str,
    suffix: &str,
    is_test: impl Fn(&str) -> bool,
    report: &mut Report,
    test: impl FnOnce() -> io::Result<Ended>,
) -> io::Result<()> {
    // What an earlier run left must not be counted.
    for folder in results {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
    }
    let ended = test()?;
    let mut passed = 0_u64;
    for file in results.iter().map(fs::read_dir).collect::<io::Result<Vec<_>>>()?.into_iter().flatten() {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            // A crash cuts it off; what the program said is told below.
            for suite in junit::read(&fs::read_to_string(path)?).unwrap_or_default() {
                passed = passed.saturating_add(suite.passed);
                report.add(&suite);
            }
        }
    }
    if !ended.success {
        report.faults.push(excerpt("the tests", &ended.output));
    }
    let files = runner.workspace.files()?;
    let sources = files.iter().filter(|(path, _)| path.starts_with(package) && path.ends_with(suffix));
    let written = sources.flat_map(|(_, text)| text.lines()).filter(|line| is_test(line.trim())).count();
    report.check(passed >= u64::try_from(written).unwrap_or(u64::MAX), || {
        format!("{passed} tests passed, but the sources have {written}: some did not run")
    });
    Ok(())
}
