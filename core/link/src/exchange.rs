//! One request and its answer: proof, token, trace, and what every answer tells beside its body: nonce and time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::Response;
use saifu_crypto::{Random as _, SystemRandom};
use saifu_host::{Clock, Reading};
use saifu_policy::{Class, Heard, IssuerClock, IssuerTime, RetryPolicy};
use saifu_wire::dpop::{self, Claims};
use saifu_wire::{Millis, Open, Operation, ProblemCode, Sensitive, headers};

use crate::answer::{lost, refusal};
use crate::connections::Connections;
use crate::session::{Opening, ProofKey, Session};
use crate::trace;
use crate::{Credentials, IssuerConfig, LinkError, Request};

/// Target of two debug events: one when a request is sent, with `operation`, `trace` and `class`; one when its end is known,
/// with `operation`, `trace` and either `status` and, if refused, `code`, or `lost` (`offline`, `wrong-clock`, `untrusted`,
/// `no-answer`). Nothing that was said stands in them.
pub const REQUEST_TARGET: &str = "saifu::link";

/// What the tasks of a link share.
pub(crate) struct Core {
    pub(crate) connections: Connections,
    pub(crate) issuer: IssuerConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) app_version: String,
    pub(crate) proof_key: ProofKey,
    pub(crate) patience_ms: AtomicU64,
    pub(crate) state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    nonce: Option<Nonce>,
    pub(crate) time: IssuerClock,
    pub(crate) credentials: Option<Credentials>,
    /// Rises whenever the credentials change: what was begun for others is dropped.
    pub(crate) generation: u64,
    pub(crate) session: Option<Session>,
    pub(crate) opening: Option<Opening>,
    pub(crate) retry: RetryPolicy,
}

struct Nonce {
    text: String,
    /// When it was heard, by the elapsed clock.
    heard_ms: u64,
}

impl Nonce {
    /// The issuer gives each out for up to a minute and takes it for at least one more.
    const YOUNG_MS: u64 = 50_000;
}

/// Whether a request may have reached the issuer: what its caller may conclude when its time is over.
#[derive(Default)]
pub(crate) struct Tried(AtomicBool);

impl Tried {
    /// Whether one was sent and not certainly refused.
    pub(crate) fn perhaps(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Core {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms.load(Ordering::Relaxed))
    }

    /// The issuer's time.
    pub(crate) fn time(&self) -> IssuerTime {
        // A foreign call: none is made under a lock.
        let reading = self.clock.read();
        self.state().time.now(reading)
    }

    pub(crate) fn now(&self) -> Millis {
        Millis(self.time().issuer_ms)
    }

    /// The issuer's last nonce.
    pub(crate) fn nonce(&self) -> Option<String> {
        self.state().nonce.as_ref().map(|nonce| nonce.text.clone())
    }

    /// The issuer's last nonce, if it will still be taken.
    pub(crate) fn young_nonce(&self) -> Option<String> {
        let now = self.clock.read().elapsed_ms;
        let state = self.state();
        let young = |nonce: &&Nonce| now.saturating_sub(nonce.heard_ms) < Nonce::YOUNG_MS;
        state.nonce.as_ref().filter(young).map(|nonce| nonce.text.clone())
    }

    /// One try with a proof; a new nonce is answered once.
    pub(crate) async fn proven(
        &self,
        request: Request,
        body: &[u8],
        after: Option<u64>,
        token: Option<&Sensitive>,
        tried: &Tried,
    ) -> Result<Response, LinkError> {
        let nonce = self.nonce();
        match self.send(request, body, after, token, nonce.as_deref(), tried).await {
            Err(error) if error.code() == Some(ProblemCode::UseDpopNonce) => {
                let nonce = self.nonce();
                self.send(request, body, after, token, nonce.as_deref(), tried).await
            }
            other => other,
        }
    }

    pub(crate) async fn send(
        &self,
        request: Request,
        body: &[u8],
        after: Option<u64>,
        token: Option<&Sensitive>,
        nonce: Option<&str>,
        tried: &Tried,
    ) -> Result<Response, LinkError> {
        let before = tried.0.swap(true, Ordering::Relaxed);
        let answer = self.sent(request, body, after, token, nonce).await;
        if answer.as_ref().is_err_and(LinkError::certain) {
            tried.0.store(before, Ordering::Relaxed);
        }
        answer
    }

    async fn sent(
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
        let reading = self.clock.read();
        let issued_at = Millis(self.state().time.now(reading).issuer_ms).seconds();
        let proof = dpop::build(&self.proof_key.pair, &claims, SystemRandom.bytes()?, issued_at)?;
        if let Some((name, value)) = request.query {
            url.set_query(Some(&format!("{name}={value}")));
        }
        let method = http::Method::from_bytes(operation.method().as_bytes()).map_err(|_| LinkError::System)?;
        let mut builder = self.connections.client().request(method, url).header(headers::DPOP, proof);
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
        let sent = self.clock.read();
        let (response, trace) = exchange(operation, request.class, builder).await?;
        self.hear(&response, sent);
        accepted(operation, &trace, response).await
    }

    /// Takes nonce and clock from any answer of the pinned issuer.
    fn hear(&self, response: &Response, sent: Reading) {
        let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let received = self.clock.read();
        let mut state = self.state();
        if let Some(nonce) = text(headers::DPOP_NONCE).filter(|nonce| nonce.len() <= 256) {
            state.nonce = Some(Nonce { text: nonce.to_owned(), heard_ms: received.elapsed_ms });
        }
        if let Some(issuer_ms) = text(headers::ISSUER_TIME).and_then(|time| time.parse().ok()) {
            state.time.hear(Heard { issuer_ms, sent, received });
        }
    }
}

/// Sends a request with its trace, which it gives back with the answer, and notes both ends.
pub(crate) async fn exchange(
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
                LinkError::WrongClock => "wrong-clock",
                LinkError::Untrusted(_) => "untrusted",
                _ => "no-answer",
            };
            tracing::debug!(target: REQUEST_TARGET, operation, trace, lost, "ended");
            Err(means)
        }
    }
}

/// An answer that is not a refusal, noted either way.
pub(crate) async fn accepted(operation: Operation, trace: &str, response: Response) -> Result<Response, LinkError> {
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
