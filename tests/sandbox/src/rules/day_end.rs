//! The end of the issuer's day: what each terminal was told since the last one, counted and added up, against what the
//! ledger posted in the same time. Nothing is paid out to merchants yet, so the totals are all that is due.

use std::collections::BTreeMap;

use rusqlite::params;
use saifu_wire::{Millis, Yen};
use serde::Serialize;

use super::{Cx, Refused, world};

/// Settlements of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// How many.
    pub count: u64,
    /// Their amounts together.
    pub yen: Yen,
}

/// One terminal's day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TerminalDay {
    /// Its merchant; empty for postings that no terminal was told of.
    pub merchant: String,
    /// Its name.
    pub terminal: String,
    /// Payments, reversed ones too.
    pub payments: Total,
    /// Refunds.
    pub refunds: Total,
    /// Reversals.
    pub reversals: Total,
    /// Cash taken for top-ups.
    pub top_ups: Total,
    /// What customers got less what they gave, by what the terminal was told.
    pub customers_yen: Yen,
    /// The same by the ledger's postings.
    pub ledger_yen: Yen,
    /// Whether both are the same.
    pub ok: bool,
}

/// A day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayEnd {
    /// From when on; `null` on the first day.
    pub from: Option<Millis>,
    /// Until when; what happened in this very millisecond belongs to the next day.
    pub to: Millis,
    /// Terminals that had anything to do, by merchant and name.
    pub terminals: Vec<TerminalDay>,
    /// Postings of yen that were compared.
    pub postings: u64,
    /// Whether every terminal's totals are the ledger's.
    pub ok: bool,
}

/// The totals since the last day's end. Reads only.
///
/// # Errors
/// `internal` when a row cannot be read.
pub(super) fn totals(cx: &Cx<'_>) -> Result<DayEnd, Refused> {
    let from = world::last_day_end(cx)?;
    let window = params![from.map_or(0, super::context::ms), cx.ms()];
    let mut days: BTreeMap<(String, String), TerminalDay> = BTreeMap::new();

    let mut statement = cx.conn.prepare_cached(
        "SELECT merchant, terminal, kind, count(*), sum(yen) FROM settlement WHERE at >= ? AND at < ? GROUP BY 1, 2, 3",
    )?;
    let mut rows = statement.query(window)?;
    while let Some(row) = rows.next()? {
        let day = days.entry((row.get(0)?, row.get(1)?)).or_default();
        let yen: i64 = row.get(4)?;
        let total = Total { count: row.get::<_, i64>(3)?.unsigned_abs(), yen: Yen(yen) };
        let (place, gained) = match row.get::<_, String>(2)?.as_str() {
            "payment" => (&mut day.payments, yen.saturating_neg()),
            "refund" => (&mut day.refunds, yen),
            "reversal" => (&mut day.reversals, yen),
            _ => (&mut day.top_ups, yen),
        };
        *place = total;
        day.customers_yen.0 = day.customers_yen.0.saturating_add(gained);
    }

    // From the ledger's side: who owns the account says which way the money went.
    let mut statement = cx.conn.prepare_cached(
        "SELECT ifnull(s.merchant, ''), ifnull(s.terminal, ''), count(*),
             sum(iif(c.kind = 'customer', p.amount, 0) - iif(d.kind = 'customer', p.amount, 0))
         FROM posting p JOIN ledger_account c ON c.id = p.credit JOIN ledger_account d ON d.id = p.debit
         LEFT JOIN settlement s ON s.id = p.settlement
         WHERE p.at >= ? AND p.at < ? AND p.phase IN ('final', 'post') AND c.unit = 'yen' GROUP BY 1, 2",
    )?;
    let mut rows = statement.query(window)?;
    let mut postings: u64 = 0;
    while let Some(row) = rows.next()? {
        let day = days.entry((row.get(0)?, row.get(1)?)).or_default();
        postings = postings.saturating_add(row.get::<_, i64>(2)?.unsigned_abs());
        day.ledger_yen = Yen(row.get(3)?);
    }

    let terminals: Vec<TerminalDay> = days
        .into_iter()
        .map(|((merchant, terminal), day)| TerminalDay {
            ok: day.customers_yen == day.ledger_yen && !terminal.is_empty(),
            merchant,
            terminal,
            ..day
        })
        .collect();
    let ok = terminals.iter().all(|day| day.ok);
    Ok(DayEnd { from, to: cx.now, terminals, postings, ok })
}
