use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use saifu_crypto::sha256;

/// The ids of proofs that were used, for as long as their nonce could be accepted (RFC 9449 §11.1). Bounded: when a minute
/// is full, further proofs are turned away rather than an old one forgotten.
pub(super) struct Replays {
    per_minute: usize,
    seen: Mutex<BTreeMap<u64, HashSet<[u8; 32]>>>,
}

/// What a proof's id is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Never seen; remembered from now on.
    New,
    /// Used before.
    Replayed,
    /// There is no room to remember it.
    Full,
}

impl Replays {
    /// Remembers at most `per_minute` ids, 32 bytes each, for each minute of nonces.
    pub(super) fn new(per_minute: usize) -> Self {
        Self { per_minute, seen: Mutex::default() }
    }

    /// Uses the id of a proof up. `bucket` is the minute of its nonce, `now` the current one.
    pub(super) fn uses_up(&self, thumbprint: &str, jti: &str, bucket: u64, now: u64) -> Seen {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Proofs with a nonce of an earlier minute than the last are refused for their nonce.
        let live = seen.split_off(&now.saturating_sub(1));
        *seen = live;
        let ids = seen.entry(bucket).or_default();
        let id = sha256(&[thumbprint.as_bytes(), b" ", jti.as_bytes()].concat());
        if ids.contains(&id) {
            return Seen::Replayed;
        }
        if ids.len() >= self.per_minute {
            return Seen::Full;
        }
        ids.insert(id);
        Seen::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_used_once_by_each_key_in_the_window() {
        let replays = Replays::new(10);
        assert_eq!(replays.uses_up("key", "id", 5, 5), Seen::New);
        assert_eq!(replays.uses_up("key", "id", 5, 6), Seen::Replayed);
        assert_eq!(replays.uses_up("other key", "id", 5, 6), Seen::New);
    }

    #[test]
    fn a_full_minute_refuses_and_forgets_nothing() {
        let replays = Replays::new(2);
        assert_eq!(replays.uses_up("key", "a", 5, 5), Seen::New);
        assert_eq!(replays.uses_up("key", "b", 5, 5), Seen::New);
        assert_eq!(replays.uses_up("key", "c", 5, 5), Seen::Full);
        assert_eq!(replays.uses_up("key", "a", 5, 5), Seen::Replayed);
        assert_eq!(replays.uses_up("key", "c", 6, 6), Seen::New);
        assert_eq!(replays.uses_up("key", "d", 7, 7), Seen::New);
        assert_eq!(replays.seen.lock().unwrap().keys().copied().collect::<Vec<_>>(), [6, 7]);
    }
}
