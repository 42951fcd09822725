//! `saifu completions`: a script for a shell, on stdout.

use clap::CommandFactory as _;

use crate::cli::{Cli, Shell};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

pub(super) fn run(shell: Shell, context: &Context) -> Result<Report, Failure> {
    let generator = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(generator, &mut Cli::command(), "saifu", &mut script);
    if context.printer.json() {
        #[derive(serde::Serialize)]
        struct Document {
            script: String,
        }
        return Report::new(&Document { script: String::from_utf8_lossy(&script).into_owned() }, "");
    }
    context.printer.raw(&script)?;
    Ok(Report::silent())
}
