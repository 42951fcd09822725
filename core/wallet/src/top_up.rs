//! Top-up: prepare, approve, record, send, record the answer. What is on disk before the first byte leaves is key, bytes and
//! signature, so that whatever happens after, the wallet knows what to ask about.

use std::sync::Arc;

use saifu_crypto::{Random as _, SystemRandom};
use saifu_host::{KeyError, Role};
use saifu_link::{Auth, Request};
use saifu_policy::Class;
use saifu_wire::messages::{Channel, IntentNonce, IntentNonceRequest, TopUp, TopUpRequest};
use saifu_wire::{Amount, Bytes, IntentKey, Millis, Operation, Sensitive, Yen, signed};

use crate::home::keep_top_up;
use crate::state::{Intent, State};
use crate::step::step;
use crate::wallet::Inner;
use crate::{Error, Wallet};

/// A resolve that arrives this long after the key was made finds the key too old to be accepted ever again.
const UNKNOWN_ENDS_AFTER_MS: u64 = 10 * 60_000;

/// A top-up that waits for the owner. The shell shows [`text`](Self::text), has [`message`](Self::message) signed by the
/// authorization key behind its prompt, and hands the signature to [`confirm`](Self::confirm).
pub struct Approval {
    inner: Arc<Inner>,
    key: IntentKey,
    channel: Channel,
    yen: Amount,
    nonce: IntentNonce,
    message: Vec<u8>,
    text: String,
    /// Of the tap that began it.
    trace: String,
}

/// What kind of thing is not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingKind {
    /// An intent whose outcome the wallet does not know yet.
    Unknown,
    /// A top-up that waits for cash at an ATM.
    TopUp,
    /// A sign-up that waits for its SMS code.
    SignUp,
}

impl PendingKind {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::TopUp => "top-up",
            Self::SignUp => "sign-up",
        }
    }
}

/// Something that is not finished. It ends by itself, at `ends_by` at the latest.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The intent's key or the sign-up's id.
    pub id: String,
    /// What it is.
    pub kind: PendingKind,
    /// How much it is about.
    pub yen: Option<Yen>,
    /// The ATM number, while it can be used.
    pub number: Option<Sensitive>,
    /// Since when, by the issuer's clock.
    pub since: Millis,
    /// Until when at the latest.
    pub ends_by: Millis,
    /// What happens next, one sentence.
    pub next: &'static str,
}

impl Wallet {
    /// Prepares a top-up: fetches a nonce and puts together what the owner approves. Nothing moves yet.
    ///
    /// # Errors
    /// [`Error::NotSignedUp`], network errors, [`Error::Refused`].
    pub async fn top_up(&self, channel: Channel, yen: Amount) -> Result<Approval, Error> {
        let inner = &self.0;
        let binding = inner.binding()?;
        let request = Request::new(Operation::IntentNonce, Auth::Session, Class::Screen);
        step("asked");
        let trace = saifu_link::new_trace();
        let asked = inner.link.call(request, &IntentNonceRequest {});
        let nonce: IntentNonce = saifu_link::traced_as(trace.clone(), asked).await?;
        step("prepared");
        let key = IntentKey::new(nonce.now, SystemRandom.bytes()?);
        let message = signed::top_up(binding, key, channel, yen, nonce.nonce.expose());
        let text = match channel {
            Channel::Atm => format!("Top up {} with cash at an ATM", yen.yen()),
        };
        Ok(Approval { inner: Arc::clone(inner), key, channel, yen, nonce, message, text, trace })
    }

    /// What is not finished, from the journal alone: works without a network.
    #[must_use]
    pub fn pending(&self) -> Vec<Pending> {
        let now = self.0.issuer_time();
        self.0.read(|state| pending(state, now)).unwrap_or_default()
    }
}

/// A sign-up is over at its end, whoever was asked. What became of money only the issuer can tell, so an intent or a top-up
/// stands here until the next contact, after its end without a number that could be used.
fn pending(state: &State, now: Millis) -> Vec<Pending> {
    let unknown = state.intents.iter().map(|intent| Pending {
        id: intent.key.to_string(),
        kind: PendingKind::Unknown,
        yen: Some(intent.yen.yen()),
        number: None,
        since: intent.since,
        ends_by: intent.ends_by,
        next: "The next contact tells what became of it; if it never arrived, it is given up.",
    });
    let top_ups = state.top_ups.iter().map(|top_up| Pending {
        id: top_up.intent.to_string(),
        kind: PendingKind::TopUp,
        yen: Some(top_up.yen),
        number: top_up.number.clone().filter(|_| now < top_up.expires_at),
        since: top_up.since,
        ends_by: top_up.expires_at,
        next: if now < top_up.expires_at {
            "Type the number and a TOTP code at an ATM and insert the cash; else it ends by itself."
        } else {
            "It is over; the next contact tells whether the cash came in time."
        },
    });
    let sign_up = state.awaiting_code(now).map(|sign_up| Pending {
        id: sign_up.request.to_string(),
        kind: PendingKind::SignUp,
        yen: None,
        number: None,
        since: sign_up.since,
        ends_by: sign_up.expires_at,
        next: "Enter the code from the SMS; else sign up again.",
    });
    unknown.chain(top_ups).chain(sign_up).collect()
}

impl Approval {
    /// The exact bytes that the authorization key signs.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// What the owner reads beside the prompt.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The key that this intent has from now on.
    #[must_use]
    pub fn key(&self) -> IntentKey {
        self.key
    }

    /// The approval is worth nothing from then on, by the issuer's clock.
    #[must_use]
    pub fn expires_at(&self) -> Millis {
        self.nonce.expires_at
    }

    /// Records the approval, sends it, records the answer. After [`Error::NoAnswer`] the intent stays in
    /// [`Wallet::pending`] and the next [`Wallet::refresh`] resolves it.
    ///
    /// # Errors
    /// [`Error::ApprovalExpired`]; [`Error::Key`] when the signature is not the authorization key's; [`Error::Refused`];
    /// [`Error::Vault`], in which case nothing was sent; network errors.
    pub async fn confirm(self, signature: Vec<u8>) -> Result<TopUp, Error> {
        let inner = &self.inner;
        if inner.issuer_time() >= self.nonce.expires_at {
            return Err(Error::ApprovalExpired);
        }
        self.check(signature.clone()).await?;
        step("approved");
        let intent = Intent {
            key: self.key,
            channel: self.channel,
            yen: self.yen,
            message: self.message.clone(),
            signature: signature.clone(),
            since: self.nonce.now,
            ends_by: self.nonce.now.plus(UNKNOWN_ENDS_AFTER_MS),
        };
        inner.commit(move |state| state.intents.push(intent)).await?;
        step("journaled");
        let body = TopUpRequest {
            channel: self.channel,
            yen: self.yen,
            nonce: self.nonce.nonce.clone(),
            signature: Bytes(signature),
        };
        let request =
            Request { intent: Some(self.key), ..Request::new(Operation::TopUp, Auth::Session, Class::Intent) };
        step("sending");
        let sent = inner.link.call(request, &body);
        let answer: Result<TopUp, _> = saifu_link::traced_as(self.trace.clone(), sent).await;
        step("answered");
        let key = self.key;
        match answer {
            Ok(top_up) => {
                let kept = top_up.clone();
                inner
                    .commit(move |state| {
                        state.intents.retain(|open| open.key != key);
                        keep_top_up(state, kept);
                    })
                    .await?;
                step("recorded");
                Ok(top_up)
            }
            Err(error) => {
                // Only a certain "no" ends an intent here; anything else is asked about later.
                if error.certain() {
                    inner.commit(move |state| state.intents.retain(|open| open.key != key)).await?;
                }
                Err(error.into())
            }
        }
    }

    /// A shell's mistake or a broken key store shows here, not as a refusal of the issuer.
    async fn check(&self, signature: Vec<u8>) -> Result<(), Error> {
        let keys = Arc::clone(&self.inner.platform.keys);
        let message = self.message.clone();
        self.inner
            .blocking(move || {
                let key = keys.info(Role::Authorization)?.public_key;
                key.verify_der(&message, &signature).map_err(|_| Error::Key(KeyError::Temporary))
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use saifu_wire::messages::TopUpState;
    use saifu_wire::{PhoneNumber, RequestId};

    use super::*;
    use crate::state::SigningUp;

    const SINCE: Millis = Millis(1_000);
    const END: Millis = Millis(2_000);

    /// Everything that can be unfinished at once.
    fn unfinished() -> State {
        let key = IntentKey::new(SINCE, [7; 10]);
        let top_up = TopUp {
            intent: key,
            channel: Channel::Atm.into(),
            state: TopUpState::AwaitingCash.into(),
            yen: Yen(1_000),
            posted_yen: Yen(0),
            number: Some(Sensitive::new("123456789015")),
            since: SINCE,
            expires_at: END,
        };
        let intent = Intent {
            key,
            channel: Channel::Atm,
            yen: Amount::new(1_000).unwrap(),
            message: Vec::new(),
            signature: Vec::new(),
            since: SINCE,
            ends_by: END,
        };
        let signing_up = SigningUp {
            request: RequestId(uuid::Uuid::from_u128(3)),
            number: PhoneNumber::parse("090-1234-5678").unwrap(),
            since: SINCE,
            expires_at: END,
            resend_at: END,
        };
        State { intents: vec![intent], top_ups: vec![top_up], signing_up: Some(signing_up), ..State::default() }
    }

    /// Every kind is here: a new one does not compile until it says what happens at its end.
    fn stays_until_the_issuer_tells(kind: PendingKind) -> bool {
        match kind {
            PendingKind::Unknown | PendingKind::TopUp => true,
            PendingKind::SignUp => false,
        }
    }

    #[test]
    fn everything_unfinished_says_since_when_and_until_when_and_what_comes_next() {
        let all = pending(&unfinished(), END.minus(1));
        let kinds: Vec<PendingKind> = all.iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [PendingKind::Unknown, PendingKind::TopUp, PendingKind::SignUp]);
        assert!(all.iter().all(|entry| entry.since == SINCE && entry.ends_by == END && entry.next.ends_with('.')));
        assert!(all.iter().any(|entry| entry.number.is_some()));
    }

    #[test]
    fn what_the_issuer_need_not_tell_is_over_at_its_end_and_no_number_outlives_it() {
        let left = pending(&unfinished(), END);
        assert!(left.len() == 2 && left.iter().all(|entry| stays_until_the_issuer_tells(entry.kind)), "{left:?}");
        assert!(left.iter().all(|entry| entry.number.is_none()));
    }
}
