//! A persona's host: a desktop's, whose keys fail as often as a step says. `driver` opens it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use saifu_host::desktop::{DesktopHost, KeyStore, OpenError};
use saifu_host::{Clock, KeyError, KeyInfo, Keys, Platform, Role};

/// A host. Cheap to clone.
#[derive(Clone)]
pub(super) struct Host {
    desktop: DesktopHost,
    keys: Arc<Failing>,
}

/// Keys of which the next few signatures may fail.
struct Failing {
    keys: Arc<dyn Keys>,
    /// How, and how often still.
    due: Mutex<(KeyError, u64)>,
}

impl Host {
    /// Opens the keys in this folder, or makes it.
    pub(super) fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let desktop = DesktopHost::open(folder, KeyStore::File, clock)?;
        let keys = Failing { keys: desktop.platform().keys, due: Mutex::new((KeyError::Temporary, 0)) };
        Ok(Self { desktop, keys: Arc::new(keys) })
    }

    /// What the wallet takes.
    pub(super) fn platform(&self) -> Platform {
        Platform { keys: self.keys.clone(), ..self.desktop.platform() }
    }

    /// The next so many signatures, by whichever key, fail like this.
    pub(super) fn fail(&self, how: KeyError, times: u64) {
        *self.keys.due.lock().unwrap_or_else(PoisonError::into_inner) = (how, times);
    }

    /// Signs as the owner who agreed.
    pub(super) fn authorize(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.keys.met()?;
        self.desktop.authorize(message)
    }
}

impl Failing {
    fn met(&self) -> Result<(), KeyError> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let (how, left) = *due;
        due.1 = left.saturating_sub(1);
        if left > 0 { Err(how) } else { Ok(()) }
    }
}

impl Keys for Failing {
    fn create(&self, role: Role) -> Result<KeyInfo, KeyError> {
        self.keys.create(role)
    }

    fn info(&self, role: Role) -> Result<KeyInfo, KeyError> {
        self.keys.info(role)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.met()?;
        self.keys.sign(message)
    }

    fn delete(&self, role: Role) -> Result<(), KeyError> {
        self.keys.delete(role)
    }
}
