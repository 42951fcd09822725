//! Cash at an ATM: number and in-app TOTP are checked, then the cash that was counted ends the hold. Whatever is wrong
//! with number or code, the answer is one and the same; three wrong codes kill the number.

use rusqlite::params;
use saifu_code::luhn;
use saifu_wire::messages::{
    AtmAuthorizeAnswer, AtmAuthorizeRequest, AtmDepositRequest, EntryKind, NoticeKind, Outcome, SettleAnswer, Switch,
    TerminalKind,
};
use saifu_wire::{Millis, ProblemCode, Reason, SettlementId, Yen};

use super::context::{figure, ms};
use super::settle::{EntryLine, record};
use super::top_up::{self, Held, HeldState};
use super::transaction::{self, Transaction, Use, declined};
use super::{Cx, Refused, Terminal, account, activation, events, operator};
use crate::ledger::{self, GivenBack};

const NUMBER_LEN: usize = 12;

/// Checks a customer before cash is taken. The same request under the same transaction id repeats its answer.
///
/// # Errors
/// `unknown-terminal` unless an ATM asks. Everything else is an answer.
pub fn authorize(
    cx: &Cx<'_>,
    terminal: &Terminal,
    request: &AtmAuthorizeRequest,
) -> Result<AtmAuthorizeAnswer, Refused> {
    terminal.require(TerminalKind::Atm)?;
    cx.note_try("atm-authorize", terminal, &request.txid);
    let answer = authorized(cx, terminal, request)?;
    cx.note_answer(answer.result, answer.reason.as_ref(), None);
    Ok(answer)
}

fn authorized(cx: &Cx<'_>, terminal: &Terminal, request: &AtmAuthorizeRequest) -> Result<AtmAuthorizeAnswer, Refused> {
    let number = request.number.expose();
    let fingerprint = cx.secrets.atm(&[b"asked", number.as_bytes(), b"/", request.totp.expose().as_bytes()]);
    let known = transaction::find(cx, terminal, &request.txid)?.filter(|_| !cx.policy.without.replay_lookup);
    if let Some(known) = known {
        if !cx.check("transaction.same_request", known.repeats(Use::Atm, &fingerprint, 0)) {
            return Ok(refuse(Reason::TransactionReused));
        }
        cx.note_repeat();
        return Ok(serde_json::from_str(&known.answer)?);
    }
    let (answer, top_up) = match decide(cx, request)? {
        Err(reason) => (refuse(reason), None),
        Ok(held) => {
            let until = cx.now.plus(cx.policy.atm.deposit_ms);
            cx.run("UPDATE top_up SET state = 'authorized', expires_at = ? WHERE id = ?", params![ms(until), held.id])?;
            (approve(held.yen, until), Some(held.id))
        }
    };
    let mut done = Transaction::new(Use::Atm, fingerprint, 0, serde_json::to_string(&answer)?);
    done.top_up = top_up;
    transaction::remember(cx, terminal, &request.txid, &done)?;
    Ok(answer)
}

fn refuse(reason: Reason) -> AtmAuthorizeAnswer {
    AtmAuthorizeAnswer { result: Outcome::Declined, reason: Some(reason.into()), yen: Yen(0), until: None }
}

fn approve(yen: i64, until: Millis) -> AtmAuthorizeAnswer {
    AtmAuthorizeAnswer { result: Outcome::Approved, reason: None, yen: Yen(yen), until: Some(until) }
}

/// The hold that may take cash now, or why not.
fn decide(cx: &Cx<'_>, request: &AtmAuthorizeRequest) -> Result<Result<Held, Reason>, Refused> {
    if !operator::runs(cx, Switch::TopUpAtm)? {
        return Ok(Err(Reason::Stopped));
    }
    let number = request.number.expose();
    let held = if is_number(number) { top_up::by_number(cx, number)? } else { None };
    if let Some(held) = &held {
        note_held(cx, held);
    }
    cx.check("atm.number", held.is_some());
    let Some(held) = held.filter(|held| number_lives(cx, held)) else {
        return Ok(Err(Reason::NumberOrCodeNotValid));
    };
    let right = activation::take_totp(cx, held.device, request.totp.expose())?;
    if !cx.check("atm.totp", right) {
        wrong_try(cx, &held)?;
        return Ok(Err(Reason::NumberOrCodeNotValid));
    }
    if !cx.check("account.frozen", !account::owner(cx, held.account)?.frozen) {
        return Ok(Err(Reason::AccountFrozen));
    }
    Ok(Ok(held))
}

/// Whose top-up it is about.
fn note_held(cx: &Cx<'_>, held: &Held) {
    cx.note(|notes| {
        (notes.account, notes.device, notes.intent) = (Some(held.account), Some(held.device), Some(held.key));
    });
}

/// Whether the number may still be typed, with the rule that ended it.
fn number_lives(cx: &Cx<'_>, held: &Held) -> bool {
    let (tries, most) = (held.wrong_tries, cx.policy.atm.tries);
    let (age_ms, life_ms) = (cx.now.since(held.at), cx.policy.atm.number_ms);
    // An approval gives a number another end, so one that was approved and then expired shows here too.
    let used = matches!(held.state, HeldState::Done | HeldState::Authorized) || held.expires_at != held.first_expiry;
    cx.check("atm.number_not_used", !used)
        && cx.weigh("atm.tries", most.into(), tries.into(), tries < most)
        && cx.weigh(
            "atm.number_ms",
            figure(life_ms),
            figure(age_ms),
            held.state == HeldState::Awaiting && cx.now < held.expires_at,
        )
}

/// Whether cash may still be posted under an approval.
fn approval_lives(cx: &Cx<'_>, held: &Held) -> bool {
    let life_ms = cx.policy.atm.deposit_ms;
    let age_ms = cx.now.since(held.expires_at.minus(life_ms));
    let fresh = held.state == HeldState::Authorized && cx.now < held.expires_at;
    cx.check("atm.number_not_used", held.state != HeldState::Done)
        && cx.weigh("atm.deposit_ms", figure(life_ms), figure(age_ms), fresh)
}

fn is_number(text: &str) -> bool {
    let (digits, check) = text.as_bytes().split_at(text.len().saturating_sub(1));
    text.len() == NUMBER_LEN && luhn(digits).is_some_and(|expected| check == [expected])
}

fn wrong_try(cx: &Cx<'_>, held: &Held) -> Result<(), Refused> {
    cx.run("UPDATE top_up SET wrong_tries = wrong_tries + 1 WHERE id = ?", [held.id])?;
    let tries = held.wrong_tries.saturating_add(1);
    if cx.weigh("atm.tries", cx.policy.atm.tries.into(), tries.into(), tries < cx.policy.atm.tries) {
        return Ok(());
    }
    top_up::give_back(cx, held, GivenBack::Voided)?;
    let text = format!(
        "On {} a wrong code was entered {} times for your ATM number. The number is dead and nothing was topped up. \
         If it was not you, freeze the account in the app or call support.",
        events::spoken_time(cx),
        cx.policy.atm.tries
    );
    events::tell(cx, &account::owner(cx, held.account)?, NoticeKind::Security, text, true)
}

/// Posts the cash taken under an approval of this ATM; the rest of the hold is given back. A repeat with the same amount
/// repeats the answer. Declining leaves the approval as it was, so that less cash may still be posted.
///
/// # Errors
/// `unknown-terminal` unless an ATM asks.
pub fn deposit(cx: &Cx<'_>, terminal: &Terminal, request: &AtmDepositRequest) -> Result<SettleAnswer, Refused> {
    terminal.require(TerminalKind::Atm)?;
    cx.note_try("atm-deposit", terminal, &request.txid);
    let answer = deposited(cx, terminal, request)?;
    cx.note_answer(answer.result, answer.reason.as_ref(), answer.settlement);
    Ok(answer)
}

fn deposited(cx: &Cx<'_>, terminal: &Terminal, request: &AtmDepositRequest) -> Result<SettleAnswer, Refused> {
    let Some(known) = transaction::find(cx, terminal, &request.txid)? else {
        cx.check("atm.approval", false);
        return Ok(declined(Reason::NotAuthorized));
    };
    if !cx.check("transaction.same_request", known.used == Use::Atm) {
        return Ok(declined(Reason::TransactionReused));
    }
    let posted: Option<SettleAnswer> = known.second.as_deref().map(serde_json::from_str).transpose()?;
    if let Some(posted) = posted.filter(|_| !cx.policy.without.replay_lookup) {
        let same = cx.check("transaction.same_request", posted.yen == request.yen.yen());
        cx.note(|notes| notes.repeat = same);
        return Ok(if same { posted } else { declined(Reason::TransactionReused) });
    }
    let held = known.top_up.map(|id| top_up::by_id(cx, id)).transpose()?;
    if let Some(held) = &held {
        note_held(cx, held);
    }
    cx.check("atm.approval", held.is_some());
    let Some(held) = held.filter(|held| approval_lives(cx, held)) else {
        return Ok(declined(Reason::NotAuthorized));
    };
    if !operator::runs(cx, Switch::TopUpAtm)? {
        return Ok(declined(Reason::Stopped));
    }
    let yen = request.yen.get();
    if !cx.weigh("atm.approved_yen", held.yen, yen, yen <= held.yen) {
        return Ok(declined(Reason::AmountTooLarge));
    }
    let answer = post(cx, terminal, &held, yen)?;
    transaction::remember_second(cx, terminal, &request.txid, &serde_json::to_string(&answer)?)?;
    Ok(answer)
}

fn post(cx: &Cx<'_>, terminal: &Terminal, held: &Held, yen: i64) -> Result<SettleAnswer, Refused> {
    let customer = account::owner(cx, held.account)?;
    let id = SettlementId(cx.new_timed_id()?);
    ledger::post_held(cx, held.posting, yen, id.as_bytes())?.ok_or(ProblemCode::Internal)?;
    let first: bool = cx.row(
        "SELECT NOT EXISTS (SELECT 1 FROM top_up WHERE account = ? AND state = 'done')",
        [held.account.as_bytes()],
        |row| row.get(0),
    )?;
    cx.run("UPDATE top_up SET state = 'done', posted_yen = ? WHERE id = ?", params![yen, held.id])?;
    let line = EntryLine { id, kind: EntryKind::TopUp, yen, points: 0, original: None, intent: Some(held.key) };
    record(cx, terminal, &customer, &line)?;
    let tell = &cx.policy.tell;
    let by_sms = first && tell.sms_first_top_up || tell.sms_from_yen.is_some_and(|from| yen >= from);
    let text = format!(
        "{} topped up with cash at {} on {}. If it was not you, freeze the account in the app or call support.",
        Yen(yen),
        terminal.merchant,
        events::spoken_time(cx)
    );
    events::tell(cx, &customer, NoticeKind::Money, text, by_sms)?;
    Ok(SettleAnswer { result: Outcome::Approved, reason: None, settlement: Some(id), yen: Yen(yen) })
}
