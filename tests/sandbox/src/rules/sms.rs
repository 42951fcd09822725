//! Text messages: queued as rows in the transaction that decides them, never sent inside a request. In the sandbox the
//! queue is also the inbox that the control API reads: from the time on at which the message arrives, for whoever holds the number
//! then. At rest a message is sealed, and found by the HMAC of its number.

use rusqlite::params;
use saifu_wire::{Millis, PhoneNumber, Problem, ProblemCode};

use super::context::{millis, ms};
use super::{Cx, Refused, world};

/// A text message. `Debug` masks the number and hides the text, which may carry a code.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
pub struct Sms {
    /// When it was sent.
    pub at: Millis,
    /// When it arrived.
    pub arrived_at: Millis,
    /// To whom.
    pub number: PhoneNumber,
    /// What it says.
    pub text: String,
    /// The code in it, if it carries one.
    pub code: Option<String>,
}

impl std::fmt::Debug for Sms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sms({:?} at {})", self.number, self.at.0)
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Sealed {
    text: String,
    code: Option<String>,
}

/// Everything that arrived at a number while its present holder had it and that is still kept, in the order of arrival.
///
/// # Errors
/// `internal` when a row cannot be read.
pub fn inbox(cx: &Cx<'_>, number: &PhoneNumber) -> Result<Vec<Sms>, Refused> {
    inbox_of(cx, number, None)
}

/// The same for one of its holders, the first being 1; the present one for `None`.
///
/// # Errors
/// `invalid-request` for a holder that the number has not had, `internal` when a row cannot be read.
pub fn inbox_of(cx: &Cx<'_>, number: &PhoneNumber, holder: Option<usize>) -> Result<Vec<Sms>, Refused> {
    let hmac = cx.secrets.phone(number.as_str());
    let handovers = world::handovers(cx, &hmac)?;
    let present = handovers.len().saturating_add(1);
    let wanted = holder.unwrap_or(present);
    if !(1..=present).contains(&wanted) {
        let detail = format!("holder: the number's holders are 1 to {present}");
        return Err(Problem::new(ProblemCode::InvalidRequest).detail(detail).into());
    }
    let mut statement = cx.conn.prepare_cached(
        "SELECT id, at, arrives_at, sealed FROM sms WHERE number_hmac = ? AND arrives_at <= ? ORDER BY arrives_at, id",
    )?;
    let mut rows = statement.query(params![hmac, cx.ms()])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, arrived_at) = (row.get(0)?, millis(row.get(2)?));
        let had_it = handovers.iter().filter(|handover| handover.before(arrived_at, id)).count().saturating_add(1);
        if had_it != wanted {
            continue;
        }
        let plain = cx.secrets.open(&hmac, &row.get::<_, Vec<u8>>(3)?)?;
        let Sealed { text, code } = serde_json::from_slice(plain.expose())?;
        messages.push(Sms { at: millis(row.get(1)?), arrived_at, number: number.clone(), text, code });
    }
    Ok(messages)
}

/// Queues a message, unless the world loses it.
pub(crate) fn send(cx: &Cx<'_>, number_hmac: &[u8; 32], text: String, code: Option<String>) -> Result<(), Refused> {
    let Some(arrives_at) = world::arrival(cx, number_hmac)? else { return Ok(()) };
    let plain = serde_json::to_vec(&Sealed { text, code })?;
    let sealed = cx.secrets.seal(cx.random, number_hmac, &plain)?;
    cx.run(
        "INSERT INTO sms (number_hmac, at, arrives_at, sealed) VALUES (?, ?, ?, ?)",
        params![number_hmac, cx.ms(), ms(arrives_at), sealed],
    )?;
    Ok(())
}
