use data_encoding::BASE64URL_NOPAD;

/// Binary in JSON: base64url without padding (RFC 4648 §5), at most 4,096 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, max_length = 5462, pattern = "^[A-Za-z0-9_-]*$"))]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    const MAX: usize = 4_096;
}

impl serde::Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl<'de> serde::Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        let bytes =
            BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| D::Error::custom("not base64url without padding"))?;
        if bytes.len() > Self::MAX {
            return Err(D::Error::custom("over 4096 bytes"));
        }
        Ok(Self(bytes))
    }
}

/// A short name that peers choose: a terminal, a merchant, a transaction id. 1 to 64 of `A–Z a–z 0–9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[A-Za-z0-9._-]{1,64}$"))]
#[serde(transparent)]
pub struct Name(String);

/// A text that is no [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 64 of A-Z a-z 0-9 . _ -")]
pub struct NameError;

impl Name {
    /// Checks the form.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        let fine = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if fine { Ok(Self(text)) } else { Err(NameError) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl<'de> serde::Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Which life of its data an issuer is in: another one, by chance, each time that it starts anew or from a copy. Event numbers
/// count within one era; whoever knows a later number of another era knows what has not happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Era(pub Name);

impl std::fmt::Display for Era {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Era {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Name::new(text).map(Self)
    }
}

/// A short text that must not reach a log: a one-time code, a token, an ATM number. At most 128 bytes of printable ASCII;
/// masked in `Debug`, read only by [`expose`](Self::expose).
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, max_length = 128))]
#[serde(transparent)]
pub struct Sensitive(String);

impl Sensitive {
    /// Takes the text over. Its form is the reader's business.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text. The name is there to be searched for.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sensitive(…)")
    }
}

impl<'de> serde::Deserialize<'de> for Sensitive {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        if text.len() > 128 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(D::Error::custom("not a short printable text"));
        }
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_is_strict_base64url() {
        assert_eq!(serde_json::from_str::<Bytes>("\"_-8\"").unwrap(), Bytes(vec![0xff, 0xef]));
        for bad in ["\"_-8=\"", "\"/+8\"", "\"a\"", "\"a b\"", "12"] {
            assert!(serde_json::from_str::<Bytes>(bad).is_err(), "{bad}");
        }
        let long = format!("\"{}\"", "A".repeat(6_000));
        assert!(serde_json::from_str::<Bytes>(&long).is_err());
    }

    #[test]
    fn names_hold_nothing_that_needs_escaping() {
        assert!(Name::new("register-1").is_ok());
        for bad in ["", "a b", "a/b", "é", &"x".repeat(65), "a\n"] {
            assert_eq!(Name::new(bad), Err(NameError), "{bad:?}");
        }
    }
}
