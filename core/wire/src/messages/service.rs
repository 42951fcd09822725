//! The service document: what the service can do right now, signed, static, from another origin than the API.

use crate::open::words;
use crate::{Bytes, Millis, Open};

use super::SwitchState;

/// How a QR code is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum QrForm {
    /// The 24 digits themselves.
    Digits,
    /// EMVCo QR Code Specification, consumer-presented mode.
    Emvco,
    /// JPQR, consumer-presented mode.
    Jpqr,
}

/// What is switched on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Features {
    /// Every switch as it stood when this was signed.
    pub switches: Vec<SwitchState>,
}

/// The document itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceDocument {
    /// Rises with every change; a phone never goes back.
    pub version: u64,
    /// When it was signed.
    pub issued_at: Millis,
    /// The oldest app version that may open sessions.
    pub minimum_app_version: String,
    /// The issuer prefix of payment codes, eight digits.
    pub issuer_prefix: String,
    /// How QR codes are written.
    pub qr: Open<QrForm>,
    /// What is switched on.
    pub features: Features,
    /// What everybody is told.
    pub notices: Vec<String>,
}

/// The document as served: its exact text and the signature over [`signed::service_document`](crate::signed::service_document).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedDocument {
    /// A [`ServiceDocument`] as JSON text.
    pub document: String,
    /// The service key, DER.
    pub signature: Bytes,
}

words! {
    QrForm { Digits = "digits", Emvco = "emvco", Jpqr = "jpqr", }
}
