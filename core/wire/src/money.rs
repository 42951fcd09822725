use serde::de::{Error as _, Unexpected};

/// Japanese yen, which have no fraction. Balances and sums; may be negative where a ledger side is. Arithmetic is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Yen(pub i64);

impl Yen {
    /// The sum, unless it leaves the range of 64 bits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, unless it leaves the range of 64 bits.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl std::fmt::Display for Yen {
    /// `¥12,345`, `-¥1`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.0.unsigned_abs().to_string();
        let mut grouped = String::with_capacity(digits.len().saturating_mul(2));
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && digits.len().saturating_sub(index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        f.pad(&format!("{}¥{grouped}", if self.0 < 0 { "-" } else { "" }))
    }
}

/// Loyalty points: one for every ¥200 paid. May be negative after a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Points(pub i64);

/// An amount that somebody asks to move: ¥1 to ¥9,999,999. Anything else is refused where it enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 9_999_999))]
#[serde(transparent)]
pub struct Amount(i64);

impl Amount {
    /// The largest amount, in yen. Every real limit lies far below.
    pub const MAX: i64 = 9_999_999;

    /// An amount in yen, if it lies in the range.
    #[must_use]
    pub fn new(yen: i64) -> Option<Self> {
        (1..=Self::MAX).contains(&yen).then_some(Self(yen))
    }

    /// In yen.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }

    /// As a sum.
    #[must_use]
    pub fn yen(self) -> Yen {
        Yen(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let yen = i64::deserialize(deserializer)?;
        Self::new(yen)
            .ok_or_else(|| D::Error::invalid_value(Unexpected::Signed(yen), &"whole yen between 1 and 9999999"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_refuse_everything_but_whole_yen_in_range() {
        for bad in ["0", "-1", "1.0", "1e3", "\"100\"", "10000000", "9223372036854775808", "null", "[1]", "true"] {
            assert!(serde_json::from_str::<Amount>(bad).is_err(), "{bad}");
        }
        assert_eq!(serde_json::from_str::<Amount>("9999999").unwrap().get(), 9_999_999);
    }

    #[test]
    fn yen_read_as_people_write_them() {
        assert_eq!(Yen(0).to_string(), "¥0");
        assert_eq!(Yen(999).to_string(), "¥999");
        assert_eq!(Yen(-1_234_567).to_string(), "-¥1,234,567");
    }

    #[test]
    fn sums_stop_at_the_end_of_the_range() {
        assert_eq!(Yen(i64::MAX).checked_add(Yen(1)), None);
        assert_eq!(Yen(i64::MIN).checked_sub(Yen(1)), None);
    }
}
