//! The desktop's host: keys in the operating system's keyring or in one file, and the machine's clocks. The `saifu`
//! command opens it; phones bring their own hardware instead.
//!
//! Keys here are software: whoever can read the keyring entry or the file as this user has them, and the issuer counts
//! such a device as *software*. Presence is the command line's to prove: [`Keys`] has no signature by
//! the authorization key, and the prompt's caller takes [`DesktopHost::authorize`].

mod clock;
mod format;
mod store;

pub use clock::{DesktopClock, Shift};
pub use store::{KeyStore, OpenError, keyring_answers};

use std::path::Path;
use std::sync::Arc;

use crate::software::Software;
use crate::{Clock, KeyError, Platform};
use store::Place;

#[cfg(doc)]
use crate::Keys;

/// Keys and sealing of one desktop wallet. Cheap to clone.
#[derive(Clone)]
pub struct DesktopHost {
    software: Arc<Software<Place>>,
    clock: Arc<dyn Clock>,
}

impl DesktopHost {
    /// Opens the keys of the wallet in `folder`, which is made (mode 0700) if it is not there. With
    /// [`KeyStore::Keyring`] they are one entry of service `saifu` whose user is the canonical folder; with
    /// [`KeyStore::File`] they are `keys.json` (mode 0600) in it. No keys yet is fine: the wallet makes them.
    ///
    /// # Errors
    /// [`OpenError`] when the store does not answer, is readable by others or holds something else than keys.
    pub fn open(folder: &Path, store: KeyStore, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let place = Place::new(folder, store)?;
        drop(place.read()?);
        Ok(Self { software: Arc::new(Software(place)), clock })
    }

    /// What the wallet takes.
    #[must_use]
    pub fn platform(&self) -> Platform {
        Platform { keys: self.software.clone(), secrets: self.software.clone(), clock: self.clock.clone() }
    }

    /// Signs with the authorization key: ASN.1 DER over SHA-256 of the message. Call it only after the owner has seen
    /// the approval's text and agreed.
    ///
    /// # Errors
    /// [`KeyError::Gone`] when there is no such key; [`KeyError::Temporary`] when the store does not answer.
    pub fn authorize(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.software.authorize(message)
    }
}
