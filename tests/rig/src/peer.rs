//! Whoever holds a key and speaks the API without the core: real proofs and real bodies, which a test may change before they go.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request};
use reqwest::{Client, Response};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use saifu_crypto::{KeyPair, Random as _, SystemRandom};
use saifu_sandbox::{Issuer, SandboxInfo};
use saifu_wire::dpop::{self, Claims};
use saifu_wire::{Listener, Operation, Problem, ProblemCode, headers};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::terminal;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Of HTTP.
    pub status: u16,
    /// As they came.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Answer {
    /// Waits for the rest of it.
    pub async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// The answer of a request that must succeed.
    #[track_caller]
    pub fn ok<T: DeserializeOwned>(&self) -> T {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text);
        self.json()
    }

    /// The refusal of one that must not.
    #[track_caller]
    pub fn problem(&self) -> Problem {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        let problem: Problem = self.json();
        assert_eq!(problem.status, self.status);
        problem
    }

    /// Its code.
    #[track_caller]
    pub fn code(&self) -> ProblemCode {
        self.problem().code.known().unwrap()
    }

    /// One header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// What a request has beside a proof by the peer's own key.
#[derive(Default)]
pub struct With<'a> {
    /// An access token.
    pub token: Option<&'a str>,
    /// Another key for the proof.
    pub key: Option<&'a KeyPair>,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
    /// What follows the path.
    pub query: &'static str,
}

/// How requests get to the issuer.
enum Way {
    Tls(Client),
    Beside(Arc<Issuer>),
}

/// A key, and the nonce for its next proof.
pub struct Peer {
    /// Proves each request.
    pub key: KeyPair,
    info: SandboxInfo,
    way: Way,
    nonce: Mutex<Option<String>>,
}

impl Peer {
    /// Over real sockets.
    pub fn new(info: &SandboxInfo, key: KeyPair) -> Self {
        Self { key, info: info.clone(), way: Way::Tls(client(info)), nonce: Mutex::default() }
    }

    /// Somebody with a key of his own that nobody knows.
    pub fn stranger(info: &SandboxInfo) -> Self {
        Self::new(info, KeyPair::generate().unwrap())
    }

    /// A terminal that every sandbox has.
    pub fn terminal(info: &SandboxInfo, name: &str) -> Self {
        Self::new(info, terminal::key(info, name))
    }

    /// In the issuer's own process, without a socket.
    pub fn beside(issuer: &Arc<Issuer>, info: &SandboxInfo, key: KeyPair) -> Self {
        Self { key, info: info.clone(), way: Way::Beside(Arc::clone(issuer)), nonce: Mutex::default() }
    }

    /// Where an operation is.
    pub fn url(&self, operation: Operation) -> String {
        let origin = match operation.listener() {
            Listener::Customer => &self.info.customer_url,
            Listener::Register => &self.info.register_url,
            Listener::Service => &self.info.service_url,
        };
        format!("{origin}{}", operation.path())
    }

    /// The nonce that the last answer brought.
    pub fn nonce(&self) -> Option<String> {
        self.nonce.lock().unwrap().clone()
    }

    /// A request with a fresh proof, which the issuer refuses before there is a nonce.
    pub fn build(&self, operation: Operation, body: &[u8], with: &With<'_>) -> Request<Bytes> {
        let (nonce, uri, method) = (self.nonce(), self.url(operation), operation.method());
        let claims = Claims { method, uri: &uri, body, nonce: nonce.as_deref(), access_token: with.token };
        let proof = dpop::build(with.key.unwrap_or(&self.key), &claims, SystemRandom.bytes().unwrap(), 1).unwrap();
        let mut request =
            Request::builder().method(method).uri(format!("{uri}{}", with.query)).header(headers::DPOP, proof);
        if method == "POST" {
            request = request.header("content-type", "application/json");
        }
        if let Some(token) = with.token {
            request = request.header("authorization", format!("{} {token}", headers::DPOP_SCHEME));
        }
        for (name, value) in &with.headers {
            request = request.header(*name, value);
        }
        request.body(Bytes::copy_from_slice(body)).unwrap()
    }

    /// Sends it as it is, and reads the answer as it comes; over sockets only.
    pub async fn stream(&self, request: Request<Bytes>) -> Response {
        let Way::Tls(http) = &self.way else { panic!("there is no socket") };
        http.execute(request.try_into().unwrap()).await.unwrap()
    }

    /// Sends it as it is. What comes back is no concern of the next request.
    pub async fn execute(&self, request: Request<Bytes>) -> Answer {
        let Way::Beside(issuer) = &self.way else { return Answer::read(self.stream(request).await).await };
        let at_register = request.uri().to_string().starts_with(&self.info.register_url);
        let listener = if at_register { Listener::Register } else { Listener::Customer };
        let response = issuer.handle(issuer.now(), listener, request).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: String::from_utf8_lossy(response.body()).into_owned() }
    }

    /// Builds and sends it, once more if the issuer asks for its nonce; the answer brings the next one.
    pub async fn send_with(&self, operation: Operation, body: &[u8], with: &With<'_>) -> Answer {
        loop {
            let had_nonce = self.nonce().is_some();
            let answer = self.execute(self.build(operation, body, with)).await;
            *self.nonce.lock().unwrap() = answer.header(headers::DPOP_NONCE).map(Into::into);
            let asks = answer.status == 401 && answer.code() == ProblemCode::UseDpopNonce;
            if !asks || had_nonce {
                return answer;
            }
        }
    }

    /// The same with a body of the API.
    pub async fn send(&self, operation: Operation, body: &impl Serialize, with: &With<'_>) -> Answer {
        self.send_with(operation, &serde_json::to_vec(body).unwrap(), with).await
    }

    /// The same with nothing beside the proof.
    pub async fn ask(&self, operation: Operation, body: &impl Serialize) -> Answer {
        self.send(operation, body, &With::default()).await
    }

    /// Takes the issuer's present nonce, whatever it had.
    pub async fn greet(&self, operation: Operation) {
        let answer = self.execute(self.build(operation, b"{}", &With::default())).await;
        *self.nonce.lock().unwrap() = answer.header(headers::DPOP_NONCE).map(Into::into);
    }
}

/// A TLS client that trusts the sandbox's authority and nobody else.
pub fn client(info: &SandboxInfo) -> Client {
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
