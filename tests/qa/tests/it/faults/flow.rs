//! The flow of one customer, played as real peers walk it: a wallet asks again as its policy says and resolves what it does
//! not know; an ATM and a till repeat a transaction under its id; a till that gives up reverses.

use std::time::Duration;

use saifu_crypto::KeyPair;
use saifu_link::{Auth, Link, LinkError, Request};
use saifu_policy::Class;
use saifu_rig::terminal::{ask, scan};
use saifu_wire::messages::{
    AtmAuthorizeAnswer, AtmAuthorizeRequest, AtmDepositRequest, EnrolRequest, EnrolledAnswer, Outcome, Purpose,
    RefundRequest, SettleAnswer, Switch, SwitchRequest, SwitchState, TerminalKind, VoidRequest,
};
use saifu_wire::{Amount, Bytes, Name, Operation, Sensitive, SettlementId};

use super::plan::{Run, Till};
use super::world::{Person, World};

const TOP_UP: i64 = 5_000;
const FIRST: i64 = 1_280;
const SECOND: i64 = 500;
const BACK: i64 = 280;
/// Longer than a token lives, shorter than a session.
const TOKEN_IS_OLD: u64 = 330_000;
/// Longer than the pause before the second try of a wallet that follows.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(3);
/// So often a peer asks again by itself.
const TRIES: u32 = 4;

type Step<T> = Result<T, String>;

/// What a peer may meet.
pub(crate) trait Trouble: std::fmt::Display {
    /// How long the issuer asks it to wait.
    fn wait_ms(&self) -> Option<u64>;
}

impl Trouble for saifu::Error {
    fn wait_ms(&self) -> Option<u64> {
        match self {
            Self::Refused(problem) => problem.retry_after_ms,
            _ => None,
        }
    }
}

impl Trouble for LinkError {
    fn wait_ms(&self) -> Option<u64> {
        match self {
            Self::Refused(problem) => problem.retry_after_ms,
            _ => None,
        }
    }
}

/// Asks until there is an answer, waiting as long as the issuer says.
async fn until_answered<T, E: Trouble>(
    world: &mut World,
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<T, E>,
) -> Step<T> {
    let mut last = String::new();
    for _ in 0..TRIES {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(trouble) => {
                world.revive();
                if let Some(ms) = trouble.wait_ms() {
                    world.advance(ms);
                }
                last = trouble.to_string();
            }
        }
    }
    Err(format!("{what}: {last}"))
}

/// The whole flow, from the sign-up to a refund; `Err` says where somebody would have to help.
pub(crate) async fn walk(world: &mut World, person: &mut Person, run: &Run) -> Step<()> {
    sign_up(world, person).await?;
    top_up(world, person).await?;
    // Before anybody follows: what happened is in the issuer's history alone.
    refresh(world, person).await?;
    follow(world, person).await?;
    world.advance(TOKEN_IS_OLD);
    until_answered(world, "refresh", async || person.customer.wallet.refresh().await).await?;
    let first = pay(world, person, FIRST, "a", run.till).await?;
    let _ = pay(world, person, SECOND, "b", run.till).await?;
    give_back(world, person, first, run.till).await?;
    operate(world, person, run).await
}

pub(crate) async fn sign_up(world: &mut World, person: &Person) -> Step<()> {
    let sign_up =
        until_answered(world, "sign-up", async || person.customer.wallet.sign_up(person.customer.number.clone()).await)
            .await?;
    let code = world.sms_code(&person.customer.number);
    until_answered(world, "confirm", async || sign_up.confirm(&code).await).await?;
    until_answered(world, "first refresh", async || person.customer.wallet.refresh().await).await?;
    person.customer.wallet.totp().map(drop).map_err(|error| format!("after its sign-up: {error}"))
}

/// Everything brought up to date, the history too, which comes beside the refresh.
pub(crate) async fn refresh(world: &mut World, person: &Person) -> Step<()> {
    for _ in 0..TRIES {
        until_answered(world, "refresh", async || person.customer.wallet.refresh().await).await?;
        person.customer.wallet.settled().await;
        if !person.customer.wallet.home().history_incomplete {
            return Ok(());
        }
        world.revive();
    }
    Err("the history stays incomplete".into())
}

/// Events come. The wish is one; the issuer may have to be brought back for it.
async fn follow(world: &mut World, person: &Person) -> Step<()> {
    for _ in 0..TRIES {
        person.customer.wallet.follow().map_err(|error| format!("follow: {error}"))?;
        if let Ok(followed) = tokio::time::timeout(FOLLOWS_WITHIN, person.customer.wallet.followed()).await {
            return followed.map_err(|error| format!("follow: {error}"));
        }
        world.revive();
    }
    Err("no events come".into())
}

/// Approves top-ups until one is accepted: its number.
pub(crate) async fn approve(world: &mut World, person: &Person) -> Step<Sensitive> {
    let wallet = person.customer.wallet.clone();
    let mut number = None;
    for _ in 0..TRIES {
        let amount = Amount::new(TOP_UP).unwrap();
        let approval =
            until_answered(world, "top-up", async || wallet.top_up(saifu::Channel::Atm, amount).await).await?;
        let (key, signature) =
            (approval.key().to_string(), person.customer.host.authorize(approval.message()).unwrap());
        number = match approval.confirm(signature).await {
            Ok(top_up) => top_up.number,
            Err(_) => {
                world.revive();
                let unknown = || wallet.pending().iter().any(|it| matches!(it.what, saifu::PendingWhat::Unknown(_)));
                // An answer in a word that the wallet does not know says nothing, and it asks again.
                for _ in 0..TRIES {
                    until_answered(world, "resolve", async || wallet.refresh().await).await?;
                    if !unknown() {
                        break;
                    }
                }
                if unknown() {
                    return Err("the intent is still unknown, however often one asks".into());
                }
                wallet.pending().into_iter().find(|it| it.id == key).and_then(|it| it.what.number().cloned())
            }
        };
        if number.is_some() {
            break;
        }
    }
    number.ok_or_else(|| "no top-up is accepted".into())
}

/// Takes the number of a top-up to an ATM.
pub(crate) async fn top_up(world: &mut World, person: &mut Person) -> Step<()> {
    let number = approve(world, person).await?;
    let (atm, txid) = (world.terminal("atm-1"), Name::new(format!("{}-t", person.id)).unwrap());
    let totp = person.customer.wallet.totp().map_err(|error| error.to_string())?.code;
    let body = AtmAuthorizeRequest { txid: txid.clone(), number, totp };
    let checked: AtmAuthorizeAnswer =
        until_answered(world, "atm", async || ask(&atm, Operation::AtmAuthorize, &body).await).await?;
    if checked.result != Outcome::Approved {
        return Err(format!("the ATM takes no cash: {checked:?}"));
    }
    let body = AtmDepositRequest { txid: txid.clone(), yen: Amount::new(TOP_UP).unwrap() };
    let posted: SettleAnswer =
        until_answered(world, "deposit", async || ask(&atm, Operation::AtmDeposit, &body).await).await?;
    if posted.result != Outcome::Approved {
        return Err(format!("the ATM keeps cash that was not posted: {posted:?}"));
    }
    person.told.insert(txid.to_string(), TOP_UP);
    Ok(())
}

/// Pays; a till that gives up reverses and scans a fresh code.
async fn pay(world: &mut World, person: &mut Person, yen: i64, id: &str, till: Till) -> Step<SettlementId> {
    let register = world.terminal("register-1");
    let wallet = person.customer.wallet.clone();
    for round in 0..TRIES {
        let code = until_answered(world, "code", async || wallet.next_code(Purpose::Pay).await).await?;
        let txid = Name::new(format!("{}-{id}-{round}", person.id)).unwrap();
        let body = scan(txid.as_str(), &Sensitive::new(code.digits()), yen);
        let answer: SettleAnswer = if till == Till::GivesUp {
            // An intent's class: sent once.
            let request = Request::new(Operation::Settle, Auth::Proof, Class::Intent);
            match register.call(request, &body).await {
                Ok(answer) => answer,
                Err(_) => {
                    world.revive();
                    reverse(world, &register, &txid).await?;
                    continue;
                }
            }
        } else {
            until_answered(world, "settle", async || ask(&register, Operation::Settle, &body).await).await?
        };
        let settlement = answer.settlement.filter(|_| answer.result == Outcome::Approved);
        person.told.insert(txid.to_string(), -yen);
        return settlement.ok_or_else(|| format!("a good code is declined: {answer:?}"));
    }
    Err("the till gave up for good".into())
}

async fn reverse(world: &mut World, register: &Link, txid: &Name) -> Step<SettleAnswer> {
    let body = VoidRequest { txid: txid.clone() };
    until_answered(world, "void", async || ask(register, Operation::SettleVoid, &body).await).await
}

/// A part of the first payment comes back, and one that is reversed at once.
async fn give_back(world: &mut World, person: &mut Person, settlement: SettlementId, till: Till) -> Step<()> {
    let register = world.terminal("register-1");
    let mut round = 0;
    let mut txid = Name::new(format!("{}-r", person.id)).unwrap();
    let ask_back = async || {
        if till == Till::Forgets {
            txid = Name::new(format!("{}-r-{round}", person.id)).unwrap();
            round += 1;
        }
        let body = RefundRequest { txid: txid.clone(), settlement, yen: Amount::new(BACK).unwrap() };
        // Of an intent's class nothing is repeated inside, where the id stays the same.
        let class = if till == Till::Forgets { Class::Intent } else { Class::Terminal };
        register.call(Request::new(Operation::Refund, Auth::Proof, class), &body).await
    };
    let back: SettleAnswer = until_answered(world, "refund", ask_back).await?;
    if back.result != Outcome::Approved {
        return Err(format!("the refund: {back:?}"));
    }
    person.told.insert(txid.to_string(), BACK);
    pay(world, person, SECOND, "v", Till::Insists).await?;
    let txid = Name::new(format!("{}-v-0", person.id)).unwrap();
    let voided = reverse(world, &register, &txid).await?;
    if voided.result != Outcome::Voided || voided.yen.0 != SECOND {
        return Err(format!("the reversal: {voided:?}"));
    }
    person.told.remove(txid.as_str());
    Ok(())
}

/// An operator enrols a register and sets a switch.
async fn operate(world: &mut World, person: &Person, run: &Run) -> Step<()> {
    let operator = world.terminal("operator-1");
    if run.asks(Operation::TerminalEnrol) {
        let body = EnrolRequest {
            terminal: Name::new(format!("{}-new", person.id)).unwrap(),
            kind: TerminalKind::Register,
            merchant: Name::new("kiosk").unwrap(),
            spki: Bytes(KeyPair::generate().unwrap().public_key().to_spki()),
        };
        let _: EnrolledAnswer =
            until_answered(world, "enrol", async || ask(&operator, Operation::TerminalEnrol, &body).await).await?;
    }
    if run.asks(Operation::SwitchSet) {
        let body = SwitchRequest { switch: Switch::Code, on: true, reason: "as before".into() };
        let state: SwitchState =
            until_answered(world, "switch", async || ask(&operator, Operation::SwitchSet, &body).await).await?;
        if !state.on {
            return Err("the switch stands the other way".into());
        }
    }
    Ok(())
}
