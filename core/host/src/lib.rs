//! What a phone or a desktop gives the wallet: hardware-bound keys, a sealing key and a clock, as one [`Platform`] record
//! of three traits. Each trait has a desktop implementation (feature `desktop`), a test double (feature `doubles`) and
//! shares one conformance suite that every implementation passes, the shells' included.
//!
//! *Invariants.* Nothing here knows the issuer, a message or a file format of the vault. Traits are synchronous: a shell
//! may block in them (a Keystore call takes milliseconds), so the core calls them off its async workers and never while it
//! holds a lock.

mod clock;
mod keys;
mod secrets;

pub use clock::{Clock, Reading};
pub use keys::{KeyInfo, Keys, Role};
pub use secrets::{SealId, Secrets};

use std::sync::Arc;

/// Everything the core takes from where it runs. Cheap to clone; there are no globals.
#[derive(Clone)]
pub struct Platform {
    /// Device and authorization keys.
    pub keys: Arc<dyn Keys>,
    /// The sealing key.
    pub secrets: Arc<dyn Secrets>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Why a host could not use a key. Only an explicit word of the platform means [`KeyError::Gone`]; nothing is wiped on
/// the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Try again: the platform was busy, locked or failed for no lasting reason.
    #[error("the key store did not answer; try again")]
    Temporary,
    /// The owner declined the prompt.
    #[error("the owner declined")]
    UserDeclined,
    /// The device has no screen lock, so the key cannot be used.
    #[error("the device has no screen lock")]
    NoScreenLock,
    /// The platform says that the key does not exist any more.
    #[error("the key is gone")]
    Gone,
}
