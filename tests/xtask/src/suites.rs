//! The gate: its suites in the order they run, and the loop that runs them all whatever fails on the way.

mod deny;
mod keyring;
mod kotlin;
mod lint;
mod mobile;
mod played;
mod rules;
mod rust_tests;
mod shipped;
mod swift;
mod unused;

use std::cell::{OnceCell, RefCell};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{Ended, cargo, run_logged, tail};
use crate::progress::Progress;
use crate::report::{Outcome, Row, finish};
use crate::suites::rust_tests::Tested;
use crate::tools;
use crate::workspace::Workspace;

/// How much of a failing program's output is shown.
const SHOWN_LINES: usize = 80;

type Job = Box<dyn Fn(&Desk<'_>) -> io::Result<Outcome>>;

/// A named row of the table.
pub(crate) struct Suite {
    pub(crate) name: String,
    /// Programs beyond the Rust toolchain that it would use, installed beforehand where that is possible.
    needs: &'static [&'static str],
    /// The arguments of nextest that choose the Rust tests it runs.
    builds: Vec<String>,
    job: Job,
}

impl Suite {
    fn new(name: &str, job: impl Fn(&Desk<'_>) -> io::Result<Outcome> + 'static) -> Self {
        Self { name: name.to_owned(), needs: &[], builds: Vec::new(), job: Box::new(job) }
    }

    fn needing(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }
}

/// Which suites to run, and for how long at most.
pub(crate) struct Selection {
    only: Vec<String>,
    limit: Option<Duration>,
}

impl Selection {
    /// `only` these, or all of them if it is empty.
    pub(crate) fn of(only: Vec<String>, limit: Option<Duration>) -> Self {
        Self { only, limit }
    }

    /// What a developer runs before every commit.
    pub(crate) fn quick() -> Self {
        Self::of(["format", "clippy", "unit"].map(str::to_owned).to_vec(), None)
    }
}

/// Every suite, in running order: the cheap ones first.
pub(crate) fn all(workspace: &Workspace) -> io::Result<Vec<Suite>> {
    let families = [
        lint::format(),
        rules::suites(),
        lint::compiled(),
        rust_tests::suites(workspace)?,
        keyring::suites(),
        deny::suites(),
        unused::suites(),
        kotlin::suites(),
        swift::suites(),
        shipped::suites(),
        mobile::suites(),
    ];
    Ok(families.into_iter().flatten().collect())
}

/// Runs the selection and prints its table; the exit code of the whole command.
pub(crate) fn run(workspace: &Workspace, selection: &Selection) -> io::Result<u8> {
    let mut suites = all(workspace)?;
    if let Some(unknown) = selection.only.iter().find(|name| suites.iter().all(|suite| suite.name != **name)) {
        let known: Vec<_> = suites.iter().map(|suite| suite.name.as_str()).collect();
        return Err(io::Error::other(format!("no suite is called {unknown}; there are: {}", known.join(", "))));
    }
    if !selection.only.is_empty() {
        suites.retain(|suite| selection.only.contains(&suite.name));
    }
    let desk = Desk::new(workspace, &suites, selection.limit)?;
    tools::install_packages(suites.iter().flat_map(|suite| suite.needs), &desk.progress);
    let mut rows = Vec::new();
    for (suite, place) in suites.iter().zip(1_usize..) {
        desk.progress.start(&format!("[{place}/{}] {}", suites.len(), suite.name));
        rows.push(desk.row(suite)?);
    }
    let passed = finish(&rows, &mut io::stdout().lock())?;
    Ok(u8::from(!passed))
}

/// What a suite works with: the workspace, its log, the time that is left, and the one run of the Rust tests.
struct Desk<'a> {
    workspace: &'a Workspace,
    progress: Progress,
    deadline: Option<Instant>,
    scratch: PathBuf,
    log: RefCell<PathBuf>,
    /// Which Rust tests the run needs: arguments of nextest, none for all of them.
    builds: Vec<String>,
    tested: OnceCell<Tested>,
}

impl<'a> Desk<'a> {
    fn new(workspace: &'a Workspace, suites: &[Suite], limit: Option<Duration>) -> io::Result<Self> {
        Ok(Self {
            workspace,
            progress: Progress::new(),
            deadline: limit.and_then(|limit| Instant::now().checked_add(limit)),
            scratch: workspace.scratch()?,
            log: RefCell::default(),
            builds: rust_tests::builds(suites),
            tested: OnceCell::new(),
        })
    }

    /// Runs one suite and tells how it went; its log is kept, and a failure's output is shown.
    fn row(&self, suite: &Suite) -> io::Result<Row> {
        let log = self.log_of(&suite.name);
        File::create(&log)?;
        self.log.replace(log.clone());
        let begun = Instant::now();
        let late = self.deadline.is_some_and(|deadline| begun >= deadline);
        let outcome =
            if late { Err(io::Error::other("not run: the time limit has passed")) } else { (suite.job)(self) };
        let row = Row::new(&suite.name, outcome, begun.elapsed());
        self.progress.done(&row.counts());
        for fault in &row.faults {
            self.progress.note(fault);
        }
        if !row.faults.is_empty() {
            self.progress.note(&format!("the whole log: {}", log.display()));
        }
        Ok(row)
    }

    fn log_of(&self, suite: &str) -> PathBuf {
        self.scratch.join(format!("{}.log", suite.replace("::", ".")))
    }

    /// Runs `command` into the log of the current suite.
    fn run(&self, command: &mut Command) -> io::Result<Ended> {
        run_logged(command, &self.log.borrow(), None, &self.progress, self.deadline)
    }

    /// `cargo` at the root of the workspace.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo(&self.workspace.root);
        command.args(arguments);
        command
    }

    /// What the Rust tests of this run came to; the first call runs them all.
    fn tested(&self) -> io::Result<&Tested> {
        if self.tested.get().is_none() {
            let tested = rust_tests::test(self)?;
            return Ok(self.tested.get_or_init(|| tested));
        }
        self.tested.get().ok_or_else(|| io::Error::other("the tests did not run"))
    }

    /// The command `saifu`, built; with the features of the whole workspace, so that nothing is built twice.
    fn saifu(&self) -> io::Result<PathBuf> {
        let mut build = self.cargo(&["build", "--workspace", "--all-features", "--bin", "saifu"]);
        if !self.run(&mut build)?.success {
            return Err(io::Error::other("saifu was not built"));
        }
        Ok(self.workspace.target().join("debug").join("saifu"))
    }
}

/// The end of a failing program's output, under a line that says whose it is.
fn excerpt(whose: &str, output: &str) -> String {
    format!("--- {whose}\n{}\n---", tail(output, SHOWN_LINES))
}

/// How many tests the sources of a package have: lines that say so, in files that end in `suffix`.
fn written(desk: &Desk<'_>, package: &str, suffix: &str, is_test: impl Fn(&str) -> bool) -> io::Result<u64> {
    let files = desk.workspace.files()?;
    let sources = files.iter().filter(|(path, _)| path.starts_with(package) && path.ends_with(suffix));
    let lines = sources.filter_map(|(_, text)| text.as_deref()).flat_map(str::lines);
    Ok(u64::try_from(lines.filter(|line| is_test(line.trim())).count()).unwrap_or(u64::MAX))
}
