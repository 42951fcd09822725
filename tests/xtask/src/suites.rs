//! The gate: its suites in the order they run, and the loop that runs them all whatever fails on the way.

mod keyring;
mod manifests;
mod mobile;
mod packages;
mod played;
mod rust_tests;
mod tidy;

use std::io;
use std::time::{Duration, Instant};

use crate::api;
use crate::process::Runner;
use crate::report::{Report, Row, finish, in_words};
use crate::size;
use crate::workspace::Workspace;

type Job = Box<dyn Fn(&Runner) -> io::Result<Report>>;

/// A named row of the table.
pub(crate) struct Suite {
    pub(crate) name: String,
    job: Job,
}

impl Suite {
    fn new(name: &str, job: impl Fn(&Runner) -> io::Result<Report> + 'static) -> Self {
        Self { name: name.to_owned(), job: Box::new(job) }
    }

    /// One command of cargo.
    fn cargo(name: &str, arguments: &'static [&'static str]) -> Self {
        Self::new(name, |runner| runner.checked(runner.cargo(arguments).env("RUSTDOCFLAGS", "-D warnings")))
    }
}

/// Every suite, in running order: the cheap ones first. `only` are those that will be run, all if it is empty.
pub(crate) fn all(workspace: &Workspace, only: &[String]) -> io::Result<Vec<Suite>> {
    const CLIPPY: &[&str] =
        &["clippy", "--all-targets", "--workspace", "--all-features", "--keep-going", "--", "-D", "warnings"];
    const DOCS: &[&str] = &["doc", "--no-deps", "--lib", "--workspace", "--all-features", "--keep-going"];
    let mut suites = vec![
        Suite::cargo("format", &["fmt", "--all", "--", "--check"]),
        Suite::new("tidy", tidy::run),
        Suite::cargo("clippy", CLIPPY),
        Suite::cargo("docs", DOCS),
    ];
    suites.extend(rust_tests::suites(workspace, only)?);
    suites.extend([
        Suite::new("keyring", keyring::run),
        Suite::new("deny", manifests::deny),
        Suite::new("unused", manifests::unused),
        Suite::new("kotlin", packages::kotlin),
        Suite::new("app", packages::app),
        Suite::new("swift", packages::swift),
        Suite::new("api", api::suite),
        Suite::new("size", size::suite),
        Suite::new("android", mobile::android),
        Suite::new("ios", mobile::ios),
    ]);
    Ok(suites)
}

/// Runs the suites of `only`, all if it is empty, and prints their table; the exit code of the whole command. What has not ended
/// after `limit` has failed.
pub(crate) fn run(only: &[String], limit: Option<Duration>) -> io::Result<u8> {
    let runner = Runner::new("xtask", limit)?;
    let mut suites = all(&runner.workspace, only)?;
    if let Some(unknown) = only.iter().find(|name| suites.iter().all(|suite| suite.name != **name)) {
        let known: Vec<_> = suites.iter().map(|suite| suite.name.as_str()).collect();
        return Err(io::Error::other(format!("no suite is called {unknown}; there are: {}", known.join(", "))));
    }
    suites.retain(|suite| only.is_empty() || only.contains(&suite.name));
    let mut rows = Vec::new();
    for (suite, place) in suites.iter().zip(1_usize..) {
        runner.progress.start(&format!("[{place}/{}] {}", suites.len(), suite.name));
        rows.push(row(&runner, suite)?);
    }
    let passed = finish(&rows, &mut io::stdout().lock())?;
    Ok(u8::from(!passed))
}

/// Runs one suite and tells how it went; its log is kept, and a failure's output is shown.
fn row(runner: &Runner, suite: &Suite) -> io::Result<Row> {
    let log = runner.log_to(&suite.name)?;
    let begun = Instant::now();
    let late = || Err(io::Error::other("not run: the time limit has passed"));
    let outcome = if runner.is_late() { late() } else { (suite.job)(runner) };
    let row = Row::new(&suite.name, outcome, begun.elapsed());
    runner.progress.done(&in_words(row.report.counts()));
    for fault in &row.report.faults {
        runner.progress.note(fault);
    }
    if !row.report.faults.is_empty() {
        runner.progress.note(&format!("the whole log: {}", log.display()));
    }
    Ok(row)
}
