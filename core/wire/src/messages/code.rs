//! One-time payment codes.

use crate::{Millis, Sensitive, Yen};

/// What a code is for; part of its digits, so one can never serve as the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Pay at a till.
    Pay,
    /// Hand cash over at a till.
    CashIn,
}

/// Asks for a code. A fourth live one of a device kills its oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// What for.
    pub purpose: Purpose,
}

/// A code. The issuer keeps only its HMAC.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeAnswer {
    /// 24 digits.
    pub digits: Sensitive,
    /// When it was made.
    pub issued_at: Millis,
    /// Show another one from then on (60 seconds).
    pub refresh_at: Millis,
    /// It is dead from then on (5 minutes).
    pub expires_at: Millis,
    /// The most it can pay.
    pub cap_yen: Yen,
    /// The account's newest event number.
    pub last_event: u64,
}
