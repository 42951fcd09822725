//! The life of an intent after its approval: what the issuer said of it, what became of one that it said nothing of, and what
//! the owner is shown meanwhile. One life for every kind; a kind is a variant of [`Detail`].

use std::sync::Arc;

use saifu_link::{Auth, Request};
use saifu_policy::Class;
use saifu_wire::messages::{Channel, IntentOperation, ResolveAnswer, ResolveRequest, Resolved, TopUp, TopUpState};
use saifu_wire::{Amount, IntentKey, Millis, Open, Operation, Sensitive, Yen};

use crate::state::{Detail, Intent, Life, State};
use crate::store::Turn;
use crate::wallet::Inner;
use crate::{Error, Wallet};

/// Something that is not finished. It ends by itself, at `ends_by` at the latest.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The intent's key or the sign-up's id.
    pub id: String,
    /// Since when, by the issuer's clock.
    pub since: Millis,
    /// Until when at the latest.
    pub ends_by: Millis,
    /// What happens next, one sentence.
    pub next: &'static str,
    /// What it is.
    pub what: PendingWhat,
}

/// What is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PendingWhat {
    /// A sign-up that waits for its SMS code.
    SignUp,
    /// An approved intent of which the wallet does not know yet whether it arrived. It asks by itself.
    Unknown(IntentDetail),
    /// An intent that the issuer has accepted and that waits for the rest.
    Accepted(IntentDetail),
}

/// What an intent is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntentDetail {
    /// Money in.
    TopUp {
        /// From where.
        channel: Open<Channel>,
        /// How much was approved.
        yen: Yen,
        /// The ATM number, while it can be used.
        number: Option<Sensitive>,
    },
}

impl PendingWhat {
    /// The stable name.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::SignUp => "sign-up",
            Self::Unknown(_) => "unknown",
            Self::Accepted(IntentDetail::TopUp { .. }) => "top-up",
        }
    }

    fn detail(&self) -> Option<&IntentDetail> {
        match self {
            Self::SignUp => None,
            Self::Unknown(detail) | Self::Accepted(detail) => Some(detail),
        }
    }

    /// How much it is about.
    #[must_use]
    pub fn yen(&self) -> Option<Yen> {
        self.detail().map(|IntentDetail::TopUp { yen, .. }| *yen)
    }

    /// The number to type at an ATM, while it can be used.
    #[must_use]
    pub fn number(&self) -> Option<&Sensitive> {
        self.detail().and_then(|IntentDetail::TopUp { number, .. }| number.as_ref())
    }
}

impl Wallet {
    /// What is not finished, from the journal alone: works without a network.
    #[must_use]
    pub fn pending(&self) -> Vec<Pending> {
        let now = self.0.now();
        self.0.store.read(|state| state.pending(now)).unwrap_or_default()
    }
}

impl State {
    /// A sign-up is over at its end, whoever was asked. What became of money only the issuer can tell, so an intent stands
    /// here until the next contact, after its end without a number that could be used.
    fn pending(&self, now: Millis) -> Vec<Pending> {
        let intents = self.intents.iter().map(|intent| intent.pending(now));
        let sign_up = self.awaiting_code(now).map(|sign_up| Pending {
            id: sign_up.request.to_string(),
            since: sign_up.since,
            ends_by: sign_up.expires_at,
            next: "Enter the code from the SMS; else sign up again.",
            what: PendingWhat::SignUp,
        });
        intents.chain(sign_up).collect()
    }

    /// Whether there is an intent of which nobody here knows what became of it.
    pub(crate) fn money_is_unknown(&self) -> bool {
        self.intents.iter().any(Intent::is_unknown)
    }

    /// Records an accepted top-up; a final one is no longer pending and shows in the history. One in a state that this
    /// version does not know stays until a picture of the issuer has it no more.
    pub(crate) fn keep_top_up(&mut self, top_up: TopUp) {
        self.intents.retain(|intent| intent.key != top_up.intent);
        let is_final = matches!(top_up.state.known(), Some(TopUpState::Done | TopUpState::Expired));
        let Some(yen) = Amount::new(top_up.yen.0).filter(|_| !is_final) else { return };
        self.intents.push(Intent {
            key: top_up.intent,
            since: top_up.since,
            ends_by: top_up.expires_at,
            life: Life::Accepted,
            detail: Detail::TopUp { channel: top_up.channel, yen, number: top_up.number },
        });
    }

    /// The issuer's last word on whether an intent arrived. `false`: it is one that this version does not know, and comes without
    /// a top-up that would tell; money is never guessed.
    fn resolve(&mut self, key: IntentKey, answer: ResolveAnswer) -> bool {
        match (answer.outcome.known(), answer.top_up) {
            (Some(Resolved::Voided), _) | (Some(Resolved::Accepted), None) => {}
            (Some(Resolved::Accepted) | None, Some(top_up)) => self.keep_top_up(top_up),
            (None, None) => return false,
        }
        self.intents.retain(|intent| intent.key != key || !intent.is_unknown());
        true
    }
}

impl Intent {
    fn pending(&self, now: Millis) -> Pending {
        let over = now >= self.ends_by;
        let Detail::TopUp { channel, yen, number } = &self.detail;
        let detail =
            IntentDetail::TopUp { channel: channel.clone(), yen: yen.yen(), number: number.clone().filter(|_| !over) };
        let (what, next) = match self.life {
            Life::Unknown { .. } => (
                PendingWhat::Unknown(detail),
                "The wallet asks what became of it; if it never arrived, it is given up.",
            ),
            Life::Accepted if over => {
                (PendingWhat::Accepted(detail), "It is over; the next contact tells whether the cash came in time.")
            }
            Life::Accepted => (
                PendingWhat::Accepted(detail),
                "Type the number and a TOTP code at an ATM and insert the cash; else it ends by itself.",
            ),
        };
        Pending { id: self.key.to_string(), since: self.since, ends_by: self.ends_by, next, what }
    }

    fn operation(&self) -> IntentOperation {
        match self.detail {
            Detail::TopUp { .. } => IntentOperation::TopUp,
        }
    }
}

impl Inner {
    /// Asks what became of each intent whose outcome is unknown, but for those that are being sent: of them the answer tells.
    /// The asking itself voids one that never arrived.
    pub(crate) async fn resolve_intents(self: &Arc<Self>, turn: Turn) -> Result<(), Error> {
        let unknown = self.store.read(|state| {
            let unknown = state.intents.iter().filter(|intent| intent.is_unknown());
            unknown.map(|intent| (intent.key, intent.operation())).collect::<Vec<_>>()
        });
        for (key, operation) in unknown.ok_or(Error::Locked)? {
            if self.sending.has(key) {
                continue;
            }
            let request = Request::new(Operation::IntentResolve, Auth::Session, Class::Screen);
            let answer: ResolveAnswer = self.call(turn, request, &ResolveRequest { operation, key }).await?;
            self.commit(turn, move |state| state.resolve(key, answer)).await?;
        }
        Ok(())
    }

    /// Does what is left over from an earlier contact, beside the callers, until it is done: the activation, and what became
    /// of intents.
    pub(crate) fn ask_what_is_unknown(self: &Arc<Self>, turn: Turn) {
        let left = self.store.read(|state| {
            let activated = state.activated.as_ref().is_some_and(|activated| activated.unconfirmed.is_none());
            state.account.is_some() && (!activated || state.money_is_unknown())
        });
        if left == Some(true) {
            self.start(
                turn,
                |inner| &inner.asking,
                |inner, turn| async move {
                    inner.activate_if_needed(turn).await?;
                    inner.resolve_intents(turn).await
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use saifu_wire::{PhoneNumber, RequestId};
    use uuid::Uuid;

    use super::*;
    use crate::state::SigningUp;

    const SINCE: Millis = Millis(1_000);
    const END: Millis = Millis(2_000);

    pub(crate) fn top_up(id: u128, state: TopUpState) -> TopUp {
        TopUp {
            intent: IntentKey(Uuid::from_u128(id)),
            channel: Channel::Atm.into(),
            state: state.into(),
            yen: Yen(1_000),
            posted_yen: Yen(0),
            number: Some(Sensitive::new("123456789015")),
            since: SINCE,
            expires_at: END,
        }
    }

    fn unknown(id: u128) -> Intent {
        Intent {
            key: IntentKey(Uuid::from_u128(id)),
            since: SINCE,
            ends_by: END,
            life: Life::Unknown { message: Vec::new(), signature: Vec::new() },
            detail: Detail::TopUp { channel: Channel::Atm.into(), yen: Amount::new(1_000).unwrap(), number: None },
        }
    }

    /// Everything that can be unfinished at once.
    fn unfinished() -> State {
        let signing_up = SigningUp {
            request: RequestId(Uuid::from_u128(3)),
            number: PhoneNumber::parse("090-1234-5678").unwrap(),
            since: SINCE,
            expires_at: END,
            resend_at: END,
        };
        let mut state = State { intents: vec![unknown(1)], signing_up: Some(signing_up), ..State::default() };
        state.keep_top_up(top_up(2, TopUpState::AwaitingCash));
        state
    }

    /// Every kind is here: a new one does not compile until it says what happens at its end.
    fn stays_until_the_issuer_tells(what: &PendingWhat) -> bool {
        match what {
            PendingWhat::Unknown(_) | PendingWhat::Accepted(IntentDetail::TopUp { .. }) => true,
            PendingWhat::SignUp => false,
        }
    }

    #[test]
    fn everything_unfinished_says_since_when_and_until_when_and_what_comes_next() {
        let all = unfinished().pending(END.minus(1));
        let kinds: Vec<&str> = all.iter().map(|entry| entry.what.as_str()).collect();
        assert_eq!(kinds, ["unknown", "top-up", "sign-up"]);
        assert!(all.iter().all(|entry| entry.since == SINCE && entry.ends_by == END && entry.next.ends_with('.')));
        assert!(all.iter().any(|entry| entry.what.number().is_some()));
    }

    #[test]
    fn what_the_issuer_need_not_tell_is_over_at_its_end_and_no_number_outlives_it() {
        let left = unfinished().pending(END);
        assert!(left.len() == 2 && left.iter().all(|entry| stays_until_the_issuer_tells(&entry.what)), "{left:?}");
        assert!(left.iter().all(|entry| entry.what.number().is_none()));
    }

    #[test]
    fn issuer_has_the_last_word_and_one_that_is_not_understood_changes_nothing() {
        let word = saifu_wire::Name::new("of-tomorrow").unwrap();
        let answer = |outcome: Open<Resolved>, top_up| ResolveAnswer { outcome, top_up };
        let left = |answer| {
            let mut state = State { intents: vec![unknown(1)], ..State::default() };
            state.resolve(IntentKey(Uuid::from_u128(1)), answer);
            state.intents.iter().map(Intent::is_unknown).collect::<Vec<_>>()
        };
        let open = || Some(top_up(1, TopUpState::AwaitingCash));
        assert!(left(answer(Resolved::Voided.into(), None)).is_empty());
        assert_eq!(left(answer(Resolved::Accepted.into(), open())), [false]);
        assert!(left(answer(Resolved::Accepted.into(), Some(top_up(1, TopUpState::Done)))).is_empty());
        assert_eq!(left(answer(Open::Other(word.clone()), open())), [false]);
        assert_eq!(left(answer(Open::Other(word), None)), [true], "money is never guessed");
    }
}
