//! Hashing, message authentication and key derivation, for every crate that names, chains, checks or derives.

use ring::{digest, hkdf, hmac};

use crate::stack::{DEEP, SHALLOW, wiped};
use crate::{CryptoError, Secret};

/// SHA-256 (FIPS 180-4).
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}

/// The hash under an HMAC. SHA-1 is for TOTP (RFC 6238) only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-1, as most authenticators use it.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// An HMAC key (RFC 2104) ready to use. ring keeps the expanded key unwiped, so let it live for one operation.
pub struct HmacKey(hmac::Key);

impl HmacKey {
    /// Sets the key up; any length is valid.
    #[must_use]
    pub fn new(algorithm: HashAlgorithm, key: &[u8]) -> Self {
        let algorithm = match algorithm {
            HashAlgorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            HashAlgorithm::Sha256 => hmac::HMAC_SHA256,
            HashAlgorithm::Sha512 => hmac::HMAC_SHA512,
        };
        Self(wiped::<SHALLOW, _>(|| hmac::Key::new(algorithm, key)))
    }

    /// The tag over the concatenation of `parts`: 20, 32 or 64 bytes.
    #[must_use]
    pub fn sign(&self, parts: &[&[u8]]) -> HmacTag {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        HmacTag(context.sign())
    }
}

/// An HMAC tag; read it as bytes.
pub struct HmacTag(hmac::Tag);

impl AsRef<[u8]> for HmacTag {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}

/// HMAC-SHA-256 over the concatenation of `parts`. Length-prefix variable fields yourself.
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(HmacKey::new(HashAlgorithm::Sha256, key).sign(parts).as_ref());
    out
}

/// Compares in time that depends on the lengths only.
#[must_use]
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    use subtle::ConstantTimeEq as _;
    a.ct_eq(b).into()
}

struct OutputLength(usize);
impl hkdf::KeyType for OutputLength {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-SHA-256 (RFC 5869): extract with `salt`, expand with `info` to `len` bytes.
///
/// # Errors
/// [`CryptoError::Unavailable`] when `len` exceeds 255 × 32.
pub fn hkdf_sha256(salt: &[u8], ikm: &Secret, info: &[u8], len: usize) -> Result<Secret, CryptoError> {
    let mut out = vec![0; len];
    wiped::<DEEP, _>(|| {
        let key = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(ikm.expose());
        key.expand(&[info], OutputLength(len)).and_then(|okm| okm.fill(&mut out))
    })
    .map_err(|_| CryptoError::Unavailable)?;
    Ok(Secret::new(out))
}
