//! What a customer sees: balance, notices, history.

use crate::open::{if_it_fits, words};
use crate::{Era, IntentKey, Millis, Open, Points, SettlementId, Yen};

use super::TopUp;

/// Which row of the limits table applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The first 72 hours, and until a recovery factor is saved.
    Starter,
    /// After a change of device or keys.
    CoolingOff,
    /// Everybody else.
    Normal,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// Somebody tried something with this account; cannot be muted.
    Security,
    /// Money moved.
    Money,
    /// The service itself.
    Service,
}

/// Something the owner is told.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notice {
    /// Its event number.
    pub number: u64,
    /// When.
    pub at: Millis,
    /// What about.
    pub kind: Open<NoticeKind>,
    /// What a person reads.
    pub text: String,
}

/// The home screen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Home {
    /// When the issuer wrote this.
    pub as_of: Millis,
    /// The era that event numbers count in.
    pub era: Era,
    /// The account's newest event number at that time.
    pub last_event: u64,
    /// What can be spent.
    pub balance_yen: Yen,
    /// Loyalty points.
    pub points: Points,
    /// Which limits apply.
    pub standing: Open<Standing>,
    /// Whether the account is frozen.
    pub frozen: bool,
    /// What may still be topped up today.
    pub top_up_left_yen: Yen,
    /// What may still be paid today, the balance apart.
    pub pay_left_yen: Yen,
    /// Top-ups that are not finished.
    pub top_ups: Vec<TopUp>,
    /// The newest notices, newest first, at most 20.
    pub notices: Vec<Notice>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// Paid at a till.
    Payment,
    /// Money came in.
    TopUp,
    /// A till gave money back.
    Refund,
    /// A till reversed a payment.
    Reversal,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EntryState {
    /// Final.
    Done,
}

/// One line of the history. Written once; a correction is another line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryEntry {
    /// The settlement, refund or deposit.
    pub id: SettlementId,
    /// Its event number: rises by one with each event of the account.
    pub number: u64,
    /// When.
    pub at: Millis,
    /// What.
    pub kind: Open<EntryKind>,
    /// What it did to the balance: positive in, negative out.
    pub yen: Yen,
    /// What it did to the points.
    pub points: Points,
    /// Where, if at a merchant.
    #[serde(default, deserialize_with = "if_it_fits")]
    pub merchant: Option<String>,
    /// Where it stands.
    pub state: Open<EntryState>,
    /// The settlement that a refund or reversal belongs to.
    #[serde(default, deserialize_with = "if_it_fits")]
    pub original: Option<SettlementId>,
    /// The intent that a top-up came from.
    #[serde(default, deserialize_with = "if_it_fits")]
    pub intent: Option<IntentKey>,
}

/// Which entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// Only entries with a higher event number.
    #[serde(default)]
    pub after: u64,
}

/// Entries in rising order, at most 100.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryPage {
    /// The entries.
    pub entries: Vec<HistoryEntry>,
    /// Whether there are more after the last of these.
    pub more: bool,
    /// The era that event numbers count in.
    pub era: Era,
}

words! {
    Standing { Starter = "starter", CoolingOff = "cooling-off", Normal = "normal", }
    NoticeKind { Security = "security", Money = "money", Service = "service", }
    EntryKind { Payment = "payment", TopUp = "top-up", Refund = "refund", Reversal = "reversal", }
    EntryState { Done = "done", }
}
