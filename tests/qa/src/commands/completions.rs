//! `saifu completions`: a script for a shell, on stdout. Where a value is one of some words it offers them, where it is a
//! file it offers files, and else nothing: a folder's files are no amounts.

use std::collections::BTreeSet;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, CommandFactory as _, ValueHint};
use clap_complete::Shell;
use saifu_sandbox::faults::Act;
use saifu_wire::Operation;

use super::explain;
use crate::cli::{Behave, Cli};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// The terminals of every sandbox that scan or take cash.
const TERMINALS: [&str; 5] = ["register-1", "register-2", "register-3", "atm-1", "atm-2"];

pub(super) fn run(shell: Shell, context: &Context) -> Result<Report, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut with_words(Cli::command()), "saifu", &mut script);
    if context.printer.json() {
        return Report::new(serde_json::json!({ "script": String::from_utf8_lossy(&script) }), "");
    }
    context.printer.raw(&script)?;
    Ok(Report::silent())
}

/// The tree with the words that may follow. It is good for scripts only: some values are more than their words.
fn with_words(command: Command) -> Command {
    command.mut_args(offering).mut_subcommands(with_words)
}

fn offering(arg: Arg) -> Arg {
    if !arg.get_action().takes_values() || !arg.get_possible_values().is_empty() {
        return arg;
    }
    let words = words(arg.get_id().as_str());
    match (words.is_empty(), arg.get_value_hint()) {
        (false, _) => arg.value_parser(PossibleValuesParser::new(words)),
        // What is a path says so by its type.
        (true, ValueHint::Unknown) => arg.value_hint(ValueHint::Other),
        (true, _) => arg,
    }
}

/// The words of an argument, up to where a number follows.
fn words(id: &str) -> Vec<&'static str> {
    let plain = |form: &'static str| form.trim_end_matches(|c: char| c.is_ascii_uppercase());
    match id {
        "on" => Operation::ALL.iter().map(|operation| operation.name()).collect(),
        "act" => Act::FORMS.iter().copied().map(plain).collect(),
        "behave" => Behave::ALL.iter().map(|how| plain(how.form())).collect(),
        "terminal" => TERMINALS.to_vec(),
        "change" => vec!["hold", "run", "to"],
        "only" => vec!["issuer", "wallet:"],
        // The same word may be in several tables.
        "code_or_id" => explain::codes().collect::<BTreeSet<_>>().into_iter().collect(),
        _ => Vec::new(),
    }
}
