//! The `saifu` command: the wallet, the register, the ATM and the sandbox issuer on a desktop. Quality assurance plays
//! every part with it, one process each; bare `saifu` is the demo. `docs/interface.md` lists every command, field and code.
//!
//! | To find | Look in |
//! | --- | --- |
//! | the commands and their arguments | [`cli`] |
//! | what one command does | `commands`, a file each |
//! | what may go to stdout and stderr | `printer`, the only place that writes there |
//! | exit codes and the command line's own error codes | [`failure`] |
//! | what it writes and reads where it is pointed to | `files` |
//! | what others wrote, as a terminal may have it | `words` |
//! | symbols as pixels, SVG and terminal cells, and reading them back | [`picture`] |
//! | registers, ATMs and control API as clients | `peers` |
//! | what a wallet asked, as it is kept for bug reports | `request_log`, written by `tracing_setup` |
//! | what was done by hand, as it is kept for `saifu scenario record` | `journal` |
//! | what a scenario means, and how it is played | [`scenario`] |
//!
//! *Invariants.* The wallet used here is the wallet that ships: nothing in this crate reaches behind its public calls. A
//! register gets digits or a picture and nothing else. Nothing waits for a person who is not there.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;
mod commands;
mod context;
pub mod failure;
mod files;
mod home;
mod journal;
mod peers;
pub mod picture;
mod presence;
mod printer;
mod report;
mod request_log;
mod restoring;
pub mod scenario;
mod tracing_setup;
mod words;

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
    let exit = match guarded(cli, printer) {
        Ok(exit) => exit,
        Err(failure) => {
            let failure = failure.noting(cli::from_environment);
            printer.failure(&failure);
            failure.status().number()
        }
    };
    exit.into()
}

/// A panic of ours is a bug like any other: said in words, and as a document where one was asked for.
fn guarded(cli: Cli, printer: Printer) -> Result<u8, Failure> {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |about| {
        // Whoever reads a stranger's picture tells by itself that it could not be read.
        if std::thread::current().name() != Some(picture::THREAD) {
            usual(about);
        }
    }));
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(cli, printer)));
    ran.unwrap_or_else(|_| Err(LocalCode::Bug.detail("the command panicked; stderr says where")))
}

fn run(cli: Cli, printer: Printer) -> Result<u8, Failure> {
    tracing_setup::install();
    let context = Context::new(&cli.global, printer);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime =
        runtime.map_err(|error| LocalCode::Bug.detail(format!("the async runtime did not start: {error}")))?;
    let report = runtime.block_on(commands::run(cli.command, &context))?;
    // A prompt or a key press may still block a thread; the process must not wait for it.
    runtime.shutdown_background();
    printer.report(&report)?;
    Ok(report.exit())
}

/// Help and version are no errors. Everything is a document where JSON was asked for.
fn unparsed(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().take_while(|arg| arg != "--").any(|arg| arg == "--json");
    let printer = Printer::new(wants_json, false);
    let text = error.render().to_string();
    if error.use_stderr() {
        if wants_json {
            let before_usage = text.split("\n\n").next().unwrap_or_default();
            let words: Vec<&str> = before_usage.split_whitespace().skip_while(|word| *word == "error:").collect();
            printer.failure(&LocalCode::Usage.detail(words.join(" ")).noting(cli::from_environment));
        } else {
            printer.say(text.trim_end());
            if let Some(note) = cli::from_environment(&text) {
                printer.say(&format!("note: {note}"));
            }
        }
        return Status::Usage.into();
    }
    let written = match (wants_json, error.kind()) {
        (true, clap::error::ErrorKind::DisplayVersion) => {
            printer.line(&serde_json::json!({ "version": env!("CARGO_PKG_VERSION") }))
        }
        (true, _) => printer.line(&serde_json::json!({ "help": text })),
        (false, _) if printer.colours() => printer.raw(error.render().ansi().to_string().as_bytes()),
        (false, _) => printer.raw(text.as_bytes()),
    };
    match written {
        Ok(()) => Status::Done.into(),
        Err(failure) => {
            printer.failure(&failure);
            failure.status().into()
        }
    }
}
