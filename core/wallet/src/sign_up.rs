//! Sign-up in two calls with a person and an SMS between them; a killed process goes on where it was.

use std::sync::Arc;

use saifu_host::Role;
use saifu_link::{Auth, Request};
use saifu_policy::Class;
use saifu_wire::messages::{SignUpAnswer, SignUpConfirmAnswer, SignUpConfirmRequest, SignUpRequest};
use saifu_wire::signed::{self, Binding};
use saifu_wire::{Bytes, DeviceId, Millis, Operation, PhoneNumber, ProblemCode, Sensitive};

use crate::account::{Call, Change, Outcome};
use crate::state::SigningUp;
use crate::store::Turn;
use crate::wallet::Inner;
use crate::{Error, Wallet};

/// A sign-up that waits for its SMS code.
pub struct SignUp {
    inner: Arc<Inner>,
    pending: SigningUp,
}

/// The account is here and can pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// This device.
    pub device: DeviceId,
}

impl Wallet {
    /// Asks for an SMS code to this number. Calling it again asks for another code, from [`SignUp::resend_at`] on.
    ///
    /// # Errors
    /// [`Error::AlreadySignedUp`]; [`Error::Refused`] with `too-soon`, `too-many-tries`, `switched-off`; network errors.
    pub async fn sign_up(&self, number: PhoneNumber) -> Result<SignUp, Error> {
        let inner = &self.0;
        let turn = inner.may(Call::SignUp)?;
        let keys = Arc::clone(&inner.platform.keys);
        let (thumbprint, to) = (inner.link.thumbprint().to_owned(), number.clone());
        let body = inner
            .blocking(move || {
                let device_spki = keys.create(Role::Device)?.public_key.to_spki();
                let authorization_spki = keys.create(Role::Authorization)?.public_key.to_spki();
                let signature = keys.sign(&signed::sign_up(&to, &device_spki, &authorization_spki, &thumbprint))?;
                Ok(SignUpRequest {
                    number: to,
                    device_spki: Bytes(device_spki),
                    authorization_spki: Bytes(authorization_spki),
                    signature: Bytes(signature),
                })
            })
            .await?;
        let request = Request::new(Operation::SignUp, Auth::Proof, Class::Screen);
        let SignUpAnswer { request, expires_at, resend_at } = inner.call(turn, request, &body).await?;
        let since = inner.now();
        let pending = SigningUp { request, number, since, expires_at, resend_at };
        let kept = pending.clone();
        // A sign-up that was confirmed meanwhile stands.
        if inner.commit(turn, move |state| state.change(Change::Asked(kept))).await? == Outcome::Stale {
            return Err(Error::AlreadySignedUp);
        }
        Ok(SignUp { inner: Arc::clone(inner), pending })
    }

    /// The sign-up that waits for its code, also after a restart. It is here after its end too: if the right code was entered in
    /// time and only the answer was lost, entering it again goes on.
    #[must_use]
    pub fn sign_up_in_progress(&self) -> Option<SignUp> {
        let pending = self.0.store.read(|state| state.signing_up.clone())??;
        Some(SignUp { inner: Arc::clone(&self.0), pending })
    }
}

impl SignUp {
    /// Where the code went.
    #[must_use]
    pub fn number(&self) -> &PhoneNumber {
        &self.pending.number
    }

    /// The code is dead from then on, by the issuer's clock.
    #[must_use]
    pub fn expires_at(&self) -> Millis {
        self.pending.expires_at
    }

    /// Another code can be asked for from then on.
    #[must_use]
    pub fn resend_at(&self) -> Millis {
        self.pending.resend_at
    }

    /// How long until another code can be asked for, in milliseconds.
    #[must_use]
    pub fn resend_in_ms(&self) -> u64 {
        self.pending.resend_at.since(self.inner.now())
    }

    /// How long the code lives, in milliseconds; 0 once it is dead.
    #[must_use]
    pub fn expires_in_ms(&self) -> u64 {
        self.pending.expires_at.since(self.inner.now())
    }

    /// Proves the number, opens the account and activates this phone.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless the code has six digits; [`Error::Refused`] with `wrong-code`, `sign-up-expired`,
    /// `too-many-tries`, `number-taken`; network errors, after which the same call can be made again.
    pub async fn confirm(&self, code: &str) -> Result<Ready, Error> {
        saifu_link::traced(self.prove(code)).await
    }

    async fn prove(&self, code: &str) -> Result<Ready, Error> {
        let code = saifu_wire::sms_code(code).ok_or(Error::InvalidInput("The code from the SMS has six digits."))?;
        let inner = &self.inner;
        let (turn, request) = (inner.store.turn()?, self.pending.request);
        let answer = match self.ask(turn, code).await {
            Err(error) => {
                if matches!(error.problem(), Some(ProblemCode::NumberTaken | ProblemCode::SignUpExpired)) {
                    inner.commit(turn, move |state| state.change(Change::Ended(request))).await?;
                }
                return Err(error);
            }
            Ok(answer) => answer,
        };
        let SignUpConfirmAnswer { account, device, epoch, .. } = answer;
        let binding = Binding { account, device, epoch };
        let change = Change::Confirmed { request, binding, number: self.pending.number.clone() };
        match inner.commit(turn, move |state| state.change(change)).await? {
            Outcome::Changed => inner.begin(turn).await,
            // A second tap, or a second answer.
            Outcome::Same => {}
            Outcome::Stale => return Err(Error::InvalidInput("Another sign-up has begun since: enter its code.")),
        }
        // The account exists; should the network go now, the next contact does the rest.
        if let Err(error) = self.finish(turn).await {
            tracing::info!(target: "saifu", %error, "activation is left to the next contact");
        }
        Ok(Ready { device })
    }

    async fn ask(&self, turn: Turn, code: Sensitive) -> Result<SignUpConfirmAnswer, Error> {
        let inner = &self.inner;
        let keys = Arc::clone(&inner.platform.keys);
        let message = signed::sign_up_confirm(self.pending.request, inner.link.thumbprint());
        let signature = inner.blocking(move || Ok(keys.sign(&message)?)).await?;
        let body = SignUpConfirmRequest { request: self.pending.request, code, signature: Bytes(signature) };
        inner.call(turn, Request::new(Operation::SignUpConfirm, Auth::Proof, Class::Screen), &body).await
    }

    async fn finish(&self, turn: Turn) -> Result<(), Error> {
        self.inner.activate_if_needed(turn).await?;
        self.inner.refresh_home(turn).await
    }
}

impl Inner {
    /// A new account is on disk: everybody goes by it from now on.
    async fn begin(self: &Arc<Self>, turn: Turn) {
        self.codes().clear();
        self.follower().give_up();
        self.look_again();
        // Copies of files from before this account are dead once its first state is on disk, and not earlier: until then
        // somebody else's files may rest on the same key store.
        let inner = Arc::clone(self);
        if let Err(error) = self.blocking(move || inner.store.retire_older_keys(turn)).await {
            tracing::warn!(target: "saifu", %error, "older sealing keys are still there");
        }
    }
}
