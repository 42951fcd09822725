//! The vectors printed in the standards themselves: HMAC (RFC 2202, RFC 4231), HKDF (RFC 5869), SHA-256 (FIPS 180-4).

use data_encoding::HEXLOWER as HEX;
use saifu_crypto::{CryptoError, HashAlgorithm, HmacKey, Secret, constant_time_eq, hkdf_sha256, hmac_sha256, sha256};

fn hex(text: &str) -> Vec<u8> {
    HEX.decode(text.as_bytes()).unwrap()
}

fn tag(algorithm: HashAlgorithm, key: &[u8], parts: &[&[u8]]) -> String {
    HEX.encode(HmacKey::new(algorithm, key).sign(parts).as_ref())
}

#[test]
fn sha256_of_abc_matches() {
    assert_eq!(HEX.encode(&sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn hmac_of_a_short_key_matches() {
    // RFC 4231 test case 2; RFC 2202 test case 2 for SHA-1.
    let (key, text): (_, &[&[u8]]) = (b"Jefe", &[b"what do ya want ", b"for nothing?"]);
    assert_eq!(tag(HashAlgorithm::Sha1, key, text), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    let sha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(tag(HashAlgorithm::Sha256, key, text), sha256);
    assert_eq!(HEX.encode(&hmac_sha256(key, text)), sha256);
    assert_eq!(
        tag(HashAlgorithm::Sha512, key, text),
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
         9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
    );
}

#[test]
fn hmac_of_a_key_longer_than_a_block_matches() {
    // RFC 4231 test case 6.
    let text: &[&[u8]] = &[b"Test Using Larger Than Block-Size Key - Hash Key First"];
    let sha256 = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
    assert_eq!(tag(HashAlgorithm::Sha256, &[0xaa; 131], text), sha256);
    assert_eq!(
        tag(HashAlgorithm::Sha512, &[0xaa; 131], text),
        "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352\
         6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"
    );
}

#[test]
fn hkdf_matches_with_and_without_salt() {
    // RFC 5869 appendices A.1 and A.3.
    let ikm = || Secret::new(vec![0x0b; 22]);
    let okm = hkdf_sha256(&hex("000102030405060708090a0b0c"), &ikm(), &hex("f0f1f2f3f4f5f6f7f8f9"), 42).unwrap();
    assert_eq!(
        HEX.encode(okm.expose()),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    );
    let okm = hkdf_sha256(b"", &ikm(), b"", 42).unwrap();
    assert_eq!(
        HEX.encode(okm.expose()),
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    );
}

#[test]
fn hkdf_stops_at_255_blocks() {
    let ikm = Secret::new(vec![1; 32]);
    assert_eq!(hkdf_sha256(b"", &ikm, b"", 255 * 32).unwrap().len(), 8_160);
    assert_eq!(hkdf_sha256(b"", &ikm, b"", 255 * 32 + 1).err(), Some(CryptoError::Unavailable));
}

#[test]
fn comparison_sees_every_byte_and_the_length() {
    assert!(constant_time_eq(b"abc", b"abc") && constant_time_eq(b"", b""));
    for other in [&b"bbc"[..], b"abd", b"ab", b"abcd", b""] {
        assert!(!constant_time_eq(b"abc", other));
    }
}
