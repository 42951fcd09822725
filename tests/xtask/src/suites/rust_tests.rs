//! Rust's own tests, by nextest: one build of the whole workspace and one run of all tests that were chosen, each in a process of
//! its own. A suite is one program, or one module of a program `it`; the unit tests of all crates are one suite.
//!
//! Cargo unifies features over the packages it is asked for, so a run for one crate alone would build the dependencies again.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use super::Suite;
use crate::junit::{self, Counted};
use crate::process::{Ended, Runner, excerpt, without_own_variables};
use crate::report::Report;
use crate::tools::packages;
use crate::tools::wheels::CARGO_NEXTEST;
use crate::workspace::Workspace;

/// What tests compare our output with, where the machine has it.
const READERS: &[&str] = &["zbarimg", "fish", "zsh"];
const BUILD: &str = "build";
const UNIT: &str = "unit";
const PROFILE: &str = "gate";

/// The one run of the tests that were chosen.
struct Tests {
    /// What is built and run, as nextest's arguments: none means all.
    chosen: BTreeSet<String>,
    tested: OnceCell<Tested>,
}

/// What one run of nextest came to.
pub(super) struct Tested {
    pub(super) ended: Ended,
    /// By the name of the program as nextest has it (`PACKAGE` for a library's unit tests, `PACKAGE::TEST`), modules of a
    /// program `it` by theirs.
    programs: BTreeMap<String, Counted>,
}

impl Tests {
    /// The part of the run that belongs to one suite; the first call runs them all.
    fn report(&self, runner: &Runner, suite: &str) -> io::Result<Report> {
        if let Some(tested) = self.tested.get() {
            return Ok(rows(tested, suite));
        }
        packages::missing(READERS, &runner.progress);
        let mut nextest = nextest(runner).ok_or_else(|| io::Error::other(CARGO_NEXTEST.missing()))?;
        let tested = run(runner, nextest.args(&self.chosen))?;
        Ok(rows(self.tested.get_or_init(|| tested), suite))
    }
}

impl Tested {
    /// The sums over the programs that are `mine`.
    pub(super) fn report(&self, mine: impl Fn(&str) -> bool) -> Report {
        let mut report = Report { time: Some(Duration::ZERO), ..Report::default() };
        for (_, counted) in self.programs.iter().filter(|(program, _)| mine(program)) {
            report.add(counted);
        }
        report
    }
}

/// All of them; `only` are those that will be run.
pub(super) fn suites(workspace: &Workspace, only: &[String]) -> io::Result<Vec<Suite>> {
    let programs = programs(workspace)?;
    let is_chosen = |name: &str| only.is_empty() || only.iter().any(|it| it == name);
    let mut chosen = BTreeSet::new();
    if !is_chosen(BUILD) {
        chosen.extend(programs.iter().filter(|(name, _)| is_chosen(name)).flat_map(|(_, arguments)| arguments.clone()));
    }
    let tests = Rc::new(Tests { chosen, tested: OnceCell::new() });
    let mut suites = vec![Suite::new(BUILD, build)];
    for (name, _) in programs {
        let (tests, suite) = (Rc::clone(&tests), name.clone());
        suites.push(Suite::new(&name, move |runner| tests.report(runner, &suite)));
    }
    suites.push(Suite::new("doc-tests", doc_tests));
    Ok(suites)
}

/// The suites that nextest runs, each with the arguments that choose it.
fn programs(workspace: &Workspace) -> io::Result<Vec<(String, Vec<String>)>> {
    let unit = ["--lib", "--bins", "--filterset=kind(lib) | kind(bin)"].map(str::to_owned);
    let mut programs = vec![(UNIT.to_owned(), unit.to_vec())];
    for package in &workspace.packages {
        for target in package.targets.iter().filter(|target| target.is_test()) {
            let (program, build) = (format!("{}::{}", package.name, target.name), format!("--test={}", target.name));
            if target.name == junit::OF_MODULES {
                for module in modules(&target.src_path)? {
                    let filter = format!("--filterset=binary_id(={program}) & test(/^{module}::/)");
                    programs.push((format!("{}::{module}", package.name), vec![build.clone(), filter]));
                }
            } else {
                let filter = format!("--filterset=binary_id(={program})");
                programs.push((program, vec![build, filter]));
            }
        }
    }
    Ok(programs)
}

/// The files beside a program's `main.rs`, by name. What its tests share lies in a folder that has no such file.
fn modules(main: &Path) -> io::Result<BTreeSet<String>> {
    let mut modules = BTreeSet::new();
    for entry in main.parent().ok_or(io::ErrorKind::NotFound)?.read_dir()? {
        let path = entry?.path();
        if path != main && path.extension().is_some_and(|extension| extension == "rs") {
            modules.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    Ok(modules)
}

/// The part of it that belongs to one suite.
fn rows(tested: &Tested, suite: &str) -> Report {
    let of_unit = |program: &str| !program.contains("::") || program.contains("::bin/");
    let mut report = tested.report(|program| if suite == UNIT { of_unit(program) } else { program == suite });
    if report.is_empty() {
        report.faults.push(format!("{suite} did not run\n{}", excerpt("cargo nextest", &tested.ended.output)));
    }
    report
}

fn build(runner: &Runner) -> io::Result<Report> {
    match nextest(runner) {
        Some(mut command) => runner.checked(command.arg("--no-run")),
        None => Ok(Report::skipped(CARGO_NEXTEST.missing())),
    }
}

/// Runs what [`nextest`] made and reads its report.
pub(super) fn run(runner: &Runner, nextest: &mut Command) -> io::Result<Tested> {
    let report = runner.workspace.target.join("nextest").join(PROFILE).join("junit.xml");
    // What an earlier run left must not be counted.
    match fs::remove_file(&report) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let ended = runner.run(nextest)?;
    let xml = fs::read_to_string(report).unwrap_or_else(|_| "<testsuites/>".to_owned());
    let programs = junit::read(&xml)?.into_iter().map(|counted| (counted.name.clone(), counted)).collect();
    Ok(Tested { ended, programs })
}

/// `cargo nextest run` over the whole workspace, or nothing if it cannot be installed.
pub(super) fn nextest(runner: &Runner) -> Option<Command> {
    CARGO_NEXTEST.get(runner).map(|program| {
        let mut command = Command::new(program);
        command.current_dir(&runner.workspace.root).args(["nextest", "run", "--workspace", "--all-features"]);
        command.args(["--profile", PROFILE, "--run-ignored", "all", "--color", "never", "--cargo-quiet"]);
        without_own_variables(&mut command);
        command
    })
}

/// nextest runs no doc-tests; cargo does.
fn doc_tests(runner: &Runner) -> io::Result<Report> {
    let mut command = runner.cargo(&["test", "--workspace", "--all-features", "--doc", "--no-fail-fast"]);
    let ended = runner.run(&mut command)?;
    let mut report = Report { passed: passed(&ended.output), ..Report::default() };
    if !ended.success {
        report.faults.push(excerpt("doc-tests", &ended.output));
    }
    Ok(report)
}

/// The sum over lines such as `test result: ok. 3 passed; 0 failed; …`.
fn passed(output: &str) -> u64 {
    let lines = output.lines().filter_map(|line| line.strip_prefix("test result: ")?.split_once(" passed"));
    lines.filter_map(|(before, _)| before.rsplit(' ').next()?.parse::<u64>().ok()).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_doc_tests_are_summed() {
        let output = "test result: ok. 3 passed; 0 failed; 0 ignored\ntest a ... 9 passed\n\
            test result: FAILED. 12 passed; 2 failed; 0 ignored\n";
        assert_eq!(passed(output), 15);
    }

    #[test]
    fn every_module_beside_main_is_a_suite_and_helpers_in_a_folder_are_none() {
        let temporary = tempfile::TempDir::new().unwrap();
        let folder = temporary.path();
        fs::create_dir_all(folder.join("support")).unwrap();
        for name in ["main.rs", "b.rs", "a.rs", "support/c.rs", "notes.md"] {
            fs::write(folder.join(name), "").unwrap();
        }
        let found = modules(&folder.join("main.rs"));
        assert_eq!(found.unwrap().into_iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn suite_has_its_own_programs_and_one_that_did_not_run_has_failed() {
        let counted =
            |name: &str| (name.to_owned(), Counted { name: name.to_owned(), passed: 2, ..Counted::default() });
        let programs = ["saifu", "saifu-qa::bin/saifu", "saifu-qa::cli"].map(counted).into();
        let tested = Tested { ended: Ended { success: true, output: String::new() }, programs };
        for (suite, passed, failed) in [("unit", 4, 0), ("saifu-qa::cli", 2, 0), ("saifu-qa::gone", 0, 1)] {
            let report = rows(&tested, suite);
            assert_eq!((report.passed, report.faults.len()), (passed, failed), "{suite}");
        }
    }
}
