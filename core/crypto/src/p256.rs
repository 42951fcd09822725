//! P-256 keys and ECDSA signatures: what proves a device to the issuer, and the issuer to a device.

use ring::signature::{self, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey};

use crate::stack::{DEEP, wiped};
use crate::{CryptoError, Secret};

/// Bytes of an uncompressed point: 0x04, x, y (SEC 1 §2.3.3).
pub const POINT_LEN: usize = 65;
/// Bytes of a P-256 SubjectPublicKeyInfo (RFC 5480), which is a fixed header before the point.
pub const SPKI_LEN: usize = 91;
const SPKI_HEADER: [u8; SPKI_LEN - POINT_LEN] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A P-256 public key. Its point is checked to be on the curve by each operation, as ring does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; POINT_LEN]);

impl PublicKey {
    /// From an uncompressed point.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] for another length or form.
    pub fn from_point(point: &[u8]) -> Result<Self, CryptoError> {
        match <[u8; POINT_LEN]>::try_from(point) {
            Ok(bytes) if bytes.first() == Some(&0x04) => Ok(Self(bytes)),
            _ => Err(CryptoError::InvalidKey),
        }
    }

    /// From a DER SubjectPublicKeyInfo with the uncompressed point, the one form phones hand out.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] for any other structure.
    pub fn from_spki(der: &[u8]) -> Result<Self, CryptoError> {
        Self::from_point(der.strip_prefix(&SPKI_HEADER).ok_or(CryptoError::InvalidKey)?)
    }

    /// From the affine coordinates of a JWK (RFC 7518 §6.2).
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] when one is not 32 bytes.
    pub fn from_coordinates(x: &[u8], y: &[u8]) -> Result<Self, CryptoError> {
        if x.len() != 32 || y.len() != 32 {
            return Err(CryptoError::InvalidKey);
        }
        Self::from_point(&[&[0x04], x, y].concat())
    }

    /// The uncompressed point.
    #[must_use]
    pub fn point(&self) -> &[u8; POINT_LEN] {
        &self.0
    }

    /// The x and y coordinates, 32 bytes each.
    #[must_use]
    pub fn coordinates(&self) -> (&[u8], &[u8]) {
        self.0.split_at(1).1.split_at(32)
    }

    /// DER SubjectPublicKeyInfo.
    #[must_use]
    pub fn to_spki(&self) -> Vec<u8> {
        [&SPKI_HEADER[..], &self.0[..]].concat()
    }

    /// Checks an ASN.1 DER signature over SHA-256 of the message: the form hosts give.
    ///
    /// # Errors
    /// [`CryptoError::Unverified`].
    pub fn verify_der(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.verify(&signature::ECDSA_P256_SHA256_ASN1, message, signature)
    }

    /// Checks a 64-byte r ‖ s signature over SHA-256 of the message: the form of JWS (RFC 7518 §3.4).
    ///
    /// # Errors
    /// [`CryptoError::Unverified`].
    pub fn verify_fixed(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.verify(&signature::ECDSA_P256_SHA256_FIXED, message, signature)
    }

    fn verify(
        &self,
        algorithm: &'static signature::EcdsaVerificationAlgorithm,
        message: &[u8],
        sig: &[u8],
    ) -> Result<(), CryptoError> {
        UnparsedPublicKey::new(algorithm, &self.0).verify(message, sig).map_err(|_| CryptoError::Unverified)
    }
}

/// A P-256 signing key in software: session keys, and the desktop's stand-in for a phone's hardware. It keeps only the
/// PKCS#8 bytes, wiped on drop; ring's own key object lives as long as one signature.
pub struct KeyPair {
    pkcs8: Secret,
    public: PublicKey,
}

impl KeyPair {
    /// A fresh key from the operating system's randomness.
    ///
    /// # Errors
    /// [`CryptoError::Unavailable`] when there is none.
    pub fn generate() -> Result<Self, CryptoError> {
        let pkcs8 = wiped::<DEEP, _>(|| {
            let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
            let document = EcdsaKeyPair::generate_pkcs8(algorithm, &ring::rand::SystemRandom::new());
            document.map(|document| Secret::copy_of(document.as_ref())).map_err(|_| CryptoError::Unavailable)
        })?;
        Self::from_pkcs8(pkcs8)
    }

    /// From PKCS#8 v1 (RFC 5208) as [`pkcs8`](Self::pkcs8) gives it.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`].
    pub fn from_pkcs8(pkcs8: Secret) -> Result<Self, CryptoError> {
        let public = wiped::<DEEP, _>(|| {
            let pair = Self::ring(&pkcs8, &signature::ECDSA_P256_SHA256_FIXED_SIGNING)?;
            PublicKey::from_point(pair.public_key().as_ref())
        })?;
        Ok(Self { pkcs8, public })
    }

    /// The private key, for storage under a seal.
    #[must_use]
    pub fn pkcs8(&self) -> &Secret {
        &self.pkcs8
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs SHA-256 of the message; ASN.1 DER, at most 72 bytes and seldom under 70.
    ///
    /// # Errors
    /// [`CryptoError::Unavailable`] when there is no randomness.
    pub fn sign_der(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.sign(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, message)
    }

    /// Signs SHA-256 of the message; r ‖ s, 64 bytes.
    ///
    /// # Errors
    /// [`CryptoError::Unavailable`] when there is no randomness.
    pub fn sign_fixed(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.sign(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, message)
    }

    fn ring(pkcs8: &Secret, algorithm: &'static signature::EcdsaSigningAlgorithm) -> Result<EcdsaKeyPair, CryptoError> {
        EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.expose(), &ring::rand::SystemRandom::new())
            .map_err(|_| CryptoError::InvalidKey)
    }

    fn sign(
        &self,
        algorithm: &'static signature::EcdsaSigningAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        wiped::<DEEP, _>(|| {
            Self::ring(&self.pkcs8, algorithm)?
                .sign(&ring::rand::SystemRandom::new(), message)
                .map(|s| s.as_ref().to_vec())
                .map_err(|_| CryptoError::Unavailable)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_signature_forms_verify_and_only_as_themselves() {
        let pair = KeyPair::generate().unwrap();
        let (der, fixed) = (pair.sign_der(b"m").unwrap(), pair.sign_fixed(b"m").unwrap());
        let key = PublicKey::from_spki(&pair.public_key().to_spki()).unwrap();
        key.verify_der(b"m", &der).unwrap();
        key.verify_fixed(b"m", &fixed).unwrap();
        assert!(key.verify_der(b"m", &fixed).is_err() && key.verify_fixed(b"m", &der).is_err());
        assert!(key.verify_der(b"n", &der).is_err() && key.verify_fixed(b"n", &fixed).is_err());
    }

    #[test]
    fn key_survives_storage() {
        let pair = KeyPair::generate().unwrap();
        let again = KeyPair::from_pkcs8(pair.pkcs8().duplicate()).unwrap();
        assert_eq!(again.public_key(), pair.public_key());
    }

    #[test]
    fn foreign_encodings_are_refused() {
        let spki = KeyPair::generate().unwrap().public_key().to_spki();
        assert_eq!(spki.len(), SPKI_LEN);
        for bad in [&spki[..90], &spki[1..], b"".as_slice()] {
            assert_eq!(PublicKey::from_spki(bad), Err(CryptoError::InvalidKey));
        }
        let mut compressed = spki.clone();
        compressed[26] = 0x02;
        assert!(PublicKey::from_spki(&compressed).is_err());
    }
}
