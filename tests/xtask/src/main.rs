//! The project's build tool: every check, long run and packaging step is a subcommand here.
//!
//! Developers call it as `cargo xtask …` (an alias in `.cargo/config.toml`) and continuous integration
//! through `.ci/run`. Progress goes to stderr; the table and the counts go to stdout.

mod api;
mod app;
mod clean_clone;
mod ffi;
mod full;
mod junit;
mod process;
mod progress;
mod report;
mod size;
mod suites;
mod tools;
mod workspace;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

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
    /// The Android app's screens in a window beside a sandbox, or drawn to pictures.
    App(app::AppArgs),
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
    let suites = |names: &[&str]| suites::run(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), None);
    let done = match Cli::parse().command {
        Command::Quick => suites(&["format", "clippy", "unit"]),
        Command::Test(TestArgs { list: true, .. }) => list(),
        Command::Test(TestArgs { only, minutes, .. }) => {
            suites::run(&only, minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60))))
        }
        Command::Full(args) => full::run(&args),
        Command::Bindgen { language } => ffi::bindgen(language),
        Command::Kotlin => suites(&["kotlin"]),
        Command::App(args) => app::run(&args),
        Command::Swift => suites(&["swift"]),
        Command::Api(args) => api::run(&args),
        Command::Size(args) => size::record(args),
        Command::AndroidCheck => suites(&["android"]),
        Command::IosCheck => suites(&["ios"]),
        Command::CleanClone => clean_clone::run(),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn list() -> io::Result<u8> {
    for suite in suites::all(&Workspace::load()?, &[])? {
        println!("{}", suite.name);
    }
    Ok(0)
}
