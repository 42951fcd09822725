//! What has happened to the money.

use std::sync::Arc;

use saifu::Error;

use crate::call::{Cancel, run};
use crate::error::WalletError;
use crate::records::HistoryEntry;
use crate::screens::HistoryScreen;
use crate::shell::Shell;

/// The history on the phone. Got from [`Wallet::history`](crate::Wallet::history).
#[derive(uniffi::Object)]
pub struct History {
    pub(crate) shell: Arc<Shell>,
}

#[uniffi::export]
impl History {
    /// The newest entries, newest first, at most `limit`. Works without a network.
    ///
    /// # Errors
    /// `InvalidInput`: a limit below 0. `NotSignedUp`, `Locked`, `Vault`.
    pub async fn newest(&self, limit: i32, cancel: Option<Arc<Cancel>>) -> Result<HistoryScreen, WalletError> {
        run("newest", &self.shell, cancel, async move |wallet| {
            let limit =
                usize::try_from(limit).map_err(|_| Error::InvalidInput("A number of entries is not below 0."))?;
            let saifu::History { entries, incomplete } = wallet.history(limit).await?;
            Ok(HistoryScreen { entries: entries.into_iter().map(HistoryEntry::from).collect(), incomplete })
        })
        .await
    }
}
