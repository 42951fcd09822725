//! A sandbox of its own for each test, and the people around it: a phone, a terminal, the control API.

use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use reqwest::{Client, Method, RequestBuilder, Response};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use saifu_code::Totp;
use saifu_crypto::{EphemeralKey, HashAlgorithm, KeyPair, PublicKey, Random as _, Secret, SystemRandom};
use saifu_sandbox::{Options, Running, Sandbox, SandboxInfo};
use saifu_wire::dpop::{self, Claims};
use saifu_wire::messages::*;
use saifu_wire::signed::{self, ActivationSecrets, Binding};
use saifu_wire::{Amount, Bytes, IntentKey, Listener, Operation, PhoneNumber, Problem, ProblemCode, headers};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;

/// A running sandbox and its folder.
pub(crate) struct Scene {
    pub(crate) running: Running,
    pub(crate) folder: TempDir,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let running = Sandbox::start(Options::new(folder.path())).await.unwrap();
        Self { running, folder }
    }

    /// Stops it and starts it again over the same folder.
    pub(crate) async fn restart(self) -> Self {
        self.running.stop().await;
        let running = Sandbox::start(Options::new(self.folder.path())).await.unwrap();
        Self { running, ..self }
    }

    pub(crate) fn info(&self) -> &SandboxInfo {
        self.running.info()
    }

    /// A terminal of the first start.
    pub(crate) fn terminal(&self, name: &str) -> Peer {
        terminal(self.info(), name)
    }

    /// A customer with a new account, a session and a token.
    pub(crate) async fn phone(&self, number: &str) -> Phone {
        Phone::sign_up(self.info(), number).await
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let info = self.info();
        let mut request = client(info).request(method, format!("{}{path}", info.lever_url));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        Answer::read(request.bearer_auth(&info.lever_token).send().await.unwrap()).await
    }
}

/// A terminal of the first start.
pub(crate) fn terminal(info: &SandboxInfo, name: &str) -> Peer {
    let row = info.terminals.iter().find(|row| row.terminal.as_str() == name).unwrap();
    Peer::new(info, secret_key(&row.key))
}

pub(crate) fn secret_key(base64: &str) -> KeyPair {
    KeyPair::from_pkcs8(Secret::new(BASE64.decode(base64.as_bytes()).unwrap())).unwrap()
}

/// A TLS client that trusts the sandbox's authority and nobody else.
pub(crate) fn client(info: &SandboxInfo) -> Client {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(info.ca_pem.as_bytes()).unwrap()).unwrap();
    let mut tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    pub(crate) fn problem(&self) -> Problem {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        let problem: Problem = self.json();
        assert_eq!(problem.status, self.status);
        problem
    }

    pub(crate) fn code(&self) -> ProblemCode {
        self.problem().code.known().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The answer of an operation that must succeed.
    pub(crate) fn ok<T: DeserializeOwned>(&self) -> T {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text);
        self.json()
    }
}

/// What a request is changed in, beside what an honest one has.
#[derive(Default)]
pub(crate) struct With<'a> {
    pub(crate) token: Option<&'a str>,
    pub(crate) key: Option<&'a KeyPair>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) query: &'static str,
}

/// Whoever holds a key.
pub(crate) struct Peer {
    pub(crate) key: KeyPair,
    pub(crate) http: Client,
    info: SandboxInfo,
    nonce: Mutex<Option<String>>,
}

impl Peer {
    pub(crate) fn new(info: &SandboxInfo, key: KeyPair) -> Self {
        Self { key, http: client(info), info: info.clone(), nonce: Mutex::default() }
    }

    pub(crate) fn url(&self, operation: Operation) -> String {
        let origin = match operation.listener() {
            Listener::Customer => &self.info.customer_url,
            Listener::Register => &self.info.register_url,
            Listener::Service => &self.info.service_url,
        };
        format!("{origin}{}", operation.path())
    }

    pub(crate) fn nonce(&self) -> Option<String> {
        self.nonce.lock().unwrap().clone()
    }

    /// A request with a fresh proof; `Err` before there is a nonce.
    pub(crate) fn build(&self, operation: Operation, body: &[u8], with: &With<'_>) -> RequestBuilder {
        let nonce = self.nonce();
        let uri = self.url(operation);
        let claims =
            Claims { method: operation.method(), uri: &uri, body, nonce: nonce.as_deref(), access_token: with.token };
        let proof = dpop::build(with.key.unwrap_or(&self.key), &claims, SystemRandom.bytes().unwrap(), 1).unwrap();
        let method = Method::from_bytes(operation.method().as_bytes()).unwrap();
        let mut request = self.http.request(method, format!("{uri}{}", with.query)).header(headers::DPOP, proof);
        if operation.method() == "POST" {
            request = request.header("content-type", "application/json").body(body.to_vec());
        }
        if let Some(token) = with.token {
            request = request.header("authorization", format!("DPoP {token}"));
        }
        for (name, value) in &with.headers {
            request = request.header(*name, value);
        }
        request
    }

    /// Sends it, once more if the issuer asks for its nonce.
    pub(crate) async fn send_with(&self, operation: Operation, body: &[u8], with: &With<'_>) -> Answer {
        loop {
            let had_nonce = self.nonce().is_some();
            let answer = Answer::read(self.build(operation, body, with).send().await.unwrap()).await;
            *self.nonce.lock().unwrap() = answer.header("dpop-nonce").map(Into::into);
            let asks = answer.status == 401 && answer.code() == ProblemCode::UseDpopNonce;
            if !asks || had_nonce {
                return answer;
            }
        }
    }

    pub(crate) async fn send<B: Serialize>(&self, operation: Operation, body: &B, with: &With<'_>) -> Answer {
        self.send_with(operation, &serde_json::to_vec(body).unwrap(), with).await
    }

    pub(crate) async fn ask<B: Serialize>(&self, operation: Operation, body: &B) -> Answer {
        self.send(operation, body, &With::default()).await
    }

    /// Whatever makes the issuer hand out its nonce.
    pub(crate) async fn greet(&self) {
        let answer = Answer::read(self.build(Operation::Session, b"{}", &With::default()).send().await.unwrap()).await;
        *self.nonce.lock().unwrap() = answer.header("dpop-nonce").map(Into::into);
    }
}

/// A customer's phone, as far as the issuer sees it.
pub(crate) struct Phone {
    pub(crate) peer: Peer,
    pub(crate) device: KeyPair,
    pub(crate) authorization: KeyPair,
    pub(crate) binding: Binding,
    pub(crate) session: SessionAnswer,
    /// The SMS code that was typed.
    pub(crate) sms_code: String,
}

impl Phone {
    pub(crate) async fn sign_up(info: &SandboxInfo, number: &str) -> Self {
        let (peer, device, authorization) = (Peer::new(info, pair()), pair(), pair());
        let number = PhoneNumber::parse(number).unwrap();
        let spki = |key: &KeyPair| key.public_key().to_spki();
        let thumbprint = dpop::thumbprint(peer.key.public_key());
        let message = signed::sign_up(&number, &spki(&device), &spki(&authorization), &thumbprint);
        let answer = peer
            .ask(
                Operation::SignUp,
                &SignUpRequest {
                    number: number.clone(),
                    device_spki: Bytes(spki(&device)),
                    authorization_spki: Bytes(spki(&authorization)),
                    signature: Bytes(device.sign_der(&message).unwrap()),
                },
            )
            .await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        let SignUpAnswer { request, .. } = answer.ok();
        let sms_code = newest_code(info, &number).await;
        let message = signed::sign_up_confirm(request, &thumbprint);
        let confirm = SignUpConfirmRequest {
            request,
            code: saifu_wire::Sensitive::new(sms_code.clone()),
            signature: Bytes(device.sign_der(&message).unwrap()),
        };
        let confirmed: SignUpConfirmAnswer = peer.ask(Operation::SignUpConfirm, &confirm).await.ok();
        let binding = Binding { account: confirmed.account, device: confirmed.device, epoch: confirmed.epoch };
        let session = open_session(&peer, &device, binding).await.ok();
        Self { peer, device, authorization, binding, session, sms_code }
    }

    pub(crate) fn token(&self) -> &str {
        self.session.access_token.expose()
    }

    pub(crate) async fn ask<B: Serialize>(&self, operation: Operation, body: &B) -> Answer {
        self.peer.send(operation, body, &With { token: Some(self.token()), ..With::default() }).await
    }

    pub(crate) async fn get(&self, operation: Operation) -> Answer {
        self.peer.send_with(operation, b"", &With { token: Some(self.token()), ..With::default() }).await
    }

    pub(crate) async fn home(&self) -> Home {
        self.get(Operation::Home).await.ok()
    }

    /// Opens another session, as after a restart of the issuer.
    pub(crate) async fn reopen(&mut self, info: &SandboxInfo) {
        let key = secret_key(&BASE64.encode(self.peer.key.pkcs8().expose()));
        self.peer = Peer::new(info, key);
        self.peer.greet().await;
        self.session = open_session(&self.peer, &self.device, self.binding).await.ok();
    }

    /// Agrees on the in-app TOTP; gives how it counts and its secret.
    pub(crate) async fn activate(&self) -> (Totp, Secret) {
        let ephemeral = EphemeralKey::generate().unwrap();
        let point = *ephemeral.public_key().point();
        let answer: ActivationAnswer =
            self.ask(Operation::Activation, &ActivationRequest { phone_point: Bytes(point.to_vec()) }).await.ok();
        let shared = ephemeral.agree(&PublicKey::from_point(&answer.issuer_point.0).unwrap()).unwrap();
        let transcript = signed::activation(answer.activation, self.binding, &point, &answer.issuer_point.0);
        let secrets = ActivationSecrets::derive(&shared, &transcript).unwrap();
        let confirm = ActivationConfirmRequest {
            activation: answer.activation,
            signature: Bytes(self.device.sign_der(&transcript).unwrap()),
            mac: Bytes(secrets.confirmation(&transcript).to_vec()),
        };
        let _: ActivationConfirmed = self.ask(Operation::ActivationConfirm, &confirm).await.ok();
        let totp = Totp::new(HashAlgorithm::Sha1, answer.totp.digits, answer.totp.period).unwrap();
        (totp, secrets.totp)
    }

    /// The body of an approved top-up, and its key.
    pub(crate) async fn approve(&self, yen: i64) -> (IntentKey, TopUpRequest) {
        let IntentNonce { nonce, now, .. } = self.ask(Operation::IntentNonce, &IntentNonceRequest {}).await.ok();
        let key = IntentKey::new(now, SystemRandom.bytes().unwrap());
        let yen = Amount::new(yen).unwrap();
        let message = signed::top_up(self.binding, key, Channel::Atm, yen, nonce.expose());
        let signature = Bytes(self.authorization.sign_der(&message).unwrap());
        (key, TopUpRequest { channel: Channel::Atm, yen, nonce, signature })
    }

    pub(crate) async fn top_up(&self, key: IntentKey, request: &TopUpRequest) -> Answer {
        let headers = vec![(headers::IDEMPOTENCY_KEY, key.to_string())];
        let with = With { token: Some(self.token()), headers, ..With::default() };
        self.peer.send(Operation::TopUp, request, &with).await
    }

    /// Cash in, all the way.
    pub(crate) async fn cash_in(&self, info: &SandboxInfo, yen: i64) -> TopUp {
        let (totp, secret) = self.activate().await;
        let (key, request) = self.approve(yen).await;
        let top_up: TopUp = self.top_up(key, &request).await.ok();
        let atm = terminal(info, "atm-1");
        let txid: saifu_wire::Name = format!("cash-{key}").parse().unwrap();
        let code = totp.code(&secret, key.at().unwrap().seconds());
        let authorize = AtmAuthorizeRequest {
            txid: txid.clone(),
            number: top_up.number.clone().unwrap(),
            totp: saifu_wire::Sensitive::new(code),
        };
        let authorized: AtmAuthorizeAnswer = atm.ask(Operation::AtmAuthorize, &authorize).await.ok();
        assert_eq!(authorized.result, Outcome::Approved, "{:?}", authorized.reason);
        let deposit = AtmDepositRequest { txid, yen: Amount::new(yen).unwrap() };
        let posted: SettleAnswer = atm.ask(Operation::AtmDeposit, &deposit).await.ok();
        assert_eq!(posted.result, Outcome::Approved, "{:?}", posted.reason);
        top_up
    }

    pub(crate) async fn code(&self) -> CodeAnswer {
        self.ask(Operation::Code, &CodeRequest { purpose: Purpose::Pay }).await.ok()
    }
}

pub(crate) fn pair() -> KeyPair {
    KeyPair::generate().unwrap()
}

pub(crate) async fn open_session(peer: &Peer, device: &KeyPair, binding: Binding) -> Answer {
    let nonce = peer.nonce().expect("an earlier answer brought the nonce");
    let message = signed::session(&nonce, binding, &dpop::thumbprint(peer.key.public_key()), "0.1.0");
    let request = SessionRequest {
        account: binding.account,
        device: binding.device,
        epoch: binding.epoch,
        app_version: "0.1.0".into(),
        signature: Bytes(device.sign_der(&message).unwrap()),
    };
    peer.ask(Operation::Session, &request).await
}

/// A settlement of these digits.
pub(crate) fn scan(txid: &str, code: &CodeAnswer, yen: i64) -> SettleRequest {
    SettleRequest { txid: txid.parse().unwrap(), digits: code.digits.clone(), yen: Amount::new(yen).unwrap() }
}

async fn newest_code(info: &SandboxInfo, number: &PhoneNumber) -> String {
    let request = client(info)
        .get(format!("{}/sms?number={}", info.lever_url, number.as_str().replace('+', "%2B")))
        .bearer_auth(&info.lever_token);
    let inbox: Value = Answer::read(request.send().await.unwrap()).await.ok();
    let newest = inbox["messages"].as_array().unwrap().last().unwrap();
    newest["code"].as_str().unwrap().to_owned()
}
