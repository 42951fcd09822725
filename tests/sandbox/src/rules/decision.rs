//! What `explain` tells of one try, written in the transaction that decided it and read back by the control API. A refusal that
//! undid its transaction is written right after it.

use rusqlite::{Connection, Result, params};
use saifu_wire::messages::Outcome;
use saifu_wire::{Millis, Problem, ProblemCode, Reason, SettlementId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::context::{millis, ms};
use super::notes::{Check, Notes, Posted};
use super::{Cx, Refused};

/// Tries of one id that are told at most, the newest ones.
const TOLD: u32 = 20;

/// What is stored beside the ids.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) result: Option<Outcome>,
    pub(crate) reason: Option<Reason>,
    pub(crate) code: Option<ProblemCode>,
    pub(crate) rules: Vec<Check>,
    pub(crate) postings: Vec<Posted>,
}

/// A stored decision.
pub(crate) struct Found {
    pub(crate) what: String,
    pub(crate) at: Millis,
    pub(crate) trace: String,
    pub(crate) terminal: Option<String>,
    /// What it settled, or would have.
    pub(crate) settlement: Option<SettlementId>,
    pub(crate) decision: Decision,
}

/// Stores what was decided, if it is a try that can be asked about.
pub(crate) fn keep(
    conn: &Connection,
    now: Millis,
    trace: &str,
    notes: &Notes,
    problem: Option<&Problem>,
) -> std::result::Result<(), Refused> {
    let Some(what) = notes.what.filter(|_| !notes.repeat) else { return Ok(()) };
    let json = serde_json::to_string(&Decision {
        result: notes.result,
        reason: notes.reason,
        code: problem.and_then(|problem| problem.code.known()),
        rules: notes.checks.clone(),
        postings: notes.postings.clone(),
    })?;
    conn.prepare_cached(
        "INSERT INTO decision (at, what, trace, terminal, txid, intent, settlement, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        ms(now),
        what,
        trace,
        notes.terminal.as_ref().map(saifu_wire::Name::as_str),
        notes.txid.as_ref().map(saifu_wire::Name::as_str),
        notes.intent.as_ref().map(saifu_wire::IntentKey::as_bytes),
        notes.settlement.as_ref().map(saifu_wire::SettlementId::as_bytes),
        json
    ])?;
    Ok(())
}

/// The tries of a transaction id, an intent's key, a settlement or a trace, newest first.
pub(crate) fn of(cx: &Cx<'_>, id: &str) -> std::result::Result<Vec<Found>, Refused> {
    let uuid = Uuid::parse_str(id).ok().map(Uuid::into_bytes);
    let mut statement = cx.conn.prepare_cached(
        "SELECT what, at, trace, json, terminal, settlement FROM decision
         WHERE txid = ?1 OR trace = ?1 OR intent = ?2 OR settlement = ?2 ORDER BY id DESC LIMIT ?3",
    )?;
    let rows = statement.query_map(params![id, uuid, TOLD], |row| {
        Ok((
            row.get(0)?,
            millis(row.get(1)?),
            row.get(2)?,
            row.get::<_, String>(3)?,
            row.get(4)?,
            row.get::<_, Option<[u8; 16]>>(5)?,
        ))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (what, at, trace, json, terminal, settlement) = row?;
        let settlement = settlement.map(|id| SettlementId(Uuid::from_bytes(id)));
        found.push(Found { what, at, trace, terminal, settlement, decision: serde_json::from_str(&json)? });
    }
    Ok(found)
}

/// Name and unit of an account of the ledger.
pub(crate) fn ledger_name(conn: &Connection, id: i64) -> Result<(String, String)> {
    conn.prepare_cached("SELECT name, unit FROM ledger_account WHERE id = ?")?.query_row([id], |row| row.try_into())
}
