/// A Japanese mobile number in E.164 form (`+8190…`), the only kind an account can have.
///
/// Ranges are those the Ministry of Internal Affairs and Communications assigns to mobile voice: 060, 070, 080 and 090,
/// each followed by eight digits of which the first is not 0.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = r"^\+81[6789]0[1-9][0-9]{7}$"))]
#[serde(transparent)]
pub struct PhoneNumber(String);

/// Why a text is not a number that can sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Not a phone number.
    #[error("not a phone number: write it like 090-1234-5678 or +819012345678")]
    NotANumber,
    /// A number, but not of a Japanese mobile range.
    #[error("only Japanese mobile numbers (060, 070, 080, 090) can sign up")]
    NotMobile,
}

impl PhoneNumber {
    /// Reads a number as people write it: `090-1234-5678`, `09012345678`, `+81 90 1234 5678`, full-width digits too.
    ///
    /// # Errors
    /// [`PhoneError`], which says what to write instead.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let mut compact = String::new();
        for c in text.trim().chars() {
            match c {
                '0'..='9' | '+' => compact.push(c),
                '０'..='９' => {
                    let digit = u32::from(c).saturating_sub(u32::from('０'));
                    compact.push(char::from_digit(digit, 10).ok_or(PhoneError::NotANumber)?);
                }
                '＋' => compact.push('+'),
                ' ' | '-' | '(' | ')' | '\u{3000}' | '－' | '‐' | 'ー' => {}
                _ => return Err(PhoneError::NotANumber),
            }
            if compact.len() > 16 {
                return Err(PhoneError::NotANumber);
            }
        }
        let national = match (compact.strip_prefix("+81"), compact.strip_prefix('0')) {
            (Some(rest), _) => rest.strip_prefix('0').unwrap_or(rest),
            (None, Some(rest)) => rest,
            (None, None) if compact.strip_prefix('+').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit())) => {
                return Err(PhoneError::NotMobile);
            }
            (None, None) => return Err(PhoneError::NotANumber),
        };
        if national.is_empty() || !national.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PhoneError::NotANumber);
        }
        match national.as_bytes() {
            [b'6'..=b'9', b'0', b'1'..=b'9', rest @ ..] if rest.len() == 7 => Ok(Self(format!("+81{national}"))),
            [b'6'..=b'9', b'0', ..] if national.len() != 10 => Err(PhoneError::NotANumber),
            _ => Err(PhoneError::NotMobile),
        }
    }

    /// E.164.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last four digits, for texts: `…5678`.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("…{}", self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default())
    }
}

impl std::fmt::Debug for PhoneNumber {
    /// Masked: a number is personal data and stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

impl<'de> serde::Deserialize<'de> for PhoneNumber {
    /// On the wire only the canonical form is a number.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        match Self::parse(&text) {
            Ok(number) if number.0 == text => Ok(number),
            Ok(_) => Err(D::Error::custom("the number is not in E.164 form")),
            Err(error) => Err(D::Error::custom(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for text in
            ["090-1234-5678", "09012345678", "+819012345678", "+81 (0)90 1234 5678", "０９０ー１２３４ー５６７８"]
        {
            assert_eq!(PhoneNumber::parse(text).unwrap().as_str(), "+819012345678", "{text}");
        }
        assert_eq!(format!("{:?}", PhoneNumber::parse("07011112222").unwrap()), "PhoneNumber(…2222)");
    }

    #[test]
    fn other_numbers_are_refused_with_what_to_write() {
        for text in ["0312345678", "+442079460000", "05012345678", "0120123456", "09002345678"] {
            assert_eq!(PhoneNumber::parse(text), Err(PhoneError::NotMobile), "{text}");
        }
        for text in ["", "hello", "0901234567", "090123456789", "+81", "90", "++819012345678", "0901234+5678"] {
            assert_eq!(PhoneNumber::parse(text), Err(PhoneError::NotANumber), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,40}") {
            let _ = PhoneNumber::parse(&text);
        }

        #[test]
        fn a_canonical_number_reads_as_itself(text in "\\+81[6789]0[1-9][0-9]{7}") {
            let number = PhoneNumber::parse(&text).unwrap();
            proptest::prop_assert_eq!(number.as_str(), text.as_str());
        }
    }
}
