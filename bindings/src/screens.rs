//! What a screen shows, one record a screen.

use std::time::{Duration, SystemTime};

use saifu::{Home, Pending};

use crate::records::{Notice, Purpose, Standing, Symbol};
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
    /// The wallet is locked: what is in it is not known until it is unlocked.
    Locked,
}

/// The home screen.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HomeScreen {
    /// How far this wallet has come.
    pub state: WalletState,
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
}

impl From<Home> for HomeScreen {
    fn from(home: Home) -> Self {
        Self {
            state: match home.state {
                saifu::WalletState::NoAccount => WalletState::NoAccount,
                saifu::WalletState::SigningUp => WalletState::SigningUp,
                saifu::WalletState::Ready => WalletState::Ready,
                saifu::WalletState::Locked => WalletState::Locked,
            },
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
}

impl From<&saifu::SignUp> for SignUpScreen {
    fn from(sign_up: &saifu::SignUp) -> Self {
        Self {
            number: sign_up.number().as_str().into(),
            expires_at: time(sign_up.expires_at()),
            resend_at: time(sign_up.resend_at()),
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
}

/// What kind of thing is not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum PendingKind {
    /// An intent whose outcome the wallet does not know yet.
    Unknown,
    /// A top-up that waits for cash at an ATM.
    TopUp,
    /// A sign-up that waits for its SMS code.
    SignUp,
}

/// Something that is not finished. It ends by itself, at `ends_by` at the latest.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PendingEntry {
    /// The intent's key or the sign-up's id.
    pub id: String,
    /// What it is.
    pub kind: PendingKind,
    /// How much it is about.
    pub yen: Option<i64>,
    /// The ATM number, while it can be used.
    pub number: Option<Sensitive>,
    /// Since when.
    pub since: SystemTime,
    /// Until when at the latest.
    pub ends_by: SystemTime,
    /// What happens next, one sentence.
    pub next: String,
}

impl From<Pending> for PendingEntry {
    fn from(pending: Pending) -> Self {
        Self {
            id: pending.id,
            kind: match pending.kind {
                saifu::PendingKind::Unknown => PendingKind::Unknown,
                saifu::PendingKind::TopUp => PendingKind::TopUp,
                saifu::PendingKind::SignUp => PendingKind::SignUp,
            },
            yen: pending.yen.map(|yen| yen.0),
            number: pending.number.as_ref().map(|number| number.expose().into()),
            since: time(pending.since),
            ends_by: time(pending.ends_by),
            next: pending.next.to_owned(),
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
            barcode: code.barcode().into(),
            qr: code.qr().into(),
        }
    }
}
