use std::io;

use saifu_crypto::CryptoError;
use saifu_host::KeyError;

macro_rules! words {
    ($($variant:pat => $word:literal;)*) => {
        impl VaultError {
            /// Every stable name but those of [`Key`](Self::Key), which are the key error's own.
            pub const WORDS: &[&str] = &[$($word,)*];

            /// The stable name.
            #[must_use]
            pub fn as_str(&self) -> &'static str {
                match self {
                    Self::Key(error) => error.as_str(),
                    $($variant => $word,)*
                }
            }
        }
    };
}

/// Why the vault could not do what was asked. Each sentence ends with what to do next; none names a secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The disk refused. Nothing acknowledged is lost; what was asked can be asked again.
    #[error("the disk failed while {doing}: {source}; check free space and try again")]
    Io {
        /// What was under way.
        doing: &'static str,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another process has this wallet open.
    #[error("this wallet is open in another process; close that one first")]
    InUse,
    /// The journal is damaged beyond the unfinished end that a crash leaves. Nothing was changed.
    #[error(
        "the wallet's journal is damaged ({what}); keep the file for support and recover the account on this device"
    )]
    Corrupt {
        /// Which part does not hold.
        what: &'static str,
    },
    /// A later version of the app wrote the journal.
    #[error("the wallet's journal has format {version}, which this version does not know; update the app")]
    Newer {
        /// The format found.
        version: u16,
    },
    /// The files come from another installation: another phone, or a backup from before a reinstallation.
    #[error("these wallet files belong to another installation; start anew and recover the account")]
    Foreign,
    /// The files are older than the sealing key: somebody restored a copy from before a wipe.
    #[error("these wallet files are an older copy; start anew and recover the account")]
    RolledBack,
    /// The platform no longer has the key that sealed these files.
    #[error("this device has lost the key to the wallet's files; start anew and recover the account")]
    KeyLost,
    /// The platform cannot use its sealing key now. Nothing is lost.
    #[error("the sealing key cannot be used now: {0}; open the wallet again later")]
    Key(#[from] KeyError),
    /// A state or record is larger than the vault takes.
    #[error("{len} bytes are more than the {most} the vault takes; store less at a time")]
    TooLarge {
        /// Bytes given.
        len: usize,
        /// Bytes taken at most.
        most: usize,
    },
    /// An earlier write to the cache failed, so what it holds is unknown.
    #[error("an earlier write to the cache failed; open it again")]
    Broken,
    /// The wallet is empty, but the platform has not yet deleted the key of what it held; the next open does.
    #[error("the wallet is empty, but deleting its old key is unfinished ({0}); open the wallet again to finish")]
    WipeUnfinished(KeyError),
    /// No randomness, or a key of the wrong length.
    #[error("{0}; restart the app")]
    Crypto(#[from] CryptoError),
    /// The cache cannot be read. It holds nothing that the issuer cannot send again.
    #[error("the cache is damaged ({what}); open it again, then refill it from the issuer")]
    CacheDamaged {
        /// What does not hold.
        what: &'static str,
    },
    /// A name or key that the cache does not take.
    #[error("not a name or key for the cache: {what}")]
    BadName {
        /// The rule.
        what: &'static str,
    },
}

words! {
    Self::Io { .. } => "io";
    Self::InUse => "in-use";
    Self::Corrupt { .. } => "corrupt";
    Self::Newer { .. } => "newer";
    Self::Foreign => "foreign";
    Self::RolledBack => "rolled-back";
    Self::KeyLost => "key-lost";
    Self::TooLarge { .. } => "too-large";
    Self::Broken => "broken";
    Self::WipeUnfinished(_) => "wipe-unfinished";
    Self::Crypto(_) => "crypto";
    Self::CacheDamaged { .. } => "cache-damaged";
    Self::BadName { .. } => "bad-name";
}

impl VaultError {
    /// For `map_err`: an I/O error with what was being done.
    pub(crate) fn while_(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
