//! Money out and back: a register settles a scanned code, reverses its own transaction, refunds a settlement of its
//! merchant. A code is burnt by its first scan, whatever comes of it; unknown, dead, wrong and burnt codes get one
//! identical answer.

mod reverse;

use rusqlite::params;
use saifu_code::{Issuer, Kind, PaymentDigits};
use saifu_wire::messages::{
    EntryKind, EntryState, EventBody, HistoryEntry, Outcome, SettleAnswer, SettleRequest, Switch, TerminalKind,
};
use saifu_wire::{AccountId, DeviceId, IntentKey, Millis, Points, Reason, SettlementId, Yen};
use uuid::Uuid;

use super::account::{self, Customer};
use super::context::{figure, millis};
use super::transaction::{self, Transaction, Use, declined};
use super::{Binding, Cx, Refused, Terminal, code, events, limits, operator, session, sms};
use crate::ledger::{self, LedgerAccount, Move, Owner, Unit};
use crate::policy::rule;
use crate::words::words;
pub use reverse::{refund, void};

/// Settles a scanned code. The same request under the same transaction id repeats its answer.
///
/// # Errors
/// `unknown-terminal` unless a register asks. Everything else is an answer: declined, with its reason.
pub fn settle(cx: &Cx<'_>, terminal: &Terminal, request: &SettleRequest) -> Result<SettleAnswer, Refused> {
    terminal.require(TerminalKind::Register)?;
    cx.note_try("settle", terminal, &request.txid);
    let answer = settled(cx, terminal, request)?;
    cx.note_answer(answer.result, answer.reason.as_ref(), answer.settlement);
    Ok(answer)
}

fn settled(cx: &Cx<'_>, terminal: &Terminal, request: &SettleRequest) -> Result<SettleAnswer, Refused> {
    let fingerprint = code::hmac(cx, request.digits.expose());
    let known = transaction::find(cx, terminal, &request.txid)?.filter(|_| !cx.policy.without.replay_lookup);
    if let Some(known) = known {
        return repeat(cx, &known, &fingerprint, request);
    }
    let scanned = scan(cx, &fingerprint, request)?;
    let answer = match scanned {
        Scanned::Refused(reason) => declined(reason),
        Scanned::Live { account, cap, refused } => {
            let customer = account::owner(cx, account)?;
            match refused.map_or_else(|| decide(cx, &customer, cap, request), |reason| Ok(Some(reason)))? {
                None => pay(cx, terminal, &customer, request)?,
                Some(reason) => {
                    events::emit(cx, account, |_| EventBody::Declined {
                        reason: reason.into(),
                        yen: request.yen.yen(),
                        merchant: terminal.merchant.clone(),
                    })?;
                    declined(reason)
                }
            }
        }
    };
    let json = serde_json::to_string(&answer)?;
    let mut done = Transaction::new(Use::Settle, fingerprint, request.yen.get(), json);
    done.settlement = answer.settlement;
    transaction::remember(cx, terminal, &request.txid, &done)?;
    Ok(answer)
}

fn repeat(
    cx: &Cx<'_>,
    known: &Transaction,
    fingerprint: &[u8; 32],
    request: &SettleRequest,
) -> Result<SettleAnswer, Refused> {
    if known.used == Use::Void {
        // It was reversed before it arrived; what was scanned is burnt all the same.
        burn(cx, fingerprint)?;
        cx.check("transaction.not_reversed", false);
        return Ok(declined(Reason::Voided));
    }
    if !cx.check("transaction.same_request", known.repeats(Use::Settle, fingerprint, request.yen.get())) {
        return Ok(declined(Reason::TransactionReused));
    }
    if !cx.check("transaction.not_reversed", known.second.is_none()) {
        return Ok(declined(Reason::Voided));
    }
    cx.note_repeat();
    Ok(serde_json::from_str(&known.answer)?)
}

enum Scanned {
    /// Nothing that may pay.
    Refused(Reason),
    /// A code of this account that lived until this scan, and why it may not pay whatever the account's state.
    Live { account: AccountId, cap: i64, refused: Option<Reason> },
}

/// Reads the digits and burns what they name.
fn scan(cx: &Cx<'_>, hmac: &[u8; 32], request: &SettleRequest) -> Result<Scanned, Refused> {
    let digits = PaymentDigits::parse(request.digits.expose()).ok().filter(|it| it.issuer() == Issuer::SANDBOX);
    let burnt = burn(cx, hmac)?;
    // The purpose stands in the digits for everybody to read, so this answer says nothing about which codes live.
    let cash_in = digits.as_ref().is_some_and(|it| it.kind() == Kind::CashIn);
    let right_purpose = cx.check("code.purpose", !cash_in);
    let runs = operator::runs(cx, Switch::Settlement)?;
    let refused = if right_purpose { (!runs).then_some(Reason::Stopped) } else { Some(Reason::WrongPurpose) };
    Ok(match burnt.map_or_else(|| dead(cx, hmac), |burnt| living(cx, burnt))? {
        Some(Burnt { binding, cap, .. }) => Scanned::Live { account: binding.account, cap, refused },
        None => Scanned::Refused(refused.unwrap_or(Reason::CodeNotValid)),
    })
}

/// The code, if it and its device may still pay.
fn living(cx: &Cx<'_>, burnt: Burnt) -> Result<Option<Burnt>, Refused> {
    let (life_ms, age_ms) = (cx.policy.code.life_ms, cx.now.since(burnt.issued_at));
    let young = cx.weigh("code.life_ms", figure(life_ms), figure(age_ms), cx.now < burnt.expires_at);
    let live = cx.check("device.live", session::check(cx, burnt.binding).is_ok());
    Ok(Some(burnt).filter(|_| young && live))
}

/// Notes why nothing could be burnt. The register is not told which it was.
fn dead(cx: &Cx<'_>, hmac: &[u8; 32]) -> Result<Option<Burnt>, Refused> {
    let found: Option<(CodeState, i64)> = cx.find("SELECT state, (SELECT count(*) FROM payment_code newer WHERE newer.device = code.device AND newer.id >= code.id)
             FROM payment_code code WHERE hmac = ?", [hmac], |row| row.try_into())?;
    match found {
        None => cx.check("code.known", false),
        Some((CodeState::Replaced, newest)) => cx.weigh("code.live", cx.policy.code.live.into(), newest, false),
        Some(_) => cx.check("code.not_used", false),
    };
    Ok(None)
}

words! {
    /// What became of a code.
    CodeState {
        Live = "live",
        Burnt = "burnt",
        /// Newer codes have taken its place.
        Replaced = "replaced",
    }
}

/// A code that lived until it was scanned.
struct Burnt {
    binding: Binding,
    cap: i64,
    issued_at: Millis,
    expires_at: Millis,
}

/// Burns a live code: compare and set.
fn burn(cx: &Cx<'_>, hmac: &[u8; 32]) -> Result<Option<Burnt>, Refused> {
    let state = if cx.policy.without.code_burn { CodeState::Live } else { CodeState::Burnt };
    let burnt = cx.find(
        "UPDATE payment_code SET state = ? WHERE hmac = ? AND state = 'live'
             RETURNING account, device, epoch, cap_yen, issued_at, expires_at",
        params![state, hmac],
        |row| {
            let binding = Binding {
                account: AccountId(Uuid::from_bytes(row.get(0)?)),
                device: DeviceId(Uuid::from_bytes(row.get(1)?)),
                epoch: row.get::<_, i64>(2)?.unsigned_abs(),
            };
            Ok(Burnt { binding, cap: row.get(3)?, issued_at: millis(row.get(4)?), expires_at: millis(row.get(5)?) })
        },
    )?;
    if let Some(Burnt { binding, .. }) = &burnt {
        cx.note(|notes| (notes.account, notes.device) = (Some(binding.account), Some(binding.device)));
    }
    Ok(burnt)
}

/// Why a live code may not pay this amount now; `None` when it may.
fn decide(cx: &Cx<'_>, customer: &Customer, cap: i64, request: &SettleRequest) -> Result<Option<Reason>, Refused> {
    let yen = request.yen.get();
    if !cx.check("account.frozen", !customer.frozen) {
        return Ok(Some(Reason::AccountFrozen));
    }
    if !cx.weigh(rule::CODE_CAP, cap, yen, yen <= cap) {
        return Ok(Some(Reason::OverCap));
    }
    if !limits::allow(cx, &limits::pay(cx, customer, yen)?) {
        return Ok(Some(Reason::OverLimit));
    }
    let available = ledger::available(cx.conn, customer.yen)?;
    if !cx.weigh("account.balance_yen", available, yen, yen <= available) {
        return Ok(Some(Reason::InsufficientBalance));
    }
    Ok(None)
}

fn pay(
    cx: &Cx<'_>,
    terminal: &Terminal,
    customer: &Customer,
    request: &SettleRequest,
) -> Result<SettleAnswer, Refused> {
    let yen = request.yen.get();
    let rate = cx.policy.points.yen_a_point;
    let line = EntryLine {
        id: SettlementId(cx.new_timed_id()?),
        kind: EntryKind::Payment,
        yen,
        points: rate.and_then(|rate| yen.checked_div(rate)).unwrap_or(0),
        original: None,
        intent: None,
    };
    let merchant = ledger::merchant(cx.conn, terminal.merchant.as_str())?;
    let id = line.id.as_bytes();
    ledger::post(cx, Move { debit: customer.yen, credit: merchant, amount: yen }, id)?;
    move_points(cx, customer, line.points, &line.id)?;
    record(cx, terminal, customer, &line)?;
    if cx.policy.tell.sms_from_yen.is_some_and(|from| yen >= from) {
        let text = format!("Saifu: {} paid at {} on {}.", Yen(yen), terminal.merchant, events::spoken_time(cx));
        sms::send(cx, &customer.number_hmac, text, None)?;
    }
    Ok(SettleAnswer { result: Outcome::Approved, reason: None, settlement: Some(line.id), yen: Yen(yen) })
}

/// Moves points to the customer, or back for a negative number. They may fall below zero.
fn move_points(cx: &Cx<'_>, customer: &Customer, points: i64, id: &SettlementId) -> Result<(), Refused> {
    if points == 0 {
        return Ok(());
    }
    let issuer: LedgerAccount = ledger::named(cx.conn, "issuer:points", Unit::Points, Owner::Issuer)?;
    let (debit, credit) = if points > 0 { (issuer, customer.points) } else { (customer.points, issuer) };
    let amount = points.checked_abs().ok_or(saifu_wire::ProblemCode::Internal)?;
    ledger::post(cx, Move { debit, credit, amount }, id.as_bytes())?;
    Ok(())
}

/// A line of the history: what moved, as magnitudes.
pub(crate) struct EntryLine {
    pub(crate) id: SettlementId,
    pub(crate) kind: EntryKind,
    pub(crate) yen: i64,
    pub(crate) points: i64,
    pub(crate) original: Option<SettlementId>,
    pub(crate) intent: Option<IntentKey>,
}

/// Writes a line and its event, after the postings.
pub(crate) fn record(cx: &Cx<'_>, terminal: &Terminal, customer: &Customer, line: &EntryLine) -> Result<(), Refused> {
    cx.run(
        "INSERT INTO settlement (id, kind, account, terminal, merchant, yen, points, at, original)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            line.id.as_bytes(),
            line.kind.as_str(),
            customer.id.as_bytes(),
            terminal.name.as_str(),
            terminal.merchant.as_str(),
            line.yen,
            line.points,
            cx.ms(),
            line.original.as_ref().map(SettlementId::as_bytes)
        ],
    )?;
    let (yen, points) = match line.kind {
        EntryKind::Payment => (line.yen.saturating_neg(), line.points),
        EntryKind::TopUp => (line.yen, line.points),
        EntryKind::Refund | EntryKind::Reversal => (line.yen, line.points.saturating_neg()),
    };
    events::emit(cx, customer.id, |number| EventBody::Entry {
        entry: HistoryEntry {
            id: line.id,
            number,
            at: cx.now,
            kind: line.kind.into(),
            yen: Yen(yen),
            points: Points(points),
            merchant: Some(terminal.merchant.as_str().to_owned()),
            state: EntryState::Done.into(),
            original: line.original,
            intent: line.intent,
        },
    })?;
    Ok(())
}
