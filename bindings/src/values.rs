//! Values as the other languages have them: moments, spans, counts, and texts that no log may show.

use std::fmt;
use std::time::{Duration, SystemTime};

use saifu::Millis;

/// A moment of the issuer's clock. One beyond what the system can name, which no issuer says, is 1970.
pub(crate) fn time(at: Millis) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(at.0)).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Milliseconds since 1970 of a host's wall clock; before that, 0.
pub(crate) fn millis(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A count as every language counts. One that does not fit is the largest that does.
pub(crate) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A text that opens something: a code, a number, an address. Printed, it is `…`; whoever needs it says so with
/// [`expose`](Self::expose).
#[derive(Clone, PartialEq, Eq)]
pub struct Sensitive(String);

impl Sensitive {
    /// The text itself: to show it to its owner, never to log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Sensitive {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The same of bytes, which Kotlin prints one by one.
#[derive(Clone, PartialEq, Eq)]
pub struct SensitiveBytes(Vec<u8>);

impl SensitiveBytes {
    /// The bytes themselves: to show what they are to their owner, never to log them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for SensitiveBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SensitiveBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

// Kotlin and Swift have a class each (`Sensitive.kt`, `Sensitive.swift`), which `uniffi.toml` names.
uniffi::custom_type!(Sensitive, String, {
    lower: |sensitive| sensitive.0,
    try_lift: |text| Ok(Sensitive(text)),
});
uniffi::custom_type!(SensitiveBytes, Vec<u8>, {
    lower: |sensitive| sensitive.0,
    try_lift: |bytes| Ok(SensitiveBytes(bytes)),
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Channel, Purpose, Symbol, TopUp, TopUpState};
    use crate::screens::{IntentDetail, PaymentCode, PendingEntry, PendingWhat, SignUpScreen, TimeTrust, TotpCode};

    #[test]
    fn moments_come_back_as_they_went_and_the_impossible_ends_nothing() {
        for at in [0, 1, 1_760_000_000_123, u64::MAX] {
            assert_eq!(millis(time(Millis(at))), at);
        }
        assert_eq!(millis(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), 0);
    }

    /// Every record that holds something to be kept, with a secret planted wherever one can be.
    #[test]
    fn records_do_not_print_what_they_hold() {
        const PLANTED: &str = "271828182845";
        let (secret, at) = (|| Sensitive::from(PLANTED), SystemTime::UNIX_EPOCH);
        let no_time = Duration::ZERO;
        let symbol = || Symbol { width: 6, height: 1, quiet_zone: 0, modules: vec![2, 7, 1, 8, 2, 8].into() };
        let printed = [
            format!(
                "{:?}",
                SignUpScreen {
                    number: secret(),
                    expires_at: at,
                    resend_at: at,
                    expires_in: no_time,
                    resend_in: no_time
                }
            ),
            format!("{:?}", TotpCode { code: secret(), valid_until: at, valid_for: no_time, trust: TimeTrust::Full }),
            format!("{:#?}", symbol()),
            format!(
                "{:?}",
                PendingEntry {
                    id: String::new(),
                    what: PendingWhat::Accepted {
                        detail: IntentDetail::TopUp { channel: Channel::Atm, yen: 1, number: Some(secret()) },
                    },
                    since: at,
                    ends_by: at,
                    next: String::new(),
                }
            ),
            format!(
                "{:#?}",
                TopUp {
                    intent: String::new(),
                    state: TopUpState::Done,
                    yen: 1,
                    number: Some(secret()),
                    since: at,
                    expires_at: at,
                }
            ),
            format!(
                "{:?}",
                PaymentCode {
                    digits: secret(),
                    purpose: Purpose::Pay,
                    cap_yen: 1,
                    offline: false,
                    issued_at: at,
                    refresh_at: at,
                    expires_at: at,
                    refresh_in: no_time,
                    fetch_next: false,
                    trust: TimeTrust::Full,
                    barcode: symbol(),
                    qr: symbol(),
                }
            ),
        ];
        for text in printed {
            assert!(!text.contains(PLANTED) && !text.contains("2, 7"), "{text}");
        }
        // The control: what is no such text shows itself, and so does this one when it is asked.
        assert!(format!("{:?}", PLANTED.to_owned()).contains(PLANTED));
        assert_eq!((secret().expose(), symbol().modules.expose()), (PLANTED, &[2, 7, 1, 8, 2, 8][..]));
        assert!(format!("{:?}", symbol().modules.expose()).contains("2, 7"));
    }

    #[test]
    fn counts_that_do_not_fit_are_the_largest() {
        assert_eq!([count(0), count(7), count(u64::MAX)], [0, 7, i64::MAX]);
    }
}
