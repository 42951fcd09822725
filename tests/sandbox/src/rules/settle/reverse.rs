use rusqlite::params;
use saifu_wire::messages::{EntryKind, Outcome, RefundRequest, SettleAnswer, TerminalKind, VoidRequest};
use saifu_wire::{AccountId, ProblemCode, Reason, SettlementId, Yen};
use uuid::Uuid;

use super::{Cx, EntryLine, Refused, Terminal, account, declined, move_points, record};
use crate::ledger::{self, Move};
use crate::rules::transaction::{self, Transaction, Use};

/// Reverses a settlement of this register by its transaction id: whatever was not refunded goes back. An id that has not
/// arrived is refused when it does. Repeats give the same answer.
///
/// # Errors
/// `unknown-terminal` unless a register asks.
pub fn void(cx: &Cx<'_>, terminal: &Terminal, request: &VoidRequest) -> Result<SettleAnswer, Refused> {
    terminal.require(TerminalKind::Register)?;
    cx.note_try("void", terminal, &request.txid);
    let answer = voided(cx, terminal, request)?;
    cx.note_answer(answer.result, answer.reason.as_ref(), answer.settlement);
    Ok(answer)
}

fn voided(cx: &Cx<'_>, terminal: &Terminal, request: &VoidRequest) -> Result<SettleAnswer, Refused> {
    let voided = |settlement, yen| SettleAnswer { result: Outcome::Voided, reason: None, settlement, yen: Yen(yen) };
    let Some(known) = transaction::find(cx, terminal, &request.txid)? else {
        let answer = voided(None, 0);
        let tombstone = Transaction::new(Use::Void, [0; 32], 0, serde_json::to_string(&answer)?);
        transaction::remember(cx, terminal, &request.txid, &tombstone)?;
        return Ok(answer);
    };
    match (known.used, known.second) {
        (Use::Void, _) => {
            cx.note_repeat();
            return Ok(serde_json::from_str(&known.answer)?);
        }
        (Use::Settle, Some(second)) => {
            cx.note_repeat();
            return Ok(serde_json::from_str(&second)?);
        }
        (Use::Settle, None) => {}
        (Use::Refund | Use::Atm, _) => {
            cx.check("refund.original", false);
            return Ok(declined(Reason::OriginalNotFound));
        }
    }
    let answer = match known.settlement {
        // It was declined, so there is nothing to give back; from now on it stays so.
        None => voided(None, 0),
        Some(id) => {
            let original = original(cx, terminal, id)?.ok_or(ProblemCode::Internal)?;
            let rest = original.rest();
            if !cx.weigh("refund.original_yen", original.yen, original.back_yen, rest > 0) {
                return Ok(declined(Reason::OverRefund));
            }
            cx.run("UPDATE settlement SET reversed = 1 WHERE id = ?", [id.as_bytes()])?;
            voided(Some(send_back(cx, terminal, &original, EntryKind::Reversal, rest)?), rest)
        }
    };
    transaction::remember_second(cx, terminal, &request.txid, &serde_json::to_string(&answer)?)?;
    Ok(answer)
}

/// Gives money back for a settlement of the same merchant, all refunds together at most its amount, and takes the points
/// back that the rest would not have earned. The same request under the same transaction id repeats its answer.
///
/// # Errors
/// `unknown-terminal` unless a register asks.
pub fn refund(cx: &Cx<'_>, terminal: &Terminal, request: &RefundRequest) -> Result<SettleAnswer, Refused> {
    terminal.require(TerminalKind::Register)?;
    cx.note_try("refund", terminal, &request.txid);
    let answer = refunded(cx, terminal, request)?;
    cx.note_answer(answer.result, answer.reason.as_ref(), answer.settlement);
    Ok(answer)
}

fn refunded(cx: &Cx<'_>, terminal: &Terminal, request: &RefundRequest) -> Result<SettleAnswer, Refused> {
    let yen = request.yen.get();
    let fingerprint = cx.secrets.code(&[b"refund", request.settlement.as_bytes()]);
    let known = transaction::find(cx, terminal, &request.txid)?.filter(|_| !cx.policy.without.replay_lookup);
    if let Some(known) = known {
        if !cx.check("transaction.not_reversed", known.used != Use::Void) {
            return Ok(declined(Reason::Voided));
        }
        if !cx.check("transaction.same_request", known.repeats(Use::Refund, &fingerprint, yen)) {
            return Ok(declined(Reason::TransactionReused));
        }
        cx.note_repeat();
        return Ok(serde_json::from_str(&known.answer)?);
    }
    let original = original(cx, terminal, request.settlement)?;
    cx.check("refund.original", original.is_some());
    let answer = match original {
        None => declined(Reason::OriginalNotFound),
        Some(original) if !allows(cx, &original, yen) => declined(Reason::OverRefund),
        Some(original) => SettleAnswer {
            result: Outcome::Approved,
            reason: None,
            settlement: Some(send_back(cx, terminal, &original, EntryKind::Refund, yen)?),
            yen: request.yen.yen(),
        },
    };
    let mut done = Transaction::new(Use::Refund, fingerprint, yen, serde_json::to_string(&answer)?);
    done.settlement = answer.settlement;
    transaction::remember(cx, terminal, &request.txid, &done)?;
    Ok(answer)
}

/// Whether all refunds with this one stay within the payment.
fn allows(cx: &Cx<'_>, original: &Original, yen: i64) -> bool {
    cx.note(|notes| notes.account = Some(original.account));
    cx.weigh("refund.original_yen", original.yen, original.back_yen.saturating_add(yen), yen <= original.rest())
}

/// A payment and what of it went back already.
struct Original {
    id: SettlementId,
    account: AccountId,
    yen: i64,
    points: i64,
    back_yen: i64,
    back_points: i64,
}

impl Original {
    fn rest(&self) -> i64 {
        self.yen.saturating_sub(self.back_yen)
    }

    /// The points to take back with this many yen: so many that what is kept was earned by what stays paid, rounded down.
    fn points_for(&self, yen: i64) -> Option<i64> {
        let stays = self.rest().checked_sub(yen)?;
        let kept = self.points.checked_mul(stays)?.checked_div(self.yen)?;
        self.points.checked_sub(kept)?.checked_sub(self.back_points)
    }
}

fn original(cx: &Cx<'_>, terminal: &Terminal, id: SettlementId) -> Result<Option<Original>, Refused> {
    let found = cx.find(
        "SELECT s.account, s.yen, s.points, ifnull(sum(b.yen), 0), ifnull(sum(b.points), 0)
             FROM settlement s LEFT JOIN settlement b ON b.original = s.id
             WHERE s.id = ? AND s.merchant = ? AND s.kind = 'payment' GROUP BY s.id",
        params![id.as_bytes(), terminal.merchant.as_str()],
        |row| {
            Ok(Original {
                id,
                account: AccountId(Uuid::from_bytes(row.get(0)?)),
                yen: row.get(1)?,
                points: row.get(2)?,
                back_yen: row.get(3)?,
                back_points: row.get(4)?,
            })
        },
    )?;
    Ok(found.map(|found| if cx.policy.without.refund_sum { Original { back_yen: 0, ..found } } else { found }))
}

fn send_back(
    cx: &Cx<'_>,
    terminal: &Terminal,
    original: &Original,
    kind: EntryKind,
    yen: i64,
) -> Result<SettlementId, Refused> {
    let customer = account::owner(cx, original.account)?;
    cx.note(|notes| notes.account = Some(original.account));
    let points = original.points_for(yen).ok_or(ProblemCode::Internal)?;
    let id = SettlementId(cx.new_timed_id()?);
    let merchant = ledger::merchant(cx.conn, terminal.merchant.as_str())?;
    ledger::post(cx, Move { debit: merchant, credit: customer.yen, amount: yen }, id.as_bytes())?;
    move_points(cx, &customer, points.saturating_neg(), &id)?;
    let line = EntryLine { id, kind, yen, points, original: Some(original.id), intent: None };
    record(cx, terminal, &customer, &line)?;
    Ok(id)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers in a test")]
mod tests {
    use super::*;

    fn paid(yen: i64, points: i64) -> Original {
        let id = Uuid::from_u128(1);
        Original { id: SettlementId(id), account: AccountId(id), yen, points, back_yen: 0, back_points: 0 }
    }

    proptest::proptest! {
        #[test]
        fn points_kept_never_exceed_what_the_rest_earned(parts in proptest::collection::vec(1i64..3_000, 1..8)) {
            let total: i64 = parts.iter().sum();
            let mut original = paid(total, total / 200);
            for part in parts {
                let points = original.points_for(part).unwrap();
                original.back_yen += part;
                original.back_points += points;
                let kept = original.points - original.back_points;
                proptest::prop_assert!(points >= 0 && kept >= 0 && kept <= original.rest() / 200);
            }
            proptest::prop_assert_eq!(original.points, original.back_points);
        }
    }
}
