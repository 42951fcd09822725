use saifu_host::KeyError;
use saifu_link::LinkError;
use saifu_vault::VaultError;
use saifu_wire::{Problem, ProblemCode};

macro_rules! table {
    ($($variant:pat => $code:literal, $name:literal, $next:literal;)*) => {
        impl Error {
            /// The fixed numeric code. It never changes its meaning.
            #[must_use]
            pub fn code(&self) -> u16 {
                match self { $($variant => $code,)* }
            }

            /// The stable name.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $($variant => $name,)* }
            }

            /// What the user can do next, one sentence.
            #[must_use]
            pub fn next(&self) -> &'static str {
                match self {
                    Self::Refused(problem) => problem.code.next(),
                    $(#[allow(unreachable_patterns, reason = "one variant knows better")] $variant => $next,)*
                }
            }

            /// Every code with its name and next step, as documented.
            pub const TABLE: &[(u16, &'static str, &'static str)] = &[$(($code, $name, $next),)*];
        }
    };
}

/// Why a call failed. At most fifteen kinds, each with a fixed code and something the user can do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection: nothing was sent.
    #[error("The issuer cannot be reached.")]
    Offline,
    /// Sent, but no answer came. An intent is kept and resolved.
    #[error("No answer came from the issuer.")]
    NoAnswer,
    /// The issuer refused.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// There is no account in this wallet.
    #[error("This wallet has no account yet.")]
    NotSignedUp,
    /// There is an account already.
    #[error("This wallet has an account already.")]
    AlreadySignedUp,
    /// The phone is not activated: TOTP is not there yet.
    #[error("This phone is not activated yet.")]
    NotActivated,
    /// What was entered makes no sense.
    #[error("{0}")]
    InvalidInput(&'static str),
    /// The approval has expired.
    #[error("The approval has expired.")]
    ApprovalExpired,
    /// The host's key could not be used.
    #[error("The phone's key store: {0}.")]
    Key(KeyError),
    /// The vault failed.
    #[error("The wallet's files: {0}.")]
    Vault(VaultError),
    /// The wallet did not open; told as an error of the vault, in its own words.
    #[error("{0}")]
    Open(OpenError),
    /// The wallet is locked: secrets are not in memory.
    #[error("The wallet is locked.")]
    Locked,
    /// By the phone's date the issuer's certificate is not valid: no connection was made.
    #[error("The date of this phone does not fit the issuer's certificate.")]
    WrongClock,
    /// Something answered that is not the issuer, or not sensibly.
    #[error("The answer is not one of the issuer: {0}.")]
    Untrusted(&'static str),
    /// A bug of ours.
    #[error("Something failed that should not: {0}.")]
    Bug(&'static str),
}

table! {
    Self::Offline => 1, "offline", "Check the connection and try again.";
    Self::NoAnswer => 2, "no-answer", "Wait a moment: the wallet asks what became of it.";
    Self::Refused(_) => 3, "refused", "Do what the issuer's reason says.";
    Self::NotSignedUp => 4, "not-signed-up", "Sign up with your phone number.";
    Self::AlreadySignedUp => 5, "already-signed-up", "Use the account that is here.";
    Self::NotActivated => 6, "not-activated", "Connect once; the wallet activates by itself.";
    Self::InvalidInput(_) => 7, "invalid-input", "Correct it and try again.";
    Self::ApprovalExpired => 8, "approval-expired", "Start again and approve within two minutes.";
    Self::Key(_) => 9, "key", "Unlock the phone and try again; if it says that the key is gone, recover the account.";
    Self::Vault(_) | Self::Open(_) => 10, "vault", "Do what the message says; the account itself is safe with the issuer.";
    Self::Locked => 11, "locked", "Unlock the wallet.";
    Self::Untrusted(_) => 12, "untrusted", "Use another network; if it stays, update the app.";
    Self::Bug(_) => 13, "bug", "Send a bug report.";
    Self::WrongClock => 15, "wrong-clock", "Set date and time to automatic and try again; if they are right, update the app.";
}

impl Error {
    /// The issuer's code, if it refused.
    #[must_use]
    pub fn problem(&self) -> Option<ProblemCode> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            _ => None,
        }
    }

    /// More exactly: the issuer's detail, or the stable name of the key store's or the vault's error.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => problem.detail.as_deref(),
            Self::Key(error) => Some(error.as_str()),
            Self::Vault(error) => Some(error.as_str()),
            Self::Open(error) => Some(error.as_str()),
            _ => None,
        }
    }
}

impl From<LinkError> for Error {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Refused(problem) => Self::Refused(problem),
            LinkError::Offline => Self::Offline,
            LinkError::NoAnswer => Self::NoAnswer,
            LinkError::WrongClock => Self::WrongClock,
            LinkError::Untrusted(what) => Self::Untrusted(what),
            LinkError::Key(error) => Self::Key(error),
            LinkError::NoCredentials => Self::NotSignedUp,
            LinkError::System => Self::Bug("the system refused a basic operation"),
        }
    }
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<saifu_crypto::CryptoError> for Error {
    fn from(_: saifu_crypto::CryptoError) -> Self {
        Self::Bug("the cryptographic library refused a basic operation")
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        match error {
            // A key store that does not answer now is not a broken file.
            OpenError::Vault(VaultError::Key(error)) => Self::Key(error),
            OpenError::Vault(error) => Self::Vault(error),
            OpenError::Config(_) => Self::InvalidInput("The issuer's configuration is not usable."),
            own @ (OpenError::Newer { .. } | OpenError::Damaged | OpenError::Opening) => Self::Open(own),
        }
    }
}

/// Why a wallet does not open. Nothing on disk was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The vault: corrupt, foreign, in use, without its key. The sentence says what to do.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// The state was written by a newer version.
    #[error("these files were written by a newer version of Saifu (state {found}): update the app")]
    Newer {
        /// The version found.
        found: u16,
    },
    /// The state inside the vault makes no sense.
    #[error("the wallet's state is damaged: restore is not possible; move the folder away and recover the account")]
    Damaged,
    /// It is being opened at this moment.
    #[error("the wallet is being opened already: wait until that has ended")]
    Opening,
    /// The issuer's configuration makes no sense.
    #[error("the issuer's configuration is not usable: {0}")]
    Config(LinkError),
}

impl OpenError {
    /// Every stable name beside those of the vault's errors.
    pub const WORDS: &[&str] = &["newer", "corrupt", "opening", "config"];

    /// The stable name.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Vault(error) => error.as_str(),
            Self::Newer { .. } => "newer",
            Self::Damaged => "corrupt",
            Self::Opening => "opening",
            Self::Config(_) => "config",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_few() {
        let codes: std::collections::BTreeSet<_> = Error::TABLE.iter().map(|row| row.0).collect();
        let names: std::collections::BTreeSet<_> = Error::TABLE.iter().map(|row| row.1).collect();
        assert!(codes.len() == Error::TABLE.len() && names.len() == Error::TABLE.len() && codes.len() <= 15);
        assert!(Error::TABLE.iter().all(|row| row.2.ends_with('.')));
    }

    #[test]
    fn wallet_that_does_not_open_says_which_kind_and_why() {
        let told = |error: OpenError| {
            let error = Error::from(error);
            (error.name(), error.detail().map(str::to_owned))
        };
        let word = |word: &str| Some(word.to_owned());
        assert_eq!(told(OpenError::Vault(VaultError::Key(KeyError::Temporary))), ("key", word("temporary")));
        assert_eq!(told(OpenError::Vault(VaultError::KeyLost)), ("vault", word("key-lost")));
        assert_eq!(told(OpenError::Config(LinkError::System)), ("invalid-input", None));
        for (error, expected) in
            [(OpenError::Newer { found: 9 }, "newer"), (OpenError::Damaged, "corrupt"), (OpenError::Opening, "opening")]
        {
            let sentence = error.to_string();
            let error = Error::from(error);
            assert_eq!((error.name(), error.detail()), ("vault", Some(expected)));
            assert!(error.to_string() == sentence && OpenError::WORDS.contains(&expected));
        }
    }

    #[test]
    fn refusal_gives_the_issuers_next_step() {
        let error = Error::from(LinkError::from(Problem::new(ProblemCode::OverLimit)));
        assert_eq!((error.code(), error.next()), (3, ProblemCode::OverLimit.next()));
    }
}
