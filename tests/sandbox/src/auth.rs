//! Who is asking: DPoP proofs (RFC 9449), nonces, replays, sessions and access tokens. The issuer calls [`Auth::check`]
//! before it reads a body; which device or terminal a key belongs to is the rules' business.
//!
//! | Operation | Shows | Where from |
//! | --- | --- | --- |
//! | sign-up, its confirmation, session | a proof by a fresh key | the customer's memory |
//! | token | a proof by the session's key, and the session in the body | the customer's memory |
//! | every other of customers | a proof by the session's key and `Authorization: DPoP token` | the customer's memory |
//! | registers, ATMs, operators | a proof by an enrolled key | the terminal |

mod nonce;
mod replay;
mod sessions;
#[cfg(test)]
mod tests;

use http::{HeaderMap, header};
use saifu_crypto::{CryptoError, Random as _, SystemRandom};
use saifu_wire::dpop::{Claims, Proof};
use saifu_wire::messages::TerminalKind;
use saifu_wire::signed::Binding;
use saifu_wire::{Millis, Operation, Problem, ProblemCode, Sensitive, headers};

use nonce::Nonces;
use replay::{Replays, Seen};
pub(crate) use sessions::Grant;
use sessions::Sessions;

/// Proofs remembered for each minute of nonces, in each of three memories (strangers, customers, terminals): a flood from
/// keys nobody knows fills the first one only.
const PROOFS_A_MINUTE: usize = 200_000;

/// What an operation asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing: the answer is public.
    Open,
    /// A proof by any key; the body says more.
    Key,
    /// A proof by the key of a session, which the body names.
    Session,
    /// A proof and a token.
    Token,
    /// A proof by the key of such a terminal.
    Terminal(TerminalKind),
}

/// What an operation asks of its caller.
pub(crate) fn access(operation: Operation) -> Access {
    match operation {
        Operation::ServiceDocument => Access::Open,
        Operation::SignUp | Operation::SignUpConfirm | Operation::Session => Access::Key,
        Operation::Token => Access::Session,
        Operation::Activation
        | Operation::ActivationConfirm
        | Operation::Home
        | Operation::History
        | Operation::Events
        | Operation::IntentNonce
        | Operation::IntentResolve
        | Operation::TopUp
        | Operation::Code => Access::Token,
        Operation::Settle | Operation::SettleVoid | Operation::Refund => Access::Terminal(TerminalKind::Register),
        Operation::AtmAuthorize | Operation::AtmDeposit => Access::Terminal(TerminalKind::Atm),
        Operation::TerminalEnrol | Operation::SwitchSet => Access::Terminal(TerminalKind::Operator),
    }
}

/// Who is asking, as far as proofs and tokens tell.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// Nobody has to say.
    Anyone,
    /// Whoever holds the key with this thumbprint; `nonce` is the one of the proof.
    Key { thumbprint: String, nonce: String },
    /// A device with a live session, which ends at `session_ends_at`.
    Customer { binding: Binding, session_ends_at: Millis },
}

/// Why a caller is turned away: for the answer, and for the log which check failed.
#[derive(Debug)]
pub(crate) struct Denied {
    code: ProblemCode,
    pub(crate) why: &'static str,
}

impl Denied {
    /// The answer.
    pub(crate) fn problem(&self) -> Problem {
        match self.code {
            ProblemCode::Overloaded => full(),
            code => code.into(),
        }
    }
}

fn denied(code: ProblemCode, why: &'static str) -> Denied {
    Denied { code, why }
}

/// There is no room; in a minute there is some again.
fn full() -> Problem {
    Problem::new(ProblemCode::Overloaded).retry_after(60_000)
}

/// What of a request the proof is about.
pub(crate) struct ProvenRequest<'a> {
    /// The operation.
    pub(crate) operation: Operation,
    /// The address without query, as the caller knows it.
    pub(crate) uri: &'a str,
    /// All headers.
    pub(crate) headers: &'a HeaderMap,
    /// The body.
    pub(crate) body: &'a [u8],
}

/// The issuer's memory of nonces, proofs, sessions and tokens.
pub(crate) struct Auth {
    nonces: Nonces,
    strangers: Replays,
    customers: Replays,
    terminals: Replays,
    sessions: Sessions,
    #[cfg(test)]
    without: Option<Defence>,
}

/// One defence. Only the controls of the tests can take one away, to see that its test would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defence {
    FreshNonce,
    ReplayMemory,
    RequestBinding,
}

impl Auth {
    /// Empty, with a fresh key for nonces.
    ///
    /// # Errors
    /// [`CryptoError::Unavailable`] when there is no randomness.
    pub(crate) fn new() -> Result<Self, CryptoError> {
        Ok(Self {
            nonces: Nonces::new(SystemRandom.bytes()?),
            strangers: Replays::new(PROOFS_A_MINUTE),
            customers: Replays::new(PROOFS_A_MINUTE),
            terminals: Replays::new(PROOFS_A_MINUTE),
            sessions: Sessions::default(),
            #[cfg(test)]
            without: None,
        })
    }

    /// The nonce for the caller's next proof.
    pub(crate) fn nonce(&self, now: Millis) -> String {
        self.nonces.current(now)
    }

    /// Whether the request is its caller's own, fresh and not seen before (RFC 9449 §4.3 and §7).
    pub(crate) fn check(&self, now: Millis, asked: &ProvenRequest<'_>) -> Result<Caller, Denied> {
        let access = access(asked.operation);
        if access == Access::Open {
            return Ok(Caller::Anyone);
        }
        let token = token(asked.headers, access)?;
        let proof = proof(asked.headers)?;
        let claims = Claims {
            method: asked.operation.method(),
            uri: asked.uri,
            body: asked.body,
            nonce: None,
            access_token: token,
        };
        if self.holds(Defence::RequestBinding) && proof.check(&claims).is_err() {
            return Err(denied(ProblemCode::InvalidDpopProof, "the proof is about another request"));
        }
        let nonce = proof.nonce.clone().unwrap_or_default();
        let bucket = match self.nonces.bucket_of(&nonce, now) {
            Some(bucket) => bucket,
            None if !self.holds(Defence::FreshNonce) => nonce::bucket(now),
            None => return Err(denied(ProblemCode::UseDpopNonce, "no nonce, or an old one")),
        };
        let granted = match token {
            Some(token) => Some(
                self.sessions
                    .find(now, token, &proof.thumbprint)
                    .ok_or_else(|| denied(ProblemCode::InvalidToken, "unknown, expired or another key's token"))?,
            ),
            None => None,
        };
        let memory = match access {
            Access::Open | Access::Key | Access::Session => &self.strangers,
            Access::Token => &self.customers,
            Access::Terminal(_) => &self.terminals,
        };
        if self.holds(Defence::ReplayMemory) {
            match memory.uses_up(&proof.thumbprint, &proof.jti, bucket, nonce::bucket(now)) {
                Seen::New => {}
                Seen::Replayed => return Err(denied(ProblemCode::InvalidDpopProof, "the proof was used before")),
                Seen::Full => return Err(denied(ProblemCode::Overloaded, "the memory of proofs is full")),
            }
        }
        Ok(match granted {
            Some(granted) => Caller::Customer { binding: granted.binding, session_ends_at: granted.session_ends_at },
            None => Caller::Key { thumbprint: proof.thumbprint, nonce },
        })
    }

    /// Opens a session, with its first token.
    pub(crate) fn open(&self, now: Millis, binding: Binding, thumbprint: &str) -> Result<(Grant, Grant), Problem> {
        let opened = self.sessions.open(now, binding, thumbprint).map_err(|_| ProblemCode::Internal)?;
        opened.ok_or_else(full)
    }

    /// A new token for a live session of this key.
    pub(crate) fn renew(&self, now: Millis, session: &Sensitive, thumbprint: &str) -> Result<Grant, Problem> {
        let renewed = self.sessions.renew(now, session, thumbprint).map_err(|_| ProblemCode::Internal)?;
        renewed.ok_or_else(|| ProblemCode::InvalidToken.into())
    }

    /// Forgets sessions and tokens that have ended.
    pub(crate) fn sweep(&self, now: Millis) {
        self.sessions.sweep(now);
    }

    #[cfg(test)]
    fn holds(&self, defence: Defence) -> bool {
        self.without != Some(defence)
    }

    #[cfg(not(test))]
    fn holds(&self, _: Defence) -> bool {
        true
    }
}

/// The one value of a header; more than one is as bad as none (RFC 9449 §4.3, step 1).
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        _ => Err(()),
    }
}

fn proof(headers: &HeaderMap) -> Result<Proof, Denied> {
    match single(headers, headers::DPOP) {
        Ok(Some(text)) => {
            Proof::read(text).map_err(|_| denied(ProblemCode::InvalidDpopProof, "malformed, or its signature fails"))
        }
        Ok(None) => Err(denied(ProblemCode::InvalidDpopProof, "no proof")),
        Err(()) => Err(denied(ProblemCode::InvalidDpopProof, "more than one proof")),
    }
}

/// The bound token where the operation takes one. Any other `Authorization` is refused: a bound token sent as Bearer is a
/// leaked one (RFC 9449 §7.2).
fn token(headers: &HeaderMap, access: Access) -> Result<Option<&str>, Denied> {
    let value = single(headers, header::AUTHORIZATION.as_str());
    match (access, value) {
        (Access::Token, Ok(Some(value))) => match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case(headers::DPOP_SCHEME) => Ok(Some(token)),
            _ => Err(denied(ProblemCode::InvalidToken, "not the DPoP scheme")),
        },
        (Access::Token, _) => Err(denied(ProblemCode::InvalidToken, "no token, or more than one")),
        (_, Ok(None)) => Ok(None),
        (_, _) => Err(denied(ProblemCode::InvalidToken, "a token where none belongs")),
    }
}
