//! `saifu sandbox …`: what is done to a sandbox beside running it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use saifu_wire::Amount;

use super::arguments;

/// An issuer for one command.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Draw codes and numbers from this seed, so that a run repeats
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Limits to use instead of the usual ones
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Keep the temporary folder even if the command succeeds
    #[arg(long)]
    pub keep: bool,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Which person.
#[derive(Debug, Args)]
pub struct PersonArgs {
    /// In which state
    #[arg(value_name = "PERSON")]
    pub person: Person,
    /// Of `ten-thousand-entries`: so many instead [default: 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub entries: Option<u32>,
    /// End with this balance: whole yen, at most 100,000, topped up as the limits allow, ¥10,000 a day [default: what the person has]
    #[arg(long, value_name = "N", value_parser = arguments::amount)]
    pub yen: Option<Amount>,
}

/// States that a wallet can be made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Person {
    /// Signed up, no money
    New,
    /// Topped up ¥5,000 once, paid ¥1,280 once
    Starter,
    /// A starter whose number and SMS code a thief tried in vain, and who was told
    Robbed,
    /// A starter who has not reached the issuer for three days
    #[value(name = "offline-3-days")]
    Offline3Days,
    /// A starter with 10,000 lines of history: one top-up, then payments that were refunded, over 42 days
    TenThousandEntries,
}
