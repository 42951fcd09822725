//! What happens to an account, as server-sent events: `id` is the event number, `data` one [`Event`] as JSON.

use crate::{Millis, Name, Open, Points, Reason, Yen};

use super::{HistoryEntry, NoticeKind};

/// One event of an account. Number, time, balance and points are read whatever the rest says; a kind that this version does
/// not know, or whose fields have changed, is [`EventBody::Other`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
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
        reason: Open<Reason>,
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
        notice: Open<NoticeKind>,
        /// What a person reads.
        text: String,
    },
    /// Something that this version does not know; its number and balance still count. It may be a line of the history all
    /// the same: that is asked for.
    #[serde(other)]
    Other,
}

impl<'de> serde::Deserialize<'de> for Event {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Read {
            number: u64,
            at: Millis,
            balance_yen: Yen,
            points: Points,
            #[serde(flatten)]
            rest: serde_json::Map<String, serde_json::Value>,
        }
        let Read { number, at, balance_yen, points, rest } = Read::deserialize(deserializer)?;
        let body = serde_json::from_value(rest.into()).unwrap_or(EventBody::Other);
        Ok(Self { number, at, balance_yen, points, body })
    }
}
