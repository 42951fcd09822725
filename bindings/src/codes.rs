//! Codes to show at a till.

use std::sync::Arc;

use saifu::Refusal;

use crate::call::{Cancel, guarded, run};
use crate::error::WalletError;
use crate::records::Purpose;
use crate::screens::PaymentCode;
use crate::shell::Shell;

/// One-time codes. Got from [`Wallet::codes`](crate::Wallet::codes).
#[derive(uniffi::Object)]
pub struct Codes {
    pub(crate) shell: Arc<Shell>,
}

#[uniffi::export]
impl Codes {
    /// A code to show right now; none if there is no fresh one in hand. Never waits.
    ///
    /// # Errors
    /// `NotSignedUp`, `Locked`.
    pub fn current(&self, purpose: Purpose) -> Result<Option<PaymentCode>, WalletError> {
        guarded("current", || match self.shell.wallet()?.payment_code(purpose.into()) {
            Ok(code) => Ok(Some(PaymentCode::from(&code))),
            Err(Refusal::NoCodeInHand) => Ok(None),
            Err(Refusal::NotSignedUp) => Err(saifu::Error::NotSignedUp.into()),
            Err(Refusal::Locked) => Err(saifu::Error::Locked.into()),
        })
    }

    /// Fetches a fresh code.
    ///
    /// # Errors
    /// `NotSignedUp`, `Locked`, `Key`, `Refused` with `frozen`, `switched-off`, `over-limit`; network errors.
    pub async fn next(&self, purpose: Purpose, cancel: Option<Arc<Cancel>>) -> Result<PaymentCode, WalletError> {
        run("next", &self.shell, cancel, async move |wallet| {
            Ok(PaymentCode::from(&wallet.next_code(purpose.into()).await?))
        })
        .await
    }
}
