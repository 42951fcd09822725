//! How the wallet's records are written: types of our own, apart from the issuer's API and from what is held in memory, so
//! that either may grow without a wallet that no longer opens.
//!
//! *The state* in the journal is a big-endian u16 version, then postcard of that version's record. A version that was released
//! is frozen in a module of its own with its fixture, and opens for ever: reading goes from the version found to the newest,
//! one step after the other, in memory. The next commit writes the newest version; it replaces the whole state in one append,
//! so a migration that is interrupted has not happened. What a newer version of the app wrote is
//! [`Newer`](OpenError::Newer), whatever is in it.
//!
//! *A line of the history* in the cache carries its version as the record's schema, and is read in the version it was written
//! in. One that this version does not know, or that makes no sense, is fetched again.
//!
//! Words of the issuer (a standing, a kind, a channel) are written as words, so one that this version does not know survives.

#[cfg(test)]
mod tests;
mod v1;
mod v2;

use saifu_crypto::Secret;
use saifu_vault::MAX_STATE;
use saifu_wire::messages::HistoryEntry;
use zeroize::Zeroizing;

use crate::state::State;
use crate::{Error, OpenError};

/// The version that is written.
const VERSION: u16 = 2;
const VERSION_LEN: usize = 2;

/// A record of an earlier version, or of this one, makes no sense.
pub(crate) struct Nonsense;

pub(crate) fn write(state: &State) -> Result<Secret, Error> {
    // As long as the longest state from the start: a buffer that grows would leave copies of secrets behind.
    let mut buffer = Zeroizing::new(vec![0; VERSION_LEN.saturating_add(MAX_STATE)]);
    let (version, body) = buffer.split_at_mut(VERSION_LEN);
    version.copy_from_slice(&VERSION.to_be_bytes());
    let len =
        postcard::to_slice(&v2::State::from(state), body).map_err(|_| Error::Bug("the state does not encode"))?.len();
    buffer.truncate(VERSION_LEN.saturating_add(len));
    Ok(Secret::copy_of(&buffer))
}

pub(crate) fn read(secret: &Secret) -> Result<State, OpenError> {
    let (version, body) = secret.expose().split_first_chunk::<VERSION_LEN>().ok_or(OpenError::Damaged)?;
    let newest = match u16::from_be_bytes(*version) {
        1 => postcard::from_bytes::<v1::State>(body).map(v2::State::from).map_err(|_| Nonsense),
        2 => postcard::from_bytes::<v2::State>(body).map_err(|_| Nonsense),
        0 => Err(Nonsense),
        found => return Err(OpenError::Newer { found }),
    };
    newest.and_then(State::try_from).map_err(|Nonsense| OpenError::Damaged)
}

/// The schema under which lines of the history are written.
pub(crate) const ENTRY_SCHEMA: u16 = 2;

pub(crate) fn write_entry(entry: &HistoryEntry) -> Result<Vec<u8>, Error> {
    postcard::to_stdvec(&v2::Entry::from(entry)).map_err(|_| Error::Bug("an entry does not encode"))
}

/// `None`: written by a newer version, or nonsense. It is fetched again.
pub(crate) fn read_entry(schema: u16, value: &[u8]) -> Option<HistoryEntry> {
    let entry = match schema {
        1 => postcard::from_bytes::<v1::Entry>(value).map(v2::Entry::from).ok()?,
        2 => postcard::from_bytes::<v2::Entry>(value).ok()?,
        _ => return None,
    };
    HistoryEntry::try_from(entry).ok()
}
