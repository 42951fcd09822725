//! Opening a desktop wallet: its settings, its keys, its clock, its issuer; and what its errors mean for the exit code.

use saifu::{Config, Error, OpenError, Refusal, Wallet};
use saifu_host::desktop::{self, DesktopHost, KeyStore};
use saifu_vault::{JOURNAL_FILE, VaultError};
use tempfile::TempDir;
use url::Url;

use crate::cli::{KeyStoreChoice, word};
use crate::context::Context;
use crate::failure::{Failure, LocalCode, Status, at};
use crate::home::{Settings, WalletFolder};
use crate::peers::RememberedIssuer;
use crate::presence;

/// An open wallet with the host that signs for its owner.
pub(crate) struct OpenWallet {
    pub(crate) wallet: Wallet,
    pub(crate) host: DesktopHost,
    /// Whether the issuer is one where `--yes` may approve.
    pub(crate) sandbox: bool,
    /// What it was opened from, if that is not the wallet's own folder.
    _copy: Option<TempDir>,
    /// Where the issuer is.
    address: Url,
}

impl OpenWallet {
    /// Fails where the sandbox has come back at another address: this process would look for it in vain for ever.
    pub(crate) fn same_issuer(&self, customer_url: &str) -> Result<(), Failure> {
        match Url::parse(customer_url) {
            Ok(now) if now != self.address => Err(came_back(customer_url)),
            _ => Ok(()),
        }
    }
}

/// The sandbox has come back, but not where it was.
pub(crate) fn came_back(to: &str) -> Failure {
    LocalCode::StaleSandbox.detail(format!("it came back at {to}; start this command again"))
}

/// Whether a command talks to the issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// The issuer must be running.
    Needed,
    /// The wallet opens by what it remembers.
    Unused,
    /// The same, and the command only looks: while another process holds the wallet, a copy of its journal will do.
    Looking,
}

/// Opens the wallet that signed up before.
pub(crate) async fn open(context: &Context, network: Network) -> Result<OpenWallet, Failure> {
    let folder = context.folder()?;
    let settings = folder.settings()?.filter(|_| folder.is_used());
    let Some(settings) = settings else { return Err(Error::NotSignedUp.into()) };
    check_choice(context, settings.key_store)?;
    let issuer = match (context.sandbox(), network) {
        (Ok(info), _) => RememberedIssuer::new(&info, &context.sandbox_file()?),
        (Err(_), Network::Unused | Network::Looking) => settings.issuer,
        (Err(failure), Network::Needed) => return Err(failure),
    };
    match open_with(&folder, settings.key_store, &issuer).await {
        Err(failure) if failure.status() == Status::InUse && network == Network::Looking => {
            look(&folder, settings.key_store, &issuer).await
        }
        opened => opened,
    }
}

/// Opens a copy of the journal. Every append leaves it whole, so this is the wallet as it last wrote itself down; what the
/// copy would write goes with it.
async fn look(
    folder: &WalletFolder,
    key_store: KeyStoreChoice,
    issuer: &RememberedIssuer,
) -> Result<OpenWallet, Failure> {
    let copy =
        tempfile::tempdir().map_err(|error| LocalCode::FileFailed.detail(format!("a temporary folder: {error}")))?;
    let journal = folder.vault().join(JOURNAL_FILE);
    std::fs::copy(&journal, copy.path().join(JOURNAL_FILE)).map_err(at(&journal))?;
    let (host, config) = parts(folder, key_store, issuer).await?;
    open_parts(host, Config { folder: copy.path().to_owned(), ..config }, Some(copy)).await
}

/// Opens the wallet to sign up in: chooses a key store if none has worked yet, and remembers it once it answers. Every key is made
/// later.
pub(crate) async fn open_new(context: &Context) -> Result<OpenWallet, Failure> {
    let issuer = RememberedIssuer::new(&context.sandbox()?, &context.sandbox_file()?);
    let folder = context.folder()?;
    let key_store = match folder.settings()?.filter(|_| folder.is_used()) {
        Some(settings) => {
            check_choice(context, settings.key_store)?;
            settings.key_store
        }
        None => choose(context, issuer.config()?.sandbox).await?,
    };
    let open = open_with(&folder, key_store, &issuer).await?;
    let kept = folder.keep_settings(&Settings::new(key_store, issuer));
    if kept.is_err() {
        open.wallet.close().await;
    }
    kept.map(|()| open)
}

pub(crate) async fn open_with(
    folder: &WalletFolder,
    key_store: KeyStoreChoice,
    issuer: &RememberedIssuer,
) -> Result<OpenWallet, Failure> {
    let (host, config) = parts(folder, key_store, issuer).await?;
    match open_parts(host, config, None).await {
        Ok(open) => {
            folder.hold();
            Ok(open)
        }
        Err(failure) if failure.status() == Status::InUse => Err(in_use(folder)),
        Err(failure) => Err(failure),
    }
}

async fn open_parts(host: DesktopHost, config: Config, copy: Option<TempDir>) -> Result<OpenWallet, Failure> {
    let (sandbox, address) = (config.issuer.sandbox, config.issuer.api.clone());
    let (platform, runtime) = (host.platform(), tokio::runtime::Handle::current());
    let wallet = blocking(move || Wallet::open(platform, config, runtime)).await??;
    Ok(OpenWallet { wallet, host, sandbox, address, _copy: copy })
}

fn in_use(folder: &WalletFolder) -> Failure {
    let holder = folder.holder().map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
    LocalCode::InUse.detail(format!("{holder} has the wallet `{}` open", folder.name()))
}

/// What a wallet is opened with.
pub(super) async fn parts(
    folder: &WalletFolder,
    key_store: KeyStoreChoice,
    issuer: &RememberedIssuer,
) -> Result<(DesktopHost, Config), Failure> {
    let store = match key_store {
        KeyStoreChoice::Keyring => KeyStore::Keyring,
        KeyStoreChoice::File => KeyStore::File,
    };
    let (path, clock) = (folder.path().to_owned(), issuer.clock(&folder.name())?);
    let host = blocking(move || DesktopHost::open(&path, store, clock)).await??;
    let issuer = issuer.config()?;
    let config = Config { folder: folder.vault(), issuer, app_version: env!("CARGO_PKG_VERSION").into() };
    Ok((host, config))
}

/// The keyring may keep a thread waiting, and the journal reads a disk.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|_| LocalCode::Bug.detail("a worker thread failed"))
}

fn check_choice(context: &Context, settled: KeyStoreChoice) -> Result<(), Failure> {
    match context.key_store {
        Some(wanted) if wanted != settled => {
            let (wallet, settled) = (context.wallet.as_str(), word(settled));
            Err(LocalCode::KeyStoreFixed.detail(format!("the wallet `{wallet}` keeps its keys in the {settled}")))
        }
        _ => Ok(()),
    }
}

/// The one that was named, else the keyring, else the file if the owner agrees: `--yes` agrees for a sandbox's wallet.
async fn choose(context: &Context, sandbox: bool) -> Result<KeyStoreChoice, Failure> {
    if let Some(choice) = context.key_store {
        return Ok(choice);
    }
    if blocking(desktop::keyring_answers).await? {
        return Ok(KeyStoreChoice::Keyring);
    }
    if context.yes && sandbox {
        context.printer.note("No keyring answers: this wallet's keys go into a file that only you can read.");
        return Ok(KeyStoreChoice::File);
    }
    let question = "No keyring answers. Keep this wallet's keys in a file that only you can read?";
    if presence::somebody_is_there() && presence::confirmed(question).await? {
        return Ok(KeyStoreChoice::File);
    }
    Err(LocalCode::NeedsKeyStore.bare())
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (status, detail) = match &error {
            Error::Refused(problem) => return Self::refused(problem),
            Error::Vault(VaultError::InUse) => return LocalCode::InUse.detail(error.to_string()),
            Error::Offline | Error::NoAnswer | Error::WrongClock | Error::Untrusted(_) => (Status::Offline, None),
            Error::NotActivated | Error::ApprovalExpired => (Status::Offline, None),
            Error::NotSignedUp | Error::AlreadySignedUp | Error::InvalidInput(_) => (Status::Usage, None),
            Error::Key(_) | Error::Vault(_) | Error::Open(_) | Error::Locked => (Status::Vault, None),
            Error::Bug(_) => (Status::Bug, Some("SAIFU_LOG=debug tells more".to_owned())),
        };
        let failure = Self::new(status, error.name(), error.to_string(), error.next());
        match detail {
            Some(detail) => failure.with_detail(detail),
            None => failure,
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Vault(VaultError::InUse) => LocalCode::InUse.detail(VaultError::InUse.to_string()),
            OpenError::Config(error) => LocalCode::BadInput.detail(error.to_string()),
            error => LocalCode::Vault.detail(error.to_string()),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotSignedUp => Error::NotSignedUp.into(),
            Refusal::Locked => Error::Locked.into(),
            Refusal::NoCodeInHand => LocalCode::NoCode.bare(),
        }
    }
}

impl From<desktop::OpenError> for Failure {
    fn from(error: desktop::OpenError) -> Self {
        LocalCode::KeyStore.detail(error.to_string())
    }
}
