//! Base32 (RFC 4648 §6) as people copy it from screen to screen: with or without padding, any case, full-width forms, blanks,
//! dashes and unseen marks wherever they like. TOTP secrets travel in it.

use data_encoding::BASE32_NOPAD;
use saifu_crypto::Secret;
use zeroize::Zeroizing;

/// Why a text is not a Base32 secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Base32Error {
    /// Nothing in it.
    #[error("the secret is empty")]
    Empty,
    /// Not a letter and not 2–7: 0, 1 and 8 are left out of the alphabet because they look like O, I and B.
    #[error("character {at} is not part of Base32")]
    Symbol {
        /// Where, counted in bytes from 0.
        at: usize,
    },
    /// No whole number of bytes has this many characters or these last bits: something is missing at the end.
    #[error("the secret is cut off")]
    CutOff,
}

/// Reads a secret.
///
/// # Errors
/// [`Base32Error`].
pub fn decode(text: &str) -> Result<Secret, Base32Error> {
    let mut symbols = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut padding = None;
    for (at, c) in text.char_indices().filter(|(_, c)| !is_between(*c)) {
        let symbol = plain(c).to_ascii_uppercase();
        match (u8::try_from(symbol), padding) {
            (Ok(b'='), _) => padding = padding.or(Some(at)),
            (Ok(symbol @ (b'A'..=b'Z' | b'2'..=b'7')), None) => symbols.push(symbol),
            // Padding is nowhere but at the end.
            (_, padding) => return Err(Base32Error::Symbol { at: padding.unwrap_or(at) }),
        }
    }
    if symbols.is_empty() {
        return Err(Base32Error::Empty);
    }
    BASE32_NOPAD.decode(&symbols).map(Secret::new).map_err(|_| Base32Error::CutOff)
}

/// A full-width form (U+FF01–FF5E) as the plain one.
fn plain(c: char) -> char {
    match c {
        '！'..='～' => u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32).unwrap_or(c),
        _ => c,
    }
}

/// Blanks, dashes, and what a paste brings along unseen.
fn is_between(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '－' | '\u{AD}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | 'ー' | 'ｰ')
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// Writes a secret in capitals with nothing between.
#[must_use]
pub fn encode(secret: &Secret) -> Zeroizing<String> {
    Zeroizing::new(BASE32_NOPAD.encode(secret.expose()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<u8>, Base32Error> {
        decode(text).map(|secret| secret.expose().to_vec())
    }

    #[test]
    fn vectors_of_rfc_4648_hold_without_their_padding() {
        for (plain, text) in [
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(*encode(&Secret::copy_of(plain.as_bytes())), text);
            assert_eq!(read(text).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn case_width_blanks_dashes_and_padding_do_not_matter() {
        for text in [
            " mzxw-6ytb oi- ",
            "MZXW6YTBOI======",
            "MZXW 6YTB OI== ====\n",
            "mzxw6ytboi=",
            "mzxw\t6ytb\toi",
            "MZXW\u{a0}6YTB\u{a0}OI",
            "\u{feff}MZXW6YTBOI\u{200f}",
            "MZXW\u{2010}6YTB\u{2212}OI",
            "MZXW\u{3000}6YTB\u{202f}OI",
            "ＭＺＸＷ６ＹＴＢＯＩ＝",
            "MZXW\r\n6YTBOI",
        ] {
            assert_eq!(read(text).as_deref(), Ok(b"foobar".as_slice()), "{text:?}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for (text, at) in [("MZ0W", 2), ("1ZXW", 0), ("MZX8", 3), ("MY==MY==", 2), ("=MY", 0), ("МY", 0)] {
            assert_eq!(read(text), Err(Base32Error::Symbol { at }), "{text}");
        }
        assert_eq!((read(""), read(" - =")), (Err(Base32Error::Empty), Err(Base32Error::Empty)));
        // One, three and six characters are no whole bytes; MZ has bits set beyond its byte.
        for text in ["M", "MZX", "MZXW6Y", "MZ"] {
            assert_eq!(read(text), Err(Base32Error::CutOff), "{text}");
        }
    }

    proptest! {
        #[test]
        fn secrets_survive_writing_and_reading(bytes in prop::collection::vec(any::<u8>(), 1..80)) {
            let text = encode(&Secret::copy_of(&bytes));
            prop_assert_eq!(read(&text.to_lowercase()).unwrap(), bytes);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "(?s).{0,60}|[A-Z2-7]{0,60}|[A-Z2-7=＝\u{a0}]{0,60}") {
            let _ = decode(&text);
        }
    }
}
