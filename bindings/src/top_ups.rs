//! Topping up: prepare, let the owner approve and sign, send.

use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use saifu::{Amount, Channel, Error};

use crate::call::{Cancel, guarded, run};
use crate::error::WalletError;
use crate::live::{APPROVALS, Token};
use crate::records::TopUp;
use crate::screens::PendingEntry;
use crate::shell::{ApprovalSlot, Shell};
use crate::values::time;

/// Top-ups. Got from [`Wallet::top_ups`](crate::Wallet::top_ups).
#[derive(uniffi::Object)]
pub struct TopUps {
    pub(crate) shell: Arc<Shell>,
}

#[uniffi::export]
impl TopUps {
    /// Prepares a top-up with cash at an ATM, 1 to 9,999,999 yen. Nothing moves yet.
    ///
    /// # Errors
    /// `InvalidInput`: no such amount. `NotSignedUp`, `Locked`, `Key`, `Refused`; network errors.
    pub async fn prepare_atm(&self, yen: i64, cancel: Option<Arc<Cancel>>) -> Result<Arc<Approval>, WalletError> {
        let shell = Arc::clone(&self.shell);
        run("prepare_atm", &self.shell, cancel, async move |wallet| {
            let yen = Amount::new(yen).ok_or(Error::InvalidInput("An amount is 1 to 9,999,999 yen."))?;
            let approval = wallet.top_up(Channel::Atm, yen).await?;
            let (message, text) = (approval.message().to_vec(), approval.text().to_owned());
            let (intent, expires_at) = (approval.key().to_string(), time(approval.expires_at()));
            let slot = shell.keep(approval);
            Ok(Arc::new(Approval { shell, slot, message, text, intent, expires_at, _live: APPROVALS.token() }))
        })
        .await
    }

    /// What is not finished. Works without a network.
    ///
    /// # Errors
    /// `Locked` after closing.
    pub fn pending(&self) -> Result<Vec<PendingEntry>, WalletError> {
        guarded("pending", || Ok(self.shell.wallet()?.pending().into_iter().map(PendingEntry::from).collect()))
    }
}

/// A top-up that waits for the owner. The shell shows `text`, has `signing_bytes` signed by the authorization key behind its prompt,
/// and hands the signature to `confirm`.
#[derive(uniffi::Object)]
pub struct Approval {
    shell: Arc<Shell>,
    slot: Arc<ApprovalSlot>,
    message: Vec<u8>,
    text: String,
    intent: String,
    expires_at: SystemTime,
    _live: Token,
}

#[uniffi::export]
impl Approval {
    /// What the owner reads beside the prompt.
    #[must_use]
    pub fn text(&self) -> String {
        self.text.clone()
    }

    /// The exact bytes that the authorization key signs (ECDSA P-256 with SHA-256, DER).
    #[must_use]
    pub fn signing_bytes(&self) -> Vec<u8> {
        self.message.clone()
    }

    /// The key that this intent has from now on.
    #[must_use]
    pub fn intent(&self) -> String {
        self.intent.clone()
    }

    /// It is worth nothing from then on.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// Records the approval, sends it, records the answer. Works once. After `NoAnswer` or `Cancelled` the intent stands in
    /// `pending` until the next `refresh` resolves it.
    ///
    /// # Errors
    /// `InvalidInput`: it was confirmed before. `ApprovalExpired`; `Key`: the signature is not the authorization key's;
    /// `Refused`; `Vault`, in which case nothing was sent; network errors.
    pub async fn confirm(&self, signature: Vec<u8>, cancel: Option<Arc<Cancel>>) -> Result<TopUp, WalletError> {
        let slot = Arc::clone(&self.slot);
        run("confirm_top_up", &self.shell, cancel, async move |_| {
            let approval = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            let approval =
                approval.ok_or(Error::InvalidInput("This approval was used before: prepare another one."))?;
            Ok(approval.confirm(signature).await?.into())
        })
        .await
    }
}
