//! `saifu sandbox person`: a wallet in a named state in one call, made by nothing but what a customer, a till, an ATM and the
//! clock can do.

use saifu_wire::PhoneNumber;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::entries;
use crate::cli::{
    AtmCommand, CodeArgs, CodePurpose, ConfirmArgs, DepositArgs, Peer, Person, PersonArgs, RegisterCommand, ScanArgs,
    SignUpArgs, TopUpAtmArgs, TopUpCommand, WalletCommand,
};
use crate::commands::{atm, register, wallet};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::home::Home;
use crate::peers::Levers;
use crate::report::Report;

const TOP_UP: i64 = 5_000;
const PRICE: i64 = 1_280;
/// The issuer sends one code a minute to a number.
const BETWEEN_CODES_MS: u64 = 120_000;
const THREE_DAYS_MS: u64 = 3 * 86_400_000;

/// Who the sandbox made up.
#[derive(Deserialize)]
pub(crate) struct Invented {
    pub(crate) name: String,
    pub(crate) number: PhoneNumber,
}

#[derive(Serialize)]
struct Document<'a> {
    person: &'static str,
    name: &'a str,
    number: &'a PhoneNumber,
    wallet: &'a str,
    state: Value,
    balance_yen: Value,
}

pub(in crate::commands) async fn run(args: PersonArgs, context: &Context) -> Result<Report, Failure> {
    if args.entries.is_some() && args.person != Person::TenThousandEntries {
        return Err(LocalCode::BadInput.detail("--entries: only `ten-thousand-entries` has so many"));
    }
    let levers = Levers::new(&context.sandbox()?)?;
    let owner = context.quiet(context.home()?.clone())?;
    let kind = args.person.as_str();
    let Invented { name, number } = levers.person(&format!("{kind}/{}", context.wallet.as_str())).await?;
    sign_up(&owner, &levers, &number).await?;
    match args.person {
        Person::New => {}
        Person::Starter => start(&owner).await?,
        Person::Robbed => {
            start(&owner).await?;
            levers.move_clock(&json!({ "advance_ms": BETWEEN_CODES_MS })).await?;
            rob(&owner, &levers, &number).await?;
            wallet::run(WalletCommand::Refresh, &owner).await?;
        }
        Person::Offline3Days => {
            start(&owner).await?;
            levers.move_clock(&json!({ "advance_ms": THREE_DAYS_MS })).await?;
        }
        Person::TenThousandEntries => {
            top_up(&owner, entries::TOP_UP).await?;
            entries::make(args.entries.unwrap_or(entries::MANY), &owner, &levers, context.printer).await?;
        }
    }
    let home = document(wallet::run(WalletCommand::Home, &owner).await?);
    let document = Document {
        person: kind,
        name: &name,
        number: &number,
        wallet: context.wallet.as_str(),
        state: home.get("state").cloned().unwrap_or_default(),
        balance_yen: home.get("balance_yen").cloned().unwrap_or_default(),
    };
    let text = format!("{name}, {}: `{kind}` in the wallet `{}`", number.as_str(), context.wallet.as_str());
    Report::new(&document, text)
}

fn document(report: Report) -> Value {
    report.document().cloned().unwrap_or_default()
}

fn text(document: &Value, field: &str) -> Result<String, Failure> {
    let text = document.get(field).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| LocalCode::Bug.detail(format!("no `{field}` in {document}")))
}

async fn sign_up(phone: &Context, levers: &Levers, number: &PhoneNumber) -> Result<(), Failure> {
    let args = SignUpArgs { number: number.clone(), no_wait: true };
    wallet::run(WalletCommand::Signup(args), phone).await?;
    let code = levers.sms(number).await?.into_iter().rev().find_map(|sms| sms.code);
    wallet::run(WalletCommand::Confirm(ConfirmArgs { code }), phone).await?;
    Ok(())
}

fn peer() -> Peer {
    Peer { terminal: None, txid: None, behave: None }
}

pub(super) fn amount(yen: i64) -> Result<saifu_wire::Amount, Failure> {
    saifu_wire::Amount::new(yen).ok_or_else(|| LocalCode::Bug.detail("an amount"))
}

/// Cash at an ATM.
async fn top_up(owner: &Context, yen: i64) -> Result<(), Failure> {
    let top_up = TopUpCommand::Atm(TopUpAtmArgs { yen: amount(yen)? });
    let top_up = document(wallet::run(WalletCommand::Topup(top_up), owner).await?);
    let totp = text(&document(wallet::run(WalletCommand::Totp, owner).await?), "code")?;
    let deposit = DepositArgs { number: text(&top_up, "number")?, totp, yen: amount(yen)?, peer: peer() };
    approved(atm::run(AtmCommand::Deposit(deposit), owner).await?)
}

/// Cash at an ATM, and one payment.
async fn start(owner: &Context) -> Result<(), Failure> {
    top_up(owner, TOP_UP).await?;
    let code = CodeArgs { purpose: CodePurpose::Pay, offline: false, out: None };
    let code = document(wallet::run(WalletCommand::Code(code), owner).await?);
    let scan = ScanArgs { digits: Some(text(&code, "digits")?), image: None, yen: amount(PRICE)?, peer: peer() };
    approved(register::run(RegisterCommand::Scan(scan), owner).await?)?;
    wallet::run(WalletCommand::Refresh, owner).await.map(drop)
}

fn approved(report: Report) -> Result<(), Failure> {
    let document = document(report);
    if document.get("result").and_then(Value::as_str) == Some("approved") {
        return Ok(());
    }
    Err(Failure::declined(document.get("reason").and_then(Value::as_str).unwrap_or("nothing")))
}

/// Another phone with the number and its SMS code; the issuer must refuse it.
async fn rob(owner: &Context, levers: &Levers, number: &PhoneNumber) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(|error| LocalCode::FileFailed.detail(error.to_string()))?;
    let thief = owner.quiet(Home::at(folder.path()))?;
    match sign_up(&thief, levers, number).await {
        Err(failure) if failure.code() == "number-taken" => Ok(()),
        Err(failure) => Err(failure),
        Ok(()) => Err(LocalCode::Bug.detail("the thief was let in")),
    }
}
