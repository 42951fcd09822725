//! Sessions: one for each device, opened by one task whoever needs it, with one signature of the device's key. Everybody who
//! waits for an opening gets its outcome; what another device, or nobody, has become meanwhile is not served.

use std::sync::Arc;
use std::time::Duration;

use saifu_crypto::KeyPair;
use saifu_host::Keys;
use saifu_policy::Class;
use saifu_wire::messages::{SessionAnswer, SessionRequest, TokenAnswer, TokenRequest};
use saifu_wire::signed::{self, Binding};
use saifu_wire::{Bytes, Millis, Operation, ProblemCode, Sensitive};
use tokio::sync::watch;

use crate::answer::read_json;
use crate::exchange::{Core, State, Tried};
use crate::trace;
use crate::{Auth, LinkError, Request};

/// The longest that an opening may take. Whoever waits for it has a time of his own.
const OPENING: Duration = Duration::from_secs(6);

/// Who this device is, and the keys that prove it.
#[derive(Clone)]
pub struct Credentials {
    /// Account, device and epoch.
    pub binding: Binding,
    /// The host's keys; the device key certifies sessions.
    pub keys: Arc<dyn Keys>,
}

/// An open session. The session key is the proof key of the link.
#[derive(Clone)]
pub(crate) struct Session {
    id: Sensitive,
    ends_at: Millis,
    token: Sensitive,
    token_ends_at: Millis,
}

impl Session {
    /// The share of a lifetime that is left unused, so that a token does not die on its way.
    const MARGIN_MS: u64 = 15_000;

    fn token_is_good(&self, now: Millis) -> bool {
        now.plus(Self::MARGIN_MS) < self.token_ends_at
    }

    fn is_good(&self, now: Millis) -> bool {
        now.plus(Self::MARGIN_MS) < self.ends_at
    }
}

/// The key that proves possession in every request: a session key of a device, or a terminal's own key.
pub(crate) struct ProofKey {
    pub(crate) pair: KeyPair,
    pub(crate) thumbprint: String,
}

impl ProofKey {
    pub(crate) fn new(pair: KeyPair) -> Self {
        Self { thumbprint: saifu_wire::dpop::thumbprint(pair.public_key()), pair }
    }
}

/// What an opening under way will come to.
pub(crate) type Opening = watch::Receiver<Option<Result<Sensitive, LinkError>>>;

impl Core {
    /// A token of the device that was there at this generation of the credentials.
    pub(crate) async fn token(self: &Arc<Self>, generation: u64) -> Result<Sensitive, LinkError> {
        let now = self.now();
        let mut opening = {
            let mut state = self.state();
            if state.generation != generation {
                return Err(LinkError::NoCredentials);
            }
            if let Some(session) = state.session.as_ref().filter(|session| session.token_is_good(now)) {
                return Ok(session.token.clone());
            }
            // One whose task is gone will never come to anything.
            match state.opening.clone().filter(|opening| opening.has_changed().is_ok()) {
                Some(opening) => opening,
                None => self.begin_opening(&mut state, now)?,
            }
        };
        let outcome = opening.wait_for(Option::is_some).await.map_err(|_| LinkError::System)?;
        outcome.clone().unwrap_or(Err(LinkError::System))
    }

    /// The issuer does not take this token any more. Another session, or a newer token, may be here already.
    pub(crate) fn drop_session_of(&self, token: &Sensitive) {
        let mut state = self.state();
        if state.session.as_ref().is_some_and(|session| session.token == *token) {
            state.session = None;
        }
    }

    /// Begins to renew the session or to open one, in a task of its own, which nobody's end of patience ends.
    fn begin_opening(self: &Arc<Self>, state: &mut State, now: Millis) -> Result<Opening, LinkError> {
        let credentials = state.credentials.clone().ok_or(LinkError::NoCredentials)?;
        let renewable = state.session.clone().filter(|session| session.is_good(now));
        let (tell, outcome) = watch::channel(None);
        let (core, generation) = (Arc::clone(self), state.generation);
        let trace = trace::current().unwrap_or_else(trace::new_trace);
        tokio::spawn(trace::traced_as(trace, async move {
            let opened = tokio::time::timeout(OPENING, core.renew_or_open(generation, &credentials, renewable)).await;
            let opened = opened.unwrap_or_else(|_| {
                core.connections.leave();
                Err(LinkError::NoAnswer)
            });
            tell.send_replace(Some(core.settle(generation, opened)));
        }));
        state.opening = Some(outcome.clone());
        Ok(outcome)
    }

    /// Keeps what an opening came to, unless its device was forgotten meanwhile.
    fn settle(&self, generation: u64, opened: Result<Session, LinkError>) -> Result<Sensitive, LinkError> {
        let mut state = self.state();
        if state.generation != generation {
            return Err(LinkError::NoCredentials);
        }
        state.opening = None;
        let session = opened?;
        let token = session.token.clone();
        state.session = Some(session);
        Ok(token)
    }

    async fn renew_or_open(
        &self,
        generation: u64,
        credentials: &Credentials,
        renewable: Option<Session>,
    ) -> Result<Session, LinkError> {
        if let Some(session) = renewable {
            match self.renew(&session).await {
                Err(LinkError::Refused(problem)) if problem.code != ProblemCode::Overloaded => {
                    let mut state = self.state();
                    if state.generation == generation {
                        state.session = None;
                    }
                }
                // On a dead network another request would only take its time as well.
                other => return other,
            }
        }
        self.open(credentials).await
    }

    async fn renew(&self, session: &Session) -> Result<Session, LinkError> {
        let request = Request::new(Operation::Token, Auth::Proof, Class::Screen);
        let body = serde_json::to_vec(&TokenRequest { session: session.id.clone() }).map_err(|_| LinkError::System)?;
        let answer: TokenAnswer = read_json(self.proven(request, &body, None, None, &Tried::default()).await?).await?;
        let (id, ends_at) = (session.id.clone(), session.ends_at);
        Ok(Session { id, ends_at, token: answer.access_token, token_ends_at: answer.expires_at })
    }

    /// The certificate covers the nonce of its own request, so a new nonce means a new signature.
    async fn open(&self, credentials: &Credentials) -> Result<Session, LinkError> {
        let request = Request::new(Operation::Session, Auth::Proof, Class::Screen);
        let mut nonce = self.fresh_nonce(request).await?;
        for _ in 0..3 {
            let body = self.session_request(credentials, &nonce).await?;
            match self.send(request, &body, None, None, Some(&nonce), &Tried::default()).await {
                Ok(response) => {
                    let answer: SessionAnswer = read_json(response).await?;
                    return Ok(Session {
                        id: answer.session,
                        ends_at: answer.session_expires_at,
                        token: answer.access_token,
                        token_ends_at: answer.expires_at,
                    });
                }
                Err(error) if error.code() == Some(ProblemCode::UseDpopNonce) => {
                    nonce = self.nonce().ok_or(error)?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(LinkError::Untrusted("the issuer keeps changing its nonce"))
    }

    /// A nonce that the issuer will take. The device's key may be slow, or in hardware that counts: it signs nothing that is
    /// bound to be refused, so where there is no nonce a request without its signature asks for one.
    async fn fresh_nonce(&self, request: Request) -> Result<String, LinkError> {
        if let Some(nonce) = self.young_nonce() {
            return Ok(nonce);
        }
        match self.send(request, b"{}", None, None, None, &Tried::default()).await {
            Err(error) if error.code() != Some(ProblemCode::UseDpopNonce) => Err(error),
            _ => self.nonce().ok_or(LinkError::Untrusted("the issuer gives no nonce")),
        }
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
}
