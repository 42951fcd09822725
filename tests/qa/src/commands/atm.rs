//! `saifu atm deposit`: a cash machine. It asks before it takes cash, and posts what it took.

use saifu_wire::messages::{
    AtmAuthorizeAnswer, AtmAuthorizeRequest, AtmDepositRequest, Outcome, SettleAnswer, TerminalKind,
};
use saifu_wire::{Name, Operation, Sensitive, Yen};

use super::behave::{self, TerminalRequest};
use super::register::{by, open, receipt};
use super::wallet::open::{Network, open as open_wallet};
use crate::cli::{AtmCommand, DepositArgs};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::report::{Report, with};

pub(super) async fn run(command: AtmCommand, context: &Context) -> Result<Report, Failure> {
    let AtmCommand::Deposit(args) = command;
    let DepositArgs { number, totp, yen, peer } = args;
    let (number, totp) = match (number, totp) {
        (Some(number), Some(totp)) => (typed("--number", &number)?, typed("--totp", &totp)?),
        (number, totp) => {
            let number = number.map(|number| typed("--number", &number)).transpose()?;
            shown(number, totp.map(|totp| typed("--totp", &totp)).transpose()?, context).await?
        }
    };
    if let Some(how) = peer.behave {
        let steps = |txid: &Name| {
            let asked = AtmAuthorizeRequest { txid: txid.clone(), number, totp };
            let posted = AtmDepositRequest { txid: txid.clone(), yen };
            Ok(vec![
                TerminalRequest::new(Operation::AtmAuthorize, &asked)?,
                TerminalRequest::new(Operation::AtmDeposit, &posted)?,
            ])
        };
        return behave::run(context, TerminalKind::Atm, how, peer, steps).await;
    }
    let (terminal, txid) = open(context, TerminalKind::Atm, peer)?;
    let asked = AtmAuthorizeRequest { txid: txid.clone(), number, totp };
    let step = with(by(&terminal, &asked), "yen", yen);
    let deposited = async {
        let answer = match terminal.ask(Operation::AtmAuthorize, &asked).await? {
            AtmAuthorizeAnswer { result: Outcome::Approved, yen: most, until, .. } => {
                let until = until.map(|until| format!(", to be posted by {}", super::time(until))).unwrap_or_default();
                context.printer.note(&format!("may take up to {most}{until}"));
                terminal.ask(Operation::AtmDeposit, &AtmDepositRequest { txid: txid.clone(), yen }).await?
            }
            AtmAuthorizeAnswer { result, reason, .. } => SettleAnswer { result, reason, settlement: None, yen: Yen(0) },
        };
        receipt(&answer, &txid, terminal.name())
    };
    context.did("atm.deposit", step, deposited).await
}

/// What was not typed, as the wallet shows it.
async fn shown(
    number: Option<Sensitive>,
    totp: Option<Sensitive>,
    context: &Context,
) -> Result<(Sensitive, Sensitive), Failure> {
    let open = open_wallet(context, Network::Looking).await?;
    let pending = open.wallet.pending();
    let now = open.wallet.totp();
    open.wallet.close().await;
    let newest = pending.iter().filter(|entry| entry.what.number().is_some()).max_by_key(|entry| entry.since);
    let number = number.or_else(|| newest.and_then(|entry| entry.what.number().cloned()));
    let number = number.ok_or_else(|| {
        let wallet = context.wallet.as_str();
        LocalCode::BadInput.detail(format!(
            "the wallet `{wallet}` has no number for an ATM; `saifu wallet topup atm --yen N` gives one, or name one with \
             --number"
        ))
    })?;
    Ok((number, totp.map_or_else(|| now.map(|now| now.code), Ok)?))
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
