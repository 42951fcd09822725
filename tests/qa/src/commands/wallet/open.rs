//! Opening a desktop wallet: its settings, its keys, its clock, its issuer; and what its errors mean for the exit code.

use saifu::{Config, Error, OpenError, Refusal, Wallet};
use saifu_host::desktop::{self, DesktopHost, KeyStore};
use saifu_vault::VaultError;

use crate::cli::KeyStoreChoice;
use crate::context::Context;
use crate::failure::{Failure, LocalCode, Status};
use crate::home::{Settings, WalletFolder};
use crate::peers::RememberedIssuer;
use crate::presence;

/// An open wallet with the host that signs for its owner.
pub(crate) struct OpenWallet {
    pub(crate) wallet: Wallet,
    pub(crate) host: DesktopHost,
    /// Whether the issuer is one where `--yes` may approve.
    pub(crate) sandbox: bool,
}

/// Whether a command talks to the issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// The issuer must be running.
    Needed,
    /// The wallet opens by what it remembers.
    Unused,
}

/// Opens the wallet that signed up before.
pub(crate) async fn open(context: &Context, network: Network) -> Result<OpenWallet, Failure> {
    let folder = context.folder()?;
    let settings = folder.settings()?.filter(|_| folder.is_used());
    let Some(settings) = settings else { return Err(Error::NotSignedUp.into()) };
    check_choice(context, settings.key_store)?;
    let issuer = match (context.sandbox(), network) {
        (Ok(info), _) => RememberedIssuer::new(&info, &context.sandbox_file()?),
        (Err(_), Network::Unused) => settings.issuer,
        (Err(failure), Network::Needed) => return Err(failure),
    };
    open_with(&folder, settings.key_store, &issuer).await
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
        None => choose(context).await?,
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
    let sandbox = config.issuer.sandbox;
    let (platform, runtime) = (host.platform(), tokio::runtime::Handle::current());
    let wallet = blocking(move || Wallet::open(platform, config, runtime)).await??;
    Ok(OpenWallet { wallet, host, sandbox })
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
    let (path, clock) = (folder.path().to_owned(), issuer.clock(&folder.name()));
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
            let (wallet, settled) = (context.wallet.as_str(), settled.as_str());
            Err(LocalCode::KeyStoreFixed.detail(format!("the wallet `{wallet}` keeps its keys in the {settled}")))
        }
        _ => Ok(()),
    }
}

/// The one that was named, else the keyring, else the file if the owner agrees.
async fn choose(context: &Context) -> Result<KeyStoreChoice, Failure> {
    if let Some(choice) = context.key_store {
        return Ok(choice);
    }
    if blocking(desktop::keyring_answers).await? {
        return Ok(KeyStoreChoice::Keyring);
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
