use crate::typed::{is_between, plain};

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
    /// A mobile range, but a number that nobody has: what follows 080 does not begin with 0.
    #[error("a Japanese mobile number has no 0 after 060, 070, 080 or 090: write it like 090-1234-5678")]
    NotGiven,
    /// A number, but not of a Japanese mobile range.
    #[error("only Japanese mobile numbers (060, 070, 080, 090) can sign up")]
    NotMobile,
}

impl PhoneNumber {
    /// Reads a number as people write and paste it: `090-1234-5678`, `09012345678`, `+81 (0)90 1234 5678`,
    /// `tel:+81-90-1234-5678`, in full-width forms too, with any blanks, dashes, dots, brackets and unseen marks between.
    ///
    /// # Errors
    /// [`PhoneError`], which says what to write instead.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let mut compact = String::new();
        for c in without_label(text).chars().filter(|c| !is_between(*c)) {
            match plain(c) {
                c @ ('0'..='9' | '+') => compact.push(c),
                '\u{FE62}' => compact.push('+'),
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
            [b'6'..=b'9', b'0', ..] => Err(PhoneError::NotGiven),
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

/// Without a leading `tel:` (RFC 3966) or `TEL`, as links and cards have it.
fn without_label(text: &str) -> &str {
    let text = text.trim_start_matches(is_between);
    if let Some(rest) = text.strip_prefix('℡') {
        return rest.trim_start_matches([':', '：']);
    }
    let mut rest = text.chars();
    let labelled = rest.by_ref().take(3).map(plain).map(|c| c.to_ascii_lowercase()).eq("tel".chars());
    if labelled { rest.as_str().trim_start_matches(is_between).trim_start_matches([':', '：']) } else { text }
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
        let mut texts: Vec<String> = [
            "090-1234-5678",
            "09012345678",
            "+819012345678",
            "+81 (0)90 1234 5678",
            "０９０ー１２３４ー５６７８",
            "＋８１９０１２３４５６７８",
            "090.1234.5678",
            "090・1234・5678",
            "(090) 1234 5678",
            "（０９０）１２３４－５６７８",
            "[090]12345678",
            "［090］12345678",
            "｢090-1234-5678｣",
            "「090-1234-5678」",
            "tel:090-1234-5678",
            "tel:+81-90-1234-5678",
            "TEL:09012345678",
            "Tel 090-1234-5678",
            "ＴＥＬ：０９０－１２３４－５６７８",
            "TEL. 090-1234-5678",
            "℡090-1234-5678",
            "\u{200e}tel:\u{202a}09012345678\u{202c}",
            " \u{feff}090-1234-5678\r\n",
            "\u{fe62}819012345678",
        ]
        .map(String::from)
        .to_vec();
        let dashes = ('\u{2010}'..='\u{2015}')
            .chain("\u{2212}\u{30fc}\u{ff70}\u{ff0d}\u{fe58}\u{fe63}\u{2500}\u{2043}\u{ad}".chars());
        let blanks = "\t \u{a0}\u{3000}\u{1680}\u{202f}\u{205f}".chars().chain('\u{2000}'..='\u{200a}');
        let unseen = "\u{61c}\u{180e}\u{feff}\u{fe0f}".chars().chain('\u{200b}'..='\u{200f}');
        let unseen = unseen.chain('\u{202a}'..='\u{202e}').chain('\u{2060}'..='\u{2069}');
        texts.extend(dashes.chain(blanks).chain(unseen).map(|c| format!("{c}090{c}1234{c}{c}5678{c}")));
        for text in texts {
            assert_eq!(PhoneNumber::parse(&text).map(|number| number.0).as_deref(), Ok("+819012345678"), "{text:?}");
        }
        assert_eq!(format!("{:?}", PhoneNumber::parse("07011112222").unwrap()), "PhoneNumber(…2222)");
    }

    #[test]
    fn other_numbers_are_refused_with_what_to_write() {
        for text in ["0312345678", "+442079460000", "05012345678", "0120123456"] {
            assert_eq!(PhoneNumber::parse(text), Err(PhoneError::NotMobile), "{text}");
        }
        for text in ["080-0000-0000", "09002345678", "+816001234567"] {
            assert_eq!(PhoneNumber::parse(text), Err(PhoneError::NotGiven), "{text}");
        }
        for text in [
            "",
            "hello",
            "0901234567",
            "090123456789",
            "+81",
            "90",
            "++819012345678",
            "0901234+5678",
            "tel:",
            "tel",
            "telephone 09012345678",
            "tel:tel:09012345678",
            "٠٩٠١٢٣٤٥٦٧٨",
            "090,1234,5678",
            "090/1234/5678",
            "fax:09012345678",
        ] {
            assert_eq!(PhoneNumber::parse(text), Err(PhoneError::NotANumber), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(?s).{0,40}|(tel:|℡|ＴＥＬ)?[0-9０-９+ \u{200e}\u{2010}]{0,20}") {
            let _ = PhoneNumber::parse(&text);
        }

        #[test]
        fn a_canonical_number_reads_as_itself(text in "\\+81[6789]0[1-9][0-9]{7}") {
            let number = PhoneNumber::parse(&text).unwrap();
            proptest::prop_assert_eq!(number.as_str(), text.as_str());
        }
    }
}
