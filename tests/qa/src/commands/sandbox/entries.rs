//! A wallet with a long history, for lists that must scroll and for caches that must fill: one top-up, then payments that are
//! refunded, five an hour. Everything goes through the customers' and the registers' API and counts against the limits; an
//! hour of the sandbox's clock after each five payments is what the limits want.

use std::future::Future;

use saifu_wire::messages::{Outcome, Purpose, RefundRequest, SettleAnswer, SettleRequest, TerminalKind};
use saifu_wire::{Operation, Sensitive, SettlementId};

use super::person::amount;
use crate::commands::wallet::open::{Network, open};
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::peers::{ControlApi, Terminal, new_txid};
use crate::printer::Printer;

/// So many entries if nothing else was said.
pub(super) const MANY: u32 = 10_000;
/// What the day's limit of a beginner allows.
pub(super) const TOP_UP: i64 = 10_000;
/// 120 payments in 24 hours stay within ¥10,000, which is a beginner's limit too.
const PRICE: i64 = 80;
/// More in ten minutes would need the owner's presence.
const PAYMENTS_AN_HOUR: u32 = 5;
const HOUR_MS: u64 = 3_600_000;
/// A busy machine may miss the second that a till is patient.
const TRIES: u32 = 5;
/// Told how far it is after so many.
const STEP: u32 = 500;

/// Makes a history of this many entries, of which the top-up is one, and lets the wallet fetch it.
pub(super) async fn make(many: u32, owner: &Context, control: &ControlApi, printer: Printer) -> Result<(), Failure> {
    let mut till = Terminal::open(owner, TerminalKind::Register, None)?;
    let phone = open(owner, Network::Needed).await?;
    let mut made = 1;
    let mut payments: u32 = 0;
    while made < many {
        if payments > 0 && payments.is_multiple_of(PAYMENTS_AN_HOUR) {
            control.advance(HOUR_MS).await?;
        }
        let code = patiently(|| phone.wallet.next_code(Purpose::Pay)).await?;
        till.next_transaction();
        let paid = pay(&till, code.digits()).await?;
        payments = payments.saturating_add(1);
        made = told(made, many, printer);
        if made < many {
            till.next_transaction();
            give_back(&till, paid).await?;
            made = told(made, many, printer);
        }
    }
    patiently(|| phone.wallet.refresh()).await?;
    phone.wallet.close().await;
    Ok(())
}

/// One more is made.
fn told(made: u32, many: u32, printer: Printer) -> u32 {
    let made = made.saturating_add(1);
    if made.is_multiple_of(STEP) {
        printer.note(&format!("{made} of {many} entries"));
    }
    made
}

async fn pay(till: &Terminal, digits: &str) -> Result<SettlementId, Failure> {
    let body = SettleRequest { txid: new_txid("register")?, digits: Sensitive::new(digits), yen: amount(PRICE)? };
    approved(patiently(|| till.ask(Operation::Settle, &body)).await?)
}

async fn give_back(till: &Terminal, settlement: SettlementId) -> Result<SettlementId, Failure> {
    let body = RefundRequest { txid: new_txid("register")?, settlement, yen: amount(PRICE)? };
    approved(patiently(|| till.ask(Operation::Refund, &body)).await?)
}

fn approved(answer: SettleAnswer) -> Result<SettlementId, Failure> {
    let SettleAnswer { result, reason, settlement, .. } = answer;
    settlement.filter(|_| result == Outcome::Approved).ok_or_else(|| {
        let reason = reason.as_ref().map_or("nothing", saifu_wire::Open::as_str);
        Failure::declined(reason)
    })
}

/// Asks again where no answer came. A till's repeat has the same transaction id, so nothing is paid twice.
async fn patiently<T, E: Into<Failure>, A>(mut ask: impl FnMut() -> A) -> Result<T, Failure>
where
    A: Future<Output = Result<T, E>>,
{
    let mut tries: u32 = 1;
    loop {
        match ask().await.map_err(Into::into) {
            Err(failure) if failure.status() == Status::Offline && tries < TRIES => tries = tries.saturating_add(1),
            result => return result,
        }
    }
}
