//! Base32 (RFC 4648 §6) as people copy it from screen to screen: no padding, any case, blanks and hyphens wherever
//! they like. TOTP secrets travel in it.

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
    for (at, byte) in text.bytes().enumerate() {
        match byte.to_ascii_uppercase() {
            b' ' | b'-' => {}
            symbol @ (b'A'..=b'Z' | b'2'..=b'7') => symbols.push(symbol),
            _ => return Err(Base32Error::Symbol { at }),
        }
    }
    if symbols.is_empty() {
        return Err(Base32Error::Empty);
    }
    BASE32_NOPAD.decode(&symbols).map(Secret::new).map_err(|_| Base32Error::CutOff)
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
    fn case_blanks_and_hyphens_do_not_matter() {
        assert_eq!(read(" mzxw-6ytb oi- ").unwrap(), b"foobar");
    }

    #[test]
    fn everything_else_is_refused() {
        for (text, at) in [("MZ0W", 2), ("1ZXW", 0), ("MZX8", 3), ("MY======", 2), ("MZ\u{a0}", 2), ("ＭY", 0)] {
            assert_eq!(read(text), Err(Base32Error::Symbol { at }), "{text}");
        }
        assert_eq!((read(""), read(" - ")), (Err(Base32Error::Empty), Err(Base32Error::Empty)));
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
        fn no_text_makes_the_parser_panic(text in ".{0,60}|[A-Z2-7]{0,60}") {
            let _ = decode(&text);
        }
    }
}
