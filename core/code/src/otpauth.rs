//! `otpauth://totp/` URIs, the form in which authenticators take a TOTP secret from a QR code. The wallet writes them
//! for its user's authenticator, tests and tools read them.
//!
//! Written with every parameter spelled out, because authenticators disagree on the defaults; read with the usual
//! ones (SHA-1, 6 digits, 30 seconds). Parameters nobody here knows are ignored, a known one twice is an error.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use saifu_crypto::{HashAlgorithm, Secret};
use url::Url;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    base32::{self, Base32Error},
    totp::{Totp, TotpError},
};

/// All but the unreserved characters (RFC 3986 §2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a text is not a TOTP URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OtpAuthError {
    /// Not an `otpauth` URI at all.
    #[error("this is not an otpauth URI")]
    NotOtpAuth,
    /// Another kind of one-time password, such as `hotp`.
    #[error("only time-based codes (totp) are supported")]
    NotTotp,
    /// A name that is empty, holds a colon, is `.` or `..`, or is not UTF-8.
    #[error("the {0} is not valid")]
    Name(&'static str),
    /// A parameter that stands twice.
    #[error("the parameter {0} is there twice")]
    Duplicate(&'static str),
    /// No secret.
    #[error("there is no secret")]
    NoSecret,
    /// A secret that cannot be read.
    #[error(transparent)]
    Secret(#[from] Base32Error),
    /// A hash other than SHA-1, SHA-256 and SHA-512.
    #[error("the algorithm is not supported")]
    Algorithm,
    /// Digits or period that are not a number.
    #[error("{0} is not a number")]
    NotANumber(&'static str),
    /// Numbers out of range.
    #[error(transparent)]
    Totp(#[from] TotpError),
}

/// A TOTP secret with what an authenticator shows beside its codes.
pub struct OtpAuth {
    issuer: Option<String>,
    account: String,
    secret: Secret,
    totp: Totp,
}

impl OtpAuth {
    /// Checks and trims the names.
    ///
    /// # Errors
    /// [`OtpAuthError::Name`] for one that is empty, holds a colon, which separates the two, or is `.` or `..`, which
    /// readers of URIs remove from a path (RFC 3986 §5.2.4).
    pub fn new(issuer: Option<&str>, account: &str, secret: Secret, totp: Totp) -> Result<Self, OtpAuthError> {
        let issuer = issuer.map(|issuer| name("issuer", issuer)).transpose()?;
        Ok(Self { issuer, account: name("account", account)?, secret, totp })
    }

    /// Reads a URI. The `issuer` parameter wins over the prefix of the label.
    ///
    /// # Errors
    /// [`OtpAuthError`].
    pub fn parse(uri: &str) -> Result<Self, OtpAuthError> {
        let url = Url::parse(uri).map_err(|_| OtpAuthError::NotOtpAuth)?;
        let parsed = Self::from_url(&url);
        String::from(url).zeroize();
        parsed
    }

    fn from_url(url: &Url) -> Result<Self, OtpAuthError> {
        if url.scheme() != "otpauth" {
            return Err(OtpAuthError::NotOtpAuth);
        }
        if !url.host_str().is_some_and(|host| host.eq_ignore_ascii_case("totp")) {
            return Err(OtpAuthError::NotTotp);
        }
        let label = url.path().strip_prefix('/').unwrap_or_default();
        let label = percent_decode_str(label).decode_utf8().map_err(|_| OtpAuthError::Name("account"))?;
        let (prefix, account) = match label.split_once(':') {
            Some((prefix, account)) => (Some(prefix), account),
            None => (None, label.as_ref()),
        };
        let [secret, issuer, algorithm, digits, period] =
            parameters(url, ["secret", "issuer", "algorithm", "digits", "period"])?;
        let issuer = issuer.as_deref().map(String::as_str).filter(|issuer| !issuer.is_empty()).or(prefix);
        let secret = base32::decode(&secret.ok_or(OtpAuthError::NoSecret)?)?;
        let usual = Totp::default();
        let algorithm = algorithm.map_or(Ok(usual.algorithm()), |name| algorithm_named(&name))?;
        let digits = number("digits", digits, usual.digits())?;
        let period = number("period", period, usual.period())?;
        Self::new(issuer, account, secret, Totp::new(algorithm, digits, period)?)
    }

    /// Writes the URI, all parameters spelled out. It holds the secret: wiped when dropped.
    #[must_use]
    pub fn to_uri(&self) -> Zeroizing<String> {
        let escape = |text| Cow::from(utf8_percent_encode(text, ESCAPED));
        let (prefix, parameter) = match &self.issuer {
            Some(issuer) => (format!("{}:", escape(issuer)), format!("&issuer={}", escape(issuer))),
            None => (String::new(), String::new()),
        };
        Zeroizing::new(format!(
            "otpauth://totp/{prefix}{account}?secret={secret}{parameter}&algorithm={algorithm}&digits={digits}&period={period}",
            account = escape(&self.account),
            secret = base32::encode(&self.secret).as_str(),
            algorithm = algorithm_name(self.totp.algorithm()),
            digits = self.totp.digits(),
            period = self.totp.period(),
        ))
    }

    /// Who the codes are for.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whose codes they are.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The shared secret.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// How codes are made from it.
    #[must_use]
    pub fn totp(&self) -> Totp {
        self.totp
    }
}

fn name(what: &'static str, text: &str) -> Result<String, OtpAuthError> {
    let text = text.trim();
    if matches!(text, "" | "." | "..") || text.contains(':') {
        Err(OtpAuthError::Name(what))
    } else {
        Ok(text.to_owned())
    }
}

/// The values of the named parameters, each of which may stand once.
fn parameters<const N: usize>(
    url: &Url,
    names: [&'static str; N],
) -> Result<[Option<Zeroizing<String>>; N], OtpAuthError> {
    let mut values = [const { None }; N];
    for (key, value) in url.query_pairs() {
        for (name, slot) in names.iter().zip(&mut values).filter(|(name, _)| **name == key) {
            if slot.replace(Zeroizing::new(value.to_string())).is_some() {
                return Err(OtpAuthError::Duplicate(name));
            }
        }
    }
    Ok(values)
}

fn number<T: std::str::FromStr>(
    what: &'static str,
    text: Option<Zeroizing<String>>,
    usual: T,
) -> Result<T, OtpAuthError> {
    text.map_or(Ok(usual), |text| text.parse().map_err(|_| OtpAuthError::NotANumber(what)))
}

fn algorithm_name(algorithm: HashAlgorithm) -> &'static str {
    match algorithm {
        HashAlgorithm::Sha1 => "SHA1",
        HashAlgorithm::Sha256 => "SHA256",
        HashAlgorithm::Sha512 => "SHA512",
    }
}

fn algorithm_named(name: &str) -> Result<HashAlgorithm, OtpAuthError> {
    [HashAlgorithm::Sha1, HashAlgorithm::Sha256, HashAlgorithm::Sha512]
        .into_iter()
        .find(|algorithm| algorithm_name(*algorithm).eq_ignore_ascii_case(name))
        .ok_or(OtpAuthError::Algorithm)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(uri: &str) -> OtpAuthError {
        OtpAuth::parse(uri).err().unwrap()
    }

    #[test]
    fn example_of_the_key_uri_format_is_read() {
        let uri = "otpauth://totp/ACME%20Co:john.doe@email.com?secret=HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ&issuer=ACME%20Co\
                   &algorithm=SHA1&digits=6&period=30";
        let read = OtpAuth::parse(uri).unwrap();
        assert_eq!(
            (read.issuer(), read.account(), read.totp()),
            (Some("ACME Co"), "john.doe@email.com", Totp::default())
        );
        assert_eq!(read.secret().len(), 20);
        assert_eq!(*read.to_uri(), uri.replace('@', "%40"));
    }

    #[test]
    fn everything_is_spelled_out_when_written() {
        let secret = Secret::copy_of(b"12345678901234567890");
        let totp = Totp::new(HashAlgorithm::Sha256, 8, 60).unwrap();
        let made = OtpAuth::new(Some(" Saifu "), "花子", secret, totp).unwrap();
        assert_eq!(
            *made.to_uri(),
            "otpauth://totp/Saifu:%E8%8A%B1%E5%AD%90?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Saifu\
             &algorithm=SHA256&digits=8&period=60"
        );
    }

    #[test]
    fn what_is_left_out_takes_the_usual_value() {
        let read = OtpAuth::parse("OTPAUTH://TOTP/john?secret=my-my%20my-y&image=x").unwrap();
        assert_eq!((read.issuer(), read.account(), read.totp()), (None, "john", Totp::default()));
        let read = OtpAuth::parse("otpauth://totp/Shop%3A%20john?secret=MY&algorithm=sha512&issuer=").unwrap();
        assert_eq!((read.issuer(), read.account()), (Some("Shop"), "john"));
        assert_eq!(read.totp().algorithm(), HashAlgorithm::Sha512);
        let read = OtpAuth::parse("otpauth://totp/Old:a+b?secret=MY&issuer=New+Name").unwrap();
        assert_eq!((read.issuer(), read.account()), (Some("New Name"), "a+b"));
    }

    #[test]
    fn each_fault_has_its_own_error() {
        for (uri, error) in [
            ("", OtpAuthError::NotOtpAuth),
            ("https://totp/a?secret=MY", OtpAuthError::NotOtpAuth),
            ("otpauth://hotp/a?secret=MY&counter=1", OtpAuthError::NotTotp),
            ("otpauth:totp/a?secret=MY", OtpAuthError::NotTotp),
            ("otpauth://totp/?secret=MY", OtpAuthError::Name("account")),
            ("otpauth://totp?secret=MY", OtpAuthError::Name("account")),
            ("otpauth://totp/a:b:c?secret=MY", OtpAuthError::Name("account")),
            ("otpauth://totp/%2e?secret=MY", OtpAuthError::Name("account")),
            ("otpauth://totp/a:..?secret=MY", OtpAuthError::Name("account")),
            ("otpauth://totp/%ff?secret=MY", OtpAuthError::Name("account")),
            ("otpauth://totp/:a?secret=MY", OtpAuthError::Name("issuer")),
            ("otpauth://totp/a?secret=MY&issuer=b:c", OtpAuthError::Name("issuer")),
            ("otpauth://totp/a", OtpAuthError::NoSecret),
            ("otpauth://totp/a?secret=", OtpAuthError::Secret(Base32Error::Empty)),
            ("otpauth://totp/a?secret=M1", OtpAuthError::Secret(Base32Error::Symbol { at: 1 })),
            ("otpauth://totp/a?secret=MY&secret=MY", OtpAuthError::Duplicate("secret")),
            ("otpauth://totp/a?secret=MY&algorithm=MD5", OtpAuthError::Algorithm),
            ("otpauth://totp/a?secret=MY&digits=5", OtpAuthError::Totp(TotpError::Digits(5))),
            ("otpauth://totp/a?secret=MY&digits=six", OtpAuthError::NotANumber("digits")),
            ("otpauth://totp/a?secret=MY&period=0", OtpAuthError::Totp(TotpError::Period)),
            ("otpauth://totp/a?secret=MY&period=-1", OtpAuthError::NotANumber("period")),
        ] {
            assert_eq!(refused(uri), error, "{uri}");
        }
    }

    proptest! {
        #[test]
        fn uris_survive_writing_and_reading(
            issuer in prop::option::of("[^:]{1,20}"),
            account in "[^:]{1,20}",
            key in prop::collection::vec(any::<u8>(), 1..64),
            digits in 6_u8..=8,
            period in 1..u64::MAX,
        ) {
            let totp = Totp::new(HashAlgorithm::Sha512, digits, period).unwrap();
            let Ok(made) = OtpAuth::new(issuer.as_deref(), &account, Secret::copy_of(&key), totp) else {
                // The only way out is a name of blanks, or of one or two dots.
                let no_name = |text: &str| matches!(text.trim(), "" | "." | "..");
                prop_assert!(no_name(&account) || issuer.is_some_and(|issuer| no_name(&issuer)));
                return Ok(());
            };
            let read = OtpAuth::parse(&made.to_uri()).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!((read.issuer(), read.account(), read.totp()), (made.issuer(), made.account(), totp));
            prop_assert_eq!(read.secret().expose(), key);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,80}", tail in "(/.{0,20})?([?].{0,40})?") {
            let _ = (OtpAuth::parse(&text), OtpAuth::parse(&format!("otpauth://totp{tail}")));
        }
    }
}
