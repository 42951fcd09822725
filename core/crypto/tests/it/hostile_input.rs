//! What arrives from outside is refused in an orderly way, whatever it is, and nothing changed passes for the original.

use proptest::prelude::*;
use saifu_crypto::{CryptoError, EphemeralKey, KeyPair, PublicKey, Secret, aead};

proptest! {
    #[test]
    fn no_bytes_make_a_key_parser_or_a_verifier_panic(bytes in prop::collection::vec(any::<u8>(), 0..160)) {
        prop_assert!(PublicKey::from_spki(&bytes).is_err());
        prop_assert!(KeyPair::from_pkcs8(Secret::copy_of(&bytes)).is_err());
        let point = [&[0x04], bytes.get(..64).unwrap_or_default()].concat();
        if let Ok(key) = PublicKey::from_point(&point) {
            // Half of all x have a point, and a random y hits it once in 2^256.
            prop_assert_eq!(key.verify_der(b"m", &bytes), Err(CryptoError::Unverified));
            prop_assert_eq!(key.verify_fixed(b"m", &bytes[..64]), Err(CryptoError::Unverified));
            let agreed = EphemeralKey::generate().unwrap().agree(&key);
            prop_assert_eq!(agreed.err(), Some(CryptoError::InvalidKey));
        }
    }

    #[test]
    fn sealed_text_opens_only_whole(
        plain in prop::collection::vec(any::<u8>(), 0..100),
        bit in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let key = Secret::new(vec![7; aead::KEY_LEN]);
        let nonce = [1; aead::NONCE_LEN];
        let sealed = aead::seal(&key, &nonce, b"tree", &plain).unwrap();
        prop_assert_eq!(sealed.len(), plain.len() + aead::TAG_LEN);
        let opened = aead::open(&key, &nonce, b"tree", &sealed).unwrap();
        prop_assert_eq!(opened.expose(), &plain[..]);

        let mut flipped = sealed.clone();
        let bit = bit.index(sealed.len() * 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
        for bad in [&flipped, &sealed[..cut.index(sealed.len())]] {
            prop_assert_eq!(aead::open(&key, &nonce, b"tree", bad).err(), Some(CryptoError::Unverified));
        }
        prop_assert!(aead::open(&key, &[2; aead::NONCE_LEN], b"tree", &sealed).is_err());
        prop_assert!(aead::open(&key, &nonce, b"leaf", &sealed).is_err());
    }
}

#[test]
fn key_of_another_length_seals_and_opens_nothing() {
    for length in [0, 16, 31, 33] {
        let key = Secret::new(vec![7; length]);
        assert_eq!(aead::seal(&key, &[0; 12], b"", b"").err(), Some(CryptoError::InvalidKey));
        assert_eq!(aead::open(&key, &[0; 12], b"", &[0; 16]).err(), Some(CryptoError::InvalidKey));
    }
}
