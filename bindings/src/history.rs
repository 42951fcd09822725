//! What has happened to the money.

use std::sync::Arc;

use crate::call::{Cancel, run};
use crate::error::WalletError;
use crate::records::HistoryEntry;
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
    /// `NotSignedUp`, `Locked`, `Vault`.
    pub async fn newest(&self, limit: u32, cancel: Option<Arc<Cancel>>) -> Result<Vec<HistoryEntry>, WalletError> {
        run("newest", &self.shell, cancel, async move |wallet| {
            let entries = wallet.history(usize::try_from(limit).unwrap_or(usize::MAX)).await?;
            Ok(entries.into_iter().map(HistoryEntry::from).collect())
        })
        .await
    }
}
