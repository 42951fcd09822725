//! Text messages: queued as rows in the transaction that decides them, never sent inside a request. In the sandbox the
//! queue is also the inbox that the levers read. At rest a message is sealed, and found by the HMAC of its number.

use rusqlite::params;
use saifu_wire::{Millis, PhoneNumber};

use super::context::millis;
use super::{Cx, Refused};

/// A text message. `Debug` masks the number and hides the text, which may carry a code.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
pub struct Sms {
    /// When it was sent.
    pub at: Millis,
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

/// Everything that was sent to a number and is still kept, oldest first.
///
/// # Errors
/// `internal` when a row cannot be read.
pub fn inbox(cx: &Cx<'_>, number: &PhoneNumber) -> Result<Vec<Sms>, Refused> {
    let hmac = cx.secrets.phone(number.as_str());
    let mut statement = cx.conn.prepare_cached("SELECT at, sealed FROM sms WHERE number_hmac = ? ORDER BY id")?;
    let mut rows = statement.query([hmac])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        let plain = cx.secrets.open(&hmac, &row.get::<_, Vec<u8>>(1)?)?;
        let Sealed { text, code } = serde_json::from_slice(plain.expose())?;
        messages.push(Sms { at: millis(row.get(0)?), number: number.clone(), text, code });
    }
    Ok(messages)
}

/// Queues a message.
pub(crate) fn send(cx: &Cx<'_>, number_hmac: &[u8; 32], text: String, code: Option<String>) -> Result<(), Refused> {
    let plain = serde_json::to_vec(&Sealed { text, code })?;
    let sealed = cx.secrets.seal(cx.random, number_hmac, &plain)?;
    cx.conn.prepare_cached("INSERT INTO sms (number_hmac, at, sealed) VALUES (?, ?, ?)")?.execute(params![
        number_hmac,
        cx.ms(),
        sealed
    ])?;
    Ok(())
}
