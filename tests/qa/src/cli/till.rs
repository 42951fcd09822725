//! `saifu register …` and `saifu atm …`: what stands in a shop.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Args, Subcommand};
use saifu_wire::{Amount, Name, SettlementId};

use super::{Behave, arguments};

/// Which terminal, in which transaction.
#[derive(Debug, Args)]
pub struct Peer {
    /// One of the sandbox's terminals [default: register-1 or atm-1]
    #[arg(long, value_name = "T")]
    pub terminal: Option<Name>,
    /// The terminal's own transaction id; repeating one repeats its answer [default: a new one]
    #[arg(long, value_name = "X")]
    pub txid: Option<Name>,
    /// Misbehave: twice, no-wait, late:MS, reverse-first, die-after-send or wrong-key
    #[arg(long, value_name = "HOW")]
    pub behave: Option<Behave>,
}

/// What a till does.
#[derive(Debug, Subcommand)]
pub enum RegisterCommand {
    /// Scan a payment code and settle it
    #[command(
        after_help = "Examples:\n  saifu register scan --image code.png --yen 1280\n  saifu register scan --digits 999999991123456789012347 --yen 1280 --txid T-1"
    )]
    Scan(ScanArgs),
    /// Reverse one of this till's transactions, even one that has not arrived
    #[command(after_help = "Example:\n  saifu register void --txid T-1")]
    Void {
        /// The transaction to reverse
        #[arg(long, value_name = "X")]
        txid: Name,
        /// One of the sandbox's terminals [default: register-1]
        #[arg(long, value_name = "T")]
        terminal: Option<Name>,
    },
    /// Give money back for a settlement
    #[command(
        after_help = "Examples:\n  saifu register refund --settlement T-1 --yen 500\n  saifu register refund --settlement 0192f3c1-7e2a-7000-8000-000000000000 --yen 500"
    )]
    Refund(RefundArgs),
}

/// What is scanned.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("code").args(["image", "digits"]).required(true))]
pub struct ScanArgs {
    /// The code as typed: 24 digits or the text of a QR code
    #[arg(long, value_name = "D")]
    pub digits: Option<String>,
    /// The code as seen: a picture
    #[arg(long, value_name = "F.png|F.svg")]
    pub image: Option<PathBuf>,
    /// Whole yen
    #[arg(long, value_name = "N", value_parser = arguments::amount)]
    pub yen: Amount,
    /// Which terminal, in which transaction.
    #[command(flatten)]
    pub peer: Peer,
}

/// What is paid.
#[derive(Debug, Args)]
pub struct PayArgs {
    /// Whole yen
    #[arg(long, value_name = "N", value_parser = arguments::amount)]
    pub yen: Amount,
    /// Keep the picture that the till scans
    #[arg(long, value_name = "F.png|F.svg")]
    pub out: Option<PathBuf>,
    /// Which terminal, in which transaction.
    #[command(flatten)]
    pub peer: Peer,
}

/// What is given back.
#[derive(Debug, Args)]
pub struct RefundArgs {
    /// The settlement, as the scan's answer names it, or the scan's transaction id
    #[arg(long, value_name = "ID|TXID")]
    pub settlement: Original,
    /// Whole yen; all refunds together at most the settlement
    #[arg(long, value_name = "N", value_parser = arguments::amount)]
    pub yen: Amount,
    /// Which terminal, in which transaction.
    #[command(flatten)]
    pub peer: Peer,
}

/// What is refunded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Original {
    /// By the issuer's id.
    Settlement(SettlementId),
    /// By the till's own id of the transaction that paid it.
    Transaction(Name),
}

impl FromStr for Original {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text.parse(), Name::new(text)) {
            (Ok(id), _) => Ok(Self::Settlement(id)),
            (Err(_), Ok(txid)) => Ok(Self::Transaction(txid)),
            (Err(_), Err(_)) => Err("neither a settlement's id nor a transaction's".into()),
        }
    }
}

/// What a cash machine does.
#[derive(Debug, Subcommand)]
pub enum AtmCommand {
    /// Check number and TOTP, take the cash, post it
    #[command(
        after_help = "Examples:\n  saifu atm deposit --yen 5000\n  saifu atm deposit --number 123456789015 --totp 123456 --yen 5000"
    )]
    Deposit(DepositArgs),
}

/// What is deposited.
#[derive(Debug, Args)]
pub struct DepositArgs {
    /// The number of the top-up [default: the wallet's newest one]
    #[arg(long, value_name = "N")]
    pub number: Option<String>,
    /// The TOTP code [default: the wallet's]
    #[arg(long, value_name = "C")]
    pub totp: Option<String>,
    /// The cash inserted, whole yen
    #[arg(long, value_name = "N", value_parser = arguments::amount)]
    pub yen: Amount,
    /// Which terminal, in which transaction.
    #[command(flatten)]
    pub peer: Peer,
}
