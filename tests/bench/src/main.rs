//! What takes too long or too much of a machine for the gate: programs that measure, started by `cargo xtask full`,
//! which keeps their figures with the commit and the machine in `results/`.
//!
//! Each subcommand is one measurement and prints one JSON document. Whatever it is compared with runs beside it in the
//! same process, in turns, because disks and machines drift.

mod calls;
mod settlements;
mod slice;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Any error: a measurement that cannot go on says why and ends.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Measures how fast Saifu is.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    measurement: Measurement,
}

#[derive(Subcommand)]
enum Measurement {
    /// Settlements a second of the sandbox's issuer, beside bare rows in the same kind of database.
    Settlements(settlements::Args),
    /// The core's own calls, starts and openings, for comparison with those through the bindings.
    Calls(calls::Args),
    /// One start on what `calls` left; `calls` runs it.
    #[command(hide = true)]
    Start(calls::StartArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let measured = match Cli::parse().measurement {
        Measurement::Settlements(args) => settlements::run(&args).await.and_then(|report| printed(&report)),
        Measurement::Calls(args) => calls::run(&args).await.and_then(|report| printed(&report)),
        Measurement::Start(args) => calls::start(&args).and_then(|start| printed(&start)),
    };
    match measured {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn printed(report: &impl serde::Serialize) -> Result<String> {
    Ok(serde_json::to_string(report)?)
}
