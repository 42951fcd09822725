//! `saifu atm deposit`: a cash machine. It asks before it takes cash, and posts what it took.

use saifu_wire::messages::{
    AtmAuthorizeAnswer, AtmAuthorizeRequest, AtmDepositRequest, Outcome, SettleAnswer, TerminalKind,
};
use saifu_wire::{Name, Operation, Sensitive, Yen};

use super::behave::{self, Step};
use super::register::{Document, open};
use crate::cli::{AtmCommand, DepositArgs};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::peers::Terminal;
use crate::report::Report;

pub(super) async fn run(command: AtmCommand, context: &Context) -> Result<Report, Failure> {
    let AtmCommand::Deposit(args) = command;
    let (number, totp) = (typed("--number", &args.number)?, typed("--totp", &args.totp)?);
    let DepositArgs { yen, peer, .. } = args;
    if let Some(how) = peer.behave {
        let steps = |txid: &Name| {
            let asked = AtmAuthorizeRequest { txid: txid.clone(), number, totp };
            let posted = AtmDepositRequest { txid: txid.clone(), yen };
            Ok(vec![Step::new(Operation::AtmAuthorize, &asked)?, Step::new(Operation::AtmDeposit, &posted)?])
        };
        return behave::run(context, TerminalKind::Atm, how, peer, steps).await;
    }
    let (terminal, txid) = open(context, TerminalKind::Atm, peer)?;
    let answer = match authorize(&terminal, &txid, number, totp).await? {
        AtmAuthorizeAnswer { result: Outcome::Approved, yen: most, until, .. } => {
            let until = until.map(|until| format!(", to be posted by {}", super::time(until))).unwrap_or_default();
            context.printer.note(&format!("may take up to {most}{until}"));
            terminal.ask(Operation::AtmDeposit, &AtmDepositRequest { txid: txid.clone(), yen }).await?
        }
        AtmAuthorizeAnswer { result, reason, .. } => SettleAnswer { result, reason, settlement: None, yen: Yen(0) },
    };
    Document::new(answer, txid, terminal.name().clone()).report()
}

async fn authorize(
    terminal: &Terminal,
    txid: &Name,
    number: Sensitive,
    totp: Sensitive,
) -> Result<AtmAuthorizeAnswer, Failure> {
    let body = AtmAuthorizeRequest { txid: txid.clone(), number, totp };
    terminal.ask(Operation::AtmAuthorize, &body).await
}

/// Digits as a person types them on a keypad.
fn typed(option: &str, text: &str) -> Result<Sensitive, Failure> {
    let digits = saifu_wire::joined(text);
    match digits.chars().position(|c| !c.is_ascii_digit()) {
        None if (1..=32).contains(&digits.len()) => Ok(Sensitive::new(digits)),
        None => Err(LocalCode::BadInput.detail(format!("{option}: {} digits", digits.len()))),
        Some(at) => Err(LocalCode::BadInput.detail(format!("{option}: character {at} is not a digit"))),
    }
}
