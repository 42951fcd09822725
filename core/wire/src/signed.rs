//! What a key signs: `"saifu/v1/" subject 0x00`, then fields in fixed order, each behind its length as a big-endian u32.
//! One subject per purpose, so a signature given for one can never serve another. Integers are big-endian, 8 bytes.
//! `tests/it/vectors.rs` freezes every one of them.

use saifu_crypto::{CryptoError, Secret, hkdf_sha256, hmac_sha256, sha256};

use crate::messages::Channel;
use crate::{AccountId, Amount, DeviceId, IntentKey, PhoneNumber, RequestId};

fn signed(subject: &str, fields: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(b"saifu/v1/");
    out.extend_from_slice(subject.as_bytes());
    out.push(0);
    for field in fields {
        // A field is a key, an id or a short text; 4 GiB cannot occur, and saturating keeps the encoding injective below it.
        out.extend_from_slice(&u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(field);
    }
    out
}

/// Which device of which account, in which epoch. The epoch rises with every change of the paying device, so nothing signed
/// before counts after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Binding {
    /// The account.
    pub account: AccountId,
    /// The device.
    pub device: DeviceId,
    /// The account's epoch.
    pub epoch: u64,
}

/// Subject `sign-up`, by the device key: this number, these two keys, this session key.
#[must_use]
pub fn sign_up(number: &PhoneNumber, device_spki: &[u8], authorization_spki: &[u8], thumbprint: &str) -> Vec<u8> {
    signed("sign-up", &[number.as_str().as_bytes(), device_spki, authorization_spki, thumbprint.as_bytes()])
}

/// Subject `sign-up-confirm`, by the device key.
#[must_use]
pub fn sign_up_confirm(request: RequestId, thumbprint: &str) -> Vec<u8> {
    signed("sign-up-confirm", &[request.as_bytes(), thumbprint.as_bytes()])
}

/// Subject `session`, by the device key: certifies the session key with this JWK thumbprint (RFC 7638) for at most an hour.
/// `nonce` is the DPoP nonce of the same request.
#[must_use]
pub fn session(nonce: &str, binding: Binding, thumbprint: &str, app_version: &str) -> Vec<u8> {
    let Binding { account, device, epoch } = binding;
    signed(
        "session",
        &[
            nonce.as_bytes(),
            account.as_bytes(),
            device.as_bytes(),
            &epoch.to_be_bytes(),
            thumbprint.as_bytes(),
            app_version.as_bytes(),
        ],
    )
}

/// Subject `activation`, by the device key: the transcript of the key agreement. Points are 65 bytes each.
#[must_use]
pub fn activation(activation: RequestId, binding: Binding, phone: &[u8], issuer: &[u8]) -> Vec<u8> {
    let Binding { account, device, epoch } = binding;
    signed(
        "activation",
        &[activation.as_bytes(), account.as_bytes(), device.as_bytes(), &epoch.to_be_bytes(), phone, issuer],
    )
}

/// Subject `top-up`, by the authorization key: the owner approves exactly this.
#[must_use]
pub fn top_up(binding: Binding, key: IntentKey, channel: Channel, amount: Amount, nonce: &str) -> Vec<u8> {
    let Binding { account, device, epoch } = binding;
    signed(
        "top-up",
        &[
            account.as_bytes(),
            device.as_bytes(),
            &epoch.to_be_bytes(),
            key.as_bytes(),
            channel.as_str().as_bytes(),
            &amount.get().to_be_bytes(),
            nonce.as_bytes(),
        ],
    )
}

/// The fingerprint of a top-up under an idempotency key: the intent without nonce and signature.
#[must_use]
pub fn top_up_fingerprint(channel: Channel, amount: Amount) -> [u8; 32] {
    sha256(&signed("top-up-fingerprint", &[channel.as_str().as_bytes(), &amount.get().to_be_bytes()]))
}

/// Subject `service-document`, by the service key: the document's bytes as served.
#[must_use]
pub fn service_document(document: &[u8]) -> Vec<u8> {
    signed("service-document", &[document])
}

/// What an activation gives both ends.
pub struct ActivationSecrets {
    /// Key of the offline codes, 32 bytes.
    pub offline_seed: Secret,
    /// Secret of the in-app TOTP, 20 bytes (RFC 4226 §4, R6).
    pub totp: Secret,
    confirm: Secret,
}

impl ActivationSecrets {
    /// Derives them from the agreement and its transcript: HKDF-SHA-256, salt = SHA-256(transcript), one label each.
    ///
    /// # Errors
    /// Never for these lengths; passed on from the library.
    pub fn derive(shared: &Secret, transcript: &[u8]) -> Result<Self, CryptoError> {
        let salt = sha256(transcript);
        let derive = |label: &str, len| hkdf_sha256(&salt, shared, label.as_bytes(), len);
        Ok(Self {
            offline_seed: derive("saifu/v1/offline-seed", 32)?,
            totp: derive("saifu/v1/in-app-totp", 20)?,
            confirm: derive("saifu/v1/activation-confirm", 32)?,
        })
    }

    /// The proof that the phone has both: HMAC-SHA-256 over the transcript.
    #[must_use]
    pub fn confirmation(&self, transcript: &[u8]) -> [u8; 32] {
        hmac_sha256(self.confirm.expose(), &[transcript])
    }
}
