use std::sync::Arc;

use saifu_crypto::KeyPair;
use saifu_host::Keys;
use saifu_wire::signed::Binding;
use saifu_wire::{Millis, Sensitive};

/// Who this device is, and the keys that prove it.
#[derive(Clone)]
pub struct Credentials {
    /// Account, device and epoch.
    pub binding: Binding,
    /// The host's keys; the device key certifies sessions.
    pub keys: Arc<dyn Keys>,
}

/// An open session. The session key is the proof key of the link.
pub(crate) struct Session {
    pub(crate) id: Sensitive,
    pub(crate) ends_at: Millis,
    pub(crate) token: Sensitive,
    pub(crate) token_ends_at: Millis,
}

impl Session {
    /// The share of a lifetime that is left unused, so that a token does not die on its way.
    const MARGIN_MS: u64 = 15_000;

    pub(crate) fn token_is_good(&self, now: Millis) -> bool {
        now.plus(Self::MARGIN_MS) < self.token_ends_at
    }

    pub(crate) fn is_good(&self, now: Millis) -> bool {
        now.plus(Self::MARGIN_MS) < self.ends_at
    }
}

/// The key that proves possession in every request: a session key of a device, or a terminal's own key.
pub(crate) struct ProofKey {
    pub(crate) pair: KeyPair,
    pub(crate) thumbprint: String,
}

impl ProofKey {
    pub(crate) fn new(pair: KeyPair) -> Self {
        Self { thumbprint: saifu_wire::dpop::thumbprint(pair.public_key()), pair }
    }
}
