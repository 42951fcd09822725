//! The account as a state machine without I/O: which state this wallet is in, what may be called in it, what the way out is,
//! and every change that leads from one to another. Calls ask it; nothing else decides.
//!
//! ```text
//!  no account ── asked ──▶ signing up ── confirmed ──▶ ready ◀── known again ──┐
//!      ▲  ▲                    │ ended                   │ not known by the issuer
//!      │  └────────────────────┘                         ▼                     │
//!      └──────────────── reset ◀───────────────────  put aside ────────────────┘
//! ```
//!
//! `locked` lies beside all of them: what is in the wallet is not known until it is unlocked.

use saifu_wire::signed::Binding;
use saifu_wire::{Millis, Open, PhoneNumber, ProblemCode, RequestId};

use crate::Error;
use crate::state::{Account, SigningUp, State};

/// How far this wallet has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WalletState {
    /// Nobody has signed up here.
    NoAccount,
    /// An SMS code is awaited; over when the code is dead.
    SigningUp,
    /// An account is here.
    Ready,
    /// The issuer no longer knows this device: it was reset, or the device was taken off the account. What the wallet last
    /// knew can still be read.
    PutAside,
    /// The wallet is locked: what is in it is not known until it is unlocked.
    Locked,
}

/// What is asked of a wallet, as far as its state has a say in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// Ask for an SMS code.
    SignUp,
    /// Ask the issuer, or read what it said.
    Use,
}

impl WalletState {
    /// Every state.
    pub const ALL: &[Self] = &[Self::NoAccount, Self::SigningUp, Self::Ready, Self::PutAside, Self::Locked];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAccount => "no-account",
            Self::SigningUp => "signing-up",
            Self::Ready => "ready",
            Self::PutAside => "put-aside",
            Self::Locked => "locked",
        }
    }

    /// What leads on from here, one sentence for the owner.
    #[must_use]
    pub fn way_out(self) -> &'static str {
        match self {
            Self::NoAccount => "Sign up with your phone number.",
            Self::SigningUp => "Enter the code from the SMS, or sign up again.",
            Self::Ready => "Nothing is in the way.",
            Self::PutAside => "Sign up again with your phone number: the same phone gets its account back.",
            Self::Locked => "Unlock the wallet.",
        }
    }

    pub(crate) fn may(self, call: Call) -> Result<(), Error> {
        match (self, call) {
            (Self::Locked, _) => Err(Error::Locked),
            (Self::Ready, Call::SignUp) => Err(Error::AlreadySignedUp),
            (Self::NoAccount | Self::SigningUp | Self::PutAside, Call::SignUp) => Ok(()),
            (Self::Ready | Self::PutAside, Call::Use) => Ok(()),
            (Self::NoAccount | Self::SigningUp, Call::Use) => Err(Error::NotSignedUp),
        }
    }
}

/// Something that changes which state the wallet is in.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// The issuer sent an SMS code.
    Asked(SigningUp),
    /// That sign-up leads nowhere any more.
    Ended(RequestId),
    /// The code of that sign-up was proven: this device belongs to an account.
    Confirmed { request: RequestId, binding: Binding, number: PhoneNumber },
    /// The issuer does not know this device.
    NotKnown { binding: Binding, why: Open<ProblemCode> },
    /// The issuer knows this device.
    Known { binding: Binding },
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The state is another one now.
    Changed,
    /// It was so already.
    Same,
    /// It speaks of something that is over; nothing was touched.
    Stale,
}

impl State {
    /// Which state this is at a time of the issuer's clock.
    pub(crate) fn wallet_state(&self, now: Millis) -> WalletState {
        match &self.account {
            Some(Account { put_aside: None, .. }) => WalletState::Ready,
            _ if self.awaiting_code(now).is_some() => WalletState::SigningUp,
            Some(_) => WalletState::PutAside,
            None => WalletState::NoAccount,
        }
    }

    fn belongs(&self) -> bool {
        self.account.as_ref().is_some_and(|account| account.put_aside.is_none())
    }

    /// Makes a change, if it still speaks of what is here: an answer that comes late, or twice, touches nothing.
    pub(crate) fn change(&mut self, change: Change) -> Outcome {
        match change {
            Change::Asked(_) if self.belongs() => Outcome::Stale,
            Change::Asked(sign_up) => {
                self.signing_up = Some(sign_up);
                Outcome::Changed
            }
            Change::Ended(request) => {
                let ended = self.signing_up.take_if(|sign_up| sign_up.request == request);
                if ended.is_some() { Outcome::Changed } else { Outcome::Stale }
            }
            Change::Confirmed { binding, .. } if self.belongs() => {
                let same = self.account.as_ref().is_some_and(|account| account.binding == binding);
                if same { Outcome::Same } else { Outcome::Stale }
            }
            Change::Confirmed { request, binding, number } => {
                if self.signing_up.as_ref().is_none_or(|sign_up| sign_up.request != request) {
                    return Outcome::Stale;
                }
                self.begin(Account { binding, number, put_aside: None });
                Outcome::Changed
            }
            Change::NotKnown { binding, why } => self.set_put_aside(binding, Some(why)),
            Change::Known { binding } => self.set_put_aside(binding, None),
        }
    }

    fn set_put_aside(&mut self, binding: Binding, why: Option<Open<ProblemCode>>) -> Outcome {
        match self.account.as_mut().filter(|account| account.binding == binding) {
            None => Outcome::Stale,
            Some(account) if account.put_aside == why => Outcome::Same,
            Some(account) => {
                account.put_aside = why;
                Outcome::Changed
            }
        }
    }

    /// This device belongs to an account from now on. Secrets and figures of an earlier one go; what the owner approved
    /// stays only if it is the same account that came back, since nobody else can tell what became of it.
    fn begin(&mut self, account: Account) {
        let back = self.account.as_ref().is_some_and(|old| old.binding.account == account.binding.account);
        let mut intents = std::mem::take(&mut self.intents);
        intents.retain(|intent| back && intent.is_unknown());
        self.forget_history();
        *self = Self {
            account: Some(account),
            intents,
            history: std::mem::take(&mut self.history),
            anchor: self.anchor,
            service_version: self.service_version,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use saifu_wire::messages::Channel;
    use saifu_wire::{AccountId, Amount, DeviceId, IntentKey};
    use uuid::Uuid;

    use super::*;
    use crate::state::{Detail, Intent, Life};

    const END: Millis = Millis(1_000);

    fn id(number: u8) -> Uuid {
        Uuid::from_u128(number.into())
    }

    fn binding(account: u8, epoch: u64) -> Binding {
        Binding { account: AccountId(id(account)), device: DeviceId(id(account)), epoch }
    }

    fn number() -> PhoneNumber {
        PhoneNumber::parse("090-1234-5678").unwrap()
    }

    fn asked(request: u8) -> Change {
        let (request, number, since) = (RequestId(id(request)), number(), Millis(1));
        Change::Asked(SigningUp { request, number, since, expires_at: END, resend_at: Millis(60) })
    }

    fn confirmed(request: u8, account: u8) -> Change {
        Change::Confirmed { request: RequestId(id(request)), binding: binding(account, 1), number: number() }
    }

    fn not_known(account: u8) -> Change {
        Change::NotKnown { binding: binding(account, 1), why: Open::Known(ProblemCode::UnknownDevice) }
    }

    fn intent(key: u128, life: Life) -> Intent {
        let detail =
            Detail::TopUp { channel: Open::Known(Channel::Atm), yen: Amount::new(1_000).unwrap(), number: None };
        Intent { key: IntentKey(Uuid::from_u128(key)), since: Millis(1), ends_by: END, life, detail }
    }

    fn unknown(key: u128) -> Intent {
        intent(key, Life::Unknown { message: Vec::new(), signature: Vec::new() })
    }

    fn after(changes: impl IntoIterator<Item = Change>) -> State {
        let mut state = State::default();
        for change in changes {
            state.change(change);
        }
        state
    }

    #[test]
    fn every_state_has_a_name_a_way_out_and_says_what_may_be_called() {
        for state in WalletState::ALL {
            assert!(state.way_out().ends_with('.') && !state.as_str().is_empty());
            let allowed = [Call::SignUp, Call::Use].map(|call| state.may(call).is_ok());
            // In no state but a locked one is there nothing to call.
            assert_eq!(allowed == [false, false], *state == WalletState::Locked, "{state:?}");
        }
        assert!(matches!(WalletState::Locked.may(Call::Use), Err(Error::Locked)));
    }

    #[test]
    fn second_answer_of_a_double_tapped_confirmation_wipes_nothing() {
        let mut state = after([asked(1), confirmed(1, 7)]);
        state.intents.push(unknown(3));
        // Control: let `Confirmed` begin the account whenever it comes, and the intent is gone.
        assert_eq!(state.change(confirmed(1, 7)), Outcome::Same);
        assert_eq!(state.intents.len(), 1);
    }

    #[test]
    fn stale_handle_neither_ends_nor_confirms_a_newer_sign_up() {
        let mut state = after([asked(1), asked(2)]);
        assert_eq!(state.change(Change::Ended(RequestId(id(1)))), Outcome::Stale);
        assert_eq!(state.change(confirmed(1, 7)), Outcome::Stale);
        assert_eq!(state.wallet_state(Millis(2)), WalletState::SigningUp);
        assert_eq!(state.change(confirmed(2, 7)), Outcome::Changed);
        assert_eq!(state.change(asked(3)), Outcome::Stale);
        assert_eq!(state.wallet_state(END), WalletState::Ready);
    }

    #[test]
    fn device_that_the_issuer_no_longer_knows_may_sign_up_again() {
        let mut state = after([asked(1), confirmed(1, 7), not_known(7)]);
        assert_eq!(state.wallet_state(Millis(2)), WalletState::PutAside);
        assert!(WalletState::PutAside.may(Call::SignUp).is_ok());
        // Another device's refusal is none of ours, and a restored issuer may know us again.
        assert_eq!(state.change(not_known(8)), Outcome::Stale);
        assert_eq!(state.change(Change::Known { binding: binding(7, 1) }), Outcome::Changed);
        assert_eq!(state.wallet_state(Millis(2)), WalletState::Ready);
    }

    #[test]
    fn account_that_comes_back_keeps_what_is_not_known_yet_and_another_one_begins_with_nothing() {
        for (account, left) in [(7, vec![unknown(3)]), (8, vec![])] {
            let mut state = after([asked(1), confirmed(1, 7), not_known(7)]);
            state.intents = vec![unknown(3), intent(4, Life::Accepted)];
            let cache = state.history.cache;
            state.change(asked(2));
            assert_eq!(state.change(confirmed(2, account)), Outcome::Changed);
            assert_eq!(state.intents, left);
            assert!(state.history.cache > cache, "lines of the earlier account would be shown");
        }
    }

    fn any_change() -> impl Strategy<Value = Change> {
        let request = 0..3_u8;
        prop_oneof![
            request.clone().prop_map(asked),
            request.clone().prop_map(|request| Change::Ended(RequestId(id(request)))),
            (request, 0..3_u8).prop_map(|(request, account)| confirmed(request, account)),
            (0..3_u8).prop_map(not_known),
            (0..3_u8).prop_map(|account| Change::Known { binding: binding(account, 1) }),
        ]
    }

    proptest! {
        /// Whatever comes in whatever order: an account is only replaced by a sign-up that was asked for while there was none
        /// in use, and only what was approved goes with it.
        #[test]
        fn no_order_of_answers_loses_an_account(changes in prop::collection::vec(any_change(), 0..60)) {
            let mut state = State::default();
            for change in changes {
                let (before, intents) = (state.account.clone(), state.intents.len());
                let in_use = state.belongs();
                let outcome = state.change(change.clone());
                let replaced = state.account.as_ref().map(|a| a.binding) != before.as_ref().map(|a| a.binding);
                prop_assert!(!(in_use && replaced), "{change:?}");
                if in_use {
                    prop_assert_eq!(state.intents.len(), intents);
                }
                if outcome != Outcome::Changed {
                    prop_assert_eq!(&state.account, &before);
                }
                prop_assert!(before.is_none() || state.account.is_some());
                let now = state.wallet_state(Millis(2));
                prop_assert_ne!(now, WalletState::Locked);
                if matches!(now, WalletState::Ready) && state.intents.is_empty() {
                    state.intents.push(unknown(9));
                }
            }
        }
    }
}
