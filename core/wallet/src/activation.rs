//! The key agreement that gives this phone its offline seed and its TOTP secret. The secrets are in the journal before the
//! issuer is told to use them; until it is told, it keeps the earlier ones.

use std::sync::Arc;

use saifu_crypto::{EphemeralKey, PublicKey};
use saifu_link::{Auth, Request};
use saifu_policy::Class;
use saifu_wire::messages::{ActivationAnswer, ActivationConfirmRequest, ActivationConfirmed, ActivationRequest};
use saifu_wire::signed::{self, ActivationSecrets};
use saifu_wire::{Bytes, Operation, ProblemCode};

use crate::Error;
use crate::state::{Activated, Confirmation, Kept};
use crate::store::Turn;
use crate::wallet::Inner;

impl Inner {
    /// Does what is left of the activation: agreement, confirmation, both, or nothing.
    pub(crate) async fn activate_if_needed(self: &Arc<Self>, turn: Turn) -> Result<(), Error> {
        if self.store.read(|state| state.activated.is_none()).ok_or(Error::Locked)? {
            self.agree(turn).await?;
        }
        match self.confirm_activation(turn).await {
            Err(error) if error.problem() == Some(ProblemCode::NoActivation) => {
                self.agree(turn).await?;
                self.confirm_activation(turn).await
            }
            other => other,
        }
    }

    async fn agree(self: &Arc<Self>, turn: Turn) -> Result<(), Error> {
        let binding = self.binding()?;
        let ephemeral = EphemeralKey::generate()?;
        let phone_point = ephemeral.public_key().point().to_vec();
        let body = ActivationRequest { phone_point: Bytes(phone_point.clone()) };
        let request = Request::new(Operation::Activation, Auth::Session, Class::Screen);
        let answer: ActivationAnswer = self.call(turn, request, &body).await?;
        let issuer_point = PublicKey::from_point(&answer.issuer_point.0)
            .map_err(|_| Error::Untrusted("its half of the activation is malformed"))?;
        let transcript = signed::activation(answer.activation, binding, &phone_point, issuer_point.point());
        let shared =
            ephemeral.agree(&issuer_point).map_err(|_| Error::Untrusted("its half of the activation is malformed"))?;
        let secrets = ActivationSecrets::derive(&shared, &transcript)?;
        let mac = secrets.confirmation(&transcript).to_vec();
        let keys = Arc::clone(&self.platform.keys);
        let signature = self.blocking(move || Ok(keys.sign(&transcript)?)).await?;
        let activated = Activated {
            activation: answer.activation,
            alias: answer.alias,
            alias_expires_at: answer.alias_expires_at,
            offline_seed: Kept::new(&secrets.offline_seed),
            totp_secret: Kept::new(&secrets.totp),
            totp: answer.totp,
            unconfirmed: Some(Confirmation { signature, mac }),
        };
        self.commit(turn, move |state| state.activated = Some(activated)).await
    }

    async fn confirm_activation(self: &Arc<Self>, turn: Turn) -> Result<(), Error> {
        let open = self.store.read(|state| {
            let activated = state.activated.as_ref()?;
            Some((activated.activation, activated.unconfirmed.clone()?))
        });
        let Some((activation, Confirmation { signature, mac })) = open.ok_or(Error::Locked)? else { return Ok(()) };
        let body = ActivationConfirmRequest { activation, signature: Bytes(signature), mac: Bytes(mac) };
        let request = Request::new(Operation::ActivationConfirm, Auth::Session, Class::Screen);
        let _: ActivationConfirmed = self.call(turn, request, &body).await?;
        self.commit(turn, move |state| {
            if let Some(activated) = state.activated.as_mut().filter(|a| a.activation == activation) {
                activated.unconfirmed = None;
            }
        })
        .await
    }
}
