//! The payment code itself: 24 decimal digits that say who issued it and what it may be used for. The wallet draws
//! them, the register reads them back, the issuer makes the online ones and checks them all.
//!
//! Layout: issuer 8, kind 1, body 14, Luhn check digit 1 (ISO/IEC 7812-1 annex B, over the first 23).

use std::{fmt, str::FromStr};

use saifu_crypto::{CryptoError, Random, constant_time_eq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Digits of a payment code.
pub const CODE_LEN: usize = 24;
/// Digits of its body.
pub const BODY_LEN: usize = 14;
/// Bodies are below this.
const BODY_LIMIT: u64 = 100_000_000_000_000;
/// A draw of 64 bits is refused about once in 400,000; this many in a row means the source is stuck.
const MAX_DRAWS: usize = 32;

/// Why a text is not a payment code, an issuer or an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigitsError {
    /// Something other than 0–9.
    #[error("character {at} is not a digit")]
    NotADigit {
        /// Where, counted from 0.
        at: usize,
    },
    /// Too short or too long.
    #[error("{expected} digits are needed, {got} were given")]
    Length {
        /// How many there must be.
        expected: usize,
        /// How many there were.
        got: usize,
    },
    /// Misread or mistyped.
    #[error("the check digit does not fit the other digits")]
    CheckDigit,
    /// A purpose this version does not know.
    #[error("a code of kind {0} is not known")]
    UnknownKind(u8),
    /// A body of more than 14 digits.
    #[error("the body has more than 14 digits")]
    BodyTooLarge,
}

/// The eight digits every code of one issuer begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Issuer([u8; 8]);

impl Issuer {
    /// The sandbox's prefix, which no real issuer has.
    pub const SANDBOX: Self = Self(*b"99999999");

    /// The digits as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        as_text(&self.0)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl Default for Issuer {
    fn default() -> Self {
        Self::SANDBOX
    }
}

impl FromStr for Issuer {
    type Err = DigitsError;

    fn from_str(text: &str) -> Result<Self, DigitsError> {
        digits_of(text).map(Self)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a code may be used for; a register refuses one meant for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A payment with a token fetched from the issuer.
    OnlinePay = 1,
    /// A payment with a code the device made by itself.
    OfflinePay = 2,
    /// Cash paid in at a register.
    CashIn = 3,
}

impl Kind {
    /// The ninth digit of the code: 1, 2 or 3.
    #[must_use]
    pub fn digit(self) -> u8 {
        self as u8
    }

    fn from_digit(digit: u8) -> Result<Self, DigitsError> {
        match digit {
            1 => Ok(Self::OnlinePay),
            2 => Ok(Self::OfflinePay),
            3 => Ok(Self::CashIn),
            other => Err(DigitsError::UnknownKind(other)),
        }
    }
}

/// A whole payment code. Whoever sees it while it lives can spend with it: `Debug` hides the body, it is wiped on drop
/// and compared in constant time.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PaymentDigits {
    #[zeroize(skip)]
    issuer: Issuer,
    #[zeroize(skip)]
    kind: Kind,
    text: [u8; CODE_LEN],
}

impl PaymentDigits {
    /// Puts a code together; the body is written with leading zeros.
    ///
    /// # Errors
    /// [`DigitsError::BodyTooLarge`] from 10^14 on.
    pub fn new(issuer: Issuer, kind: Kind, body: u64) -> Result<Self, DigitsError> {
        if body >= BODY_LIMIT {
            return Err(DigitsError::BodyTooLarge);
        }
        Ok(Self::from_body(issuer, kind, &decimal(body)))
    }

    /// A code with a uniformly random body, as online codes have.
    ///
    /// # Errors
    /// [`CryptoError::Unavailable`] when the source gives nothing, or nothing usable.
    pub fn from_random(issuer: Issuer, kind: Kind, random: &dyn Random) -> Result<Self, CryptoError> {
        let body = uniform::<BODY_LIMIT>(random)?;
        Ok(Self::from_body(issuer, kind, &decimal(body)))
    }

    pub(crate) fn from_body(issuer: Issuer, kind: Kind, body: &[u8; BODY_LEN]) -> Self {
        let mut text = [b'0'; CODE_LEN];
        let kind_digit = ascii(kind.digit());
        for (slot, digit) in text.iter_mut().zip(issuer.0.iter().chain([&kind_digit]).chain(body)) {
            *slot = *digit;
        }
        let [rest @ .., check] = &mut text;
        *check = check_digit(rest);
        Self { issuer, kind, text }
    }

    /// Reads a code: exactly 24 digits, no blanks.
    ///
    /// # Errors
    /// The first thing wrong, looked for in the order [`DigitsError`] lists them.
    pub fn parse(text: &str) -> Result<Self, DigitsError> {
        let text: [u8; CODE_LEN] = digits_of(text)?;
        let [rest @ .., check] = &text;
        if check_digit(rest) != *check {
            return Err(DigitsError::CheckDigit);
        }
        let [a, b, c, d, e, f, g, h, kind, ..] = text;
        Ok(Self { issuer: Issuer([a, b, c, d, e, f, g, h]), kind: Kind::from_digit(kind & 0x0f)?, text })
    }

    /// All 24 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        as_text(&self.text)
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(&self) -> Issuer {
        self.issuer
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The 14 digits between kind and check digit.
    #[must_use]
    pub fn body(&self) -> &str {
        as_text(self.text.get(9..23).unwrap_or_default())
    }
}

impl fmt::Debug for PaymentDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaymentDigits({} {:?} **************)", self.issuer, self.kind)
    }
}

impl PartialEq for PaymentDigits {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.text, &other.text)
    }
}

impl Eq for PaymentDigits {}

/// The Luhn check digit for a row of ASCII digits, itself an ASCII digit; `None` if one of them is not a digit.
#[must_use]
pub fn luhn(digits: &[u8]) -> Option<u8> {
    digits.iter().all(u8::is_ascii_digit).then(|| check_digit(digits))
}

fn check_digit(digits: &[u8]) -> u8 {
    // The digit next to the check digit is doubled, then every other one; a doubled digit counts as its digit sum.
    const DOUBLED: [u8; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let mut sum = 0_u8;
    let mut double = true;
    for digit in digits.iter().rev().map(|d| d & 0x0f) {
        let weighed = if double { DOUBLED.get(usize::from(digit)).copied().unwrap_or_default() } else { digit };
        sum = sum.saturating_add(weighed) % 10;
        double = !double;
    }
    ascii(10_u8.saturating_sub(sum) % 10)
}

fn ascii(digit: u8) -> u8 {
    b'0' | digit
}

/// The bytes are ASCII digits by construction, so the empty text never comes out.
pub(crate) fn as_text(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).unwrap_or_default()
}

pub(crate) fn digits_of<const N: usize>(text: &str) -> Result<[u8; N], DigitsError> {
    if let Some(at) = text.bytes().position(|b| !b.is_ascii_digit()) {
        return Err(DigitsError::NotADigit { at });
    }
    text.as_bytes().try_into().map_err(|_| DigitsError::Length { expected: N, got: text.len() })
}

/// The last `N` decimal digits of a number, with leading zeros.
pub(crate) fn decimal<const N: usize>(mut number: u64) -> [u8; N] {
    let mut out = [b'0'; N];
    for slot in out.iter_mut().rev() {
        *slot = ascii((number % 10) as u8);
        number /= 10;
    }
    out
}

/// A number below `LIMIT`, each as likely as any other: draws from the uneven end of the 64-bit range are thrown away.
pub(crate) fn uniform<const LIMIT: u64>(random: &dyn Random) -> Result<u64, CryptoError> {
    let even_end = const { u64::MAX / LIMIT * LIMIT };
    for _ in 0..MAX_DRAWS {
        let mut bytes = Zeroizing::new([0; 8]);
        random.fill(bytes.as_mut())?;
        let draw = u64::from_be_bytes(*bytes);
        if draw < even_end
            && let Some(number) = draw.checked_rem(LIMIT)
        {
            return Ok(number);
        }
    }
    Err(CryptoError::Unavailable)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "helpers of tests: small numbers, and an overflow fails the test")]
#[path = "digits_tests.rs"]
mod tests;
