//! What a screen shows, one record a screen.

use std::time::{Duration, SystemTime};

use saifu::{Home, Pending};

use crate::records::{Channel, HistoryEntry, Notice, Purpose, Standing, Symbol};
use crate::values::{Sensitive, count, time};

/// How far a wallet has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum WalletState {
    /// Nobody has signed up here.
    NoAccount,
    /// An SMS code is awaited.
    SigningUp,
    /// An account is here.
    Ready,
    /// The issuer no longer knows this device. What the wallet last knew can still be read.
    PutAside,
    /// The wallet is locked: what is in it is not known until it is unlocked.
    Locked,
}

/// What the issuer's time rests on here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum TimeTrust {
    /// The issuer was heard since the phone started, and both clocks agree.
    Full,
    /// The same, but the phone's clock was set meanwhile. It makes no difference.
    WallDisagrees,
    /// The phone started anew since the issuer was heard: its own clock decides, which may be wrong.
    Rebooted,
    /// The issuer was never heard: the phone's own clock decides.
    Unanchored,
}

impl From<saifu::Trust> for TimeTrust {
    fn from(trust: saifu::Trust) -> Self {
        match trust {
            saifu::Trust::Full => Self::Full,
            saifu::Trust::WallDisagrees => Self::WallDisagrees,
            saifu::Trust::Rebooted => Self::Rebooted,
            saifu::Trust::Unanchored => Self::Unanchored,
        }
    }
}

/// How the wallet's following stands.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Following {
    /// Nobody asked for it, or it waits for the wallet to be unlocked.
    Off,
    /// A connection is being made.
    Connecting,
    /// Events come as they happen.
    Connected {
        /// Since when.
        since: SystemTime,
    },
    /// It was lost and is tried again by itself.
    Waiting {
        /// The stable name of what went wrong.
        why: String,
        /// The next try.
        next_try_at: SystemTime,
    },
    /// The issuer does not know this device any more.
    Ended {
        /// The stable name of why.
        why: String,
    },
}

impl From<saifu::Following> for Following {
    fn from(following: saifu::Following) -> Self {
        match following {
            saifu::Following::Off => Self::Off,
            saifu::Following::Connecting => Self::Connecting,
            saifu::Following::Connected { since } => Self::Connected { since: time(since) },
            saifu::Following::Waiting { why, next_try_at } => {
                Self::Waiting { why: why.to_owned(), next_try_at: time(next_try_at) }
            }
            saifu::Following::Ended { why } => Self::Ended { why: why.to_owned() },
        }
    }
}

/// Whether something can be begun now. The issuer decides when it is asked; this spares a refusal known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Offer {
    /// It can.
    Open,
    /// There is no account that could.
    NoAccount,
    /// The wallet is locked.
    Locked,
    /// The account is frozen.
    Frozen,
    /// Nothing is left to pay with.
    NoBalance,
    /// The limit of a day is used up.
    DayLimit,
    /// This phone has not agreed on its secrets yet; it does so by itself once it reaches the issuer.
    NotActivated,
}

impl From<saifu::Offer> for Offer {
    fn from(offer: saifu::Offer) -> Self {
        match offer {
            saifu::Offer::Open => Self::Open,
            saifu::Offer::NoAccount => Self::NoAccount,
            saifu::Offer::Locked => Self::Locked,
            saifu::Offer::Frozen => Self::Frozen,
            saifu::Offer::NoBalance => Self::NoBalance,
            saifu::Offer::DayLimit => Self::DayLimit,
            saifu::Offer::NotActivated => Self::NotActivated,
        }
    }
}

/// The home screen.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HomeScreen {
    /// How far this wallet has come.
    pub state: WalletState,
    /// What leads on from this state, one sentence.
    pub way_out: String,
    /// The issuer's word for why it no longer knows this device.
    pub put_aside: Option<String>,
    /// This device, once there is one.
    pub device_id: Option<String>,
    /// Which limits apply.
    pub standing: Option<Standing>,
    /// What can be spent, as of `as_of`.
    pub balance_yen: Option<i64>,
    /// Why the balance is not known.
    pub balance_reason: Option<String>,
    /// When the issuer said so.
    pub as_of: Option<SystemTime>,
    /// How old that is.
    pub age: Option<Duration>,
    /// Loyalty points.
    pub points: Option<i64>,
    /// Whether the account is frozen.
    pub frozen: bool,
    /// What may still be topped up today.
    pub top_up_left_yen: Option<i64>,
    /// What may still be paid today.
    pub pay_left_yen: Option<i64>,
    /// The newest notices, newest first.
    pub notices: Vec<Notice>,
    /// The newest event the wallet knows.
    pub last_event: i64,
    /// Whether lines of the history are missing on this phone; they are fetched.
    pub history_incomplete: bool,
    /// What the issuer's time rests on here.
    pub trust: TimeTrust,
    /// How the following of events stands.
    pub following: Following,
    /// Whether a code can be shown at a till.
    pub pay: Offer,
    /// Whether a top-up can be prepared.
    pub top_up: Offer,
    /// Whether the in-app TOTP code can be shown.
    pub totp: Offer,
}

impl From<Home> for HomeScreen {
    fn from(home: Home) -> Self {
        Self {
            state: match home.state {
                saifu::WalletState::NoAccount => WalletState::NoAccount,
                saifu::WalletState::SigningUp => WalletState::SigningUp,
                saifu::WalletState::Ready => WalletState::Ready,
                saifu::WalletState::PutAside => WalletState::PutAside,
                saifu::WalletState::Locked => WalletState::Locked,
            },
            way_out: home.state.way_out().to_owned(),
            put_aside: home.put_aside.map(|why| why.as_str().to_owned()),
            device_id: home.device.map(|device| device.to_string()),
            standing: home.standing.map(Standing::from),
            balance_yen: home.balance_yen.map(|yen| yen.0),
            balance_reason: home.balance_reason.map(str::to_owned),
            as_of: home.as_of.map(time),
            age: home.age_ms.map(Duration::from_millis),
            points: home.points.map(|points| points.0),
            frozen: home.frozen,
            top_up_left_yen: home.top_up_left_yen.map(|yen| yen.0),
            pay_left_yen: home.pay_left_yen.map(|yen| yen.0),
            notices: home.notices.into_iter().map(Notice::from).collect(),
            last_event: count(home.last_event),
            history_incomplete: home.history_incomplete,
            trust: home.trust.into(),
            following: home.following.into(),
            pay: home.offers.pay.into(),
            top_up: home.offers.top_up.into(),
            totp: home.offers.totp.into(),
        }
    }
}

/// A sign-up that waits for its SMS code.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SignUpScreen {
    /// Where the code went: `+81` and the rest (E.164).
    pub number: Sensitive,
    /// The code is dead from then on.
    pub expires_at: SystemTime,
    /// Another code can be asked for from then on.
    pub resend_at: SystemTime,
    /// How long the code lives yet; nothing once it is dead.
    pub expires_in: Duration,
    /// How long until another code can be asked for.
    pub resend_in: Duration,
}

impl From<&saifu::SignUp> for SignUpScreen {
    fn from(sign_up: &saifu::SignUp) -> Self {
        Self {
            number: sign_up.number().as_str().into(),
            expires_at: time(sign_up.expires_at()),
            resend_at: time(sign_up.resend_at()),
            expires_in: Duration::from_millis(sign_up.expires_in_ms()),
            resend_in: Duration::from_millis(sign_up.resend_in_ms()),
        }
    }
}

/// A TOTP code (RFC 6238) that proves this phone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TotpCode {
    /// The digits.
    pub code: Sensitive,
    /// The next one starts then.
    pub valid_until: SystemTime,
    /// How long that is, when this was made.
    pub valid_for: Duration,
    /// What the time rests on. Where the phone's own clock decides, the code may be refused, and three wrong ones end an ATM
    /// number: ask the issuer once before.
    pub trust: TimeTrust,
}

/// The newest lines of the history.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HistoryScreen {
    /// Newest first.
    pub entries: Vec<HistoryEntry>,
    /// Lines are missing on this phone; they are fetched.
    pub incomplete: bool,
}

/// What an intent is about.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum IntentDetail {
    /// Money in.
    TopUp {
        /// From where.
        channel: Channel,
        /// How much was approved.
        yen: i64,
        /// The ATM number, while it can be used.
        number: Option<Sensitive>,
    },
}

impl From<saifu::IntentDetail> for IntentDetail {
    fn from(detail: saifu::IntentDetail) -> Self {
        match detail {
            saifu::IntentDetail::TopUp { channel, yen, number } => Self::TopUp {
                channel: channel.into(),
                yen: yen.0,
                number: number.as_ref().map(|number| number.expose().into()),
            },
        }
    }
}

/// What is not finished.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum PendingWhat {
    /// A sign-up that waits for its SMS code.
    SignUp,
    /// An approved intent of which the wallet does not know yet whether it arrived. It asks by itself.
    Unknown {
        /// What was approved.
        detail: IntentDetail,
    },
    /// An intent that the issuer has accepted and that waits for the rest.
    Accepted {
        /// What was approved.
        detail: IntentDetail,
    },
}

/// Something that is not finished. It ends by itself, at `ends_by` at the latest.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PendingEntry {
    /// The intent's key or the sign-up's id.
    pub id: String,
    /// What it is.
    pub what: PendingWhat,
    /// Since when.
    pub since: SystemTime,
    /// Until when at the latest.
    pub ends_by: SystemTime,
    /// What happens next, one sentence.
    pub next: String,
}

impl From<Pending> for PendingEntry {
    fn from(pending: Pending) -> Self {
        let Pending { id, since, ends_by, next, what } = pending;
        Self {
            id,
            what: match what {
                saifu::PendingWhat::SignUp => PendingWhat::SignUp,
                saifu::PendingWhat::Unknown(detail) => PendingWhat::Unknown { detail: detail.into() },
                saifu::PendingWhat::Accepted(detail) => PendingWhat::Accepted { detail: detail.into() },
            },
            since: time(since),
            ends_by: time(ends_by),
            next: next.to_owned(),
        }
    }
}

/// A one-time code to show at a till.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PaymentCode {
    /// The 24 digits. Whoever has them can pay with them once: never log them.
    pub digits: Sensitive,
    /// What for.
    pub purpose: Purpose,
    /// The most it can pay.
    pub cap_yen: i64,
    /// Whether it was made without the issuer.
    pub offline: bool,
    /// When it was made.
    pub issued_at: SystemTime,
    /// Show another one from then on.
    pub refresh_at: SystemTime,
    /// It is dead from then on.
    pub expires_at: SystemTime,
    /// How long until another one is shown, when this was handed out. Count down from here: the phone's clock may be another.
    pub refresh_in: Duration,
    /// Whether it is time to fetch the next one, so that it is in hand before this one ends.
    pub fetch_next: bool,
    /// What these times rest on.
    pub trust: TimeTrust,
    /// Code 128 (ISO/IEC 15417).
    pub barcode: Symbol,
    /// QR code (ISO/IEC 18004).
    pub qr: Symbol,
}

impl From<&saifu::PaymentCode> for PaymentCode {
    fn from(code: &saifu::PaymentCode) -> Self {
        Self {
            digits: code.digits().into(),
            purpose: code.purpose.into(),
            cap_yen: code.cap_yen.0,
            offline: code.offline,
            issued_at: time(code.issued_at),
            refresh_at: time(code.refresh_at),
            expires_at: time(code.expires_at),
            refresh_in: Duration::from_millis(code.refresh_in_ms),
            fetch_next: code.fetch_next,
            trust: code.trust.into(),
            barcode: code.barcode().into(),
            qr: code.qr().into(),
        }
    }
}
