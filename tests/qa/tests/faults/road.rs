//! The road of one customer, walked as real peers walk it: a wallet asks again as its policy says and resolves what it does
//! not know; an ATM and a till repeat a transaction under its id; a till that gives up reverses.

use saifu_crypto::KeyPair;
use saifu_link::{Auth, Link, LinkError, Request};
use saifu_policy::Class;
use saifu_wire::messages::{
    AtmAuthorizeAnswer, AtmAuthorizeRequest, AtmDepositRequest, EnrolRequest, EnrolledAnswer, Outcome, Purpose,
    RefundRequest, SettleAnswer, SettleRequest, Switch, SwitchRequest, SwitchState, TerminalKind, VoidRequest,
};
use saifu_wire::{Amount, Bytes, Name, Operation, Sensitive, SettlementId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Till;
use crate::world::{Person, World};

const TOP_UP: i64 = 5_000;
const FIRST: i64 = 1_280;
const SECOND: i64 = 500;
const BACK: i64 = 280;
/// Longer than a token lives, shorter than a session.
const TOKEN_IS_OLD: u64 = 330_000;
/// Later than every `ends_by` of an open top-up.
const EVERYTHING_ENDED: u64 = 16 * 60_000;
/// So often a peer asks again by itself.
const TRIES: u32 = 4;

type Run<T> = Result<T, String>;

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
) -> Run<T> {
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

async fn ask<A: DeserializeOwned>(link: &Link, operation: Operation, body: &impl Serialize) -> Result<A, LinkError> {
    link.call(Request::new(operation, Auth::Proof, Class::Pay), body).await
}

/// All of it, with one fault on one operation; `Err` says what does not fit.
pub(crate) async fn travel(world: &mut World, number: &str, on: Operation, act: &str, till: Till) -> Run<()> {
    let mut person = Person::new(world, number);
    let deaths = world.deaths();
    world.clear_faults();
    world.add_fault(on.name(), act);
    if on == Operation::IntentResolve {
        // Only who does not know what became of an intent asks.
        world.add_fault(Operation::TopUp.name(), "drop-answer");
    }
    let id = format!("{}-{}-{till:?}", on.name(), act.replace(':', "-"));

    sign_up(world, &person).await?;
    until_answered(world, "follow", async || person.wallet.follow().await).await?;
    world.advance(TOKEN_IS_OLD);
    until_answered(world, "refresh", async || person.wallet.refresh().await).await?;
    top_up(world, &mut person, &id).await?;
    let first = pay(world, &mut person, FIRST, &format!("{id}-a"), till).await?;
    let _ = pay(world, &mut person, SECOND, &format!("{id}-b"), till).await?;
    give_back(world, &mut person, first, &id).await?;
    operate(world, on, &id).await?;

    world.revive();
    world.nothing_held().await;
    let struck = world.faults()["faults"][0]["struck"] == 1 || world.deaths() > deaths;
    if !struck {
        return Err("no road asks for it: the fault never struck".into());
    }
    world.clear_faults();
    agree(world, &person).await?;
    person.wallet.close().await;
    Ok(())
}

pub(crate) async fn sign_up(world: &mut World, person: &Person) -> Run<()> {
    let sign_up = until_answered(world, "sign-up", async || person.wallet.sign_up(person.number.clone()).await).await?;
    let code = world.issuer.sms_code(&person.number);
    until_answered(world, "confirm", async || sign_up.confirm(&code).await).await?;
    until_answered(world, "first refresh", async || person.wallet.refresh().await).await?;
    person.wallet.totp().map(drop).map_err(|error| format!("after its sign-up: {error}"))
}

/// Approves top-ups until one is accepted, then takes the number to an ATM.
pub(crate) async fn top_up(world: &mut World, person: &mut Person, id: &str) -> Run<()> {
    let wallet = person.wallet.clone();
    let mut number = None;
    for _ in 0..TRIES {
        let amount = Amount::new(TOP_UP).unwrap();
        let approval =
            until_answered(world, "top-up", async || wallet.top_up(saifu::Channel::Atm, amount).await).await?;
        let (key, signature) = (approval.key().to_string(), person.host.authorize(approval.message()).unwrap());
        number = match approval.confirm(signature).await {
            Ok(top_up) => top_up.number,
            Err(_) => {
                world.revive();
                until_answered(world, "resolve", async || wallet.refresh().await).await?;
                let pending = wallet.pending();
                if pending.iter().any(|it| it.kind == saifu::PendingKind::Unknown) {
                    return Err("the intent is still unknown after a refresh".into());
                }
                pending.into_iter().find(|it| it.id == key).and_then(|it| it.number)
            }
        };
        if number.is_some() {
            break;
        }
    }
    let number = number.ok_or("no top-up is accepted")?;
    let (atm, txid) = (world.terminal("atm-1"), Name::new(id).unwrap());
    let totp = wallet.totp().map_err(|error| error.to_string())?.code;
    let body = AtmAuthorizeRequest { txid: txid.clone(), number, totp };
    let checked: AtmAuthorizeAnswer =
        until_answered(world, "atm", async || ask(&atm, Operation::AtmAuthorize, &body).await).await?;
    if checked.result != Outcome::Approved {
        return Err(format!("the ATM takes no cash: {checked:?}"));
    }
    let body = AtmDepositRequest { txid, yen: Amount::new(TOP_UP).unwrap() };
    let posted: SettleAnswer =
        until_answered(world, "deposit", async || ask(&atm, Operation::AtmDeposit, &body).await).await?;
    if posted.result != Outcome::Approved {
        return Err(format!("the ATM keeps cash that was not posted: {posted:?}"));
    }
    person.expected += TOP_UP;
    Ok(())
}

/// Pays; a till that gives up reverses and scans a fresh code.
async fn pay(world: &mut World, person: &mut Person, yen: i64, id: &str, till: Till) -> Run<SettlementId> {
    let register = world.terminal("register-1");
    let wallet = person.wallet.clone();
    for round in 0..TRIES {
        let code = until_answered(world, "code", async || wallet.next_code(Purpose::Pay).await).await?;
        let txid = Name::new(format!("{id}-{round}")).unwrap();
        let digits = Sensitive::new(code.digits());
        let body = SettleRequest { txid: txid.clone(), digits, yen: Amount::new(yen).unwrap() };
        let answer: SettleAnswer = match till {
            Till::Insists => {
                until_answered(world, "settle", async || ask(&register, Operation::Settle, &body).await).await?
            }
            Till::GivesUp => {
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
            }
        };
        let settlement = answer.settlement.filter(|_| answer.result == Outcome::Approved);
        person.expected -= yen;
        return settlement.ok_or_else(|| format!("a good code is declined: {answer:?}"));
    }
    Err("the till gave up for good".into())
}

async fn reverse(world: &mut World, register: &Link, txid: &Name) -> Run<SettleAnswer> {
    let body = VoidRequest { txid: txid.clone() };
    until_answered(world, "void", async || ask(register, Operation::SettleVoid, &body).await).await
}

/// A part of the first payment comes back, and one that is reversed at once.
async fn give_back(world: &mut World, person: &mut Person, settlement: SettlementId, id: &str) -> Run<()> {
    let register = world.terminal("register-1");
    let txid = Name::new(format!("{id}-r")).unwrap();
    let body = RefundRequest { txid, settlement, yen: Amount::new(BACK).unwrap() };
    let back: SettleAnswer =
        until_answered(world, "refund", async || ask(&register, Operation::Refund, &body).await).await?;
    if back.result != Outcome::Approved {
        return Err(format!("the refund: {back:?}"));
    }
    person.expected += BACK;
    pay(world, person, SECOND, &format!("{id}-v"), Till::Insists).await?;
    let voided = reverse(world, &register, &Name::new(format!("{id}-v-0")).unwrap()).await?;
    if voided.result != Outcome::Voided || voided.yen.0 != SECOND {
        return Err(format!("the reversal: {voided:?}"));
    }
    person.expected += SECOND;
    Ok(())
}

/// An operator enrols a register and sets a switch.
async fn operate(world: &mut World, on: Operation, id: &str) -> Run<()> {
    let operator = world.terminal("operator-1");
    if on == Operation::TerminalEnrol {
        let body = EnrolRequest {
            terminal: Name::new(id).unwrap(),
            kind: TerminalKind::Register,
            merchant: Name::new("kiosk").unwrap(),
            spki: Bytes(KeyPair::generate().unwrap().public_key().to_spki()),
        };
        let _: EnrolledAnswer =
            until_answered(world, "enrol", async || ask(&operator, Operation::TerminalEnrol, &body).await).await?;
    }
    if on == Operation::SwitchSet {
        let body = SwitchRequest { switch: Switch::Code, on: true, reason: "as before".into() };
        let state: SwitchState =
            until_answered(world, "switch", async || ask(&operator, Operation::SwitchSet, &body).await).await?;
        if !state.on {
            return Err("the switch stands the other way".into());
        }
    }
    Ok(())
}

/// When everything open has ended by itself: wallet, tills and ledger say the same.
pub(crate) async fn agree(world: &mut World, person: &Person) -> Run<()> {
    let known: Vec<_> =
        person.wallet.pending().iter().map(|it| it.ends_by.since(person.wallet.issuer_time())).collect();
    if known.iter().any(|left| *left > EVERYTHING_ENDED) {
        return Err(format!("something ends later than it may: {known:?}"));
    }
    world.advance(EVERYTHING_ENDED);
    let home = until_answered(world, "last refresh", async || person.wallet.refresh().await).await?;
    let pending = person.wallet.pending();
    if !pending.is_empty() {
        return Err(format!("without an end: {pending:?}"));
    }
    let history = person.wallet.history(1_000).await.map_err(|error| error.to_string())?;
    let history: i64 = history.iter().map(|entry| entry.yen.0).sum();
    let (posted, held, open, last_event) = ledger(world, person);
    let wallet = home.balance_yen.map(|yen| yen.0);
    let told = format!("wallet {wallet:?}, history {history}, ledger {posted}, tills {}", person.expected);
    if wallet != Some(posted) || history != posted || person.expected != posted {
        return Err(told);
    }
    if held != 0 || open != 0 {
        return Err(format!("{open} top-ups hold {held} yen"));
    }
    if home.last_event != last_event {
        return Err(format!("the wallet knows event {}, the issuer {last_event}", home.last_event));
    }
    world.issuer.assert_books_balance();
    Ok(())
}

/// What the issuer's database says of this device's account: yen, yen held, open top-ups, its last event.
fn ledger(world: &World, person: &Person) -> (i64, i64, i64, u64) {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let conn = rusqlite::Connection::open_with_flags(world.issuer.database(), flags).unwrap();
    let device = person.wallet.home().device.unwrap();
    conn.query_row(
        "SELECT l.posted, l.pending_debit + l.pending_credit, a.last_event,
         (SELECT count(*) FROM top_up t WHERE t.account = a.id AND t.state IN ('awaiting', 'authorized'))
         FROM device d JOIN account a ON a.id = d.account JOIN ledger_account l ON l.id = a.yen WHERE d.id = ?",
        [device.as_bytes()],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(3)?, row.get::<_, i64>(2)?.unsigned_abs())),
    )
    .unwrap()
}
