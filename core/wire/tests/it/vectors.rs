//! Frozen bytes of everything a key signs. A change here is a change of the protocol: it needs a new subject.

use data_encoding::HEXLOWER;
use saifu_crypto::{Secret, sha256};
use saifu_wire::messages::Channel;
use saifu_wire::signed::{self, ActivationSecrets, Binding};
use saifu_wire::{AccountId, Amount, DeviceId, IntentKey, Millis, PhoneNumber, RequestId};

fn id(byte: u8) -> uuid::Uuid {
    uuid::Uuid::from_bytes([byte; 16])
}

fn binding() -> Binding {
    Binding { account: AccountId(id(0xaa)), device: DeviceId(id(0xdd)), epoch: 3 }
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

const SUBJECT: &str = "73616966752f76312f"; // saifu/v1/

#[test]
fn sign_up_bytes_are_frozen() {
    let number = PhoneNumber::parse("09012345678").unwrap();
    let expected =
        format!("{SUBJECT}7369676e2d757000 0000000d2b383139303132333435363738 00000002d1d1 00000002a1a1 000000027470",);
    assert_eq!(hex(&signed::sign_up(&number, &[0xd1; 2], &[0xa1; 2], "tp")), expected.replace(' ', ""));
}

#[test]
fn sign_up_confirm_bytes_are_frozen() {
    let expected = format!("{SUBJECT}7369676e2d75702d636f6e6669726d00 00000010{} 000000027470", "11".repeat(16));
    assert_eq!(hex(&signed::sign_up_confirm(RequestId(id(0x11)), "tp")), expected.replace(' ', ""));
}

#[test]
fn session_bytes_are_frozen() {
    let expected = format!(
        "{SUBJECT}73657373696f6e00 000000016e 00000010{} 00000010{} 000000080000000000000003 000000027470 00000005312e302e30",
        "aa".repeat(16),
        "dd".repeat(16),
    );
    assert_eq!(hex(&signed::session("n", binding(), "tp", "1.0.0")), expected.replace(' ', ""));
}

#[test]
fn activation_bytes_are_frozen() {
    let expected = format!(
        "{SUBJECT}61637469766174696f6e00 00000010{} 00000010{} 00000010{} 000000080000000000000003 0000000204e1 0000000204e2",
        "11".repeat(16),
        "aa".repeat(16),
        "dd".repeat(16),
    );
    let bytes = signed::activation(RequestId(id(0x11)), binding(), &[0x04, 0xe1], &[0x04, 0xe2]);
    assert_eq!(hex(&bytes), expected.replace(' ', ""));
}

#[test]
fn top_up_bytes_are_frozen() {
    let key = IntentKey::new(Millis(0x0123_4567_89ab), [0xff; 10]);
    let expected = format!(
        "{SUBJECT}746f702d757000 00000010{} 00000010{} 000000080000000000000003 000000100123456789ab7fffbfffffffffffffff 0000000361746d \
         000000080000000000001388 000000016e",
        "aa".repeat(16),
        "dd".repeat(16),
    );
    let bytes = signed::top_up(binding(), key, Channel::Atm, Amount::new(5_000).unwrap(), "n");
    assert_eq!(hex(&bytes), expected.replace(' ', ""));
    let fingerprint = hex(&signed::top_up_fingerprint(Channel::Atm, Amount::new(5_000).unwrap()));
    let input = format!("{SUBJECT}746f702d75702d66696e6765727072696e7400 0000000361746d 000000080000000000001388");
    assert_eq!(fingerprint, hex(&sha256(&HEXLOWER.decode(input.replace(' ', "").as_bytes()).unwrap())));
}

#[test]
fn service_document_bytes_are_frozen() {
    let expected = format!("{SUBJECT}736572766963652d646f63756d656e7400 000000027b7d");
    assert_eq!(hex(&signed::service_document(b"{}")), expected.replace(' ', ""));
}

/// Derived independently with Python's `hmac` and `hashlib` (extract, then one expand block a label).
#[test]
fn activation_secrets_are_frozen() {
    let secrets = ActivationSecrets::derive(&Secret::new(vec![0x42; 32]), b"transcript").unwrap();
    assert_eq!(
        [hex(secrets.offline_seed.expose()), hex(secrets.totp.expose()), hex(&secrets.confirmation(b"transcript")),],
        [
            "185d8fa8a14607e8212dc893966141bffcecd629de98df56ea5d59699d8ff09a",
            "211552b49d569c22e1fc831f4bcf4abca2c0f1e9",
            "26272760fe73ad545e5679a5c6230af36b208822e66807bab2d10a233e5d6cb9",
        ]
    );
}
