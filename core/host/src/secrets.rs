use saifu_crypto::Secret;

use crate::KeyError;

/// Names the sealing key in use. It stands in clear in the journal's header, so that files restored from a backup, rolled
/// back or brought from another phone are recognised before anything is unsealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealId {
    /// Random, made with the first sealing key of this installation.
    pub install: [u8; 16],
    /// Rises by one with each [`Secrets::renew`].
    pub generation: u64,
}

/// Wraps small secrets (the vault key) under a key that never leaves this device.
///
/// An implementation MUST
/// - return from [`unseal`](Self::unseal) exactly what was sealed, or an error, never something else: authenticated
///   encryption, and [`KeyError::Gone`] for what an older generation or another install sealed;
/// - never prompt, and work while the screen is locked after the first unlock;
/// - keep the key out of every backup.
pub trait Secrets: Send + Sync {
    /// Seals up to 4 KiB under the current key.
    ///
    /// # Errors
    /// [`KeyError::Gone`] when there is no key yet: [`renew`](Self::renew) makes one.
    fn seal(&self, plain: &Secret) -> Result<Vec<u8>, KeyError>;

    /// Opens what [`seal`](Self::seal) gave.
    ///
    /// # Errors
    /// [`KeyError::Gone`] when the key that sealed it exists no more, or the bytes are damaged.
    fn unseal(&self, sealed: &[u8]) -> Result<Secret, KeyError>;

    /// The current key's name; `None` before the first [`renew`](Self::renew).
    fn id(&self) -> Option<SealId>;

    /// Makes a new sealing key and deletes the old one: what the old one sealed is gone for ever.
    ///
    /// # Errors
    /// [`KeyError::Temporary`]; then the old key is still in place.
    fn renew(&self) -> Result<SealId, KeyError>;
}
