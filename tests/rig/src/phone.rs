//! A customer's phone as far as the issuer sees it, made of nothing but keys: what it signs and agrees on, and the whole of it over
//! the API.

use saifu_code::Totp;
use saifu_crypto::{EphemeralKey, HashAlgorithm, KeyPair, PublicKey, Random as _, Secret, SystemRandom};
use saifu_sandbox::SandboxInfo;
use saifu_wire::messages::*;
use saifu_wire::signed::{self, ActivationSecrets, Binding};
use saifu_wire::{Amount, Bytes, IntentKey, Name, Operation, PhoneNumber, RequestId, Sensitive, dpop, headers};
use serde::Serialize;
use tokio::task::spawn_blocking;

use crate::{Answer, Peer, With, control};

const APP_VERSION: &str = "0.1.0";

/// The keys of a phone that outlive its sessions, and what they sign. A `thumbprint` names the key of the session.
pub struct Keys {
    /// Says which phone it is.
    pub device: KeyPair,
    /// Says that its owner agrees.
    pub authorization: KeyPair,
}

impl Keys {
    /// New ones.
    pub fn generate() -> Self {
        Self { device: KeyPair::generate().unwrap(), authorization: KeyPair::generate().unwrap() }
    }

    /// The first step of a sign-up.
    pub fn sign_up(&self, number: &PhoneNumber, thumbprint: &str) -> SignUpRequest {
        let (device, authorization) = (self.device.public_key().to_spki(), self.authorization.public_key().to_spki());
        let message = signed::sign_up(number, &device, &authorization, thumbprint);
        SignUpRequest {
            number: number.clone(),
            signature: Bytes(self.device.sign_der(&message).unwrap()),
            device_spki: Bytes(device),
            authorization_spki: Bytes(authorization),
        }
    }

    /// The second one, with the code that was sent to the number.
    pub fn confirm(&self, request: RequestId, code: &str, thumbprint: &str) -> SignUpConfirmRequest {
        let signature = Bytes(self.device.sign_der(&signed::sign_up_confirm(request, thumbprint)).unwrap());
        SignUpConfirmRequest { request, code: Sensitive::new(code), signature }
    }

    /// Opens a session.
    pub fn session(&self, binding: Binding, nonce: &str, thumbprint: &str) -> SessionRequest {
        let message = signed::session(nonce, binding, thumbprint, APP_VERSION);
        let Binding { account, device, epoch } = binding;
        let signature = Bytes(self.device.sign_der(&message).unwrap());
        SessionRequest { account, device, epoch, app_version: APP_VERSION.into(), signature }
    }

    /// A top-up at an ATM that the owner has approved.
    pub fn top_up(&self, binding: Binding, key: IntentKey, yen: Amount, nonce: Sensitive) -> TopUpRequest {
        let message = signed::top_up(binding, key, Channel::Atm, yen, nonce.expose());
        let signature = Bytes(self.authorization.sign_der(&message).unwrap());
        TopUpRequest { channel: Channel::Atm, yen, nonce, signature }
    }
}

/// The phone's side of the key agreement on the in-app TOTP.
pub struct Agreement(EphemeralKey);

impl Agreement {
    /// Begins one.
    pub fn begin() -> (Self, ActivationRequest) {
        let ours = EphemeralKey::generate().unwrap();
        let request = ActivationRequest { phone_point: Bytes(ours.public_key().point().to_vec()) };
        (Self(ours), request)
    }

    /// What it confirms with, and the TOTP secret.
    pub fn end(self, keys: &Keys, binding: Binding, answer: &ActivationAnswer) -> (ActivationConfirmRequest, Secret) {
        let point = *self.0.public_key().point();
        let shared = self.0.agree(&PublicKey::from_point(&answer.issuer_point.0).unwrap()).unwrap();
        let transcript = signed::activation(answer.activation, binding, &point, &answer.issuer_point.0);
        let secrets = ActivationSecrets::derive(&shared, &transcript).unwrap();
        let confirmation = ActivationConfirmRequest {
            activation: answer.activation,
            signature: Bytes(keys.device.sign_der(&transcript).unwrap()),
            mac: Bytes(secrets.confirmation(&transcript).to_vec()),
        };
        (confirmation, secrets.totp)
    }
}

/// A phone with an account and a session.
pub struct Phone {
    /// Proves by the session's key.
    pub peer: Peer,
    /// Its own.
    pub keys: Keys,
    /// Which account and which device.
    pub binding: Binding,
    /// The one it opened last.
    pub session: SessionAnswer,
    /// The SMS code that was typed.
    pub sms_code: String,
}

impl Phone {
    /// A customer with a new account, over real sockets.
    pub async fn sign_up(info: &SandboxInfo, number: &str) -> Self {
        Self::sign_up_as(Peer::stranger(info), info, number).await
    }

    /// The same by this peer.
    pub async fn sign_up_as(peer: Peer, info: &SandboxInfo, number: &str) -> Self {
        let (keys, number) = (Keys::generate(), PhoneNumber::parse(number).unwrap());
        let thumbprint = dpop::thumbprint(peer.key.public_key());
        let answer = peer.ask(Operation::SignUp, &keys.sign_up(&number, &thumbprint)).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        let SignUpAnswer { request, .. } = answer.ok();
        // The issuer may be on this very thread.
        let info = info.clone();
        let sms_code = spawn_blocking(move || control::sms_code(&info, &number)).await.unwrap();
        let confirm = keys.confirm(request, &sms_code, &thumbprint);
        let opened: SignUpConfirmAnswer = peer.ask(Operation::SignUpConfirm, &confirm).await.ok();
        let binding = Binding { account: opened.account, device: opened.device, epoch: opened.epoch };
        let session = open_session(&peer, &keys, binding).await.ok();
        Self { peer, keys, binding, session, sms_code }
    }

    /// Asks for another session, as after a restart of the issuer or the end of this one.
    pub async fn open_session(&self) -> Answer {
        open_session(&self.peer, &self.keys, self.binding).await
    }

    /// The same at an issuer that has come back, perhaps elsewhere.
    pub async fn reopen(&mut self, info: &SandboxInfo) {
        let key = KeyPair::from_pkcs8(Secret::copy_of(self.peer.key.pkcs8().expose())).unwrap();
        self.peer = Peer::new(info, key);
        self.peer.greet(Operation::Session).await;
        self.session = self.open_session().await.ok();
    }

    /// Its access token.
    pub fn token(&self) -> &str {
        self.session.access_token.expose()
    }

    /// What goes along with its requests.
    pub fn with(&self) -> With<'_> {
        With { token: Some(self.token()), ..With::default() }
    }

    /// Asks with a body.
    pub async fn ask(&self, operation: Operation, body: &impl Serialize) -> Answer {
        self.peer.send(operation, body, &self.with()).await
    }

    /// Asks without one.
    pub async fn get(&self, operation: Operation) -> Answer {
        self.peer.send_with(operation, b"", &self.with()).await
    }

    /// Its home screen.
    pub async fn home(&self) -> Home {
        self.get(Operation::Home).await.ok()
    }

    /// A code to pay with.
    pub async fn code(&self) -> CodeAnswer {
        self.ask(Operation::Code, &CodeRequest { purpose: Purpose::Pay }).await.ok()
    }

    /// Agrees on the in-app TOTP; gives how it counts and its secret.
    pub async fn activate(&self) -> (Totp, Secret) {
        let (agreement, request) = Agreement::begin();
        let answer: ActivationAnswer = self.ask(Operation::Activation, &request).await.ok();
        let (confirm, secret) = agreement.end(&self.keys, self.binding, &answer);
        let _: ActivationConfirmed = self.ask(Operation::ActivationConfirm, &confirm).await.ok();
        (Totp::new(HashAlgorithm::Sha1, answer.totp.digits, answer.totp.period).unwrap(), secret)
    }

    /// The body of an approved top-up, and its key.
    pub async fn approve(&self, yen: i64) -> (IntentKey, TopUpRequest) {
        let IntentNonce { nonce, now, .. } = self.ask(Operation::IntentNonce, &IntentNonceRequest {}).await.ok();
        let key = IntentKey::new(now, SystemRandom.bytes().unwrap());
        (key, self.keys.top_up(self.binding, key, Amount::new(yen).unwrap(), nonce))
    }

    /// Sends one.
    pub async fn top_up(&self, key: IntentKey, request: &TopUpRequest) -> Answer {
        let headers = vec![(headers::IDEMPOTENCY_KEY, key.to_string())];
        self.peer.send(Operation::TopUp, request, &With { headers, ..self.with() }).await
    }

    /// Cash in, all the way.
    pub async fn cash_in(&self, info: &SandboxInfo, yen: i64) -> TopUp {
        self.cash_in_at(&Peer::terminal(info, "atm-1"), yen).await
    }

    /// The same at this ATM.
    pub async fn cash_in_at(&self, atm: &Peer, yen: i64) -> TopUp {
        let (totp, secret) = self.activate().await;
        let (key, request) = self.approve(yen).await;
        let top_up: TopUp = self.top_up(key, &request).await.ok();
        let (txid, code) = (Name::new(format!("cash-{key}")).unwrap(), totp.code(&secret, key.at().unwrap().seconds()));
        let (number, totp) = (top_up.number.clone().unwrap(), Sensitive::new(code));
        let authorize = AtmAuthorizeRequest { txid: txid.clone(), number, totp };
        let authorized: AtmAuthorizeAnswer = atm.ask(Operation::AtmAuthorize, &authorize).await.ok();
        assert_eq!(authorized.result, Outcome::Approved, "{:?}", authorized.reason);
        let deposit = AtmDepositRequest { txid, yen: Amount::new(yen).unwrap() };
        let posted: SettleAnswer = atm.ask(Operation::AtmDeposit, &deposit).await.ok();
        assert_eq!(posted.result, Outcome::Approved, "{:?}", posted.reason);
        top_up
    }
}

async fn open_session(peer: &Peer, keys: &Keys, binding: Binding) -> Answer {
    let nonce = peer.nonce().expect("an earlier answer brought the nonce");
    peer.ask(Operation::Session, &keys.session(binding, &nonce, &dpop::thumbprint(peer.key.public_key()))).await
}
