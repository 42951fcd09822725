//! AES-256-GCM (NIST SP 800-38D), 12-byte nonces, 16-byte tags. The caller brings the nonce and never uses one twice.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use zeroize::Zeroizing;

use crate::stack::{DEEP, wiped};
use crate::{CryptoError, Secret};

/// Bytes of a key.
pub const KEY_LEN: usize = 32;
/// Bytes of a nonce.
pub const NONCE_LEN: usize = 12;
/// Bytes the tag adds to the text.
pub const TAG_LEN: usize = 16;

fn key(key: &Secret) -> Result<LessSafeKey, CryptoError> {
    UnboundKey::new(&AES_256_GCM, key.expose()).map(LessSafeKey::new).map_err(|_| CryptoError::InvalidKey)
}

/// Ciphertext followed by the tag.
///
/// # Errors
/// [`CryptoError::InvalidKey`] when the key is not 32 bytes; [`CryptoError::Unavailable`] when the text is over 64 GiB.
pub fn seal(secret: &Secret, nonce: &[u8; NONCE_LEN], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
    // Room for the tag, so that the plain text is never left in a buffer that was too small.
    let mut text = Zeroizing::new(Vec::with_capacity(plain.len().saturating_add(TAG_LEN)));
    text.extend_from_slice(plain);
    wiped::<DEEP, _>(|| {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let sealed = key(secret)?.seal_in_place_append_tag(nonce, Aad::from(aad), &mut *text);
        sealed.map_err(|_| CryptoError::Unavailable)
    })?;
    Ok(std::mem::take(&mut *text))
}

/// The plain text, if key, nonce, associated data and every byte are right.
///
/// # Errors
/// [`CryptoError::InvalidKey`] when the key is not 32 bytes; [`CryptoError::Unverified`] otherwise.
pub fn open(secret: &Secret, nonce: &[u8; NONCE_LEN], aad: &[u8], sealed: &[u8]) -> Result<Secret, CryptoError> {
    let mut text = Zeroizing::new(sealed.to_vec());
    let plain_len = wiped::<DEEP, _>(|| {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = key(secret)?.open_in_place(nonce, Aad::from(aad), &mut text).map(|plain| plain.len());
        opened.map_err(|_| CryptoError::Unverified)
    })?;
    text.truncate(plain_len);
    Ok(Secret::new(std::mem::take(&mut *text)))
}
