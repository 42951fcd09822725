//! What happens to an account, as server-sent events: `id` is the event number, `data` one [`Event`] as JSON.

use crate::{Millis, Name, Points, Reason, Yen};

use super::{HistoryEntry, NoticeKind};

/// One event of an account.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Rises by one per account.
    pub number: u64,
    /// When.
    pub at: Millis,
    /// The balance after it.
    pub balance_yen: Yen,
    /// The points after it.
    pub points: Points,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum EventBody {
    /// Money moved.
    Entry {
        /// The new line of the history.
        entry: HistoryEntry,
    },
    /// A till scanned a code of this account and was declined; the code is burnt.
    Declined {
        /// Why.
        reason: Reason,
        /// How much was asked for.
        yen: Yen,
        /// Where.
        merchant: Name,
    },
    /// A top-up ended without money.
    TopUpExpired {
        /// The intent.
        intent: crate::IntentKey,
    },
    /// The owner is told something.
    Notice {
        /// What about.
        notice: NoticeKind,
        /// What a person reads.
        text: String,
    },
    /// Something that this version does not know; its number and balance still count.
    #[serde(other)]
    Other,
}
