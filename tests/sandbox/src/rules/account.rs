//! What a customer sees, home and history, and the account's row as the other rules read it.

use saifu_wire::messages::{EventBody, HistoryPage, HistoryQuery, Home, Notice};
use saifu_wire::{AccountId, DeviceId, Points, ProblemCode, Yen};
use uuid::Uuid;

use super::context::millis;
use super::{Binding, Cx, Refused, events, limits, session, top_up};
use crate::ledger::{self, LedgerAccount};

const PAGE: u32 = 100;
const NOTICES: u32 = 20;

/// An account as the rules need it.
pub(crate) struct Customer {
    pub(crate) id: AccountId,
    pub(crate) number_hmac: [u8; 32],
    pub(crate) created_at: saifu_wire::Millis,
    pub(crate) epoch: i64,
    pub(crate) frozen: bool,
    /// Whether a recovery factor is saved.
    pub(crate) recovery: bool,
    /// Whether its live device proved secure hardware.
    pub(crate) hardware: bool,
    pub(crate) first_channel: Option<String>,
    pub(crate) last_event: u64,
    pub(crate) yen: LedgerAccount,
    pub(crate) points: LedgerAccount,
}

/// The account of this id.
pub(crate) fn customer(cx: &Cx<'_>, id: AccountId) -> Result<Option<Customer>, Refused> {
    let found = cx.find(
        "SELECT number_hmac, created_at, a.epoch, frozen_at IS NOT NULL, recovery_at IS NOT NULL,
             ifnull(d.level = 'hardware', 0), first_channel, last_event, yen, points
             FROM account a LEFT JOIN device d ON d.account = a.id AND d.state = 'live' WHERE a.id = ?",
        [id.as_bytes()],
        |row| {
            Ok(Customer {
                id,
                number_hmac: row.get(0)?,
                created_at: millis(row.get(1)?),
                epoch: row.get(2)?,
                frozen: row.get(3)?,
                recovery: row.get(4)?,
                hardware: row.get(5)?,
                first_channel: row.get(6)?,
                last_event: row.get::<_, i64>(7)?.unsigned_abs(),
                yen: LedgerAccount(row.get(8)?),
                points: LedgerAccount(row.get(9)?),
            })
        },
    )?;
    Ok(found)
}

/// The account of a device that is live.
pub(crate) fn of_device(cx: &Cx<'_>, device: DeviceId) -> Result<Option<Customer>, Refused> {
    let found: Option<[u8; 16]> =
        cx.find("SELECT account FROM device WHERE id = ? AND state = 'live'", [device.as_bytes()], |row| row.get(0))?;
    found.map_or(Ok(None), |id| customer(cx, AccountId(Uuid::from_bytes(id))))
}

/// The home screen. Reads only.
///
/// # Errors
/// `unknown-device`.
pub fn home(cx: &Cx<'_>, binding: Binding) -> Result<Home, Refused> {
    let customer = session::live(cx, binding)?.customer;
    let newest = events::select(
        cx,
        "SELECT json FROM event WHERE account = ? AND kind = 'notice' AND number > ? ORDER BY number DESC LIMIT ?",
        customer.id,
        0,
        NOTICES,
    )?;
    let notices = newest.into_iter().filter_map(|event| match event.body {
        EventBody::Notice { notice, text } => Some(Notice { number: event.number, at: event.at, kind: notice, text }),
        _ => None,
    });
    Ok(Home {
        as_of: cx.now,
        era: events::era(cx)?,
        last_event: customer.last_event,
        balance_yen: Yen(ledger::available(cx.conn, customer.yen)?),
        points: Points(ledger::available(cx.conn, customer.points)?),
        standing: limits::standing(cx, &customer).into(),
        frozen: customer.frozen,
        top_up_left_yen: Yen(limits::left(&limits::top_up(cx, &customer, 0)?)),
        pay_left_yen: Yen(limits::left(&limits::pay(cx, &customer, 0)?)),
        top_ups: top_up::unfinished(cx, customer.id)?,
        notices: notices.collect(),
    })
}

/// A page of the history. Reads only.
///
/// # Errors
/// `unknown-device`.
pub fn history(cx: &Cx<'_>, binding: Binding, query: HistoryQuery) -> Result<HistoryPage, Refused> {
    session::check(cx, binding)?;
    let mut found = events::select(
        cx,
        "SELECT json FROM event WHERE account = ? AND kind = 'entry' AND number > ? ORDER BY number LIMIT ?",
        binding.account,
        i64::try_from(query.after).unwrap_or(i64::MAX),
        PAGE.saturating_add(1),
    )?;
    let more = found.len() > usize::try_from(PAGE)?;
    found.truncate(usize::try_from(PAGE)?);
    let entries = found.into_iter().filter_map(|event| match event.body {
        EventBody::Entry { entry } => Some(entry),
        _ => None,
    });
    Ok(HistoryPage { entries: entries.collect(), more, era: events::era(cx)? })
}

/// The account of this id, which a row of ours names.
pub(crate) fn owner(cx: &Cx<'_>, id: AccountId) -> Result<Customer, Refused> {
    customer(cx, id)?.ok_or_else(|| ProblemCode::Internal.into())
}
