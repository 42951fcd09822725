//! What registers and ATMs ask. Who they are comes from the key of their proof, never from the body.

use crate::open::if_it_fits;
use crate::{Amount, Millis, Name, Open, Reason, Sensitive, SettlementId, Yen};

/// Approved or declined. Closed, unlike other words of answers: a terminal that cannot tell whether money moved has got no
/// answer, and reverses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Money moved, or may now.
    Approved,
    /// Nothing moved.
    Declined,
    /// A reversal was carried out, or will be should its transaction still arrive.
    Voided,
}

/// Settles a scanned code. Idempotent by (terminal, `txid`), looked up before the code.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SettleRequest {
    /// The register's own id of this transaction.
    pub txid: Name,
    /// The 24 digits read from the barcode or QR.
    pub digits: Sensitive,
    /// How much.
    pub yen: Amount,
}

/// The answer to settle, void, refund and deposit. A repeat of the same transaction repeats it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettleAnswer {
    /// Approved or declined.
    pub result: Outcome,
    /// Why it was declined.
    #[serde(default, deserialize_with = "if_it_fits")]
    pub reason: Option<Open<Reason>>,
    /// The ledger's id of what was posted.
    #[serde(default)]
    pub settlement: Option<SettlementId>,
    /// How much was posted.
    pub yen: Yen,
}

/// Reverses a transaction of this register; one that has not arrived yet is refused when it does.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VoidRequest {
    /// The transaction to reverse.
    pub txid: Name,
}

/// Gives money back for a settlement of the same merchant.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefundRequest {
    /// The register's own id of this refund.
    pub txid: Name,
    /// What is refunded.
    pub settlement: SettlementId,
    /// How much; all refunds together at most the settlement.
    pub yen: Amount,
}

/// Checks a customer at an ATM before it takes cash.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AtmAuthorizeRequest {
    /// The ATM's own id of this transaction; the deposit names it again.
    pub txid: Name,
    /// The one-time number of the top-up.
    pub number: Sensitive,
    /// The in-app TOTP code.
    pub totp: Sensitive,
}

/// May cash be taken, and how much?
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AtmAuthorizeAnswer {
    /// Approved or declined.
    pub result: Outcome,
    /// Why it was declined.
    #[serde(default, deserialize_with = "if_it_fits")]
    pub reason: Option<Open<Reason>>,
    /// How much cash may be taken at most.
    pub yen: Yen,
    /// The cash must be posted by then (5 minutes).
    #[serde(default)]
    pub until: Option<Millis>,
}

/// Posts the cash taken under an authorization. Idempotent by (terminal, `txid`).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AtmDepositRequest {
    /// The transaction that was authorized.
    pub txid: Name,
    /// The cash counted; the rest of the approved amount is given back to the limits.
    pub yen: Amount,
}
