//! What ends by itself: holds whose time is over, and rows that nobody may use any more. The listeners run it every second
//! of the issuer's time; the rules that depend on a hold end overdue ones themselves, so no decision waits for it.

use rusqlite::params;
use saifu_wire::{AccountId, Millis};

use super::context::ms;
use super::notes::Ended;
use super::{Cx, Refused, top_up};
use crate::ledger::GivenBack;

/// Something that ended by itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// When it was due.
    pub at: Millis,
    /// What ended.
    pub what: String,
}

/// Ends everything that is due, oldest first, and tells what. Removing dead rows is not told.
///
/// # Errors
/// `internal`.
pub fn run(cx: &Cx<'_>) -> Result<Vec<Done>, Refused> {
    cx.run("UPDATE clock SET latest = max(latest, ?)", [cx.ms()])?;
    let done = end_holds(cx, None)?;
    let codes = ms(cx.now.minus(cx.policy.keep.codes_ms));
    cx.run("DELETE FROM payment_code WHERE expires_at < ?", [codes])?;
    cx.run("DELETE FROM intent_nonce WHERE expires_at < ?", [codes])?;
    // A phone that comes back later finds none and agrees anew.
    let pending = "DELETE FROM activation WHERE state = 'pending' AND alias_until < ?";
    cx.run(pending, [cx.ms()])?;
    let sign_ups = ms(cx.now.minus(cx.policy.keep.sign_ups_ms));
    cx.run("DELETE FROM sign_up WHERE at < ?", params![sign_ups])?;
    cx.run("DELETE FROM sms WHERE arrives_at < ?", params![sign_ups])?;
    Ok(done)
}

/// Ends the holds whose time is over, of one account or of all.
pub(crate) fn end_holds(cx: &Cx<'_>, account: Option<AccountId>) -> Result<Vec<Done>, Refused> {
    let mut done = Vec::new();
    for held in top_up::overdue(cx, account)? {
        let before = cx.notes.borrow().postings.len();
        top_up::give_back(cx, &held, GivenBack::Expired)?;
        cx.note(|notes| {
            let postings = notes.postings.split_off(before);
            notes.ended.push(Ended { due_at: held.expires_at, account: held.account, intent: held.key, postings });
        });
        done.push(Done { at: held.expires_at, what: format!("top-up {} expired", held.key) });
    }
    Ok(done)
}
