//! What a terminal's transaction id was used for, and what it was told. Looked up before anything else, so that a repeated
//! request repeats its answer and moves nothing.

use rusqlite::params;
use saifu_wire::messages::{Outcome, SettleAnswer};
use saifu_wire::{Name, Reason, SettlementId, Yen};
use uuid::Uuid;

use super::{Cx, Refused, Terminal};
use crate::words::words;

words! {
    /// What a transaction id stands for.
    pub(crate) Use {
        Settle = "settle",
        Refund = "refund",
        Atm = "atm",
        /// Reversed before it arrived.
        Void = "void",
    }
}

/// A transaction as stored.
pub(crate) struct Transaction {
    pub(crate) used: Use,
    /// What was asked; a repeat must ask the same.
    pub(crate) fingerprint: [u8; 32],
    pub(crate) yen: i64,
    /// JSON.
    pub(crate) answer: String,
    pub(crate) settlement: Option<SettlementId>,
    pub(crate) top_up: Option<i64>,
    /// The answer to what followed: the reversal of a settlement, the deposit of an approval. JSON.
    pub(crate) second: Option<String>,
}

impl Transaction {
    pub(crate) fn new(used: Use, fingerprint: [u8; 32], yen: i64, answer: String) -> Self {
        Self { used, fingerprint, yen, answer, settlement: None, top_up: None, second: None }
    }

    /// Whether this is a repeat of the same request.
    pub(crate) fn repeats(&self, used: Use, fingerprint: &[u8; 32], yen: i64) -> bool {
        self.used == used && self.fingerprint == *fingerprint && self.yen == yen
    }
}

/// What this terminal used the id for, if it did.
pub(crate) fn find(cx: &Cx<'_>, terminal: &Terminal, txid: &Name) -> Result<Option<Transaction>, Refused> {
    let found = cx.find(
        "SELECT operation, fingerprint, yen, answer, settlement, top_up, second FROM terminal_transaction
             WHERE terminal = ? AND txid = ?",
        params![terminal.name.as_str(), txid.as_str()],
        |row| {
            Ok(Transaction {
                used: row.get(0)?,
                fingerprint: row.get(1)?,
                yen: row.get(2)?,
                answer: row.get(3)?,
                settlement: row.get::<_, Option<[u8; 16]>>(4)?.map(|id| SettlementId(Uuid::from_bytes(id))),
                top_up: row.get(5)?,
                second: row.get(6)?,
            })
        },
    )?;
    Ok(found)
}

/// Remembers what the id was used for.
pub(crate) fn remember(cx: &Cx<'_>, terminal: &Terminal, txid: &Name, it: &Transaction) -> Result<(), Refused> {
    // Only with the look-up taken away for a test does a second row ever come.
    let sql = if cx.policy.without.replay_lookup { "INSERT OR REPLACE" } else { "INSERT" };
    let sql = format!(
        "{sql} INTO terminal_transaction (terminal, txid, operation, fingerprint, yen, answer, settlement, top_up, at, trace)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    );
    cx.run(
        &sql,
        params![
            terminal.name.as_str(),
            txid.as_str(),
            it.used,
            it.fingerprint,
            it.yen,
            it.answer,
            it.settlement.as_ref().map(SettlementId::as_bytes),
            it.top_up,
            cx.ms(),
            cx.trace
        ],
    )?;
    Ok(())
}

/// Remembers the answer to what followed.
pub(crate) fn remember_second(cx: &Cx<'_>, terminal: &Terminal, txid: &Name, answer: &str) -> Result<(), Refused> {
    cx.run(
        "UPDATE terminal_transaction SET second = ? WHERE terminal = ? AND txid = ?",
        params![answer, terminal.name.as_str(), txid.as_str()],
    )?;
    Ok(())
}

/// A till's answer when nothing moved.
pub(crate) fn declined(reason: Reason) -> SettleAnswer {
    SettleAnswer { result: Outcome::Declined, reason: Some(reason.into()), settlement: None, yen: Yen(0) }
}
