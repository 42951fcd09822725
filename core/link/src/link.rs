use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::Response;
use saifu_crypto::{KeyPair, PublicKey, Random as _, SystemRandom};
use saifu_host::{Clock, Reading};
use saifu_policy::{Class, Decision, Failure, RetryPolicy, TrustedTime};
use saifu_wire::dpop::{self, Claims};
use saifu_wire::messages::{ServiceDocument, SessionAnswer, SessionRequest, SignedDocument, TokenAnswer, TokenRequest};
use saifu_wire::{Bytes, IntentKey, Millis, Open, Operation, ProblemCode, Sensitive, headers, signed};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::{lost, read_json, refusal};
use crate::session::{ProofKey, Session};
use crate::trace::{self, traced};
use crate::{Credentials, EventStream, IssuerConfig, LinkError, pins};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer is waited for unless the shell says otherwise, in milliseconds.
const PATIENCE_MS: u64 = 10_000;
/// The issuer sends a comment every 15 s; twice that and a bit without a byte means that the stream is dead.
const STREAM_TIMEOUT: Duration = Duration::from_secs(40);

/// Target of two debug events: one when a request is sent, with `operation`, `trace` and `class`; one when its end is known,
/// with `operation`, `trace` and either `status` and, if refused, `code`, or `lost` (`offline`, `untrusted`, `no-answer`).
/// Nothing that was said stands in them.
pub const REQUEST_TARGET: &str = "saifu::link";

/// Sends a request with its trace, which it gives back with the answer, and notes both ends.
async fn exchange(
    operation: Operation,
    class: Class,
    request: reqwest::RequestBuilder,
) -> Result<(Response, String), LinkError> {
    let (operation, trace) = (operation.name(), trace::current().unwrap_or_else(trace::new_trace));
    let request = request.header(headers::TRACE, &trace);
    tracing::debug!(target: REQUEST_TARGET, operation, trace, class = class.as_str(), "sent");
    match request.send().await {
        Ok(response) => Ok((response, trace)),
        Err(error) => {
            let means = lost(&error);
            let lost = match means {
                LinkError::Offline => "offline",
                LinkError::Untrusted(_) => "untrusted",
                _ => "no-answer",
            };
            tracing::debug!(target: REQUEST_TARGET, operation, trace, lost, "ended");
            Err(means)
        }
    }
}

/// An answer that is not a refusal, noted either way.
async fn accepted(operation: Operation, trace: &str, response: Response) -> Result<Response, LinkError> {
    let (operation, status) = (operation.name(), response.status());
    if status.is_success() {
        tracing::debug!(target: REQUEST_TARGET, operation, trace, status = status.as_u16(), "answered");
        return Ok(response);
    }
    let error = refusal(response).await;
    let code = error.word().map(Open::as_str);
    tracing::debug!(target: REQUEST_TARGET, operation, trace, status = status.as_u16(), code, "answered");
    Err(error)
}

/// How a request shows who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// By the proof's key alone: before there is an account, and terminals always.
    Proof,
    /// By a session of the device.
    Session,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// What is asked.
    pub operation: Operation,
    /// How the asker is known.
    pub auth: Auth,
    /// How often it may be repeated.
    pub class: Class,
    /// `?name=value`, numbers only.
    pub query: Option<(&'static str, u64)>,
    /// The key of an intent.
    pub intent: Option<IntentKey>,
}

impl Request {
    /// A request of this operation, class and authentication.
    #[must_use]
    pub fn new(operation: Operation, auth: Auth, class: Class) -> Self {
        Self { operation, auth, class, query: None, intent: None }
    }
}

/// The issuer's clock as last heard, with what the host's clocks showed then.
pub type Anchor = TrustedTime;

/// A connection to one issuer. Share it by `Arc`.
pub struct Link {
    http: reqwest::Client,
    issuer: IssuerConfig,
    clock: Arc<dyn Clock>,
    app_version: String,
    proof_key: Arc<ProofKey>,
    patience_ms: AtomicU64,
    state: Mutex<State>,
    /// Held while a session is opened, so that a burst of requests opens one.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    nonce: Option<String>,
    anchor: Option<Anchor>,
    credentials: Option<Credentials>,
    session: Option<Session>,
    retry: RetryPolicy,
}

impl Link {
    /// A link for a wallet, with a fresh session key. Connects to nothing yet.
    ///
    /// # Errors
    /// [`LinkError::Untrusted`] when the configuration makes no sense, [`LinkError::System`].
    pub fn new(issuer: IssuerConfig, clock: Arc<dyn Clock>, app_version: &str) -> Result<Self, LinkError> {
        Self::with_key(issuer, clock, app_version, KeyPair::generate()?)
    }

    /// A link that proves possession of the given key: a register, an ATM, an operator.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_key(
        issuer: IssuerConfig,
        clock: Arc<dyn Clock>,
        app_version: &str,
        key: KeyPair,
    ) -> Result<Self, LinkError> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(pins::client_config(&issuer)?)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(STREAM_TIMEOUT)
            .build()
            .map_err(|_| LinkError::System)?;
        Ok(Self {
            http,
            issuer,
            clock,
            app_version: app_version.to_owned(),
            proof_key: Arc::new(ProofKey::new(key)),
            patience_ms: AtomicU64::new(PATIENCE_MS),
            state: Mutex::default(),
            opening: Default::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, an answer is waited for this long at each try; 10 s unless said otherwise.
    pub fn set_patience(&self, patience: Duration) {
        let ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        self.patience_ms.store(ms, Ordering::Relaxed);
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms.load(Ordering::Relaxed))
    }

    /// The issuer this link talks to.
    #[must_use]
    pub fn issuer(&self) -> &IssuerConfig {
        &self.issuer
    }

    /// Names the session key; sign-up signatures cover it.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.proof_key.thumbprint
    }

    /// From now on, requests of [`Auth::Session`] come from this device. `None` forgets the device and its session.
    pub fn set_credentials(&self, credentials: Option<Credentials>) {
        let mut state = self.state();
        state.credentials = credentials;
        state.session = None;
    }

    /// The issuer's clock as last heard.
    #[must_use]
    pub fn anchor(&self) -> Option<Anchor> {
        self.state().anchor
    }

    /// Sends a request and reads its answer, repeating what its class allows.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn call<B: Serialize, A: DeserializeOwned>(&self, request: Request, body: &B) -> Result<A, LinkError> {
        let body = match request.operation.method() {
            "GET" => Vec::new(),
            _ => serde_json::to_vec(body).map_err(|_| LinkError::System)?,
        };
        let response = traced(self.with_repeats(request, &body)).await?;
        read_json(response).await
    }

    /// Opens the event stream, beginning after the given event number.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn events(&self, after: u64) -> Result<EventStream, LinkError> {
        let request = Request::new(Operation::Events, Auth::Session, Class::Background);
        // A stream has no end to wait for, but a beginning.
        let opened = tokio::time::timeout(self.patience(), traced(self.authenticated(request, &[], Some(after)))).await;
        let response = opened.map_err(|_| LinkError::NoAnswer)??;
        Ok(EventStream::new(response))
    }

    /// Fetches the service document, verifies its signature and refuses one older than `at_least`.
    ///
    /// # Errors
    /// [`LinkError::Untrusted`] for a wrong signature or an older version.
    pub async fn service_document(&self, at_least: u64) -> Result<ServiceDocument, LinkError> {
        let url = self.issuer.service.join(Operation::ServiceDocument.path()).map_err(|_| LinkError::System)?;
        let request = self.http.get(url).timeout(self.patience());
        let (response, trace) = exchange(Operation::ServiceDocument, Class::Background, request).await?;
        let response = accepted(Operation::ServiceDocument, &trace, response).await?;
        let document: SignedDocument = read_json(response).await?;
        let bytes = signed::service_document(document.document.as_bytes());
        let key: &PublicKey = &self.issuer.service_key;
        key.verify_der(&bytes, &document.signature.0)
            .map_err(|_| LinkError::Untrusted("the service document's signature does not verify"))?;
        let document: ServiceDocument =
            serde_json::from_str(&document.document).map_err(|_| LinkError::Untrusted("malformed service document"))?;
        if document.version < at_least {
            return Err(LinkError::Untrusted("the service document is older than the last one"));
        }
        Ok(document)
    }

    async fn with_repeats(&self, request: Request, body: &[u8]) -> Result<Response, LinkError> {
        self.state().retry.on_first_try();
        let mut tries = 0_u32;
        loop {
            let error = match self.authenticated(request, body, None).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            tries = tries.saturating_add(1);
            let failure = match &error {
                LinkError::Offline | LinkError::NoAnswer => Failure::NoAnswer,
                LinkError::Refused(p) if p.code == ProblemCode::Overloaded => {
                    Failure::Busy { retry_after_ms: p.retry_after_ms }
                }
                _ => return Err(error),
            };
            let random = u32::from_be_bytes(SystemRandom.bytes()?);
            let decision = self.state().retry.on_failure(request.class, tries, failure, random);
            match decision {
                Decision::GiveUp => return Err(error),
                Decision::RetryAfter(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            }
        }
    }

    /// One try, with a session if the request needs one. A session that the issuer no longer knows is reopened once.
    async fn authenticated(&self, request: Request, body: &[u8], after: Option<u64>) -> Result<Response, LinkError> {
        if request.auth == Auth::Proof {
            return self.proven(request, body, after, None).await;
        }
        for last in [false, true] {
            let token = self.token().await?;
            match self.proven(request, body, after, Some(token)).await {
                Err(error) if !last && error.code() == Some(ProblemCode::InvalidToken) => {
                    self.state().session = None;
                }
                other => return other,
            }
        }
        Err(LinkError::NoAnswer)
    }

    fn now(&self) -> Millis {
        let reading = self.clock.read();
        Millis(self.anchor().map_or(reading.wall_ms, |anchor| anchor.now(reading).issuer_ms))
    }

    async fn token(&self) -> Result<Sensitive, LinkError> {
        let _one_at_a_time = self.opening.lock().await;
        let now = self.now();
        let renewable = match &self.state().session {
            Some(session) if session.token_is_good(now) => return Ok(session.token.clone()),
            Some(session) if session.is_good(now) => Some(session.id.clone()),
            _ => None,
        };
        if let Some(session) = renewable
            && let Ok(token) = self.renew_token(session).await
        {
            return Ok(token);
        }
        self.open_session().await
    }

    async fn renew_token(&self, session: Sensitive) -> Result<Sensitive, LinkError> {
        let request = Request::new(Operation::Token, Auth::Proof, Class::Screen);
        let body = serde_json::to_vec(&TokenRequest { session }).map_err(|_| LinkError::System)?;
        let answer: TokenAnswer = read_json(self.proven(request, &body, None, None).await?).await?;
        if let Some(session) = &mut self.state().session {
            session.token = answer.access_token.clone();
            session.token_ends_at = answer.expires_at;
        }
        Ok(answer.access_token)
    }

    /// The certificate covers the nonce of its own request, so a new nonce means a new signature.
    async fn open_session(&self) -> Result<Sensitive, LinkError> {
        let credentials = self.state().credentials.clone().ok_or(LinkError::NoCredentials)?;
        let request = Request::new(Operation::Session, Auth::Proof, Class::Screen);
        let mut nonce = self.state().nonce.clone().unwrap_or_default();
        for _ in 0..3 {
            let body = self.session_request(&credentials, &nonce).await?;
            match self.send(request, &body, None, None, Some(nonce.as_str())).await {
                Ok(response) => {
                    let answer: SessionAnswer = read_json(response).await?;
                    let token = answer.access_token.clone();
                    self.state().session = Some(Session {
                        id: answer.session,
                        ends_at: answer.session_expires_at,
                        token: answer.access_token,
                        token_ends_at: answer.expires_at,
                    });
                    return Ok(token);
                }
                Err(error) if error.code() == Some(ProblemCode::UseDpopNonce) => {
                    nonce = self.state().nonce.clone().unwrap_or_default();
                }
                Err(error) => return Err(error),
            }
        }
        Err(LinkError::Untrusted("the issuer keeps changing its nonce"))
    }

    async fn session_request(&self, credentials: &Credentials, nonce: &str) -> Result<Vec<u8>, LinkError> {
        let binding = credentials.binding;
        let message = signed::session(nonce, binding, &self.proof_key.thumbprint, &self.app_version);
        let keys = Arc::clone(&credentials.keys);
        let signature =
            tokio::task::spawn_blocking(move || keys.sign(&message)).await.map_err(|_| LinkError::System)??;
        serde_json::to_vec(&SessionRequest {
            account: binding.account,
            device: binding.device,
            epoch: binding.epoch,
            app_version: self.app_version.clone(),
            signature: Bytes(signature),
        })
        .map_err(|_| LinkError::System)
    }

    /// One try with a proof; a new nonce is answered once.
    async fn proven(
        &self,
        request: Request,
        body: &[u8],
        after: Option<u64>,
        token: Option<Sensitive>,
    ) -> Result<Response, LinkError> {
        let nonce = self.state().nonce.clone();
        match self.send(request, body, after, token.as_ref(), nonce.as_deref()).await {
            Err(error) if error.code() == Some(ProblemCode::UseDpopNonce) => {
                let nonce = self.state().nonce.clone();
                self.send(request, body, after, token.as_ref(), nonce.as_deref()).await
            }
            other => other,
        }
    }

    async fn send(
        &self,
        request: Request,
        body: &[u8],
        after: Option<u64>,
        token: Option<&Sensitive>,
        nonce: Option<&str>,
    ) -> Result<Response, LinkError> {
        let operation = request.operation;
        let mut url = self.issuer.api.join(operation.path()).map_err(|_| LinkError::System)?;
        let claims = Claims {
            method: operation.method(),
            uri: url.as_str(),
            body,
            nonce,
            access_token: token.map(Sensitive::expose),
        };
        let issued_at = self.now().seconds();
        let proof = dpop::build(&self.proof_key.pair, &claims, SystemRandom.bytes()?, issued_at)?;
        if let Some((name, value)) = request.query {
            url.set_query(Some(&format!("{name}={value}")));
        }
        let method = http::Method::from_bytes(operation.method().as_bytes()).map_err(|_| LinkError::System)?;
        let mut builder = self.http.request(method, url).header(headers::DPOP, proof);
        if !body.is_empty() {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body.to_vec());
        }
        if let Some(token) = token {
            builder = builder.header(AUTHORIZATION, format!("{} {}", headers::DPOP_SCHEME, token.expose()));
        }
        if let Some(key) = request.intent {
            builder = builder.header(headers::IDEMPOTENCY_KEY, key.to_string());
        }
        match after {
            Some(after) => builder = builder.header(headers::LAST_EVENT_ID, after),
            None => builder = builder.timeout(self.patience()),
        }
        let (response, trace) = exchange(operation, request.class, builder).await?;
        self.hear(&response);
        accepted(operation, &trace, response).await
    }

    /// Takes nonce and clock from any answer of the pinned issuer.
    fn hear(&self, response: &Response) {
        let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let reading: Reading = self.clock.read();
        let mut state = self.state();
        if let Some(nonce) = text(headers::DPOP_NONCE).filter(|nonce| nonce.len() <= 256) {
            state.nonce = Some(nonce.to_owned());
        }
        if let Some(time) = text(headers::ISSUER_TIME).and_then(|time| time.parse().ok()) {
            state.anchor = Some(TrustedTime::anchored(time, reading));
        }
    }
}
