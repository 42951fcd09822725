//! Key agreement: how two devices, or a device and the issuer, come to a secret that was never sent.

use ring::agreement;

use crate::stack::{DEEP, wiped};
use crate::{CryptoError, PublicKey, Secret};

/// One side of an ephemeral ECDH on P-256 (NIST SP 800-56A); used once, by value.
pub struct EphemeralKey {
    private: agreement::EphemeralPrivateKey,
    public: PublicKey,
}

impl EphemeralKey {
    /// A fresh key from the operating system's randomness.
    ///
    /// # Errors
    /// [`CryptoError::Unavailable`] when there is none.
    pub fn generate() -> Result<Self, CryptoError> {
        let unavailable = |_| CryptoError::Unavailable;
        let private = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &ring::rand::SystemRandom::new())
            .map_err(unavailable)?;
        let public = PublicKey::from_point(private.compute_public_key().map_err(unavailable)?.as_ref())?;
        Ok(Self { private, public })
    }

    /// The half to send.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The shared secret: 32 bytes, the x coordinate. Derive from it, never use it as a key.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] when the peer's point is not on the curve.
    pub fn agree(self, peer: &PublicKey) -> Result<Secret, CryptoError> {
        let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, peer.point());
        wiped::<DEEP, _>(|| agreement::agree_ephemeral(self.private, &peer, Secret::copy_of))
            .map_err(|_| CryptoError::InvalidKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree_and_a_bad_point_is_refused() {
        let (a, b) = (EphemeralKey::generate().unwrap(), EphemeralKey::generate().unwrap());
        let (pa, pb) = (a.public_key().clone(), b.public_key().clone());
        assert_eq!(a.agree(&pb).unwrap().expose(), b.agree(&pa).unwrap().expose());
        let mut off_curve = *pa.point();
        off_curve[64] ^= 1;
        let peer = PublicKey::from_point(&off_curve).unwrap();
        assert_eq!(EphemeralKey::generate().unwrap().agree(&peer).err(), Some(CryptoError::InvalidKey));
    }
}
