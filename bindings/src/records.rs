//! What the issuer says, in records that cross the FFI boundary, and how they come from the core's types.

use std::time::SystemTime;

use saifu::{Event, EventBody, Open};

use crate::values::{Sensitive, SensitiveBytes, count, time};

/// A barcode: rows of `width` modules.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Symbol {
    /// Modules in a row.
    pub width: i32,
    /// Rows; a Code 128 has one, to be drawn as high as wanted.
    pub height: i32,
    /// Light modules to leave on every side, left and right for a Code 128. They are not part of `modules`.
    pub quiet_zone: i32,
    /// `width * height` bytes, row by row, 1 is dark. They are what they encode.
    pub modules: SensitiveBytes,
}

impl From<&saifu::Matrix> for Symbol {
    fn from(matrix: &saifu::Matrix) -> Self {
        let size = |len: usize| i32::try_from(len).unwrap_or(i32::MAX);
        let modules =
            (0..matrix.height()).flat_map(|y| (0..matrix.width()).map(move |x| u8::from(matrix.is_dark(x, y))));
        Self {
            width: size(matrix.width()),
            height: size(matrix.height()),
            quiet_zone: size(matrix.quiet_zone()),
            modules: modules.collect::<Vec<u8>>().into(),
        }
    }
}

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Purpose {
    /// Pay at a till.
    Pay,
    /// Hand cash over at a till.
    CashIn,
}

impl From<Purpose> for saifu::Purpose {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Pay => Self::Pay,
            Purpose::CashIn => Self::CashIn,
        }
    }
}

impl From<saifu::Purpose> for Purpose {
    fn from(purpose: saifu::Purpose) -> Self {
        match purpose {
            saifu::Purpose::Pay => Self::Pay,
            saifu::Purpose::CashIn => Self::CashIn,
        }
    }
}

/// Where money comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Channel {
    /// Cash at an ATM.
    Atm,
    /// One that this version does not know.
    Other,
}

impl From<Open<saifu::Channel>> for Channel {
    fn from(channel: Open<saifu::Channel>) -> Self {
        match channel.known() {
            Some(saifu::Channel::Atm) => Self::Atm,
            None => Self::Other,
        }
    }
}

/// Which limits apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Standing {
    /// The first 72 hours, and until a recovery factor is saved.
    Starter,
    /// After a change of device or keys.
    CoolingOff,
    /// Everybody else.
    Normal,
    /// One that this version does not know.
    Other,
}

impl From<Open<saifu::Standing>> for Standing {
    fn from(standing: Open<saifu::Standing>) -> Self {
        match standing.known() {
            Some(saifu::Standing::Starter) => Self::Starter,
            Some(saifu::Standing::CoolingOff) => Self::CoolingOff,
            Some(saifu::Standing::Normal) => Self::Normal,
            None => Self::Other,
        }
    }
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum NoticeKind {
    /// Somebody tried something with this account.
    Security,
    /// Money moved.
    Money,
    /// The service itself.
    Service,
    /// Something that this version does not know; its text says it.
    Other,
}

impl From<Open<saifu::NoticeKind>> for NoticeKind {
    fn from(kind: Open<saifu::NoticeKind>) -> Self {
        match kind.known() {
            Some(saifu::NoticeKind::Security) => Self::Security,
            Some(saifu::NoticeKind::Money) => Self::Money,
            Some(saifu::NoticeKind::Service) => Self::Service,
            None => Self::Other,
        }
    }
}

/// Something the owner is told.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Notice {
    /// Its event number.
    pub number: i64,
    /// When.
    pub at: SystemTime,
    /// What about.
    pub kind: NoticeKind,
    /// What a person reads.
    pub text: String,
}

impl From<saifu::Notice> for Notice {
    fn from(notice: saifu::Notice) -> Self {
        Self { number: count(notice.number), at: time(notice.at), kind: notice.kind.into(), text: notice.text }
    }
}

/// What a line of the history is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum EntryKind {
    /// Paid at a till.
    Payment,
    /// Money came in.
    TopUp,
    /// A till gave money back.
    Refund,
    /// A till reversed a payment.
    Reversal,
    /// Something that this version does not know; its amount says what it did.
    Other,
}

impl From<Open<saifu::EntryKind>> for EntryKind {
    fn from(kind: Open<saifu::EntryKind>) -> Self {
        match kind.known() {
            Some(saifu::EntryKind::Payment) => Self::Payment,
            Some(saifu::EntryKind::TopUp) => Self::TopUp,
            Some(saifu::EntryKind::Refund) => Self::Refund,
            Some(saifu::EntryKind::Reversal) => Self::Reversal,
            None => Self::Other,
        }
    }
}

/// Where a line of the history stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum EntryState {
    /// Final.
    Done,
    /// A state that this version does not know.
    Other,
}

/// One line of the history. Written once; a correction is another line.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HistoryEntry {
    /// The settlement, refund or deposit.
    pub id: String,
    /// Its event number; rises by one with each event of the account.
    pub number: i64,
    /// When.
    pub at: SystemTime,
    /// What.
    pub kind: EntryKind,
    /// What it did to the balance: positive in, negative out.
    pub yen: i64,
    /// What it did to the points.
    pub points: i64,
    /// Where, if at a merchant.
    pub merchant: Option<String>,
    /// Where it stands.
    pub state: EntryState,
    /// The settlement that a refund or reversal belongs to.
    pub original: Option<String>,
    /// The intent that a top-up came from.
    pub intent: Option<String>,
}

impl From<saifu::HistoryEntry> for HistoryEntry {
    fn from(entry: saifu::HistoryEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            number: count(entry.number),
            at: time(entry.at),
            kind: entry.kind.into(),
            yen: entry.yen.0,
            points: entry.points.0,
            merchant: entry.merchant,
            state: match entry.state.known() {
                Some(saifu::EntryState::Done) => EntryState::Done,
                None => EntryState::Other,
            },
            original: entry.original.map(|id| id.to_string()),
            intent: entry.intent.map(|key| key.to_string()),
        }
    }
}

/// Where a top-up stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum TopUpState {
    /// The ATM waits for the number until `expires_at`.
    AwaitingCash,
    /// The cash was posted.
    Done,
    /// Nothing came in time.
    Expired,
    /// A state that this version does not know; it is followed until it ends.
    Other,
}

/// A top-up the owner has approved.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TopUp {
    /// The intent's key.
    pub intent: String,
    /// Where it stands.
    pub state: TopUpState,
    /// What was approved.
    pub yen: i64,
    /// The one-time number to type at the ATM, 12 digits. Absent once final.
    pub number: Option<Sensitive>,
    /// When it was made.
    pub since: SystemTime,
    /// It ends by itself then.
    pub expires_at: SystemTime,
}

impl From<saifu::TopUp> for TopUp {
    fn from(top_up: saifu::TopUp) -> Self {
        Self {
            intent: top_up.intent.to_string(),
            state: match top_up.state.known() {
                Some(saifu::TopUpState::AwaitingCash) => TopUpState::AwaitingCash,
                Some(saifu::TopUpState::Done) => TopUpState::Done,
                Some(saifu::TopUpState::Expired) => TopUpState::Expired,
                None => TopUpState::Other,
            },
            yen: top_up.yen.0,
            number: top_up.number.as_ref().map(|number| number.expose().into()),
            since: time(top_up.since),
            expires_at: time(top_up.expires_at),
        }
    }
}

/// What happened to the account. Each has its number, which rises by one, its time, and balance and points after it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum WalletEvent {
    /// Money moved.
    Entry {
        /// Its number.
        number: i64,
        /// When.
        at: SystemTime,
        /// The balance after it.
        balance_yen: i64,
        /// The points after it.
        points: i64,
        /// The new line of the history.
        entry: HistoryEntry,
    },
    /// A till scanned a code of this account and was declined; the code is burnt.
    Declined {
        /// Its number.
        number: i64,
        /// When.
        at: SystemTime,
        /// The balance after it.
        balance_yen: i64,
        /// The points after it.
        points: i64,
        /// Why: a stable word.
        reason: String,
        /// How much was asked for.
        yen: i64,
        /// Where.
        merchant: String,
    },
    /// A top-up ended without money.
    TopUpExpired {
        /// Its number.
        number: i64,
        /// When.
        at: SystemTime,
        /// The balance after it.
        balance_yen: i64,
        /// The points after it.
        points: i64,
        /// The intent's key.
        intent: String,
    },
    /// The owner is told something.
    Notice {
        /// Its number.
        number: i64,
        /// When.
        at: SystemTime,
        /// The balance after it.
        balance_yen: i64,
        /// The points after it.
        points: i64,
        /// What about.
        notice: NoticeKind,
        /// What a person reads.
        text: String,
    },
    /// Something that this version does not know.
    Other {
        /// Its number.
        number: i64,
        /// When.
        at: SystemTime,
        /// The balance after it.
        balance_yen: i64,
        /// The points after it.
        points: i64,
    },
}

impl From<Event> for WalletEvent {
    fn from(event: Event) -> Self {
        let (number, at) = (count(event.number), time(event.at));
        let (balance_yen, points) = (event.balance_yen.0, event.points.0);
        match event.body {
            EventBody::Entry { entry } => Self::Entry { number, at, balance_yen, points, entry: entry.into() },
            EventBody::Declined { reason, yen, merchant } => Self::Declined {
                number,
                at,
                balance_yen,
                points,
                reason: reason.to_string(),
                yen: yen.0,
                merchant: merchant.to_string(),
            },
            EventBody::TopUpExpired { intent } => {
                Self::TopUpExpired { number, at, balance_yen, points, intent: intent.to_string() }
            }
            EventBody::Notice { notice, text } => {
                Self::Notice { number, at, balance_yen, points, notice: notice.into(), text }
            }
            EventBody::Other => Self::Other { number, at, balance_yen, points },
        }
    }
}
