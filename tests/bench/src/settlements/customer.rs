//! Customers with a balance and codes to pay with, all of it through the API.

use saifu_code::Totp;
use saifu_crypto::{EphemeralKey, HashAlgorithm, KeyPair, PublicKey, Random as _, SystemRandom};
use saifu_wire::messages::{
    ActivationAnswer, ActivationConfirmRequest, ActivationConfirmed, ActivationRequest, AtmAuthorizeAnswer,
    AtmAuthorizeRequest, AtmDepositRequest, Channel, CodeAnswer, CodeRequest, IntentNonce, IntentNonceRequest, Outcome,
    Purpose, SessionAnswer, SessionRequest, SettleAnswer, SignUpAnswer, SignUpConfirmAnswer, SignUpConfirmRequest,
    SignUpRequest, TopUp, TopUpRequest,
};
use saifu_wire::signed::{self, ActivationSecrets, Binding};
use saifu_wire::{Amount, Bytes, IntentKey, Name, Operation, PhoneNumber, Sensitive, dpop};
use tokio::task::JoinSet;

use super::Scene;
use super::party::{Party, With};
use crate::{Result, control};

const APP_VERSION: &str = "0.1.0";
/// Customers that are prepared at a time.
const AT_ONCE: u32 = 32;

/// Codes of `count` customers, `payments` of each, with a balance for all of them at `yen` each. Codes of one customer
/// are spread over the whole list, as tills would see them.
pub(super) async fn prepare(scene: &Scene, count: u32, payments: u32, yen: i64) -> Result<Vec<Sensitive>> {
    let mut workers = JoinSet::new();
    for worker in 0..AT_ONCE {
        let scene = scene.clone();
        workers.spawn(async move {
            let mut atm = Party::terminal(&scene, &scene.info.atm_key)?;
            let mut codes = Vec::new();
            for number in (worker..count).step_by(usize::try_from(AT_ONCE)?) {
                codes.extend(customer(&scene, &mut atm, number, payments, yen).await?.into_iter().zip(0_u32..));
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(codes)
        });
    }
    let mut codes = Vec::new();
    while let Some(done) = workers.join_next().await {
        codes.extend(done??);
    }
    codes.sort_by_key(|(_, nth)| *nth);
    Ok(codes.into_iter().map(|(code, _)| code).collect())
}

async fn customer(scene: &Scene, atm: &mut Party, number: u32, payments: u32, yen: i64) -> Result<Vec<Sensitive>> {
    let mut phone = Phone::sign_up(scene, &format!("090{:08}", number.saturating_add(10_000_000))).await?;
    let balance = Amount::new(yen.saturating_mul(payments.into())).ok_or("the balance is out of range")?;
    phone.cash_in(scene, atm, Name::new(format!("cash-{number}"))?, balance).await?;
    let mut codes = Vec::new();
    for _ in 0..payments {
        let code: CodeAnswer = phone.ask(Operation::Code, &CodeRequest { purpose: Purpose::Pay }).await?;
        codes.push(code.digits);
    }
    Ok(codes)
}

struct Phone {
    party: Party,
    device: KeyPair,
    authorization: KeyPair,
    binding: Binding,
    token: Sensitive,
}

impl Phone {
    async fn sign_up(scene: &Scene, number: &str) -> Result<Self> {
        let mut party = Party::new(scene, KeyPair::generate()?);
        let (device, authorization) = (KeyPair::generate()?, KeyPair::generate()?);
        let (device_spki, authorization_spki) = (device.public_key().to_spki(), authorization.public_key().to_spki());
        let (number, thumbprint) = (PhoneNumber::parse(number)?, dpop::thumbprint(party.key.public_key()));
        let message = signed::sign_up(&number, &device_spki, &authorization_spki, &thumbprint);
        let begin = SignUpRequest {
            number: number.clone(),
            device_spki: Bytes(device_spki),
            authorization_spki: Bytes(authorization_spki),
            signature: Bytes(device.sign_der(&message)?),
        };
        let SignUpAnswer { request, .. } = party.ask(Operation::SignUp, &begin, With::default()).await?;
        let confirm = SignUpConfirmRequest {
            request,
            code: control::sms_code(&scene.info, &number).await?,
            signature: Bytes(device.sign_der(&signed::sign_up_confirm(request, &thumbprint))?),
        };
        let SignUpConfirmAnswer { account, device: id, epoch, .. } =
            party.ask(Operation::SignUpConfirm, &confirm, With::default()).await?;
        let binding = Binding { account, device: id, epoch };
        let token = open_session(&mut party, &device, binding, &thumbprint).await?;
        Ok(Self { party, device, authorization, binding, token })
    }

    async fn ask<A: serde::de::DeserializeOwned>(
        &mut self,
        operation: Operation,
        body: &impl serde::Serialize,
    ) -> Result<A> {
        self.party.ask(operation, body, With { token: Some(&self.token), intent: None }).await
    }

    /// Agrees on the in-app TOTP, approves a top-up and puts the cash in.
    async fn cash_in(&mut self, scene: &Scene, atm: &mut Party, txid: Name, yen: Amount) -> Result<()> {
        let (totp, secrets) = self.activate().await?;
        let IntentNonce { nonce, now, .. } = self.ask(Operation::IntentNonce, &IntentNonceRequest {}).await?;
        let key = IntentKey::new(now, SystemRandom.bytes()?);
        let message = signed::top_up(self.binding, key, Channel::Atm, yen, nonce.expose());
        let signature = Bytes(self.authorization.sign_der(&message)?);
        let request = TopUpRequest { channel: Channel::Atm, yen, nonce, signature };
        let with = With { token: Some(&self.token), intent: Some(key) };
        let top_up: TopUp = self.party.ask(Operation::TopUp, &request, with).await?;
        let authorize = AtmAuthorizeRequest {
            txid: txid.clone(),
            number: top_up.number.ok_or("the top-up has no number")?,
            totp: Sensitive::new(totp.code(&secrets.totp, scene.issuer.now().seconds())),
        };
        let checked: AtmAuthorizeAnswer = atm.ask(Operation::AtmAuthorize, &authorize, With::default()).await?;
        if checked.result != Outcome::Approved {
            return Err(format!("the ATM declined: {:?}", checked.reason).into());
        }
        let deposit = AtmDepositRequest { txid, yen };
        let posted: SettleAnswer = atm.ask(Operation::AtmDeposit, &deposit, With::default()).await?;
        if posted.result == Outcome::Approved { Ok(()) } else { Err(format!("no cash: {:?}", posted.reason).into()) }
    }

    async fn activate(&mut self) -> Result<(Totp, ActivationSecrets)> {
        let ephemeral = EphemeralKey::generate()?;
        let point = *ephemeral.public_key().point();
        let request = ActivationRequest { phone_point: Bytes(point.to_vec()) };
        let answer: ActivationAnswer = self.ask(Operation::Activation, &request).await?;
        let shared = ephemeral.agree(&PublicKey::from_point(&answer.issuer_point.0)?)?;
        let transcript = signed::activation(answer.activation, self.binding, &point, &answer.issuer_point.0);
        let secrets = ActivationSecrets::derive(&shared, &transcript)?;
        let confirm = ActivationConfirmRequest {
            activation: answer.activation,
            signature: Bytes(self.device.sign_der(&transcript)?),
            mac: Bytes(secrets.confirmation(&transcript).to_vec()),
        };
        let _: ActivationConfirmed = self.ask(Operation::ActivationConfirm, &confirm).await?;
        let totp = Totp::new(HashAlgorithm::Sha1, answer.totp.digits, answer.totp.period)?;
        Ok((totp, secrets))
    }
}

async fn open_session(party: &mut Party, device: &KeyPair, binding: Binding, thumbprint: &str) -> Result<Sensitive> {
    let message = signed::session(party.nonce()?, binding, thumbprint, APP_VERSION);
    let request = SessionRequest {
        account: binding.account,
        device: binding.device,
        epoch: binding.epoch,
        app_version: APP_VERSION.into(),
        signature: Bytes(device.sign_der(&message)?),
    };
    let SessionAnswer { access_token, .. } = party.ask(Operation::Session, &request, With::default()).await?;
    Ok(access_token)
}
