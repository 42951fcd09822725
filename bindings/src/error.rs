//! What a shell is told when something fails: the core's errors with their fixed codes, and what a host may answer.

use std::time::Duration;

use saifu::{Error, OpenError};
use saifu_host::KeyError;

/// The code of [`WalletError::Cancelled`], which only exists here. It follows the core's table.
pub const CANCELLED: i32 = 14;

/// What is known of a failure.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ErrorInfo {
    /// The fixed numeric code of the kind; it never changes its meaning.
    pub code: i32,
    /// The stable name of the kind.
    pub name: String,
    /// What happened, one sentence for the user.
    pub sentence: String,
    /// What the user can do next, one sentence.
    pub next: String,
    /// More exactly, a stable word or a short text: the issuer's detail, which error of the key store, which of the files.
    pub detail: Option<String>,
    /// If the issuer refused: its code.
    pub problem: Option<String>,
    /// If the issuer refused by a rule: the rule's name.
    pub rule: Option<String>,
    /// How long until another try makes sense, if the issuer said so.
    pub retry_after: Option<Duration>,
}

macro_rules! errors {
    ($($(#[doc = $doc:literal])* $variant:ident,)*) => {
        /// Why a call failed. Every kind has a fixed code, a stable name and a next step.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
        pub enum WalletError {
            $($(#[doc = $doc])*
            #[error("{}", info.sentence)]
            $variant {
                /// What is known of it.
                info: ErrorInfo,
            },)*
        }

        impl WalletError {
            /// What is known of it.
            #[must_use]
            pub fn info(&self) -> &ErrorInfo {
                match self { $(Self::$variant { info } => info,)* }
            }
        }
    };
}

errors! {
    /// No connection: nothing was sent.
    Offline,
    /// Sent, but no answer came. What moves money is kept and resolved at the next contact.
    NoAnswer,
    /// The issuer refused; `problem` is its code.
    Refused,
    /// There is no account in this wallet.
    NotSignedUp,
    /// There is an account already.
    AlreadySignedUp,
    /// The phone is not activated: TOTP is not there yet.
    NotActivated,
    /// What was entered or handed over makes no sense.
    InvalidInput,
    /// The approval has expired.
    ApprovalExpired,
    /// The host's key could not be used; `detail` says why.
    Key,
    /// The wallet's files; `detail` says what.
    Vault,
    /// The wallet is locked or closed.
    Locked,
    /// By the phone's date the issuer's certificate is not valid: no connection was made.
    WrongClock,
    /// Something answered that is not the issuer, or not sensibly.
    Untrusted,
    /// A bug of this library.
    Bug,
    /// The call was given up by its `Cancel`. What it had begun goes on to its recorded end.
    Cancelled,
}

impl ErrorInfo {
    /// What the core's table, sentence and detail say; what the issuer says is the caller's.
    fn of(error: &Error) -> Self {
        Self {
            code: error.code().into(),
            name: error.name().to_owned(),
            sentence: error.to_string(),
            next: error.next().to_owned(),
            detail: error.detail().map(str::to_owned),
            problem: None,
            rule: None,
            retry_after: None,
        }
    }
}

impl From<Error> for WalletError {
    fn from(error: Error) -> Self {
        let mut info = ErrorInfo::of(&error);
        match error {
            Error::Offline => Self::Offline { info },
            Error::NoAnswer => Self::NoAnswer { info },
            Error::Refused(problem) => {
                info.sentence = problem.title;
                info.problem = Some(problem.code.to_string());
                info.rule = problem.rule;
                info.retry_after = problem.retry_after_ms.map(Duration::from_millis);
                Self::Refused { info }
            }
            Error::NotSignedUp => Self::NotSignedUp { info },
            Error::AlreadySignedUp => Self::AlreadySignedUp { info },
            Error::NotActivated => Self::NotActivated { info },
            Error::InvalidInput(_) => Self::InvalidInput { info },
            Error::ApprovalExpired => Self::ApprovalExpired { info },
            Error::Key(_) => Self::Key { info },
            Error::Vault(_) | Error::Open(_) => Self::Vault { info },
            Error::Locked => Self::Locked { info },
            Error::WrongClock => Self::WrongClock { info },
            Error::Untrusted(_) => Self::Untrusted { info },
            Error::Bug(_) => Self::Bug { info },
        }
    }
}

impl From<OpenError> for WalletError {
    fn from(error: OpenError) -> Self {
        Error::from(error).into()
    }
}

impl WalletError {
    pub(crate) fn cancelled() -> Self {
        let info = ErrorInfo {
            code: CANCELLED,
            name: "cancelled".into(),
            sentence: "The call was cancelled.".into(),
            next: "Nothing to do: what had begun is finished and shown at the next look.".into(),
            detail: None,
            problem: None,
            rule: None,
            retry_after: None,
        };
        Self::Cancelled { info }
    }

    /// After `close()` nothing can be done with a wallet but open its folder again.
    pub(crate) fn closed() -> Self {
        let info = ErrorInfo {
            sentence: "The wallet is closed.".into(),
            next: "Open it again.".into(),
            detail: Some("closed".into()),
            ..ErrorInfo::of(&Error::Locked)
        };
        Self::Locked { info }
    }
}

/// What a host's method may throw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum HostError {
    /// Try again: the platform was busy, locked or failed for no lasting reason.
    #[error("temporary")]
    Temporary,
    /// The owner declined the prompt.
    #[error("the owner declined")]
    UserDeclined,
    /// The device has no screen lock, so the key cannot be used.
    #[error("no screen lock")]
    NoScreenLock,
    /// The platform says that the key does not exist any more. Only then.
    #[error("the key is gone")]
    Gone,
    /// Anything else that was thrown. Not for hosts to throw themselves: it counts as temporary.
    #[error("something unexpected")]
    Unexpected,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for HostError {
    /// The text of a foreign exception may hold anything, so it goes nowhere.
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unexpected
    }
}

impl From<HostError> for KeyError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Temporary | HostError::Unexpected => Self::Temporary,
            HostError::UserDeclined => Self::UserDeclined,
            HostError::NoScreenLock => Self::NoScreenLock,
            HostError::Gone => Self::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use saifu::VaultError;

    use super::*;

    #[test]
    fn cancelled_has_a_code_of_its_own_and_all_are_at_most_fifteen() {
        assert!(Error::TABLE.iter().all(|(code, name, _)| i32::from(*code) != CANCELLED && *name != "cancelled"));
        assert!(Error::TABLE.len() < 15);
        assert_eq!(WalletError::cancelled().info().code, CANCELLED);
        assert!(include_str!("../../docs/interface.md").contains(&format!("{CANCELLED}, `cancelled`")));
    }

    #[test]
    fn key_store_that_does_not_answer_at_opening_is_a_key_error() {
        let error = WalletError::from(OpenError::Vault(VaultError::Key(KeyError::Temporary)));
        assert!(
            matches!(&error, WalletError::Key { info } if info.detail.as_deref() == Some("temporary")),
            "{error:?}"
        );
        let lost = WalletError::from(OpenError::Vault(VaultError::KeyLost));
        assert!(matches!(&lost, WalletError::Vault { info } if info.detail.as_deref() == Some("key-lost")), "{lost:?}");
    }
}
