//! The service document: what the service can do right now, signed, from an origin of its own, so that a phone still learns
//! what is stopped when the API is overloaded. Its version rises with every switch; a phone never goes back.

use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use saifu_crypto::{KeyPair, sha256};
use saifu_wire::messages::{Features, QrForm, ServiceDocument, SignedDocument, SwitchState};
use saifu_wire::{Bytes, Millis, Problem, ProblemCode, signed};

use crate::rules::{Rules, operator};

/// The oldest app version that may open sessions.
const MINIMUM_APP_VERSION: &str = "0.1.0";

/// Signs the document once for each version.
pub(crate) struct Service {
    key: KeyPair,
    signed: Mutex<Option<Arc<Signed>>>,
}

/// The document as served.
pub(crate) struct Signed {
    version: u64,
    /// A [`SignedDocument`] as JSON.
    pub(crate) text: String,
    /// Its entity tag (RFC 9110 §8.8.3).
    pub(crate) tag: String,
}

impl Service {
    pub(crate) fn new(key: KeyPair) -> Self {
        Self { key, signed: Mutex::new(None) }
    }

    /// The document as it stands.
    pub(crate) async fn document(&self, rules: &Rules, now: Millis, trace: &str) -> Result<Arc<Signed>, Problem> {
        let (version, switches) =
            rules.read(now, trace, |cx| Ok((operator::document_version(cx)?, operator::switches(cx)?))).await?;
        let mut kept = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signed) = kept.as_ref().filter(|signed| signed.version >= version) {
            return Ok(Arc::clone(signed));
        }
        let signed = Arc::new(self.sign(version, now, switches).ok_or(ProblemCode::Internal)?);
        *kept = Some(Arc::clone(&signed));
        Ok(signed)
    }

    fn sign(&self, version: u64, now: Millis, switches: Vec<SwitchState>) -> Option<Signed> {
        let stopped = switches.iter().filter(|switch| !switch.on);
        let document = ServiceDocument {
            version,
            issued_at: now,
            minimum_app_version: MINIMUM_APP_VERSION.into(),
            issuer_prefix: saifu_code::Issuer::SANDBOX.as_str().into(),
            qr: QrForm::Digits.into(),
            notices: stopped.map(|switch| switch.reason.clone()).filter(|reason| !reason.is_empty()).collect(),
            features: Features { switches },
        };
        let signed = self.signed(serde_json::to_string(&document).ok()?)?;
        let tag = format!("\"{}\"", BASE64URL_NOPAD.encode(&sha256(&signed.signature.0)));
        Some(Signed { version, text: serde_json::to_string(&signed).ok()?, tag })
    }

    /// This text with its signature.
    pub(crate) fn signed(&self, document: String) -> Option<SignedDocument> {
        let signature = self.key.sign_der(&signed::service_document(document.as_bytes())).ok()?;
        Some(SignedDocument { document, signature: Bytes(signature) })
    }
}
