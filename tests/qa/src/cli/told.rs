//! `saifu sandbox log` and whether a wallet was named: what the issuer tells of itself.

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _};
use saifu_wire::Name;

use super::Cli;

/// Which lines of the issuer's log.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Go on with what happens from now on, until stopped
    #[arg(long)]
    pub follow: bool,
    /// Only of this account: its name in the log, or its id
    #[arg(long, value_name = "X")]
    pub account: Option<Name>,
    /// Only of this register, ATM or operator
    #[arg(long, value_name = "X")]
    pub terminal: Option<Name>,
    /// Only of this trace: its name in the log, or its id
    #[arg(long, value_name = "X")]
    pub trace: Option<Name>,
    /// Only where somebody was told no
    #[arg(long)]
    pub refused: bool,
}

impl Cli {
    /// Reads the command line of this process.
    ///
    /// # Errors
    /// What clap says, help and version included.
    pub fn read() -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.clone().try_get_matches()?;
        let mut cli = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        cli.global.wallet_named = innermost(&matches).value_source("wallet") == Some(ValueSource::CommandLine);
        Ok(cli)
    }
}

/// Which flags that a message names were not typed but came from the environment: whoever reads it must not look for them
/// on the command line.
#[must_use]
pub fn from_environment(message: &str) -> Option<String> {
    let typed = |flag: &str| {
        let words = std::env::args().take_while(|word| word != "--");
        words.into_iter().any(|word| word.split('=').next() == Some(flag))
    };
    let command = Cli::command();
    let notes = command.get_arguments().filter_map(|arg| {
        let (flag, variable) = (format!("--{}", arg.get_long()?), arg.get_env()?);
        let said = message.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word == flag);
        let comes = said && !typed(&flag) && std::env::var_os(variable).is_some_and(|value| !value.is_empty());
        comes.then(|| format!("{flag} comes from {} in the environment", variable.to_string_lossy()))
    });
    let notes: Vec<String> = notes.collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// Arguments that every command takes are found with the innermost command.
fn innermost(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, inner)| innermost(inner))
}
