//! `saifu sandbox fault …`: what goes wrong on demand.

use clap::{Args, Subcommand};
use saifu_sandbox::faults::Act;
use saifu_wire::Operation;

/// Faults of a running sandbox.
#[derive(Debug, Subcommand)]
pub enum FaultCommand {
    /// Let something go wrong with a request
    #[command(
        after_help = "Examples:\n  saifu sandbox fault add --on top-up --do drop-answer --times 1\n  saifu sandbox fault add --on settle --from register-1 --do delay:3000 --chance 0.1"
    )]
    Add(FaultAddArgs),
    /// Show the faults and how often each has struck
    #[command(after_help = "Example:\n  saifu sandbox fault list")]
    List,
    /// Forget every fault
    #[command(after_help = "Example:\n  saifu sandbox fault clear")]
    Clear,
}

/// What goes wrong, where, how often.
#[derive(Debug, Args)]
pub struct FaultAddArgs {
    /// The operation, as the API names it
    #[arg(long, value_name = "OPERATION", value_parser = operation)]
    pub on: Operation,
    /// Only from this terminal or wallet (its account or device id will do too) [default: anybody]
    #[arg(long, value_name = "WHO")]
    pub from: Option<String>,
    /// drop-request, drop-answer, duplicate, delay:MS, reorder, status:N, garbage, nonsense, newer, hang, hang-after,
    /// kill-issuer or kill-issuer-after
    #[arg(long = "do", value_name = "WHAT")]
    pub act: Act,
    /// So many requests, then no more [default: until it is cleared]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub times: Option<u32>,
    /// Strike with this chance, over 0 to 1, drawn from the sandbox's seed [default: always]
    #[arg(long, value_name = "P", value_parser = chance)]
    pub chance: Option<f64>,
}

fn chance(text: &str) -> Result<f64, String> {
    let chance = text.parse().ok().filter(|chance| *chance > 0.0 && *chance <= 1.0);
    chance.ok_or_else(|| "a chance is a number over 0, and 1 at most".into())
}

fn operation(text: &str) -> Result<Operation, String> {
    let found = Operation::ALL.iter().find(|operation| operation.name() == text);
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        format!("operations are {}", names.join(", "))
    })
}
