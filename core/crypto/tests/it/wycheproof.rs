//! Project Wycheproof's vectors against this crate's own functions, so that a wrapper which drops a check, swaps two
//! arguments or takes a form it should refuse is found out. Every test states how many vectors it ran: a set that
//! shrinks or is filtered away fails.

use saifu_crypto::{CryptoError, EphemeralKey, HashAlgorithm, HmacKey, PublicKey, Secret, aead, hkdf_sha256};
use wycheproof::{TestResult, aead as gcm, ecdh, ecdsa, hkdf, mac};

/// How many vectors had to succeed and how many had to fail.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ran {
    valid: usize,
    invalid: usize,
}

impl Ran {
    /// Compares the verdict and counts it. The sets below have no verdict left open, unless the test says so itself.
    fn check(&mut self, expected: TestResult, accepted: bool, case: usize) {
        match expected {
            TestResult::Valid => self.valid += 1,
            TestResult::Invalid => self.invalid += 1,
            TestResult::Acceptable => panic!("vector {case} leaves the verdict open"),
        }
        assert_eq!(accepted, expected == TestResult::Valid, "vector {case}");
    }
}

type Verify = fn(&PublicKey, &[u8], &[u8]) -> Result<(), CryptoError>;

fn verified_signatures(set: ecdsa::TestName, verify: Verify) -> Ran {
    let mut ran = Ran::default();
    for group in ecdsa::TestSet::load(set).unwrap().test_groups {
        let key = PublicKey::from_spki(&group.der).unwrap();
        assert_eq!(PublicKey::from_point(&group.key.key), Ok(key.clone()));
        for test in group.tests {
            ran.check(test.result, verify(&key, &test.msg, &test.sig).is_ok(), test.tc_id);
        }
    }
    ran
}

#[test]
fn der_signatures_are_verified() {
    let ran = verified_signatures(ecdsa::TestName::EcdsaSecp256r1Sha256, PublicKey::verify_der);
    assert_eq!(ran, Ran { valid: 174, invalid: 310 });
}

#[test]
fn fixed_length_signatures_are_verified() {
    let ran = verified_signatures(ecdsa::TestName::EcdsaSecp256r1Sha256P1363, PublicKey::verify_fixed);
    assert_eq!(ran, Ran { valid: 173, invalid: 89 });
}

/// The shared secrets of this set cannot be compared: our agreement is ephemeral only and takes no private key from
/// outside. What is left is which public keys are let in, and that is where such code goes wrong.
#[test]
fn bad_public_keys_are_refused_in_agreement() {
    let mut ran = Ran::default();
    let mut compressed = 0;
    for group in ecdh::TestSet::load(ecdh::TestName::EcdhSecp256r1Ecpoint).unwrap().test_groups {
        for test in group.tests {
            let peer = PublicKey::from_point(&test.public_key);
            let agreed = peer.and_then(|peer| EphemeralKey::generate().unwrap().agree(&peer));
            if test.result == TestResult::Acceptable {
                // The compressed form: correct, and never sent to us, so refused.
                assert_eq!(agreed.err(), Some(CryptoError::InvalidKey), "vector {}", test.tc_id);
                compressed += 1;
                continue;
            }
            ran.check(test.result, agreed.is_ok(), test.tc_id);
        }
    }
    assert_eq!((ran, compressed), (Ran { valid: 330, invalid: 24 }, 1));
}

/// Tags that the set cuts short are compared over the length it gives.
fn checked_tags(set: mac::TestName, algorithm: HashAlgorithm) -> Ran {
    let mut ran = Ran::default();
    for group in mac::TestSet::load(set).unwrap().test_groups {
        for test in group.tests {
            let (head, tail) = test.msg.split_at(test.msg.len() / 2);
            let tag = HmacKey::new(algorithm, &test.key).sign(&[head, tail]);
            let kept = tag.as_ref().get(..group.tag_size / 8).unwrap();
            ran.check(test.result, kept == test.tag.as_slice(), test.tc_id);
        }
    }
    ran
}

#[test]
fn hmac_tags_match() {
    assert_eq!(checked_tags(mac::TestName::HmacSha1, HashAlgorithm::Sha1), Ran { valid: 66, invalid: 104 });
    assert_eq!(checked_tags(mac::TestName::HmacSha256, HashAlgorithm::Sha256), Ran { valid: 66, invalid: 108 });
    assert_eq!(checked_tags(mac::TestName::HmacSha512, HashAlgorithm::Sha512), Ran { valid: 66, invalid: 108 });
}

#[test]
fn derived_keys_match_and_too_long_ones_are_refused() {
    let mut ran = Ran::default();
    for group in hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap().test_groups {
        for test in group.tests {
            let okm = hkdf_sha256(&test.salt, &Secret::copy_of(&test.ikm), &test.info, test.size);
            // Every invalid vector asks for more than 255 blocks; a wrong key that came out would not count as refused.
            assert_eq!(okm.is_err(), test.result == TestResult::Invalid, "vector {}", test.tc_id);
            let matches = okm.is_ok_and(|okm| okm.expose() == test.okm.as_slice());
            ran.check(test.result, matches, test.tc_id);
        }
    }
    assert_eq!(ran, Ran { valid: 83, invalid: 3 });
}

#[test]
fn sealed_texts_match_and_changed_ones_stay_shut() {
    let mut ran = Ran::default();
    let ours = |group: &gcm::TestGroup| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128);
    for group in gcm::TestSet::load(gcm::TestName::AesGcm).unwrap().test_groups.into_iter().filter(ours) {
        for test in group.tests {
            let key = Secret::copy_of(&test.key);
            let nonce = <[u8; aead::NONCE_LEN]>::try_from(test.nonce.as_slice()).unwrap();
            let sealed = [test.ct.as_slice(), &test.tag].concat();
            let made = aead::seal(&key, &nonce, &test.aad, &test.pt).unwrap();
            assert_eq!(made == sealed, test.result == TestResult::Valid, "vector {}", test.tc_id);
            let opened = aead::open(&key, &nonce, &test.aad, &sealed);
            if let Ok(plain) = &opened {
                assert_eq!(plain.expose(), test.pt.as_slice(), "vector {}", test.tc_id);
            }
            ran.check(test.result, opened.is_ok(), test.tc_id);
        }
    }
    assert_eq!(ran, Ran { valid: 39, invalid: 27 });
}
