//! The ledger: double entry in whole yen (and in points), postings that are never changed, holds that end exactly once.
//! The rules post through these functions; the schema enforces what they promise, so that a mistake here or a hand on the
//! database file fails instead of making money. [`audit`] recomputes every balance from the postings alone.
//!
//! A balance is credits minus debits. Customers and merchants hold credit; cash machines and the issuer's points owe it.

use rusqlite::{Connection, OptionalExtension as _, Result, params};

use crate::rules::Cx;
use crate::words::words;

/// One account of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LedgerAccount(pub(crate) i64);

/// A hold that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hold(pub(crate) i64);

words! {
    /// What an account counts.
    pub(crate) Unit {
        Yen = "yen",
        Points = "points",
    }
}

words! {
    /// Whose an account is.
    pub(crate) Owner {
        Customer = "customer",
        Merchant = "merchant",
        /// Where money comes from.
        Rail = "rail",
        /// Where points come from.
        Issuer = "issuer",
    }
}

words! {
    /// How a hold ends without money.
    pub(crate) GivenBack {
        /// Somebody or a rule ended it.
        Voided = "void",
        /// Its time ran out.
        Expired = "expire",
    }
}

/// One move: what, from where to where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move {
    pub(crate) debit: LedgerAccount,
    pub(crate) credit: LedgerAccount,
    pub(crate) amount: i64,
}

/// Opens an account; its name must be new.
pub(crate) fn open(conn: &Connection, name: &str, unit: Unit, owner: Owner) -> Result<LedgerAccount> {
    conn.prepare_cached("INSERT INTO ledger_account (name, unit, kind) VALUES (?, ?, ?)")?
        .insert(params![name, unit, owner])
        .map(LedgerAccount)
}

/// The account of this name, opened when it is first needed.
pub(crate) fn named(conn: &Connection, name: &str, unit: Unit, owner: Owner) -> Result<LedgerAccount> {
    let found = conn
        .prepare_cached("SELECT id FROM ledger_account WHERE name = ?")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    found.map_or_else(|| open(conn, name, unit, owner), |id| Ok(LedgerAccount(id)))
}

/// A merchant's yen.
pub(crate) fn merchant(conn: &Connection, name: &str) -> Result<LedgerAccount> {
    named(conn, &format!("merchant:{name}"), Unit::Yen, Owner::Merchant)
}

/// What an account can spend: posted, less what is held.
pub(crate) fn available(conn: &Connection, account: LedgerAccount) -> Result<i64> {
    conn.prepare_cached("SELECT posted - pending_debit FROM ledger_account WHERE id = ?")?
        .query_row([account.0], |row| row.get(0))
}

/// Moves an amount at once, for a settlement.
pub(crate) fn post(cx: &Cx<'_>, what: Move, settlement: &[u8; 16]) -> Result<()> {
    insert(cx, "final", None, what, Some(settlement)).map(drop)
}

/// Holds an amount until [`post_held`] or [`give_back`].
pub(crate) fn hold(cx: &Cx<'_>, what: Move) -> Result<Hold> {
    insert(cx, "pending", None, what, None).map(Hold)
}

/// Ends a hold by moving at most its amount; the rest is given back. `None` when there is no such hold to end.
pub(crate) fn post_held(cx: &Cx<'_>, hold: Hold, amount: i64, settlement: &[u8; 16]) -> Result<Option<()>> {
    let Some(held) = open_hold(cx.conn, hold)? else { return Ok(None) };
    insert(cx, "post", Some(hold), Move { amount, ..held }, Some(settlement)).map(|_| Some(()))
}

/// Ends a hold without money. `None` when there is no such hold to end.
pub(crate) fn give_back(cx: &Cx<'_>, hold: Hold, why: GivenBack) -> Result<Option<()>> {
    let Some(held) = open_hold(cx.conn, hold)? else { return Ok(None) };
    insert(cx, why.as_str(), Some(hold), held, None).map(|_| Some(()))
}

fn open_hold(conn: &Connection, hold: Hold) -> Result<Option<Move>> {
    conn.prepare_cached(
        "SELECT debit, credit, amount FROM posting p WHERE id = ? AND phase = 'pending'
         AND NOT EXISTS (SELECT 1 FROM posting e WHERE e.of = p.id)",
    )?
    .query_row([hold.0], |row| {
        Ok(Move { debit: LedgerAccount(row.get(0)?), credit: LedgerAccount(row.get(1)?), amount: row.get(2)? })
    })
    .optional()
}

fn insert(
    cx: &Cx<'_>,
    phase: &'static str,
    of: Option<Hold>,
    what: Move,
    settlement: Option<&[u8; 16]>,
) -> Result<i64> {
    cx.note_posting(phase, what);
    cx.conn
        .prepare_cached(
            "INSERT INTO posting (phase, of, debit, credit, amount, settlement, at, trace) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .insert(params![
            phase,
            of.map(|hold| hold.0),
            what.debit.0,
            what.credit.0,
            what.amount,
            settlement,
            cx.ms(),
            cx.trace
        ])
}

/// What a recomputation of the whole ledger found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Audit {
    /// Postings read.
    pub postings: u64,
    /// Accounts recomputed.
    pub accounts: u64,
    /// Everything that is not as it must be, one sentence each. Empty when the ledger is sound.
    pub faults: Vec<String>,
}

/// Recomputes every balance from the postings and compares: the cached balances, no customer below zero after any posting,
/// every hold ended at most once and by at most its amount, all balances of a unit together 0.
///
/// # Errors
/// When the database cannot be read.
pub fn audit(conn: &Connection) -> Result<Audit> {
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    let mut audit = Audit {
        postings: count("SELECT count(*) FROM posting")?,
        accounts: count("SELECT count(*) FROM ledger_account")?,
        faults: Vec::new(),
    };
    for (what, sql) in CHECKS {
        let mut statement = conn.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            audit.faults.push(format!("{what}: {}", row.get::<_, String>(0)?));
        }
    }
    Ok(audit)
}

/// Each gives one row, with one text, for each fault.
const CHECKS: &[(&str, &str)] = &[
    (
        "the cached balance is not the sum of the postings",
        "WITH moves (account, posted, held_out, held_in) AS (
             SELECT debit, -amount, 0, 0 FROM posting WHERE phase IN ('final', 'post')
             UNION ALL SELECT credit, amount, 0, 0 FROM posting WHERE phase IN ('final', 'post')
             UNION ALL SELECT debit, 0, amount, 0 FROM posting p
                 WHERE phase = 'pending' AND NOT EXISTS (SELECT 1 FROM posting e WHERE e.of = p.id)
             UNION ALL SELECT credit, 0, 0, amount FROM posting p
                 WHERE phase = 'pending' AND NOT EXISTS (SELECT 1 FROM posting e WHERE e.of = p.id))
         SELECT name FROM ledger_account a LEFT JOIN moves m ON m.account = a.id GROUP BY a.id
         HAVING ifnull(sum(m.posted), 0) <> a.posted OR ifnull(sum(held_out), 0) <> pending_debit
             OR ifnull(sum(held_in), 0) <> pending_credit",
    ),
    (
        "a customer had less than nothing",
        "WITH moves (id, account, amount) AS (
             SELECT id, debit, -amount FROM posting WHERE phase IN ('final', 'post')
             UNION ALL SELECT id, credit, amount FROM posting WHERE phase IN ('final', 'post')),
         running (account, balance) AS (
             SELECT account, sum(amount) OVER (PARTITION BY account ORDER BY id) FROM moves)
         SELECT DISTINCT name FROM running JOIN ledger_account a ON a.id = account
         WHERE balance < 0 AND kind = 'customer' AND unit = 'yen'",
    ),
    (
        "a hold ended twice, by other sides or by more than its amount",
        "SELECT 'posting ' || e.id FROM posting e LEFT JOIN posting p ON p.id = e.of WHERE e.of IS NOT NULL AND (
             p.id IS NULL OR p.phase <> 'pending' OR p.debit <> e.debit OR p.credit <> e.credit OR e.amount > p.amount
             OR (SELECT count(*) FROM posting o WHERE o.of = e.of) > 1)",
    ),
    (
        "a posting crosses units",
        "SELECT 'posting ' || p.id FROM posting p LEFT JOIN ledger_account d ON d.id = debit
         LEFT JOIN ledger_account c ON c.id = credit WHERE d.unit IS NOT c.unit OR d.unit IS NULL",
    ),
    (
        "the accounts of a unit do not sum to nothing",
        "SELECT unit FROM ledger_account GROUP BY unit HAVING sum(posted) <> 0 OR sum(pending_debit) <> sum(pending_credit)",
    ),
];
