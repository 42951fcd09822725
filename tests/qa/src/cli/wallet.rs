//! `saifu wallet …`: what a customer does.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use saifu_wire::{Amount, PhoneNumber};

use super::arguments;

/// What a customer does.
#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// Ask for the SMS code; on a terminal, also enter it
    #[command(after_help = "Example:\n  saifu wallet signup --number 090-1234-5678 --key-store file")]
    Signup {
        /// A Japanese mobile number
        #[arg(long, value_name = "N", value_parser = arguments::phone_number)]
        number: PhoneNumber,
        /// Only ask for the code, even on a terminal
        #[arg(long)]
        no_wait: bool,
    },
    /// Enter the SMS code
    #[command(after_help = "Example:\n  saifu wallet confirm --code 123456")]
    Confirm {
        /// The six digits of the SMS
        #[arg(long, value_name = "C")]
        code: Option<String>,
    },
    /// Show the home screen as last known, without any network
    #[command(after_help = "Example:\n  saifu wallet home --json")]
    Home,
    /// Bring everything up to date, then show the home screen
    #[command(after_help = "Example:\n  saifu wallet refresh")]
    Refresh,
    /// Show a payment code: bar code and QR
    #[command(after_help = "Examples:\n  saifu wallet code\n  saifu wallet code --out code.png --json")]
    Code(CodeArgs),
    /// Start a top-up
    #[command(subcommand, after_help = "Example:\n  saifu wallet topup atm --yen 5000")]
    Topup(TopUpCommand),
    /// List payments and top-ups, newest first, without any network
    #[command(after_help = "Example:\n  saifu wallet history --limit 5")]
    History {
        /// At most so many entries
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
    /// List what is not finished, and how it ends
    #[command(after_help = "Example:\n  saifu wallet pending")]
    Pending,
    /// Print what happened to the account, or what happens from now on, a line each
    #[command(after_help = "Example:\n  saifu wallet events --follow")]
    Events {
        /// Go on until stopped
        #[arg(long)]
        follow: bool,
    },
    /// Show the TOTP code that proves this phone at an ATM
    #[command(after_help = "Example:\n  saifu wallet totp")]
    Totp,
    /// Delete the wallet and its keys from this device; the account stays with the issuer
    #[command(after_help = "Example:\n  saifu wallet reset --yes")]
    Reset {
        /// Also while it is not known what became of a top-up, or when the wallet does not open
        #[arg(long)]
        insist: bool,
    },
}

/// Which code, and where it goes.
#[derive(Debug, Args)]
pub struct CodeArgs {
    /// What the code is for
    #[arg(long, value_name = "WHAT", default_value = "pay")]
    pub purpose: CodePurpose,
    /// Ask nobody: only a code that is already here
    #[arg(long)]
    pub offline: bool,
    /// Write bar code and QR as a picture
    #[arg(long, value_name = "F.png|F.svg")]
    pub out: Option<PathBuf>,
}

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CodePurpose {
    /// Pay at a till
    Pay,
    /// Hand cash over at a till
    CashIn,
}

/// Where the money comes from.
#[derive(Debug, Subcommand)]
pub enum TopUpCommand {
    /// Cash at an ATM: gives the number to type there
    #[command(after_help = "Example:\n  saifu wallet topup atm --yen 5000 --yes --json")]
    Atm {
        /// Whole yen
        #[arg(long, value_name = "N", value_parser = arguments::amount)]
        yen: Amount,
    },
}
