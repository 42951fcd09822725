//! What happens to an account, numbered without gaps: history, declined scans, notices. Written in the transaction that
//! does it; the listeners stream it, and the wallet asks for what it missed.

use rusqlite::params;
use saifu_wire::messages::{Event, EventBody, NoticeKind};
use saifu_wire::{AccountId, Era, Points, ProblemCode, Yen};

use super::account::Customer;
use super::{Cx, Refused, sms};
use crate::ledger::{self, LedgerAccount};

/// The era that event numbers count in. Reads only.
///
/// # Errors
/// `internal` when it cannot be read.
pub fn era(cx: &Cx<'_>) -> Result<Era, Refused> {
    let id: String = cx.row("SELECT id FROM era", [], |row| row.get(0))?;
    id.parse().map_err(|_| ProblemCode::Internal.into())
}

/// Events with a number above `after`, in rising order, at most `limit`.
///
/// # Errors
/// `internal` when a row cannot be read.
pub fn after(cx: &Cx<'_>, account: AccountId, after: u64, limit: u32) -> Result<Vec<Event>, Refused> {
    select(
        cx,
        "SELECT json FROM event WHERE account = ? AND number > ? ORDER BY number LIMIT ?",
        account,
        i64::try_from(after).unwrap_or(i64::MAX),
        limit,
    )
}

/// The events that a query of (account, bound, limit) finds.
pub(crate) fn select(
    cx: &Cx<'_>,
    sql: &str,
    account: AccountId,
    bound: i64,
    limit: u32,
) -> Result<Vec<Event>, Refused> {
    let mut statement = cx.conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![account.as_bytes(), bound, limit])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(events)
}

/// Writes the account's next event, after the postings it tells of. `body` is given its number.
pub(crate) fn emit(cx: &Cx<'_>, account: AccountId, body: impl FnOnce(u64) -> EventBody) -> Result<u64, Refused> {
    let (number, yen, points): (i64, i64, i64) = cx.row(
        "UPDATE account SET last_event = last_event + 1 WHERE id = ? RETURNING last_event, yen, points",
        [account.as_bytes()],
        |row| row.try_into(),
    )?;
    let body = body(number.unsigned_abs());
    let kind = match &body {
        EventBody::Entry { .. } => "entry",
        EventBody::Notice { .. } => "notice",
        _ => "other",
    };
    let event = Event {
        number: number.unsigned_abs(),
        at: cx.now,
        balance_yen: Yen(ledger::available(cx.conn, LedgerAccount(yen))?),
        points: Points(ledger::available(cx.conn, LedgerAccount(points))?),
        body,
    };
    cx.run(
        "INSERT INTO event (account, number, kind, at, json, trace) VALUES (?, ?, ?, ?, ?, ?)",
        params![account.as_bytes(), number, kind, cx.ms(), serde_json::to_string(&event)?, cx.trace],
    )?;
    cx.touched.borrow_mut().push(account);
    Ok(event.number)
}

/// Tells the owner in the app, and by SMS too where the rules want it.
pub(crate) fn tell(
    cx: &Cx<'_>,
    customer: &Customer,
    kind: NoticeKind,
    text: String,
    by_sms: bool,
) -> Result<(), Refused> {
    if by_sms {
        sms::send(cx, &customer.number_hmac, format!("Saifu: {text}"), None)?;
    }
    emit(cx, customer.id, |_| EventBody::Notice { notice: kind.into(), text })?;
    Ok(())
}

/// The issuer's time as customers read it.
pub(crate) fn spoken_time(cx: &Cx<'_>) -> String {
    let japan = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
    jiff::Timestamp::from_millisecond(cx.ms())
        .map(|at| at.to_zoned(japan).strftime("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}
