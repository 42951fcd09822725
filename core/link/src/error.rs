use saifu_crypto::CryptoError;
use saifu_host::KeyError;
use saifu_policy::Failure;
use saifu_wire::{Open, Problem, ProblemCode};

/// Why a call gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LinkError {
    /// The issuer refused.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// No connection could be made, or no session: the request was not sent.
    #[error("the issuer cannot be reached")]
    Offline,
    /// The request was sent, but no answer came.
    #[error("no answer came from the issuer")]
    NoAnswer,
    /// The issuer's certificate is the pinned one, but by this host's date it is not valid: no connection was made.
    #[error("by the date of this device the issuer's certificate is not valid")]
    WrongClock,
    /// Something answered that is not the pinned issuer, or whose answer makes no sense.
    #[error("the answer is not one of this issuer: {0}")]
    Untrusted(&'static str),
    /// The host's key could not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A call that needs a device, without one; also when the device was forgotten while the call waited.
    #[error("this wallet has no device yet")]
    NoCredentials,
    /// The cryptographic library or the runtime failed.
    #[error("the system refused a basic operation")]
    System,
}

impl LinkError {
    /// Whether the issuer certainly did not act on the request. Only then may an intent be forgotten.
    #[must_use]
    pub fn certain(&self) -> bool {
        match self {
            Self::Refused(problem) => {
                // A replayed proof says that somebody sent this request before: perhaps a proxy, and perhaps it counted.
                let uncertain = [ProblemCode::Internal, ProblemCode::Overloaded, ProblemCode::InvalidDpopProof];
                problem.code.known().is_some_and(|code| !uncertain.contains(&code))
            }
            Self::Offline | Self::WrongClock | Self::Key(_) | Self::NoCredentials => true,
            Self::NoAnswer | Self::Untrusted(_) | Self::System => false,
        }
    }

    /// What a [`RetryPolicy`](saifu_policy::RetryPolicy) makes of it: whether the issuer asked for patience.
    #[must_use]
    pub(crate) fn failure(&self) -> Failure {
        match self {
            Self::Refused(problem) if problem.code == ProblemCode::Overloaded || problem.retry_after_ms.is_some() => {
                Failure::Busy { retry_after_ms: problem.retry_after_ms }
            }
            _ => Failure::NoAnswer,
        }
    }

    /// The issuer's code, if it refused with one that this version knows.
    #[must_use]
    pub fn code(&self) -> Option<ProblemCode> {
        self.word().and_then(Open::known)
    }

    /// The issuer's code as it came, if it refused.
    pub(crate) fn word(&self) -> Option<&Open<ProblemCode>> {
        match self {
            Self::Refused(problem) => Some(&problem.code),
            _ => None,
        }
    }
}

impl From<CryptoError> for LinkError {
    fn from(_: CryptoError) -> Self {
        Self::System
    }
}

impl From<Problem> for LinkError {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_of_this_very_request_is_certain() {
        let certain = |code| LinkError::from(Problem::new(code)).certain();
        assert!(certain(ProblemCode::OverLimit) && certain(ProblemCode::StaleNonce));
        for code in [ProblemCode::Internal, ProblemCode::Overloaded, ProblemCode::InvalidDpopProof] {
            assert!(!certain(code), "{code:?}");
        }
        let tomorrow = r#"{"type":"x","title":"t","status":403,"code":"of-tomorrow"}"#;
        assert!(!LinkError::from(serde_json::from_str::<Problem>(tomorrow).unwrap()).certain());
        assert!(LinkError::Offline.certain() && LinkError::WrongClock.certain() && !LinkError::NoAnswer.certain());
        assert!(!LinkError::Untrusted("x").certain() && !LinkError::System.certain());
    }

    #[test]
    fn patience_that_the_issuer_asks_for_reaches_the_policy() {
        let busy = LinkError::from(Problem::new(ProblemCode::TooSoon).retry_after(90_000));
        assert_eq!(busy.failure(), Failure::Busy { retry_after_ms: Some(90_000) });
        assert_eq!(
            LinkError::from(Problem::new(ProblemCode::Overloaded)).failure(),
            Failure::Busy { retry_after_ms: None }
        );
        assert_eq!(LinkError::Offline.failure(), Failure::NoAnswer);
    }
}
