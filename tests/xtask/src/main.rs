//! The project's build tool: every check, long run and packaging step is a subcommand here.
//!
//! Developers call it as `cargo xtask …` (an alias in `.cargo/config.toml`) and continuous integration
//! through `.ci/run`. Progress goes to stderr; the table and the counts go to stdout.

mod api;
mod clean_clone;
mod ffi;
mod full;
mod junit;
mod mobile;
mod process;
mod progress;
mod report;
mod size;
mod suites;
mod tidy;
mod tools;
mod workspace;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::suites::Selection;
use crate::workspace::Workspace;

/// Builds, checks and measures the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Format, clippy and the libraries' unit tests: what to run before every commit.
    Quick,
    /// Every suite of the gate, to the end, with a table and the counts as the last line.
    Test(TestArgs),
    /// A long measurement, resumable, written to `results/NAME.json`; without a name, the list of them.
    Full(full::FullArgs),
    /// Generates the Kotlin or Swift code from the library into `target/bindings/LANGUAGE`.
    Bindgen {
        /// Which language.
        language: ffi::Language,
    },
    /// Builds and tests the Kotlin package: the suite `kotlin` of the gate.
    Kotlin,
    /// Builds and tests the Swift package: the suite `swift` of the gate.
    Swift,
    /// Shows how what the library exports differs from `bindings/api.txt`.
    Api(api::ApiArgs),
    /// Measures the library that ships and appends to its history, `bindings/size.json`.
    Size(size::SizeArgs),
    /// Does the library compile for Android? The suite `android` of the gate.
    AndroidCheck,
    /// Makes the iPhone's static library, and looks for every function that Swift calls: the suite `ios` of the gate.
    IosCheck,
    /// `.ci/run` in a fresh clone of the last commit, as continuous integration sees it.
    CleanClone,
}

#[derive(Args)]
struct TestArgs {
    /// Run only these suites.
    #[arg(long, num_args = 1.., value_name = "NAME", conflicts_with = "list")]
    only: Vec<String>,
    /// Name the suites and run none.
    #[arg(long)]
    list: bool,
    /// Give up after this many minutes; what has not ended by then has failed.
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Quick => run_suites(&Selection::quick()),
        Command::Test(TestArgs { list: true, .. }) => list_suites(),
        Command::Test(TestArgs { only, minutes, .. }) => {
            let limit = minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
            run_suites(&Selection::of(only, limit))
        }
        Command::Full(args) => full::run(&args),
        Command::Bindgen { language } => Workspace::load().and_then(|workspace| ffi::bindgen(&workspace, language)),
        Command::Api(args) => Workspace::load().and_then(|workspace| api::run(&workspace, &args)),
        Command::Kotlin => run_suites(&Selection::of(vec!["kotlin".to_owned()], None)),
        Command::Swift => run_suites(&Selection::of(vec!["swift".to_owned()], None)),
        Command::Size(args) => Workspace::load().and_then(|workspace| size::record(&workspace, args)),
        Command::AndroidCheck => run_suites(&Selection::of(vec!["android".to_owned()], None)),
        Command::IosCheck => run_suites(&Selection::of(vec!["ios".to_owned()], None)),
        Command::CleanClone => Workspace::load().and_then(|workspace| clean_clone::run(&workspace)),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run_suites(selection: &Selection) -> io::Result<u8> {
    let workspace = Workspace::load()?;
    suites::run(&workspace, selection)
}

fn list_suites() -> io::Result<u8> {
    let workspace = Workspace::load()?;
    for suite in suites::all(&workspace)? {
        println!("{}", suite.name);
    }
    Ok(0)
}
