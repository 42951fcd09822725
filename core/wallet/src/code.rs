//! What is shown at a till or typed at an ATM: payment codes and the in-app TOTP.

use saifu_code::{Matrix, Totp, code128, qr};
use saifu_link::{Auth, Request};
use saifu_policy::{Class, Trust};
use saifu_wire::messages::{CodeAnswer, CodeRequest, Purpose};
use saifu_wire::{Millis, Operation, Sensitive, Yen};

use crate::account::Call;
use crate::{Error, Wallet};

/// So long before a code is replaced, the next one is fetched.
const FETCH_AHEAD_MS: u64 = 10_000;

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
    /// How long until another one is shown, in milliseconds, when this was handed out.
    pub refresh_in_ms: u64,
    /// Whether it is time to fetch the next one, so that it is in hand before this one ends.
    pub fetch_next: bool,
    /// What the times rest on.
    pub trust: Trust,
    /// The account's newest event when it was made.
    last_event: u64,
    barcode: Matrix,
    qr: Matrix,
}

impl PaymentCode {
    /// As it is handed out at this time.
    fn at(mut self, now: Millis) -> Self {
        self.refresh_in_ms = self.refresh_at.since(now);
        self.fetch_next = self.refresh_in_ms <= FETCH_AHEAD_MS;
        self
    }

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
    /// How long that is, in milliseconds, when this was made.
    pub valid_for_ms: u64,
    /// What the time rests on. A code of a time that rests on the phone's own clock may be refused, and three wrong ones end an
    /// ATM number: connect once, and it rests on the issuer's again.
    pub trust: Trust,
}

/// The codes in hand.
#[derive(Default)]
pub(crate) struct Codes {
    live: Vec<PaymentCode>,
    /// A till scanned a code at this event: those made before it are spent, also one whose answer comes after it.
    burnt_at: u64,
}

impl Codes {
    /// The issuer keeps three alive; so does the phone.
    const MOST: usize = 3;

    fn keep(&mut self, code: PaymentCode, now: Millis) {
        self.live.retain(|code| now < code.expires_at);
        if code.last_event < self.burnt_at {
            return;
        }
        while self.live.len() >= Self::MOST {
            self.live.remove(0);
        }
        self.live.push(code);
    }

    fn fresh(&self, purpose: Purpose, now: Millis) -> Option<&PaymentCode> {
        self.live.iter().rev().find(|code| code.purpose == purpose && now < code.refresh_at)
    }

    /// A till scanned one of them; which one, the event does not say.
    pub(crate) fn burnt(&mut self, event: u64) {
        self.burnt_at = self.burnt_at.max(event);
        self.live.retain(|code| code.last_event >= event);
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn symbols(answer: CodeAnswer, purpose: Purpose, trust: Trust) -> Result<PaymentCode, Error> {
    let nonsense = "a payment code is malformed";
    let text = answer.digits.expose();
    saifu_code::PaymentDigits::parse(text).map_err(|_| Error::Untrusted(nonsense))?;
    let barcode = code128::encode(text).map_err(|_| Error::Untrusted(nonsense))?;
    let qr = qr::encode(text).map_err(|_| Error::Untrusted(nonsense))?;
    let CodeAnswer { digits, issued_at, refresh_at, expires_at, cap_yen, last_event } = answer;
    let offline = false;
    Ok(PaymentCode {
        digits,
        purpose,
        issued_at,
        refresh_at,
        expires_at,
        refresh_in_ms: 0,
        fetch_next: false,
        cap_yen,
        offline,
        trust,
        last_event,
        barcode,
        qr,
    })
}

impl Wallet {
    /// A code to show right now, if one is in hand. Never waits; [`next_code`](Self::next_code) fetches one.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn payment_code(&self, purpose: Purpose) -> Result<PaymentCode, Refusal> {
        self.0.may(Call::Use).map_err(|error| match error {
            Error::Locked => Refusal::Locked,
            _ => Refusal::NotSignedUp,
        })?;
        // The clock is a foreign call: none is made under a lock.
        let time = self.0.time();
        let mut code = self.0.codes().fresh(purpose, Millis(time.issuer_ms)).cloned().ok_or(Refusal::NoCodeInHand)?;
        code.trust = time.trust;
        Ok(code.at(Millis(time.issuer_ms)))
    }

    /// Fetches a fresh code.
    ///
    /// # Errors
    /// [`Error::NotSignedUp`], network errors, [`Error::Refused`] with `frozen`, `switched-off`, `over-limit`.
    pub async fn next_code(&self, purpose: Purpose) -> Result<PaymentCode, Error> {
        let turn = self.0.may(Call::Use)?;
        let request = Request::new(Operation::Code, Auth::Session, Class::Pay);
        let answer: CodeAnswer = self.0.call(turn, request, &CodeRequest { purpose }).await?;
        // The clock is a foreign call: none is made under a lock.
        let time = self.0.time();
        let code = symbols(answer, purpose, time.trust)?;
        let mut codes = self.0.codes();
        // A lock clears the codes after it ended the turn, so nothing is put back behind it.
        if !self.0.store.runs(turn) {
            return Err(Error::Locked);
        }
        codes.keep(code.clone(), Millis(time.issuer_ms));
        Ok(code.at(Millis(time.issuer_ms)))
    }

    /// The in-app TOTP code of this moment. Works without a network.
    ///
    /// # Errors
    /// [`Error::NotSignedUp`], [`Error::NotActivated`], [`Error::Locked`].
    pub fn totp(&self) -> Result<TotpCode, Error> {
        self.0.may(Call::Use)?;
        let kept = self.0.store.read(|state| {
            let activated = state.activated.as_ref()?;
            Some((activated.totp_secret.secret(), activated.totp))
        });
        let (secret, parameters) = kept.ok_or(Error::Locked)?.ok_or(Error::NotActivated)?;
        let totp = Totp::new(saifu_crypto::HashAlgorithm::Sha1, parameters.digits, parameters.period)
            .map_err(|_| Error::Untrusted("its TOTP parameters make no sense"))?;
        let time = self.0.time();
        let now = Millis(time.issuer_ms);
        let valid_until = Millis(totp.valid_until(now.seconds()).saturating_mul(1_000));
        Ok(TotpCode {
            code: Sensitive::new(totp.code(&secret, now.seconds())),
            valid_until,
            valid_for_ms: valid_until.since(now),
            trust: time.trust,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(last_event: u64) -> PaymentCode {
        let digits = saifu_code::PaymentDigits::new(Default::default(), saifu_code::Kind::OnlinePay, 7).unwrap();
        let answer = CodeAnswer {
            digits: Sensitive::new(digits.as_str()),
            issued_at: Millis(0),
            refresh_at: Millis(60_000),
            expires_at: Millis(300_000),
            cap_yen: Yen(30_000),
            last_event,
        };
        symbols(answer, Purpose::Pay, Trust::Full).unwrap()
    }

    #[test]
    fn scan_ends_the_codes_made_before_it_also_those_that_come_late() {
        let mut codes = Codes::default();
        codes.keep(code(4), Millis(0));
        assert!(codes.fresh(Purpose::Pay, Millis(1)).is_some());
        // Control: without `burnt` the code stays current until its refresh.
        codes.burnt(5);
        assert!(codes.fresh(Purpose::Pay, Millis(1)).is_none());
        codes.keep(code(4), Millis(1));
        assert!(codes.fresh(Purpose::Pay, Millis(1)).is_none(), "made before the scan, answered after it");
        codes.keep(code(5), Millis(1));
        assert!(codes.fresh(Purpose::Pay, Millis(1)).is_some());
    }

    #[test]
    fn three_codes_live_at_once() {
        let mut codes = Codes::default();
        for last_event in 0..5 {
            codes.keep(code(last_event), Millis(0));
        }
        assert_eq!(codes.live.len(), 3);
    }
}
