//! Getting in: sign-up in two calls, and the code that proves this phone.

use std::sync::Arc;
use std::time::Duration;

use saifu::{Error, PhoneNumber};

use crate::call::{Cancel, guarded, run};
use crate::error::WalletError;
use crate::screens::{SignUpScreen, TotpCode};
use crate::shell::Shell;
use crate::values::time;

/// Sign-up and this phone's proof. Got from [`Wallet::account`](crate::Wallet::account).
#[derive(uniffi::Object)]
pub struct Account {
    pub(crate) shell: Arc<Shell>,
}

#[uniffi::export]
impl Account {
    /// Asks for an SMS code to a Japanese mobile number, however it is written. Again, from `resend_at` on, for another code.
    ///
    /// # Errors
    /// `InvalidInput`: no such number. `AlreadySignedUp`, `Refused`, `Key`, network errors.
    pub async fn sign_up(&self, number: String, cancel: Option<Arc<Cancel>>) -> Result<SignUpScreen, WalletError> {
        run("sign_up", &self.shell, cancel, async move |wallet| {
            let number = PhoneNumber::parse(&number)
                .map_err(|_| Error::InvalidInput("This is not the number of a mobile phone in Japan."))?;
            Ok(SignUpScreen::from(&wallet.sign_up(number).await?))
        })
        .await
    }

    /// The sign-up that waits for its code, also after a restart.
    ///
    /// # Errors
    /// `Locked` after closing.
    pub fn sign_up_in_progress(&self) -> Result<Option<SignUpScreen>, WalletError> {
        guarded("sign_up_in_progress", || {
            Ok(self.shell.wallet()?.sign_up_in_progress().as_ref().map(SignUpScreen::from))
        })
    }

    /// Enters the code of the SMS: opens the account, activates this phone, gives the device's id.
    ///
    /// # Errors
    /// `InvalidInput`: no sign-up waits, or the code has not six digits. `Refused` with `wrong-code`, `sign-up-expired`,
    /// `too-many-tries`, `number-taken`. Network errors, after which the same call can be made again.
    pub async fn confirm(&self, code: String, cancel: Option<Arc<Cancel>>) -> Result<String, WalletError> {
        run("confirm", &self.shell, cancel, async move |wallet| {
            let sign_up = wallet.sign_up_in_progress();
            let sign_up = sign_up.ok_or(Error::InvalidInput("No sign-up waits for a code: ask for one first."))?;
            Ok(sign_up.confirm(&code).await?.device.to_string())
        })
        .await
    }

    /// The in-app TOTP code of this moment. Works without a network.
    ///
    /// # Errors
    /// `NotSignedUp`, `NotActivated`, `Locked`.
    pub fn totp(&self) -> Result<TotpCode, WalletError> {
        guarded("totp", || {
            let totp = self.shell.wallet()?.totp()?;
            Ok(TotpCode {
                code: totp.code.expose().into(),
                valid_until: time(totp.valid_until),
                valid_for: Duration::from_millis(totp.valid_for_ms),
                trust: totp.trust.into(),
            })
        })
    }
}
