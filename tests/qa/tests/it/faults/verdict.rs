//! One run from beginning to end, and what came of it: whether everything ended by itself and in time, and whether wallet,
//! tills and ledger tell the same story, transaction by transaction.

use std::collections::{BTreeMap, BTreeSet};

use saifu::PendingWhat;
use saifu_wire::Operation;
use serde::Serialize;

use super::flow;
use super::plan::Run;
use super::world::{Armed, Person, World};

/// Nothing may stay open longer than this, in milliseconds: the latest `ends_by` of an open top-up.
const LATEST_END: u64 = 16 * 60_000;
/// The wallet's idea of the issuer's time may be off by what a slow answer took.
const CLOCKS_APART: u64 = 5_000;
/// So many people go through the flow until every fault has struck: a request that was handled twice meets no second fault.
const PEOPLE: u32 = 3;

/// What came of a run. Yen are summed over its people.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Verdict {
    /// Of what was approved, this much never reached the ledger.
    pub(crate) lost_yen: i64,
    /// The ledger moved this much more than was approved.
    pub(crate) doubled_yen: i64,
    /// Where two of wallet, tills and ledger differ.
    pub(crate) disagreements: Vec<String>,
    /// What was still open when it had to have ended.
    pub(crate) open: Vec<String>,
    /// Where asking again did not help.
    pub(crate) needed_a_person: Vec<String>,
    /// Faults that no flow met.
    pub(crate) never_struck: Vec<String>,
}

impl Verdict {
    pub(crate) fn is_good(&self) -> bool {
        let nothing = [&self.disagreements, &self.open, &self.needed_a_person, &self.never_struck];
        self.lost_yen == 0 && self.doubled_yen == 0 && nothing.iter().all(|list| list.is_empty())
    }

    /// What the peers were told against what the ledger holds.
    fn compare(&mut self, told: &BTreeMap<String, i64>, posted: &BTreeMap<String, i64>) {
        let transactions: BTreeSet<&String> = told.keys().chain(posted.keys()).collect();
        for transaction in transactions {
            let yen = |of: &BTreeMap<String, i64>| of.get(transaction).copied().unwrap_or_default();
            let (told, posted) = (yen(told), yen(posted));
            if posted.abs() > told.abs() {
                self.doubled_yen += (posted - told).abs();
            } else {
                self.lost_yen += (posted - told).abs();
            }
            if told != posted {
                self.disagreements.push(format!("{transaction}: told {told} yen, posted {posted} yen"));
            }
        }
    }
}

/// People go through the flow until every fault has struck one of them; each must come out well.
pub(crate) async fn travel(world: &mut World, run: &Run) -> Verdict {
    let mut verdict = Verdict::default();
    let mut faults: Vec<Armed> = run.cells.iter().map(|cell| (cell.on, cell.act(world.pace))).collect();
    world.set_patience(run.patience(world.pace));
    for _ in 0..PEOPLE {
        let own = faults.len();
        if faults.iter().any(|(on, _)| *on == Operation::IntentResolve) {
            // Only who does not know what became of an intent asks.
            faults.push((Operation::TopUp, "drop-answer".into()));
        }
        world.arm(faults.clone());
        let mut person = Person::new(world);
        if let Err(what) = flow::walk(world, &mut person, run).await {
            verdict.needed_a_person.push(what);
        }
        world.revive();
        world.nothing_held().await;
        let mut waiting = world.waiting();
        faults.truncate(own);
        faults.retain(|fault| match waiting.iter().position(|it| it == fault) {
            Some(place) => {
                waiting.remove(place);
                true
            }
            None => false,
        });
        world.disarm();
        agree(world, &person, &mut verdict).await;
        person.customer.wallet.close().await;
        if faults.is_empty() || !verdict.is_good() {
            break;
        }
    }
    verdict.never_struck = faults.iter().map(|(on, act)| format!("{act} on {}", on.name())).collect();
    verdict
}

/// Lets end what is open, by the clock alone, and compares what wallet, tills and ledger say.
pub(crate) async fn agree(world: &mut World, person: &Person, verdict: &mut Verdict) {
    if let Err(what) = flow::refresh(world, person).await {
        verdict.needed_a_person.push(what);
        return;
    }
    let wallet = &person.customer.wallet;
    let now = wallet.issuer_time();
    let mut pending: BTreeMap<String, u64> = BTreeMap::new();
    for it in wallet.pending() {
        if matches!(it.what, PendingWhat::Unknown(_)) {
            verdict.open.push(format!("the wallet still does not know what became of {}", it.id));
        }
        pending.insert(it.id, it.ends_by.since(now));
    }
    let open = Ledger::read(world, person).open;
    if open.iter().any(|key| !pending.contains_key(key)) {
        verdict.disagreements.push(format!("the issuer holds {open:?}, the wallet knows of {pending:?}"));
    }
    // Each ends at its own time: not one second is waited beyond the latest of them.
    let longest = pending.values().copied().max();
    if longest > Some(LATEST_END) {
        verdict.open.push(format!("something ends later than it may: {pending:?}"));
    }
    if let Some(longest) = longest {
        world.advance(longest + CLOCKS_APART);
    }
    if let Err(what) = flow::refresh(world, person).await {
        verdict.needed_a_person.push(what);
        return;
    }
    verdict
        .open
        .extend(wallet.pending().into_iter().map(|it| format!("after its end: {} {}", it.what.as_str(), it.id)));
    compare(world, person, verdict).await;
}

/// What wallet, tills and ledger say now.
pub(crate) async fn compare(world: &mut World, person: &Person, verdict: &mut Verdict) {
    let (ledger, home) = (Ledger::read(world, person), person.customer.wallet.home());
    verdict.compare(&person.told, &ledger.transactions);
    if !ledger.open.is_empty() || ledger.held != 0 {
        verdict.open.push(format!("the issuer holds {} yen for {:?}", ledger.held, ledger.open));
    }
    let mut must_be = |what: &str, wallet: i64, issuer: i64| {
        if wallet != issuer {
            verdict.disagreements.push(format!("{what}: wallet {wallet}, issuer {issuer}"));
        }
    };
    must_be("balance", home.balance_yen.map_or(i64::MIN, |yen| yen.0), ledger.posted);
    must_be("points", home.points.map_or(i64::MIN, |points| points.0), ledger.points);
    must_be("last event", i64::try_from(home.last_event).unwrap(), ledger.last_event);
    match person.customer.wallet.history(1_000).await {
        Ok(history) => {
            must_be("sum of the history", history.entries.iter().map(|entry| entry.yen.0).sum(), ledger.posted);
            must_be("entries of the history", i64::try_from(history.entries.len()).unwrap(), ledger.entries);
        }
        Err(error) => verdict.disagreements.push(format!("the history: {error}")),
    }
    let wrong = world.audit();
    verdict.disagreements.extend(wrong.into_iter().map(|fault| format!("the ledger's own check: {fault}")));
}

/// What the issuer's database says of a device's account. It is read, never written.
#[derive(Default)]
struct Ledger {
    posted: i64,
    held: i64,
    points: i64,
    last_event: i64,
    entries: i64,
    /// Keys of the top-ups that are not finished.
    open: Vec<String>,
    /// Yen to the customer, by the terminal's transaction id.
    transactions: BTreeMap<String, i64>,
}

const ACCOUNT: &str = "SELECT l.posted, l.pending_debit + l.pending_credit, p.posted, a.last_event,
    (SELECT count(*) FROM settlement s WHERE s.account = a.id), a.id, a.yen
    FROM device d JOIN account a ON a.id = d.account JOIN ledger_account l ON l.id = a.yen
    JOIN ledger_account p ON p.id = a.points WHERE d.id = ?";

const OPEN: &str = "SELECT key FROM top_up WHERE account = ? AND state IN ('awaiting', 'authorized')";

/// A deposit belongs to the transaction of its approval, a reversal to the payment's; a posting that belongs to none is one
/// that nobody asked for.
const TRANSACTIONS: &str = "SELECT coalesce(
    (SELECT t.txid FROM top_up u JOIN terminal_transaction t ON t.top_up = u.id WHERE u.posting = p.of),
    (SELECT t.txid FROM terminal_transaction t
        WHERE t.settlement = CASE s.kind WHEN 'reversal' THEN s.original ELSE s.id END),
    'of no transaction'), sum(CASE p.credit WHEN ?1 THEN p.amount ELSE -p.amount END)
    FROM posting p LEFT JOIN settlement s ON s.id = p.settlement
    WHERE (p.credit = ?1 OR p.debit = ?1) AND p.phase IN ('final', 'post') GROUP BY 1";

impl Ledger {
    fn read(world: &World, person: &Person) -> Self {
        let Some(device) = person.customer.wallet.home().device else { return Self::default() };
        let conn = world.issuer.database();
        let (mut ledger, account, yen): (Self, Vec<u8>, i64) = conn
            .query_row(ACCOUNT, [device.as_bytes()], |row| {
                let (posted, held, points) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let (last_event, entries) = (row.get(3)?, row.get(4)?);
                let ledger = Self { posted, held, points, last_event, entries, ..Self::default() };
                Ok((ledger, row.get(5)?, row.get(6)?))
            })
            .unwrap();
        let mut open = conn.prepare(OPEN).unwrap();
        let keys = open.query_map([account], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        ledger.open = keys.map(|key| uuid::Uuid::from_slice(&key.unwrap()).unwrap().to_string()).collect();
        let mut transactions = conn.prepare(TRANSACTIONS).unwrap();
        let sums = transactions.query_map([yen], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        ledger.transactions = sums.map(Result::unwrap).collect();
        ledger
    }
}
