//! The code a device makes with no network: a handle the issuer gave it, and a one-time number from a shared seed and
//! the issuer's time. The wallet makes it, the issuer checks it in the transaction that settles the payment.
//!
//! Body: alias 7, one-time number 7. The number is the first eight bytes of HMAC-SHA-256 reduced modulo 10^7: the
//! 31-bit truncation of RFC 4226 would be measurably uneven at this length. It depends on time alone, so a phone that
//! crashes has nothing to restore; a code works once because the issuer stores the step it settled.

use std::{fmt, str::FromStr};

use saifu_crypto::{CryptoError, Random, Secret, constant_time_eq, hmac_sha256};

use crate::{
    DigitsError, Issuer, Kind, PaymentDigits,
    digits::{BODY_LEN, as_text, decimal, digits_of, uniform},
};

/// How long one code is shown, in milliseconds. It is still taken one step later, or earlier if a clock is off.
pub const OFFLINE_STEP_MS: u64 = 60_000;

const LABEL: &[u8] = b"saifu/offline/v1";
const ALIAS_LEN: usize = 7;
const ALIAS_LIMIT: u64 = 10_000_000;

/// The seven-digit handle of a device at the register; random, short-lived and no account number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Alias([u8; ALIAS_LEN]);

impl Alias {
    /// A uniformly random alias. The issuer draws again when it is taken.
    ///
    /// # Errors
    /// [`CryptoError::Unavailable`] when the source gives nothing.
    pub fn from_random(random: &dyn Random) -> Result<Self, CryptoError> {
        uniform::<ALIAS_LIMIT>(random).map(|number| Self(decimal(number)))
    }

    /// The digits as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        as_text(&self.0)
    }
}

impl FromStr for Alias {
    type Err = DigitsError;

    fn from_str(text: &str) -> Result<Self, DigitsError> {
        digits_of(text).map(Self)
    }
}

impl fmt::Debug for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alias(*******)")
    }
}

/// Why an offline code is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfflineRefusal {
    /// A code of another kind.
    #[error("the code was not made offline")]
    NotOffline,
    /// The number fits none of the three steps: a guess, a wrong seed, or a code over a minute old.
    #[error("the code is wrong or too old")]
    Wrong,
    /// The number is right, and its step or a later one was settled already.
    #[error("the code was used before")]
    Used,
}

/// The step a moment of the issuer's time lies in.
#[must_use]
pub fn offline_step(issuer_time_ms: u64) -> u64 {
    issuer_time_ms / OFFLINE_STEP_MS
}

/// The code to show at a moment of the issuer's time, in milliseconds since 1970.
#[must_use]
pub fn offline_digits(issuer: Issuer, alias: Alias, seed: &Secret, issuer_time_ms: u64) -> PaymentDigits {
    code_of_step(issuer, alias, seed, offline_step(issuer_time_ms))
}

fn code_of_step(issuer: Issuer, alias: Alias, seed: &Secret, step: u64) -> PaymentDigits {
    let tag = hmac_sha256(seed.expose(), &[LABEL, issuer.as_bytes(), &alias.0, &step.to_be_bytes()]);
    let [a, b, c, d, e, f, g, h, ..] = tag;
    let number = decimal::<7>(u64::from_be_bytes([a, b, c, d, e, f, g, h]));
    let mut body = [b'0'; BODY_LEN];
    for (slot, digit) in body.iter_mut().zip(alias.0.iter().chain(&number)) {
        *slot = *digit;
    }
    PaymentDigits::from_body(issuer, Kind::OfflinePay, &body)
}

impl PaymentDigits {
    /// The alias of a code made offline: the issuer looks the seed up by it. `None` for the other kinds.
    #[must_use]
    pub fn alias(&self) -> Option<Alias> {
        (self.kind() == Kind::OfflinePay).then(|| self.body().get(..ALIAS_LEN)?.parse().ok()).flatten()
    }
}

/// The step of the code, if it is of the present step or a neighbour and later than the last settled one. The caller
/// stores it as the next `last_step` of this seed in the transaction that settles. Takes the same time for every
/// wrong number.
///
/// # Errors
/// [`OfflineRefusal`]. Only [`OfflineRefusal::Wrong`] is a failed guess.
pub fn verify_offline(
    code: &PaymentDigits,
    seed: &Secret,
    issuer_time_ms: u64,
    last_step: Option<u64>,
) -> Result<u64, OfflineRefusal> {
    let alias = code.alias().ok_or(OfflineRefusal::NotOffline)?;
    let now = offline_step(issuer_time_ms);
    let mut outcome = Err(OfflineRefusal::Wrong);
    for step in now.saturating_sub(1)..=now.saturating_add(1) {
        let expected = code_of_step(code.issuer(), alias, seed, step);
        let matches = constant_time_eq(expected.as_str().as_bytes(), code.as_str().as_bytes());
        if matches && outcome.is_err() {
            outcome = if last_step.is_none_or(|last| step > last) { Ok(step) } else { Err(OfflineRefusal::Used) };
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use saifu_crypto::SeededRandom;

    use super::*;

    const NOW: u64 = 1_790_000_000_000;

    fn seed() -> Secret {
        Secret::new((0..32).collect())
    }

    fn code_at(ms: u64) -> PaymentDigits {
        offline_digits(Issuer::SANDBOX, "0123456".parse().unwrap(), &seed(), ms)
    }

    #[test]
    fn derivation_is_frozen() {
        // Computed apart from this code:
        //   m = b"saifu/offline/v1" + b"99999999" + b"0123456" + (1790000000000 // 60000).to_bytes(8, "big")
        //   int.from_bytes(hmac.new(bytes(range(32)), m, "sha256").digest()[:8], "big") % 10**7   # 9542900
        assert_eq!(offline_step(NOW), 29_833_333);
        let code = code_at(NOW);
        assert_eq!(&code.as_str()[..23], "99999999201234569542900");
        assert_eq!(PaymentDigits::parse(code.as_str()).unwrap().alias().unwrap().as_str(), "0123456");
    }

    #[test]
    fn code_is_taken_one_step_early_to_one_step_late() {
        let code = code_at(NOW);
        let step = offline_step(NOW);
        let (first, after) = ((step - 1) * OFFLINE_STEP_MS, (step + 2) * OFFLINE_STEP_MS);
        for now in [first, NOW, after - 1] {
            assert_eq!(verify_offline(&code, &seed(), now, None), Ok(step));
        }
        for now in [0, first - 1, after, u64::MAX] {
            assert_eq!(verify_offline(&code, &seed(), now, None), Err(OfflineRefusal::Wrong));
        }
    }

    #[test]
    fn settled_step_and_everything_before_it_are_used() {
        let step = offline_step(NOW);
        assert_eq!(verify_offline(&code_at(NOW), &seed(), NOW, Some(step - 1)), Ok(step));
        assert_eq!(verify_offline(&code_at(NOW), &seed(), NOW, Some(step)), Err(OfflineRefusal::Used));
        let earlier = code_at(NOW - OFFLINE_STEP_MS);
        assert_eq!(verify_offline(&earlier, &seed(), NOW, Some(step)), Err(OfflineRefusal::Used));
        assert_eq!(verify_offline(&code_at(NOW + OFFLINE_STEP_MS), &seed(), NOW, Some(step)), Ok(step + 1));
    }

    #[test]
    fn other_seed_alias_issuer_or_kind_is_refused() {
        let code = code_at(NOW);
        let other_seed = Secret::new(vec![1; 32]);
        assert_eq!(verify_offline(&code, &other_seed, NOW, None), Err(OfflineRefusal::Wrong));
        for (issuer, alias) in [("99999998", "0123456"), ("99999999", "0123457")] {
            let text = format!("{issuer}2{alias}{}", &code.body()[7..]);
            let check = char::from(crate::luhn(text.as_bytes()).unwrap());
            let forged = PaymentDigits::parse(&format!("{text}{check}")).unwrap();
            assert_eq!(verify_offline(&forged, &seed(), NOW, None), Err(OfflineRefusal::Wrong));
        }
        let online = PaymentDigits::new(Issuer::SANDBOX, Kind::OnlinePay, code.body().parse().unwrap()).unwrap();
        assert_eq!(verify_offline(&online, &seed(), NOW, None), Err(OfflineRefusal::NotOffline));
    }

    #[test]
    fn random_aliases_differ_and_stay_hidden_in_debug() {
        let random = SeededRandom::new(3);
        let (a, b) = (Alias::from_random(&random).unwrap(), Alias::from_random(&random).unwrap());
        assert_ne!(a, b);
        assert_eq!(format!("{a:?}"), "Alias(*******)");
    }

    proptest! {
        #[test]
        fn what_the_wallet_makes_the_issuer_takes(key in any::<[u8; 32]>(), alias in "[0-9]{7}", ms in any::<u64>()) {
            let seed = Secret::copy_of(&key);
            let code = offline_digits(Issuer::SANDBOX, alias.parse().unwrap(), &seed, ms);
            prop_assert_eq!(code.alias(), alias.parse().ok());
            // A neighbour may collide once in 3 million, so the step is compared by distance.
            prop_assert!(verify_offline(&code, &seed, ms, None).unwrap().abs_diff(offline_step(ms)) <= 1);
        }
    }
}
