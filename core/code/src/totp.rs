//! Time-based one-time passwords (RFC 6238) over HOTP (RFC 4226). The wallet shows them for cash machines and exports
//! the secret to authenticators; the issuer verifies them.
//!
//! Written here so that the one cryptographic library does the hashing; the `totp-rs` crate is the oracle in the tests.

use std::num::NonZeroU64;

use saifu_crypto::{HashAlgorithm, HmacKey, Secret, constant_time_eq};

/// Why parameters are not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TotpError {
    /// RFC 4226 §5.3 allows six to eight.
    #[error("a code has 6, 7 or 8 digits, not {0}")]
    Digits(u8),
    /// Time would stand still.
    #[error("a period lasts at least one second")]
    Period,
}

/// The parameters of one secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totp {
    algorithm: HashAlgorithm,
    digits: u8,
    period: NonZeroU64,
}

impl Default for Totp {
    /// SHA-1, six digits, 30 seconds: the only choice every authenticator honours.
    fn default() -> Self {
        Self { algorithm: HashAlgorithm::Sha1, digits: 6, period: const { NonZeroU64::new(30).unwrap() } }
    }
}

impl Totp {
    /// Checks the parameters; the period is in seconds.
    ///
    /// # Errors
    /// [`TotpError`].
    pub fn new(algorithm: HashAlgorithm, digits: u8, period: u64) -> Result<Self, TotpError> {
        if !(6..=8).contains(&digits) {
            return Err(TotpError::Digits(digits));
        }
        Ok(Self { algorithm, digits, period: NonZeroU64::new(period).ok_or(TotpError::Period)? })
    }

    /// The hash.
    #[must_use]
    pub fn algorithm(self) -> HashAlgorithm {
        self.algorithm
    }

    /// Digits of a code: 6, 7 or 8.
    #[must_use]
    pub fn digits(self) -> u8 {
        self.digits
    }

    /// Seconds a code is shown.
    #[must_use]
    pub fn period(self) -> u64 {
        self.period.get()
    }

    /// The step a second since 1970 lies in.
    #[must_use]
    pub fn step(self, unix_seconds: u64) -> u64 {
        unix_seconds / self.period
    }

    /// The code to show at a second since 1970.
    #[must_use]
    pub fn code(self, secret: &Secret, unix_seconds: u64) -> String {
        self.code_of_step(&HmacKey::new(self.algorithm, secret.expose()), self.step(unix_seconds))
    }

    /// The first second since 1970 at which another code is shown.
    #[must_use]
    pub fn valid_until(self, unix_seconds: u64) -> u64 {
        self.step(unix_seconds).saturating_add(1).saturating_mul(self.period.get())
    }

    /// The step of a code, if it is of the present step or a neighbour and later than the last step taken. The caller
    /// stores it as the next `last_step`, so that each code works once (RFC 6238 §5.2). Takes the same time for every
    /// wrong code of the right length.
    #[must_use]
    pub fn verify(self, secret: &Secret, code: &str, unix_seconds: u64, last_step: Option<u64>) -> Option<u64> {
        let key = HmacKey::new(self.algorithm, secret.expose());
        let now = self.step(unix_seconds);
        let mut found = None;
        for step in now.saturating_sub(1)..=now.saturating_add(1) {
            let matches = constant_time_eq(self.code_of_step(&key, step).as_bytes(), code.as_bytes());
            if matches && found.is_none() && last_step.is_none_or(|last| step > last) {
                found = Some(step);
            }
        }
        found
    }

    fn code_of_step(self, key: &HmacKey, step: u64) -> String {
        let tag = key.sign(&[&step.to_be_bytes()]);
        let tag = tag.as_ref();
        // RFC 4226 §5.3: the last half-byte picks four bytes, of which the top bit is dropped. The shortest tag has 20
        // bytes and the pick ends at 19 at the latest, so the default never comes out.
        let offset = usize::from(tag.last().map_or(0, |byte| byte & 0x0f));
        let picked = tag.get(offset..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
        let number = u32::from_be_bytes(picked) & 0x7fff_ffff;
        let number = match self.digits {
            6 => number % 1_000_000,
            7 => number % 10_000_000,
            _ => number % 100_000_000,
        };
        format!("{number:0width$}", width = usize::from(self.digits))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use saifu_crypto::{Random, SeededRandom};

    use super::*;

    const ALGORITHMS: [HashAlgorithm; 3] = [HashAlgorithm::Sha1, HashAlgorithm::Sha256, HashAlgorithm::Sha512];

    /// The secret of the RFCs: "12345678901234567890", repeated to the length of the hash.
    fn rfc_secret(length: usize) -> Secret {
        Secret::new(b"1234567890".iter().copied().cycle().take(length).collect())
    }

    #[test]
    fn vectors_of_rfc_4226_hold() {
        let expected =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        let per_second = Totp::new(HashAlgorithm::Sha1, 6, 1).unwrap();
        for (counter, code) in expected.into_iter().enumerate() {
            assert_eq!(per_second.code(&rfc_secret(20), counter as u64), code);
        }
    }

    #[test]
    fn vectors_of_rfc_6238_hold() {
        let table = [
            (59, ["94287082", "46119246", "90693936"]),
            (1_111_111_109, ["07081804", "68084774", "25091201"]),
            (1_111_111_111, ["14050471", "67062674", "99943326"]),
            (1_234_567_890, ["89005924", "91819424", "93441116"]),
            (2_000_000_000, ["69279037", "90698825", "38618901"]),
            (20_000_000_000, ["65353130", "77737706", "47863826"]),
        ];
        for (time, codes) in table {
            for ((algorithm, length), code) in ALGORITHMS.into_iter().zip([20, 32, 64]).zip(codes) {
                assert_eq!(Totp::new(algorithm, 8, 30).unwrap().code(&rfc_secret(length), time), code);
            }
        }
    }

    #[test]
    fn totp_rs_agrees_on_10_000_random_inputs() {
        let random = SeededRandom::new(6_238);
        let mut agreed = 0;
        for index in 0..10_000_usize {
            let [length, period, shift, ..]: [u8; 8] = random.bytes().unwrap();
            let time = u64::from_be_bytes(random.bytes().unwrap()) >> (u32::from(shift) % 48 + 8);
            let secret = random.secret(10 + usize::from(length) % 55).unwrap();
            let (algorithm, digits) = (index % 3, 6 + (index / 3 % 3) as u8);
            let period = if index % 2 == 0 { 30 } else { u64::from(period) + 1 };
            let theirs = totp_rs::Builder::new()
                .with_algorithm(
                    [totp_rs::Algorithm::SHA1, totp_rs::Algorithm::SHA256, totp_rs::Algorithm::SHA512][algorithm],
                )
                .with_digits(digits)
                .with_step_duration(period)
                .with_secret(secret.expose())
                .build_noncompliant();
            let ours = Totp::new(ALGORITHMS[algorithm], digits, period).unwrap();
            assert_eq!(ours.code(&secret, time), theirs.generate(time).to_string());
            assert_eq!(ours.valid_until(time), theirs.next_step(time));
            assert_eq!(
                ours.verify(&secret, &ours.code(&secret, time), time, None),
                theirs.check(&ours.code(&secret, time), time)
            );
            agreed += 1;
        }
        assert_eq!(agreed, 10_000);
    }

    #[test]
    fn parameters_outside_the_rfcs_are_refused() {
        for digits in [0, 5, 9, 255] {
            assert_eq!(Totp::new(HashAlgorithm::Sha1, digits, 30), Err(TotpError::Digits(digits)));
        }
        assert_eq!(Totp::new(HashAlgorithm::Sha1, 6, 0), Err(TotpError::Period));
        assert_eq!(Totp::new(HashAlgorithm::Sha1, 6, 30), Ok(Totp::default()));
        assert!(Totp::new(HashAlgorithm::Sha512, 8, u64::MAX).is_ok());
    }

    #[test]
    fn code_lives_to_the_end_of_its_period() {
        let totp = Totp::default();
        assert_eq!((totp.valid_until(0), totp.valid_until(29), totp.valid_until(30)), (30, 30, 60));
        assert_eq!(totp.valid_until(u64::MAX), u64::MAX);
    }

    #[test]
    fn each_step_is_taken_once_and_only_next_to_now() {
        let (totp, secret) = (Totp::default(), rfc_secret(20));
        let code = totp.code(&secret, 3_000);
        for now in [2_970, 3_000, 3_059] {
            assert_eq!(totp.verify(&secret, &code, now, None), Some(100));
        }
        for now in [0, 2_969, 3_060, u64::MAX] {
            assert_eq!(totp.verify(&secret, &code, now, None), None);
        }
        assert_eq!(totp.verify(&secret, &code, 3_000, Some(99)), Some(100));
        assert_eq!(totp.verify(&secret, &code, 3_000, Some(100)), None);
        assert_eq!(totp.verify(&secret, &totp.code(&secret, 2_970), 3_000, Some(100)), None);
        assert_eq!(totp.verify(&secret, &totp.code(&secret, 3_030), 3_000, Some(100)), Some(101));
    }

    #[test]
    fn code_of_another_length_or_secret_is_refused() {
        let (totp, secret) = (Totp::default(), rfc_secret(20));
        let code = totp.code(&secret, 59);
        for wrong in ["", "28708", "2870820", " 287082", "２87082"] {
            assert_eq!(totp.verify(&secret, wrong, 59, None), None);
        }
        assert_eq!(totp.verify(&rfc_secret(21), &code, 59, None), None);
    }

    proptest! {
        #[test]
        fn no_time_and_no_text_makes_it_panic(
            key in prop::collection::vec(any::<u8>(), 0..200),
            text in ".{0,12}",
            times in any::<(u64, u64, Option<u64>)>(),
        ) {
            let (now, period, last) = times;
            let totp = Totp::new(HashAlgorithm::Sha256, 7, period.max(1)).unwrap();
            let secret = Secret::new(key);
            let _ = (totp.valid_until(now), totp.verify(&secret, &text, now, last));
            prop_assert_eq!(totp.code(&secret, now).len(), 7);
        }
    }
}
