//! What is shown at a till or typed at an ATM: payment codes and the in-app TOTP.

use std::sync::PoisonError;

use saifu_code::{Matrix, Totp, code128, qr};
use saifu_link::{Auth, Request};
use saifu_policy::Class;
use saifu_wire::messages::{CodeAnswer, CodeRequest, Purpose};
use saifu_wire::{Millis, Operation, Sensitive, Yen};

use crate::{Error, Wallet};

/// Why there is no code to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody has signed up here.
    #[error("This wallet has no account yet. Sign up first.")]
    NotSignedUp,
    /// No fresh code is in hand, and none can be made without the issuer.
    #[error("There is no fresh code. Connect to get one.")]
    NoCodeInHand,
    /// Secrets are not in memory.
    #[error("The wallet is locked. Unlock it.")]
    Locked,
}

impl Refusal {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSignedUp => "not-signed-up",
            Self::NoCodeInHand => "no-code-in-hand",
            Self::Locked => "locked",
        }
    }
}

/// A one-time code to show at a till.
#[derive(Clone)]
pub struct PaymentCode {
    digits: Sensitive,
    /// What for.
    pub purpose: Purpose,
    /// When it was made, by the issuer's clock.
    pub issued_at: Millis,
    /// Show another one from then on.
    pub refresh_at: Millis,
    /// It is dead from then on.
    pub expires_at: Millis,
    /// The most it can pay.
    pub cap_yen: Yen,
    /// Whether it was made without the issuer.
    pub offline: bool,
    barcode: Matrix,
    qr: Matrix,
}

impl PaymentCode {
    /// The 24 digits. Whoever has them can pay with them once.
    #[must_use]
    pub fn digits(&self) -> &str {
        self.digits.expose()
    }

    /// What the QR code says.
    #[must_use]
    pub fn qr_text(&self) -> &str {
        self.digits.expose()
    }

    /// Code 128: one row of modules.
    #[must_use]
    pub fn barcode(&self) -> &Matrix {
        &self.barcode
    }

    /// QR: a square of modules.
    #[must_use]
    pub fn qr(&self) -> &Matrix {
        &self.qr
    }
}

/// A TOTP code (RFC 6238) that proves this phone.
#[derive(Debug, Clone)]
pub struct TotpCode {
    /// The digits.
    pub code: Sensitive,
    /// The next one starts then, by the issuer's clock.
    pub valid_until: Millis,
}

fn symbols(answer: CodeAnswer, purpose: Purpose) -> Result<PaymentCode, Error> {
    let nonsense = "a payment code is malformed";
    let text = answer.digits.expose();
    saifu_code::PaymentDigits::parse(text).map_err(|_| Error::Untrusted(nonsense))?;
    let barcode = code128::encode(text).map_err(|_| Error::Untrusted(nonsense))?;
    let qr = qr::encode(text).map_err(|_| Error::Untrusted(nonsense))?;
    let CodeAnswer { digits, issued_at, refresh_at, expires_at, cap_yen, .. } = answer;
    Ok(PaymentCode { digits, purpose, issued_at, refresh_at, expires_at, cap_yen, offline: false, barcode, qr })
}

impl Wallet {
    /// A code to show right now, if one is in hand. Never waits; [`next_code`](Self::next_code) fetches one.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn payment_code(&self, purpose: Purpose) -> Result<PaymentCode, Refusal> {
        if !self.0.read(|state| state.account.is_some()).ok_or(Refusal::Locked)? {
            return Err(Refusal::NotSignedUp);
        }
        let now = self.0.issuer_time();
        let codes = self.0.codes.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = codes.iter().rev().find(|code| code.purpose == purpose && now < code.refresh_at);
        fresh.cloned().ok_or(Refusal::NoCodeInHand)
    }

    /// Fetches a fresh code.
    ///
    /// # Errors
    /// [`Error::NotSignedUp`], network errors, [`Error::Refused`] with `frozen`, `switched-off`, `over-limit`.
    pub async fn next_code(&self, purpose: Purpose) -> Result<PaymentCode, Error> {
        self.0.binding()?;
        let request = Request::new(Operation::Code, Auth::Session, Class::Pay);
        let answer: CodeAnswer = self.0.link.call(request, &CodeRequest { purpose }).await?;
        let code = symbols(answer, purpose)?;
        // The clock is a foreign call: none is made under a lock.
        let now = self.0.issuer_time();
        let mut codes = self.0.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|code| now < code.expires_at);
        // The issuer keeps three alive; so does the phone.
        while codes.len() >= 3 {
            codes.remove(0);
        }
        codes.push(code.clone());
        Ok(code)
    }

    /// The in-app TOTP code of this moment. Works without a network.
    ///
    /// # Errors
    /// [`Error::NotSignedUp`], [`Error::NotActivated`], [`Error::Locked`].
    pub fn totp(&self) -> Result<TotpCode, Error> {
        self.0.binding()?;
        let kept = self.0.read(|state| {
            let activated = state.activated.as_ref()?;
            Some((activated.totp_secret.secret(), activated.totp))
        });
        let (secret, parameters) = kept.ok_or(Error::Locked)?.ok_or(Error::NotActivated)?;
        let totp = Totp::new(saifu_crypto::HashAlgorithm::Sha1, parameters.digits, parameters.period)
            .map_err(|_| Error::Untrusted("its TOTP parameters make no sense"))?;
        let seconds = self.0.issuer_time().seconds();
        Ok(TotpCode {
            code: Sensitive::new(totp.code(&secret, seconds)),
            valid_until: Millis(totp.valid_until(seconds).saturating_mul(1_000)),
        })
    }
}
