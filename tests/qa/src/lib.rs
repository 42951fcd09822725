//! The `saifu` command: the wallet, the register, the ATM and the sandbox issuer on a desktop. Quality assurance plays
//! every part with it, one process each; bare `saifu` is the demo. `docs/interface.md` lists every command, field and code.
//!
//! | To find | Look in |
//! | --- | --- |
//! | the commands and their arguments | [`cli`] |
//! | what one command does | `commands`, a file each |
//! | what may go to stdout and stderr | `printer`, the only place that writes there |
//! | exit codes and the command line's own error codes | [`failure`] |
//! | symbols as pixels, SVG and terminal cells, and reading them back | [`picture`] |
//! | registers, ATMs and levers as clients | `peers` |
//! | what a wallet asked, as it is kept for bug reports | `request_log`, written by `tracing_setup` |
//! | what a scenario means, and how it is played | [`scenario`] |
//!
//! *Invariants.* The wallet used here is the wallet that ships: nothing in this crate reaches behind its public calls. A
//! register gets digits or a picture and nothing else. Nothing waits for a person who is not there.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;
mod commands;
mod context;
pub mod failure;
mod home;
mod peers;
pub mod picture;
mod presence;
mod printer;
mod report;
mod request_log;
pub mod scenario;
mod tracing_setup;

use std::process::ExitCode;

use cli::Cli;
use context::Context;
use failure::{Failure, LocalCode, Status};
use printer::Printer;

/// Wipes what is freed, as in the library that ships: docs/decisions/012.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// Runs the command line of this process and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) => return unparsed(&error),
    };
    let printer = Printer::new(cli.global.json, cli.global.quiet);
    let exit = match run(cli, printer) {
        Ok(exit) => exit,
        Err(failure) => {
            printer.failure(&failure);
            failure.status().number()
        }
    };
    exit.into()
}

fn run(cli: Cli, printer: Printer) -> Result<u8, Failure> {
    tracing_setup::install();
    let context = Context::new(&cli.global, printer)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime =
        runtime.map_err(|error| LocalCode::Bug.detail(format!("the async runtime did not start: {error}")))?;
    let report = runtime.block_on(commands::run(cli.command, &context))?;
    // A prompt or a key press may still block a thread; the process must not wait for it.
    runtime.shutdown_background();
    printer.report(&report)?;
    Ok(report.exit())
}

/// Help and version are no errors; everything else says so in JSON too when JSON was asked for.
fn unparsed(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().take_while(|arg| arg != "--").any(|arg| arg == "--json");
    if error.use_stderr() && wants_json {
        let text = error.to_string();
        let before_usage = text.split("\n\n").next().unwrap_or_default();
        let words: Vec<&str> = before_usage.split_whitespace().skip_while(|word| *word == "error:").collect();
        Printer::new(true, false).failure(&LocalCode::Usage.detail(words.join(" ")));
        return Status::Usage.into();
    }
    match error.print() {
        Ok(()) if !error.use_stderr() => Status::Done.into(),
        _ => Status::Usage.into(),
    }
}
