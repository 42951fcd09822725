//! From a phone number to a device that can pay: sign-up, session, activation with its TOTP parameters.

use crate::{AccountId, Bytes, DeviceId, Millis, Open, PhoneNumber, RequestId, Sensitive};

use super::Standing;

/// Asks for an SMS code.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignUpRequest {
    /// Where the code goes.
    pub number: PhoneNumber,
    /// The device key, DER SubjectPublicKeyInfo.
    pub device_spki: Bytes,
    /// The authorization key, DER SubjectPublicKeyInfo; another key than the device key.
    pub authorization_spki: Bytes,
    /// The device key over [`signed::sign_up`](crate::signed::sign_up), DER.
    pub signature: Bytes,
}

/// The same for every number: a code is on its way if it may be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignUpAnswer {
    /// Names this sign-up.
    pub request: RequestId,
    /// The code is dead from then on (5 minutes).
    pub expires_at: Millis,
    /// Another code can be asked for from then on (60 seconds).
    pub resend_at: Millis,
}

/// Proves the number. Repeating it with the right code repeats the answer, so a killed phone goes on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignUpConfirmRequest {
    /// The sign-up.
    pub request: RequestId,
    /// Six digits from the SMS.
    pub code: Sensitive,
    /// The device key over [`signed::sign_up_confirm`](crate::signed::sign_up_confirm), DER.
    pub signature: Bytes,
}

/// The new account and its device.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignUpConfirmAnswer {
    /// The account.
    pub account: AccountId,
    /// This device.
    pub device: DeviceId,
    /// The account's epoch.
    pub epoch: u64,
    /// Which limits apply.
    pub standing: Open<Standing>,
}

/// Opens a session. The proof's key becomes the session key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The account.
    pub account: AccountId,
    /// The device.
    pub device: DeviceId,
    /// The epoch the device knows.
    pub epoch: u64,
    /// The app's version, at most 32 printable characters.
    pub app_version: String,
    /// The device key over [`signed::session`](crate::signed::session), DER.
    pub signature: Bytes,
}

/// A session and its first access token.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionAnswer {
    /// Names the session when a new token is asked for.
    pub session: Sensitive,
    /// The session ends then (1 hour at most).
    pub session_expires_at: Millis,
    /// Opaque, bound to the session key.
    pub access_token: Sensitive,
    /// The token ends then (5 minutes).
    pub expires_at: Millis,
}

/// Asks for a new access token; the proof shows the session key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// The session.
    pub session: Sensitive,
}

/// A new access token; the old one lives on until its own end.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenAnswer {
    /// Opaque, bound to the session key.
    pub access_token: Sensitive,
    /// The token ends then.
    pub expires_at: Millis,
}

/// Starts a key agreement. An earlier one that was not confirmed is replaced; the current secrets stay until then.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ActivationRequest {
    /// The phone's ephemeral P-256 point, 65 bytes.
    pub phone_point: Bytes,
}

/// How the in-app TOTP counts (RFC 6238).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TotpParameters {
    /// Digits of a code, 6 to 8. The hash is SHA-1.
    pub digits: u8,
    /// Seconds of a step.
    pub period: u64,
}

/// The issuer's half of the agreement.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActivationAnswer {
    /// Names the activation; part of the transcript.
    pub activation: RequestId,
    /// The issuer's ephemeral P-256 point, 65 bytes.
    pub issuer_point: Bytes,
    /// The handle that stands for this device in offline codes: seven digits.
    pub alias: Sensitive,
    /// The alias is dead from then on.
    pub alias_expires_at: Millis,
    /// How the in-app TOTP counts.
    pub totp: TotpParameters,
}

/// Proves that the phone has kept the secrets.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ActivationConfirmRequest {
    /// The activation.
    pub activation: RequestId,
    /// The device key over [`signed::activation`](crate::signed::activation), DER.
    pub signature: Bytes,
    /// [`ActivationSecrets::confirmation`](crate::signed::ActivationSecrets::confirmation), 32 bytes.
    pub mac: Bytes,
}

/// The new secrets are the current ones. Repeats give the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActivationConfirmed {
    /// The activation that is current now.
    pub activation: RequestId,
}
