//! Money in: the owner approves an intent, the issuer holds it, a rail fulfils it.

use crate::open::{if_it_fits, words};
use crate::{Amount, Bytes, IntentKey, Millis, Open, Sensitive, Yen};

/// Where a top-up comes from. Its name is part of what the owner signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Cash at an ATM, with a one-time number and the in-app TOTP.
    Atm,
}

/// Asks for a nonce.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IntentNonceRequest {}

/// A nonce for one approval of this device.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IntentNonce {
    /// Signed with the intent, used once.
    pub nonce: Sensitive,
    /// The issuer's time: the intent key's time field.
    pub now: Millis,
    /// The nonce is dead from then on (2 minutes).
    pub expires_at: Millis,
}

/// An approved top-up, under an `Idempotency-Key` of UUIDv7.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TopUpRequest {
    /// Where it comes from.
    pub channel: Channel,
    /// How much at most.
    pub yen: Amount,
    /// The nonce that was signed.
    pub nonce: Sensitive,
    /// The authorization key over [`signed::top_up`](crate::signed::top_up), DER.
    pub signature: Bytes,
}

/// Where a top-up stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TopUpState {
    /// Held; the ATM waits for the number until `expires_at`.
    AwaitingCash,
    /// The cash was posted.
    Done,
    /// Nothing came in time; the hold was given back.
    Expired,
}

/// A top-up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopUp {
    /// The intent.
    pub intent: IntentKey,
    /// Where it comes from.
    pub channel: Open<Channel>,
    /// Where it stands.
    pub state: Open<TopUpState>,
    /// What was approved.
    pub yen: Yen,
    /// What was posted.
    pub posted_yen: Yen,
    /// The one-time number to type at the ATM: 12 digits, the last one a Luhn check digit. Absent once final.
    #[serde(default, deserialize_with = "if_it_fits")]
    pub number: Option<Sensitive>,
    /// When it was made.
    pub since: Millis,
    /// It ends by itself then.
    pub expires_at: Millis,
}

/// Operations that move money by intent. Keys are scoped to its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum IntentOperation {
    /// `POST /v1/top-ups`.
    TopUp,
}

/// Asks what became of an intent, and ends it if it never arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResolveRequest {
    /// Its operation.
    pub operation: IntentOperation,
    /// Its key.
    pub key: IntentKey,
}

/// What became of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Resolved {
    /// It arrived and was accepted; the answer holds it.
    Accepted,
    /// It did not arrive, or was refused, and never will be accepted from now on.
    Voided,
}

/// The final word on an intent's arrival.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResolveAnswer {
    /// What became of it.
    pub outcome: Open<Resolved>,
    /// The top-up as it stands now, if it was accepted.
    #[serde(default)]
    pub top_up: Option<TopUp>,
}

words! {
    Channel { Atm = "atm", }
    TopUpState { AwaitingCash = "awaiting-cash", Done = "done", Expired = "expired", }
    IntentOperation { TopUp = "top-up", }
    Resolved { Accepted = "accepted", Voided = "voided", }
}
