use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Response;
use saifu_crypto::{KeyPair, Random as _, SystemRandom};
use saifu_host::Clock;
use saifu_policy::{Class, Decision, Failure, IssuerTime, RetryPolicy, TrustedTime};
use saifu_wire::messages::ServiceDocument;
use saifu_wire::{IntentKey, Operation, ProblemCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

use crate::answer::read_json;
use crate::connections::{CONNECT_TIMEOUT, Connections};
use crate::exchange::{Core, Tried};
use crate::pins::Trusted;
use crate::service::Origin;
use crate::session::ProofKey;
use crate::trace::traced;
use crate::{Credentials, EventStream, IssuerConfig, LinkError};

/// How long an answer is waited for unless the shell says otherwise, in milliseconds.
const PATIENCE_MS: u64 = 10_000;

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
    /// How often it may be repeated, and how long it may take in all.
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

/// A connection to one issuer. Share it by `Arc`.
pub struct Link {
    core: Arc<Core>,
    service: Origin,
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
        let trusted = Trusted::new(&issuer.roots)?;
        let service = Origin::new(&issuer, &trusted, &clock)?;
        let connections = Connections::new(trusted.config(&issuer.pins, &clock)?)?;
        let core = Core {
            connections,
            issuer,
            clock,
            app_version: app_version.to_owned(),
            proof_key: ProofKey::new(key),
            patience_ms: PATIENCE_MS.into(),
            state: Default::default(),
        };
        Ok(Self { core: Arc::new(core), service })
    }

    /// From now on, an answer is waited for this long at each try, and never longer than its class has in all; 10 s unless
    /// said otherwise.
    pub fn set_patience(&self, patience: Duration) {
        let ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        self.core.patience_ms.store(ms, Ordering::Relaxed);
    }

    /// The issuer this link talks to.
    #[must_use]
    pub fn issuer(&self) -> &IssuerConfig {
        &self.core.issuer
    }

    /// Names the session key; sign-up signatures cover it.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.core.proof_key.thumbprint
    }

    /// From now on, requests of [`Auth::Session`] come from this device. `None` forgets the device and its session. What was
    /// begun for the device before ends with [`LinkError::NoCredentials`] and leaves nothing behind: its connections, which
    /// hold the last token in their buffers, are left too.
    pub fn set_credentials(&self, credentials: Option<Credentials>) {
        let mut state = self.core.state();
        let had_some = state.credentials.is_some();
        state.generation = state.generation.wrapping_add(1);
        state.credentials = credentials;
        state.session = None;
        state.opening = None;
        drop(state);
        if had_some {
            self.core.connections.leave();
        }
    }

    /// The issuer's time, and how far it can be relied on.
    #[must_use]
    pub fn time(&self) -> IssuerTime {
        self.core.time()
    }

    /// What the issuer's time rests on, to be kept over a restart; `None` if the issuer was never heard.
    #[must_use]
    pub fn anchor(&self) -> Option<TrustedTime> {
        self.core.state().time.anchor()
    }

    /// Goes on from an anchor that was kept, unless the issuer has been heard since.
    pub fn restore_anchor(&self, anchor: TrustedTime) {
        self.core.state().time.restore(anchor);
    }

    /// Draws on the one budget for repeats that all requests of this link share.
    pub fn with_budget<T>(&self, draw: impl FnOnce(&mut RetryPolicy) -> T) -> T {
        draw(&mut self.core.state().retry)
    }

    /// Sends a request and reads its answer, repeating what its class allows. Session, connection and repeats included, it
    /// ends within [`Class::deadline_ms`].
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn call<B: Serialize, A: DeserializeOwned>(&self, request: Request, body: &B) -> Result<A, LinkError> {
        let body = match request.operation.method() {
            "GET" => Vec::new(),
            _ => serde_json::to_vec(body).map_err(|_| LinkError::System)?,
        };
        let (tried, limit) = (Tried::default(), limit(request.class));
        let asked = async { read_json(self.with_repeats(request, &body, &tried).await?).await };
        self.concluded(timeout(limit, traced(asked)).await, &tried)
    }

    /// Opens the event stream, beginning after the given event number.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn events(&self, after: u64) -> Result<EventStream, LinkError> {
        let request = Request::new(Operation::Events, Auth::Session, Class::Stream);
        // A stream has no end to wait for, but a beginning.
        let (tried, limit) = (Tried::default(), limit(request.class).min(self.core.patience()));
        let opened = timeout(limit, traced(self.authenticated(request, &[], Some(after), &tried))).await;
        self.concluded(opened, &tried).map(EventStream::new)
    }

    /// Fetches the service document, verifies its signature and refuses one older than `at_least`. Nothing else waits for it.
    ///
    /// # Errors
    /// [`LinkError::Untrusted`] for a wrong signature or an older version.
    pub async fn service_document(&self, at_least: u64) -> Result<ServiceDocument, LinkError> {
        let fetched = timeout(self.core.patience(), traced(self.service.document(at_least))).await;
        fetched.unwrap_or(Err(LinkError::NoAnswer))
    }

    async fn with_repeats(&self, request: Request, body: &[u8], tried: &Tried) -> Result<Response, LinkError> {
        let begun = Instant::now();
        self.core.state().retry.on_first_try();
        let mut tries = 0_u32;
        loop {
            let error = match self.authenticated(request, body, None, tried).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            tries = tries.saturating_add(1);
            let failure = match &error {
                LinkError::Offline | LinkError::NoAnswer => Failure::NoAnswer,
                LinkError::Refused(problem) if problem.code == ProblemCode::Overloaded => error.failure(),
                _ => return Err(error),
            };
            let random = u32::from_be_bytes(SystemRandom.bytes()?);
            // A try that has no time to connect is none.
            let left = limit(request.class).saturating_sub(begun.elapsed()).saturating_sub(CONNECT_TIMEOUT);
            let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            let decision = self.core.state().retry.on_failure(request.class, tries, failure, left_ms, random);
            match decision {
                Decision::GiveUp => return Err(error),
                Decision::RetryAfter(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            }
        }
    }

    /// One try, with a session if the request needs one. A session that the issuer no longer knows is reopened once.
    async fn authenticated(
        &self,
        request: Request,
        body: &[u8],
        after: Option<u64>,
        tried: &Tried,
    ) -> Result<Response, LinkError> {
        let core = &self.core;
        if request.auth == Auth::Proof {
            return core.proven(request, body, after, None, tried).await;
        }
        let generation = core.state().generation;
        for last in [false, true] {
            let token = core.token(generation).await.map_err(|error| match error {
                // Of the opening. The request itself was not sent.
                LinkError::NoAnswer => LinkError::Offline,
                other => other,
            })?;
            match core.proven(request, body, after, Some(&token), tried).await {
                Err(error) if !last && error.code() == Some(ProblemCode::InvalidToken) => core.drop_session_of(&token),
                other => return other,
            }
        }
        Err(LinkError::NoAnswer)
    }

    /// What a caller may conclude: an earlier try, or the one that was cut short, may have reached the issuer.
    fn concluded<T>(&self, ended: Result<Result<T, LinkError>, Elapsed>, tried: &Tried) -> Result<T, LinkError> {
        let ended = ended.unwrap_or_else(|_| {
            self.core.connections.leave();
            Err(LinkError::Offline)
        });
        match ended {
            Err(error) if tried.perhaps() && error.code().is_none() && error.certain() => Err(LinkError::NoAnswer),
            other => other,
        }
    }
}

/// What a call of this class may take in all.
fn limit(class: Class) -> Duration {
    Duration::from_millis(class.deadline_ms())
}
