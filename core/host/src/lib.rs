//! What a phone or a desktop gives the wallet: hardware-bound keys, a sealing key and a clock, as one [`Platform`] record
//! of three traits. Each trait has a desktop implementation (feature `desktop`), a test double (feature `doubles`) and
//! shares one conformance suite that every implementation passes, the shells' included.
//!
//! *Invariants.* Nothing here knows the issuer, a message or a file format of the vault. Traits are synchronous: a shell
//! may block in them (a Keystore call takes milliseconds), so the core calls them off its async workers and never while it
//! holds a lock.
//!
//! ```
//! use std::sync::Arc;
//! use saifu_host::doubles::{ManualClock, MemoryHost};
//! use saifu_host::conformance::{Subject, Suite};
//! use saifu_host::Role;
//! use saifu_crypto::Secret;
//!
//! // A wallet gets its host as one record. This one is a double; a desktop opens `desktop::DesktopHost` instead.
//! let host = MemoryHost::new();
//! let clock = Arc::new(ManualClock::new(1_760_000_000_000));
//! let platform = host.platform(clock.clone());
//!
//! let device = platform.keys.create(Role::Device)?;
//! let signature = platform.keys.sign(b"a session certificate")?;
//! assert!(device.public_key.verify_der(b"a session certificate", &signature).is_ok());
//!
//! platform.secrets.renew()?;
//! let sealed = platform.secrets.seal(&Secret::copy_of(b"the vault key"))?;
//! assert_eq!(platform.secrets.unseal(&sealed)?.expose(), b"the vault key");
//!
//! // Whoever writes a host hands it to the same suite.
//! let authorize = |message: &[u8]| host.authorize(message);
//! let pause = |ms| clock.advance(ms);
//! Suite::Keys.check(&Subject { open: &|| platform.clone(), authorize: &authorize, pause: &pause })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clock;
#[cfg(feature = "doubles")]
pub mod conformance;
#[cfg(feature = "desktop")]
pub mod desktop;
#[cfg(feature = "doubles")]
pub mod doubles;
mod keys;
mod secrets;
#[cfg(any(feature = "desktop", feature = "doubles"))]
mod software;

pub use clock::{Clock, Reading};
pub use keys::{KeyInfo, Keys, Role};
pub use secrets::{SealId, Secrets};

// What the traits speak of, for whoever implements them.
pub use saifu_crypto::{PublicKey, Secret};

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

impl KeyError {
    /// Every one.
    pub const ALL: &[Self] = &[Self::Temporary, Self::UserDeclined, Self::NoScreenLock, Self::Gone];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::UserDeclined => "user-declined",
            Self::NoScreenLock => "no-screen-lock",
            Self::Gone => "gone",
        }
    }
}
