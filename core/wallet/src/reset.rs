//! Beginning anew on this phone: files and keys go, the account itself stays with the issuer. It is the way out wherever
//! nothing else leads on: keys that the issuer knows as another account's, files that do not open.

use std::path::Path;
use std::sync::Arc;

use saifu_host::{KeyError, Platform, Role};
use saifu_vault::{FolderDisk, Journal};

use crate::wallet::Inner;
use crate::{Error, OpenError, Wallet};

impl Wallet {
    /// Deletes everything that this wallet has on this phone, keys included, and goes on as an empty one. The shell asks the
    /// owner first. Refused while it is not known what became of an approved top-up, since nothing here could find out any
    /// more, unless the owner `insist`s; of a locked wallet it is never known.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when money is unknown: nothing was touched. [`Error::Key`], [`Error::Vault`]: the wallet is as
    /// it was, or empty; repeat it.
    pub async fn reset(&self, insist: bool) -> Result<(), Error> {
        let inner = &self.0;
        let unknown = inner.store.read(|state| state.money_is_unknown()).unwrap_or(true);
        if unknown && !insist {
            return Err(Error::InvalidInput(
                "It is not known yet what became of a top-up. Connect and refresh first, or insist.",
            ));
        }
        // Whoever works on it finishes first; whoever comes later finds it locked.
        self.close().await;
        let held = inner.cache.closed().await;
        let resetting = Arc::clone(inner);
        let done = inner.blocking(move || resetting.erase()).await;
        drop(held);
        // Whatever came of it, the wallet goes on with what is there.
        let opened = self.unlock();
        done?;
        Ok(opened?)
    }

    /// The same for a wallet in a folder that does not open, whatever the reason. Deletes files and keys.
    ///
    /// # Errors
    /// [`OpenError`]: repeat it; `in-use` when the wallet is open.
    pub fn erase(platform: &Platform, folder: &Path) -> Result<(), OpenError> {
        let disk = FolderDisk::open(folder)?;
        Journal::destroy(&disk, &*platform.secrets)?;
        delete_keys(platform).map_err(|error| OpenError::Vault(error.into()))
    }
}

impl Inner {
    fn erase(&self) -> Result<(), Error> {
        self.store.erase(&*self.platform.secrets)?;
        self.codes().clear();
        Ok(delete_keys(&self.platform)?)
    }
}

/// After the files: should this be cut short, the next sign-up uses the same keys, and another reset deletes them.
fn delete_keys(platform: &Platform) -> Result<(), KeyError> {
    platform.keys.delete(Role::Authorization)?;
    platform.keys.delete(Role::Device)
}
