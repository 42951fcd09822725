//! What the home screen offers, and why it does not: decided once here, so that no app weighs a limit or a time.
//!
//! The issuer decides when it is asked; an offer only spares the customer a refusal that is known beforehand. A figure from
//! before today's limit, or one that is not known, forbids nothing.

use saifu_wire::Yen;

use crate::account::WalletState;
use crate::state::State;

/// The span that a limit of a day counts over: what it forbade is open again after it.
const LIMIT_SPAN_MS: u64 = 86_400_000;

/// Whether something can be begun now, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Offer {
    /// It can.
    Open,
    /// There is no account that could: [`WalletState::way_out`] says what leads on.
    NoAccount,
    /// The wallet is locked.
    Locked,
    /// The owner or the issuer has frozen the account.
    Frozen,
    /// Nothing is left to pay with.
    NoBalance,
    /// The limit of a day is used up.
    DayLimit,
    /// This phone has not agreed on its secrets yet; it does so by itself once it reaches the issuer.
    NotActivated,
}

impl Offer {
    /// Every one.
    pub const ALL: &[Self] =
        &[Self::Open, Self::NoAccount, Self::Locked, Self::Frozen, Self::NoBalance, Self::DayLimit, Self::NotActivated];
}

/// What the home screen offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Offers {
    /// Show a code at a till.
    pub pay: Offer,
    /// Prepare a top-up.
    pub top_up: Offer,
    /// Show the in-app TOTP code.
    pub totp: Offer,
}

impl Offers {
    /// Nothing, for one reason.
    #[must_use]
    pub fn none(why: Offer) -> Self {
        Self { pay: why, top_up: why, totp: why }
    }

    /// What a wallet in this state offers; `age_ms` is the age of its picture.
    pub(crate) fn of(state: &State, wallet: WalletState, age_ms: Option<u64>) -> Self {
        match wallet {
            WalletState::Ready => {}
            WalletState::Locked => return Self::none(Offer::Locked),
            WalletState::NoAccount | WalletState::SigningUp | WalletState::PutAside => {
                return Self::none(Offer::NoAccount);
            }
        }
        let totp = if state.activated.is_some() { Offer::Open } else { Offer::NotActivated };
        let Some(picture) = &state.picture else { return Self { totp, ..Self::none(Offer::Open) } };
        if picture.frozen {
            return Self { totp, ..Self::none(Offer::Frozen) };
        }
        let today = age_ms.is_some_and(|age| age < LIMIT_SPAN_MS);
        let limit = |left: Yen| if today && left == Yen(0) { Offer::DayLimit } else { Offer::Open };
        let pay = if picture.balance_yen == Yen(0) { Offer::NoBalance } else { limit(picture.pay_left_yen) };
        Self { pay, top_up: limit(picture.top_up_left_yen), totp }
    }
}
