//! Rust's own tests: the build, the unit tests, one suite for each integration-test file, the doc-tests.

use std::io;

use super::programs::TestRun;
use super::{BUILD, Desk, Suite, excerpt};
use crate::libtest;
use crate::report::{Outcome, Report};
use crate::workspace::{Target, TargetKind, Workspace};

/// What tests compare our output with, where the machine has it.
const READERS: &[&str] = &["zbarimg", "fish", "zsh"];

pub(super) fn suites(workspace: &Workspace) -> Vec<Suite> {
    let mut suites =
        vec![Suite::new(BUILD, build), Suite::new("unit", unit).needing(READERS).building(&["--lib", "--bins"])];
    for package in &workspace.packages {
        for target in package.targets.iter().filter(|target| target.kind() == TargetKind::Integration) {
            suites.push(integration(&package.name, &target.name));
        }
    }
    suites.push(Suite::new("doc-tests", doc_tests));
    suites
}

fn build(desk: &Desk<'_>) -> io::Result<Outcome> {
    let built = desk.built()?;
    let mut report = Report::default();
    report.check(built.ended.success, || excerpt("cargo build --tests", &built.ended.output));
    Ok(Outcome::Ran(report))
}

fn unit(desk: &Desk<'_>) -> io::Result<Outcome> {
    run_targets(desk, |_, target| target.test && matches!(target.kind(), TargetKind::Library | TargetKind::Binary))
}

fn integration(package: &str, test: &str) -> Suite {
    let (package, test) = (package.to_owned(), test.to_owned());
    let (name, builds) = (format!("{package}::{test}"), ["--test".to_owned(), test.clone()]);
    let suite = Suite::new(&name, move |desk: &Desk<'_>| {
        run_targets(desk, |of, target| of == package && target.kind() == TargetKind::Integration && target.name == test)
    });
    Suite { builds: builds.to_vec(), ..suite.needing(READERS) }
}

fn run_targets(desk: &Desk<'_>, wanted: impl Fn(&str, &Target) -> bool) -> io::Result<Outcome> {
    let built = desk.built()?;
    let mut report = Report::default();
    for package in &desk.workspace.packages {
        for target in package.targets.iter().filter(|target| wanted(&package.name, target)) {
            let run = TestRun { package, target, under: &[], arguments: &[], variables: &[] };
            built.run(desk, &run, &mut report)?;
        }
    }
    Ok(Outcome::Ran(report))
}

fn doc_tests(desk: &Desk<'_>) -> io::Result<Outcome> {
    let mut command = desk.cargo(&["test", "--workspace", "--all-features", "--doc", "--no-fail-fast"]);
    let ended = desk.run(command.args(["--", "--show-output"]))?;
    let counts = libtest::parse(&ended.output);
    let mut report =
        Report { passed: counts.passed, failed: counts.failed, missing: counts.missing, faults: Vec::new() };
    if report.failed > 0 || !ended.success {
        report.failed = report.failed.max(1);
        report.faults.push(excerpt("doc-tests", &ended.output));
    }
    Ok(Outcome::Ran(report))
}
