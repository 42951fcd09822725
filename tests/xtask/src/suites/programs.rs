//! The test programs: one build of the whole workspace, and running the programs that came out of it.
//!
//! Cargo unifies features over the packages it is asked for, so `cargo test -p ONE` would build the dependencies
//! again for each crate. Here everything is built once and each program is started directly, with the folder and
//! the variables that `cargo test` would give it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::{BUILD, Desk, Suite, excerpt};
use crate::libtest;
use crate::process::{Ended, cargo, without_own_variables};
use crate::report::Report;
use crate::workspace::{Package, Target, TargetKind, Workspace};

/// Cargo's name for every target with tests.
pub(super) const EVERY_TEST: &str = "--tests";

/// What the build made.
pub(super) struct Built {
    /// Keyed by package, kind and target.
    programs: BTreeMap<(String, TargetKind, String), PathBuf>,
    /// The workspace's ordinary binaries, which integration tests start.
    binaries: BTreeMap<String, PathBuf>,
    /// How cargo ended; it goes on past a crate that does not compile.
    pub(super) ended: Ended,
}

/// One line of cargo's JSON, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// The targets that all of `suites` need: every test if one of them is the `build` suite itself.
pub(super) fn build_arguments(suites: &[Suite]) -> Vec<String> {
    if suites.iter().any(|suite| suite.name == BUILD) {
        return vec![EVERY_TEST.to_owned()];
    }
    // `--test NAME` is a pair, so duplicates are dropped by suite and not by word.
    let distinct: BTreeSet<&Vec<String>> = suites.iter().map(|suite| &suite.builds).collect();
    distinct.into_iter().flatten().cloned().collect()
}

/// The command that builds `targets` as tests, with all features.
pub(super) fn build(root: &Path, targets: &[String]) -> Command {
    let mut command = cargo(root);
    // `cargo build` can go on past a crate that does not compile, but takes `--lib` for the ordinary library;
    // `cargo test` takes it for its unit tests, but stops.
    match targets.iter().any(|word| word == "--lib") {
        true => command.args(["test", "--no-run"]),
        false => command.args(["build", "--keep-going"]),
    };
    command.args(["--workspace", "--all-features", "--message-format=json-render-diagnostics"]).args(targets);
    command
}

impl Built {
    /// Reads cargo's messages, one JSON object a line.
    pub(super) fn read(workspace: &Workspace, messages: &str, ended: Ended) -> io::Result<Self> {
        let (mut programs, mut binaries) = (BTreeMap::new(), BTreeMap::new());
        for line in messages.lines().filter(|line| line.starts_with('{')) {
            let message: Message = serde_json::from_str(line).map_err(io::Error::other)?;
            let Message { manifest_path: Some(manifest), target: Some(target), executable: Some(path), profile } =
                message
            else {
                continue;
            };
            let Some(package) = workspace.packages.iter().find(|package| package.manifest_path == manifest) else {
                continue;
            };
            if profile.is_some_and(|profile| profile.test) {
                programs.insert((package.name.clone(), target.kind(), target.name), path);
            } else if target.kind() == TargetKind::Binary {
                binaries.insert(target.name, path);
            }
        }
        Ok(Self { programs, binaries, ended })
    }

    /// Where the workspace's ordinary binary `name` is, if it was built.
    pub(super) fn binary(&self, name: &str) -> Option<&Path> {
        self.binaries.get(name).map(PathBuf::as_path)
    }

    /// Runs the test program of `target` and adds what came of it to `report`.
    pub(super) fn run(&self, desk: &Desk<'_>, run: &TestRun<'_>, report: &mut Report) -> io::Result<()> {
        let TestRun { package, target, .. } = run;
        let whose = format!("{} {}", package.name, target.name);
        let key = (package.name.clone(), target.kind(), target.name.clone());
        let Some(program) = self.programs.get(&key) else {
            // With a `build` suite in the run, the compiler's words have been shown already.
            let why = if desk.builds_visibly { String::new() } else { excerpt("build", &self.ended.output) };
            report.fail(format!("{whose} was not built; see {}\n{why}", desk.log_of("build").display()));
            return Ok(());
        };
        let ended = desk.run(&mut run.command(program, &self.binaries))?;
        let counts = libtest::parse(&ended.output);
        report.passed = report.passed.saturating_add(counts.passed);
        report.missing.extend(counts.missing);
        if counts.failed > 0 || !ended.success {
            // A program that was killed or crashed has failed even if no test could say so.
            report.failed = report.failed.saturating_add(counts.failed.max(1));
            report.faults.push(excerpt(&whose, &ended.output));
        }
        Ok(())
    }
}

/// How to run one test program.
pub(super) struct TestRun<'a> {
    pub(super) package: &'a Package,
    pub(super) target: &'a Target,
    /// Programs to run it under, with their arguments.
    pub(super) under: &'a [String],
    /// Arguments for the test harness.
    pub(super) arguments: &'a [&'a str],
    pub(super) variables: &'a [(&'a str, String)],
}

impl TestRun<'_> {
    fn command(&self, program: &Path, binaries: &BTreeMap<String, PathBuf>) -> Command {
        let mut words = self.under.iter().map(AsRef::as_ref).chain([program.as_os_str()]);
        let mut command = Command::new(words.next().unwrap_or(program.as_os_str()));
        command.args(words).arg("--show-output").args(self.arguments).current_dir(self.package.folder());
        without_own_variables(&mut command);
        command
            .env("CARGO_MANIFEST_DIR", self.package.folder())
            .env("CARGO_PKG_NAME", &self.package.name)
            .env("CARGO_PKG_VERSION", &self.package.version)
            .envs(binaries.iter().map(|(name, path)| (format!("CARGO_BIN_EXE_{name}"), path)))
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}
