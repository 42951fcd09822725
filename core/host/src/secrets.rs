use saifu_crypto::Secret;

use crate::KeyError;

/// Names a sealing key. It stands in clear in the journal's header, so that files restored from a backup, rolled back or
/// brought from another phone are recognised before anything is unsealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealId {
    /// Random, made with the first sealing key of this installation.
    pub install: [u8; 16],
    /// Rises by one with each [`Secrets::renew`].
    pub generation: u64,
}

/// Wraps small secrets (the vault key) under a key that never leaves this device.
///
/// A new key comes in two steps, so that a crash never leaves a file whose only key is gone: [`renew`](Self::renew) puts
/// the next key *beside* the old one, the vault writes what it seals under the new key, and [`retire`](Self::retire)
/// then deletes every older key.
///
/// An implementation MUST
/// - return from [`unseal`](Self::unseal) exactly what was sealed, or an error, never something else: authenticated
///   encryption, and [`KeyError::Gone`] for what a retired key or another install sealed;
/// - have made a new key, or the end of an old one, durable when the call returns;
/// - never prompt, and work while the screen is locked after the first unlock;
/// - keep the keys out of every backup.
pub trait Secrets: Send + Sync {
    /// Seals up to 4 KiB under the newest key.
    ///
    /// # Errors
    /// [`KeyError::Gone`] when there is no key yet: [`renew`](Self::renew) makes one.
    fn seal(&self, plain: &Secret) -> Result<Vec<u8>, KeyError>;

    /// Opens what [`seal`](Self::seal) gave, under the newest key or an older one that was not retired yet.
    ///
    /// # Errors
    /// [`KeyError::Gone`] when the key that sealed it exists no more, or the bytes are damaged.
    fn unseal(&self, sealed: &[u8]) -> Result<Secret, KeyError>;

    /// The newest key's name; `None` before the first [`renew`](Self::renew).
    ///
    /// # Errors
    /// [`KeyError::Temporary`] when the platform does not answer: that is not the same as having no key.
    fn id(&self) -> Result<Option<SealId>, KeyError>;

    /// Makes the next sealing key; it seals from now on. Older ones still unseal.
    ///
    /// # Errors
    /// [`KeyError::Temporary`]; then nothing changed.
    fn renew(&self) -> Result<SealId, KeyError>;

    /// Deletes every key but the newest: what the older ones sealed is gone for ever. Costs little when there is none.
    ///
    /// # Errors
    /// [`KeyError::Temporary`]; then some older keys may still be there, and the call is repeated later.
    fn retire(&self) -> Result<(), KeyError>;
}
