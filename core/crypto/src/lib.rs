//! The one wrapper around the cryptographic library ([`ring`]): every other crate of Saifu takes its keys, signatures,
//! agreement, sealing, hashing and randomness from here, so that there is one place to review, one set of published
//! vectors (Wycheproof, RFC 4231, RFC 5869) and one door for chance.
//!
//! *Invariants.* Nothing here knows a message, a file or a clock. A [`Secret`] has no `Debug`, no `Serialize` and no
//! `Clone`; it is wiped when dropped and read only through [`Secret::expose`]. ring does not wipe the keys it expands, so a
//! key object is built for one operation and dropped, and the stack it was built on is overwritten.
//!
//! ```
//! use saifu_crypto::{aead, KeyPair, Random, SystemRandom};
//!
//! let pair = KeyPair::generate()?;
//! let signature = pair.sign_der(b"hello")?;
//! pair.public_key().verify_der(b"hello", &signature)?;
//!
//! let key = SystemRandom.secret(32)?;
//! let nonce = SystemRandom.bytes()?;
//! let sealed = aead::seal(&key, &nonce, b"context", b"plain")?;
//! assert_eq!(aead::open(&key, &nonce, b"context", &sealed)?.expose(), b"plain");
//! assert!(aead::open(&key, &nonce, b"another", &sealed).is_err());
//! # Ok::<(), saifu_crypto::CryptoError>(())
//! ```

pub mod aead;
mod agreement;
mod hash;
mod p256;
mod random;
mod secret;
mod stack;

pub use agreement::EphemeralKey;
pub use hash::{HashAlgorithm, HmacKey, HmacTag, constant_time_eq, hkdf_sha256, hmac_sha256, sha256};
pub use p256::{KeyPair, POINT_LEN, PublicKey, SPKI_LEN};
pub use random::{Random, SeededRandom, SystemRandom};
pub use secret::Secret;

/// What can go wrong. It never says which byte was wrong: that would help an attacker and nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// A key, point or encoding is not what it should be.
    #[error("the key or its encoding is not valid")]
    InvalidKey,
    /// A signature, tag or sealed text does not verify.
    #[error("the signature or seal does not verify")]
    Unverified,
    /// The operating system gave no randomness, or the library refused an operation that cannot fail on valid input.
    #[error("the cryptographic library refused the operation")]
    Unavailable,
}
