//! Top-up: prepare, approve, record, send, record the answer. What is on disk before the first byte leaves is key, bytes and
//! signature, so that whatever happens after, the wallet knows what to ask about.

use std::sync::Arc;

use saifu_crypto::{Random as _, SystemRandom};
use saifu_host::{KeyError, Role};
use saifu_link::{Auth, LinkError, Request};
use saifu_policy::Class;
use saifu_wire::messages::{Channel, IntentNonce, IntentNonceRequest, TopUp, TopUpRequest};
use saifu_wire::signed::{self, Binding};
use saifu_wire::{Amount, Bytes, IntentKey, Millis, Open, Operation};

use crate::account::Call;
use crate::state::{Detail, Intent, Life};
use crate::step::step;
use crate::wallet::Inner;
use crate::{Error, Wallet};

/// A resolve that arrives this long after the key was made finds the key too old to be accepted ever again.
const UNKNOWN_ENDS_AFTER_MS: u64 = 10 * 60_000;

/// A top-up that waits for the owner. The shell shows [`text`](Self::text), has [`message`](Self::message) signed by the
/// authorization key behind its prompt, and hands the signature to [`confirm`](Self::confirm). A lock meanwhile is fine.
pub struct Approval {
    inner: Arc<Inner>,
    binding: Binding,
    key: IntentKey,
    channel: Channel,
    yen: Amount,
    nonce: IntentNonce,
    message: Vec<u8>,
    text: String,
    /// Of the tap that began it.
    trace: String,
}

impl Wallet {
    /// Prepares a top-up: fetches a nonce and puts together what the owner approves. Nothing moves yet.
    ///
    /// # Errors
    /// [`Error::NotSignedUp`], network errors, [`Error::Refused`].
    pub async fn top_up(&self, channel: Channel, yen: Amount) -> Result<Approval, Error> {
        let inner = &self.0;
        let turn = inner.may(Call::Use)?;
        let binding = inner.binding()?;
        let request = Request::new(Operation::IntentNonce, Auth::Session, Class::Screen);
        step("asked");
        let trace = saifu_link::new_trace();
        let asked = inner.call(turn, request, &IntentNonceRequest {});
        let nonce: IntentNonce = saifu_link::traced_as(trace.clone(), asked).await?;
        step("prepared");
        let key = IntentKey::new(nonce.now, SystemRandom.bytes()?);
        let message = signed::top_up(binding, key, channel, yen, nonce.nonce.expose());
        let text = match channel {
            Channel::Atm => format!("Top up {} with cash at an ATM", yen.yen()),
        };
        Ok(Approval { inner: Arc::clone(inner), binding, key, channel, yen, nonce, message, text, trace })
    }
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

    /// Records the approval, sends it, records the answer. After [`Error::NoAnswer`] it is not known whether it counts: the
    /// intent stays in [`Wallet::pending`], and the wallet asks about it at the next refresh, and by itself while it
    /// [follows](Wallet::follow).
    ///
    /// # Errors
    /// [`Error::ApprovalExpired`], also when the account has changed meanwhile; [`Error::Key`] when the signature is not the
    /// authorization key's; [`Error::Refused`]: it does not count; [`Error::Vault`], in which case nothing was sent;
    /// network errors.
    pub async fn confirm(self, signature: Vec<u8>) -> Result<TopUp, Error> {
        let inner = &self.inner;
        let turn = inner.may(Call::Use)?;
        if inner.now() >= self.nonce.expires_at || inner.binding()? != self.binding {
            return Err(Error::ApprovalExpired);
        }
        self.check(signature.clone()).await?;
        step("approved");
        let intent = Intent {
            key: self.key,
            since: self.nonce.now,
            ends_by: self.nonce.now.plus(UNKNOWN_ENDS_AFTER_MS),
            life: Life::Unknown { message: self.message.clone(), signature: signature.clone() },
            detail: Detail::TopUp { channel: Open::Known(self.channel), yen: self.yen, number: None },
        };
        let on_its_way = inner.sending.begin(self.key);
        inner.commit(turn, move |state| state.intents.push(intent)).await?;
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
                inner.commit(turn, move |state| state.keep_top_up(kept)).await?;
                step("recorded");
                Ok(top_up)
            }
            // Only a certain "no" ends an intent here.
            Err(error) if error.certain() => {
                inner.heard_of_device(turn, self.binding, Some(&error)).await?;
                inner.commit(turn, move |state| state.intents.retain(|open| open.key != key)).await?;
                inner.told(turn, Err(error))
            }
            // Anything else is asked about, whatever was said of it: the owner must not approve the same once more.
            Err(error) => {
                drop(on_its_way);
                if inner.follower().is_wanted() {
                    inner.ask_what_is_unknown(turn);
                }
                Err(uncertain(error))
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

/// An end that leaves open whether the intent counts, as the owner is told: never as a refusal that invites another try.
fn uncertain(error: LinkError) -> Error {
    tracing::info!(target: "saifu", %error, "what became of an intent is not known");
    Error::NoAnswer
}
