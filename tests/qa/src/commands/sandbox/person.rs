//! `saifu sandbox person`: a wallet in a named state in one call, made by nothing but what a customer, a till, an ATM and the
//! clock can do.

use saifu_wire::{Amount, PhoneNumber};
use serde::Deserialize;
use serde_json::{Value, json};

use super::entries;
use crate::cli::{AtmCommand, DepositArgs, PayArgs, Peer, Person, PersonArgs, TopUpCommand, WalletCommand, word};
use crate::commands::{atm, pay, wallet};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::home::Home;
use crate::peers::ControlApi;
use crate::report::Report;

const TOP_UP: i64 = 5_000;
const PRICE: i64 = 1_280;
/// The issuer sends one code a minute to a number.
const BETWEEN_CODES_MS: u64 = 120_000;
const THREE_DAYS_MS: u64 = 3 * 86_400_000;
/// A little more than the window of a day's limit.
const DAY_MS: u64 = 86_400_000 + 1_000;
/// The most that `--yen` makes.
const MOST: i64 = 100_000;

/// Who the sandbox made up.
#[derive(Deserialize)]
struct Invented {
    name: String,
    number: PhoneNumber,
}

pub(in crate::commands) async fn run(args: PersonArgs, context: &Context) -> Result<Report, Failure> {
    if args.entries.is_some() && args.person != Person::TenThousandEntries {
        return Err(LocalCode::BadInput.detail("--entries: only `ten-thousand-entries` has so many"));
    }
    if args.yen.is_some_and(|yen| yen.get() > MOST || args.person == Person::TenThousandEntries) {
        return Err(LocalCode::BadInput.detail(format!(
            "--yen: at most {}, and not of `ten-thousand-entries`, whose balance is what is left",
            saifu::Yen(MOST)
        )));
    }
    let control = context.control()?;
    let owner = context.quiet(context.home()?.clone())?;
    let kind = word(args.person);
    let Invented { name, number } =
        control.get("person", &[("label", &format!("{kind}/{}", context.wallet.as_str()))]).await?;
    sign_up(&owner, &control, &number).await?;
    match args.person {
        Person::New => {
            if let Some(yen) = args.yen {
                fund(&owner, &control, yen.get()).await?;
            }
        }
        Person::Starter => start(&owner, &control, args.yen).await?,
        Person::Robbed => {
            start(&owner, &control, args.yen).await?;
            control.advance(BETWEEN_CODES_MS).await?;
            rob(&owner, &control, &number).await?;
            wallet::run(WalletCommand::Refresh, &owner).await?;
        }
        Person::Offline3Days => {
            start(&owner, &control, args.yen).await?;
            control.advance(THREE_DAYS_MS).await?;
        }
        Person::TenThousandEntries => {
            top_up(&owner, entries::TOP_UP).await?;
            let many = args.entries.unwrap_or(entries::MANY);
            let made =
                async { entries::make(many, &owner, &control, context.printer).await.map(|()| Report::silent()) };
            context.did("sandbox.person", json!({}), made).await?;
        }
    }
    let home = document(wallet::run(WalletCommand::Home, &owner).await?);
    let document = json!({
        "person": kind, "name": name, "number": number, "wallet": context.wallet.as_str(), "state": home.get("state"),
        "balance_yen": home.get("balance_yen"),
    });
    let text = format!("{name}, {}: `{kind}` in the wallet `{}`", number.as_str(), context.wallet.as_str());
    Report::new(document, text)
}

fn document(report: Report) -> Value {
    report.document().cloned().unwrap_or_default()
}

async fn sign_up(phone: &Context, control: &ControlApi, number: &PhoneNumber) -> Result<(), Failure> {
    wallet::run(WalletCommand::Signup { number: number.clone(), no_wait: true }, phone).await?;
    let code = control.newest_code(number).await?;
    wallet::run(WalletCommand::Confirm { code }, phone).await?;
    Ok(())
}

fn peer() -> Peer {
    Peer { terminal: None, txid: None, behave: None }
}

pub(super) fn amount(yen: i64) -> Result<Amount, Failure> {
    Amount::new(yen).ok_or_else(|| LocalCode::Bug.detail("an amount"))
}

/// Cash at an ATM.
async fn top_up(owner: &Context, yen: i64) -> Result<(), Failure> {
    let top_up = TopUpCommand::Atm { yen: amount(yen)? };
    wallet::run(WalletCommand::Topup(top_up), owner).await?;
    let deposit = DepositArgs { number: None, totp: None, yen: amount(yen)?, peer: peer() };
    approved(atm::run(AtmCommand::Deposit(deposit), owner).await?)
}

/// So much cash, a day's limit at a time; the days go by between.
async fn fund(owner: &Context, control: &ControlApi, yen: i64) -> Result<(), Failure> {
    let mut left = yen;
    while left > 0 {
        let now = left.min(entries::TOP_UP);
        left = left.saturating_sub(now);
        top_up(owner, now).await?;
        if left > 0 {
            control.advance(DAY_MS).await?;
        }
    }
    wallet::run(WalletCommand::Refresh, owner).await.map(drop)
}

/// Cash at an ATM, and one payment.
async fn start(owner: &Context, control: &ControlApi, balance: Option<Amount>) -> Result<(), Failure> {
    let cash = balance.map_or(TOP_UP, |balance| balance.get().saturating_add(PRICE));
    fund(owner, control, cash).await?;
    approved(pay::run(PayArgs { yen: amount(PRICE)?, out: None, peer: peer() }, owner).await?)
}

fn approved(report: Report) -> Result<(), Failure> {
    let document = document(report);
    if document.get("result").and_then(Value::as_str) == Some("approved") {
        return Ok(());
    }
    Err(Failure::declined(document.get("reason").and_then(Value::as_str).unwrap_or("nothing")))
}

/// Another phone with the number and its SMS code; the issuer must refuse it.
async fn rob(owner: &Context, control: &ControlApi, number: &PhoneNumber) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(|error| LocalCode::FileFailed.detail(error.to_string()))?;
    let thief = owner.quiet(Home::at(folder.path()))?;
    match sign_up(&thief, control, number).await {
        Err(failure) if failure.code() == "number-taken" => Ok(()),
        Err(failure) => Err(failure),
        Ok(()) => Err(LocalCode::Bug.detail("the thief was let in")),
    }
}
