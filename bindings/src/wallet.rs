//! The wallet itself.

use std::sync::Arc;
use std::time::Duration;

use saifu::{Error, IssuerConfig, Roots};
use saifu_host::PublicKey;
use url::Url;

use crate::account::Account;
use crate::call::{Cancel, guarded, run};
use crate::codes::Codes;
use crate::error::WalletError;
use crate::events::{Observer, Subscription, subscribe};
use crate::history::History;
use crate::host::{Clock, Keys, Secrets, platform};
use crate::runtime::runtime;
use crate::screens::HomeScreen;
use crate::shell::Shell;
use crate::top_ups::TopUps;

/// What a shell chooses.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Config {
    /// This wallet's folder; nothing else may use it. It is to be left out of backups.
    pub folder: String,
    /// The shell's version, at most 32 printable characters.
    pub app_version: String,
    /// Where the issuer's API is served: `https`, host, port.
    pub customer_url: String,
    /// Where the signed service document is served.
    pub service_url: String,
    /// The one certificate authority to believe, PEM: a sandbox's. None: Mozilla's roots.
    pub ca_pem: Option<String>,
    /// SHA-256 of the SubjectPublicKeyInfo of the issuer's TLS key and of its spare one, 32 bytes each.
    pub pins: Vec<Vec<u8>>,
    /// The same of the service document's server, so that it never needs the API's key.
    pub service_pins: Vec<Vec<u8>>,
    /// The key that signs service documents: SubjectPublicKeyInfo, DER.
    pub service_key: Vec<u8>,
    /// Whether this issuer is a sandbox.
    pub sandbox: bool,
}

impl Config {
    fn issuer(&self) -> Result<IssuerConfig, Error> {
        let malformed = Error::InvalidInput("An issuer's URL begins with https and names a host.");
        let url = |text: &str| Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.has_host());
        let (Some(api), Some(service)) = (url(&self.customer_url), url(&self.service_url)) else {
            return Err(malformed);
        };
        let (pins, service_pins) = (read_pins(&self.pins)?, read_pins(&self.service_pins)?);
        let printable = self.app_version.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if !(1..=32).contains(&self.app_version.len()) || !printable {
            return Err(Error::InvalidInput("The app's version is 1 to 32 printable characters."));
        }
        Ok(IssuerConfig {
            api,
            service,
            roots: self.ca_pem.clone().map_or(Roots::WebPki, Roots::Pem),
            pins,
            service_pins,
            service_key: PublicKey::from_spki(&self.service_key)
                .map_err(|_| Error::InvalidInput("The service key is not a P-256 key."))?,
            sandbox: self.sandbox,
        })
    }
}

fn read_pins(pins: &[Vec<u8>]) -> Result<Vec<[u8; 32]>, Error> {
    if pins.is_empty() {
        return Err(Error::InvalidInput("Name at least one pin of each server, better two."));
    }
    let pins = pins.iter().map(|pin| <[u8; 32]>::try_from(pin.as_slice()));
    pins.collect::<Result<_, _>>().map_err(|_| Error::InvalidInput("A pin has 32 bytes."))
}

/// One customer's wallet.
#[derive(uniffi::Object)]
pub struct Wallet {
    shell: Arc<Shell>,
}

#[uniffi::export]
impl Wallet {
    /// Opens the wallet in a folder: reads one small file and asks the host for one unsealing. No network. Blocks for some
    /// milliseconds, so call it off the main thread.
    ///
    /// # Errors
    /// `Vault`: the files; nothing was changed. `Key`: the host's key store does not answer now. `InvalidInput`: the
    /// configuration or the host's clock.
    #[uniffi::constructor]
    pub fn open(
        keys: Arc<dyn Keys>,
        secrets: Arc<dyn Secrets>,
        clock: Arc<dyn Clock>,
        config: Config,
    ) -> Result<Self, WalletError> {
        guarded("open", || {
            let runtime = runtime().ok_or(Error::Bug("the system gives no threads"))?;
            let platform = platform(keys, secrets, clock)?;
            let issuer = config.issuer()?;
            let config = saifu::Config { folder: config.folder.into(), issuer, app_version: config.app_version };
            let wallet = saifu::Wallet::open(platform, config, runtime.handle().clone())?;
            Ok(Self { shell: Arc::new(Shell::new(wallet)) })
        })
    }

    /// The home screen as last known. Never waits for anything.
    ///
    /// # Errors
    /// `Locked` after closing.
    pub fn home(&self) -> Result<HomeScreen, WalletError> {
        guarded("home", || Ok(self.shell.wallet()?.home().into()))
    }

    /// Brings everything up to date: unfinished activation, intents with unknown outcome, home, history.
    ///
    /// # Errors
    /// `NotSignedUp`, `Locked`, `Key`, `Refused`; network errors: what is known stays.
    pub async fn refresh(&self, cancel: Option<Arc<Cancel>>) -> Result<HomeScreen, WalletError> {
        run("refresh", &self.shell, cancel, async move |wallet| Ok(wallet.refresh().await?.into())).await
    }

    /// Wants the issuer's events from now on, told once each. It returns at once and needs no network: the wish stays, through
    /// lost connections and locks, until the wallet is closed or reset, or the issuer no longer knows this device. How it stands
    /// is on the home screen, and told to observers. Asked for again, it is tried at once.
    ///
    /// # Errors
    /// `NotSignedUp`, `Locked`.
    pub fn follow(&self) -> Result<(), WalletError> {
        guarded("follow", || Ok(self.shell.wallet()?.follow()?))
    }

    /// Returns once events come as they happen; waits for as long as that takes.
    ///
    /// # Errors
    /// `InvalidInput`: nobody wants to follow. `Refused` with `unknown-device`, `Key` with `gone`: it has ended. `Locked`.
    pub async fn followed(&self, cancel: Option<Arc<Cancel>>) -> Result<(), WalletError> {
        // It might wait for ever: that ends with whoever waits, and with the wallet, whose closing waits for calls.
        let over = self.shell.closing().child_token();
        let _waiting = over.clone().drop_guard();
        run("followed", &self.shell, cancel, async move |wallet| {
            tokio::select! {
                followed = wallet.followed() => Ok(followed?),
                () = over.cancelled() => Err(WalletError::closed()),
            }
        })
        .await
    }

    /// Deletes everything that this wallet has on this phone, keys included, and goes on as an empty one. Ask the owner first.
    /// Refused while it is not known what became of an approved top-up, unless the owner insists.
    ///
    /// # Errors
    /// `InvalidInput`: money is unknown; nothing was touched. `Key`, `Vault`: the wallet is as it was, or empty; repeat it.
    pub async fn reset(&self, insist: bool, cancel: Option<Arc<Cancel>>) -> Result<(), WalletError> {
        run("reset", &self.shell, cancel, async move |wallet| Ok(wallet.reset(insist).await?)).await
    }

    /// Tells `observer` how the following stands, now and with each change, and every event from now on. Events come while the
    /// wallet follows.
    ///
    /// # Errors
    /// `Locked` after closing.
    pub fn subscribe(&self, observer: Arc<dyn Observer>) -> Result<Arc<Subscription>, WalletError> {
        guarded("subscribe", || subscribe(&self.shell, observer))
    }

    /// Sign-up, and the code that proves this phone.
    #[must_use]
    pub fn account(&self) -> Arc<Account> {
        Arc::new(Account { shell: Arc::clone(&self.shell) })
    }

    /// Top-ups and what is not finished.
    #[must_use]
    pub fn top_ups(&self) -> Arc<TopUps> {
        Arc::new(TopUps { shell: Arc::clone(&self.shell) })
    }

    /// Codes to show at a till.
    #[must_use]
    pub fn codes(&self) -> Arc<Codes> {
        Arc::new(Codes { shell: Arc::clone(&self.shell) })
    }

    /// The history on the phone.
    #[must_use]
    pub fn history(&self) -> Arc<History> {
        Arc::new(History { shell: Arc::clone(&self.shell) })
    }

    /// Wipes every secret from memory and ends the session. Asks nobody and is fine to repeat.
    ///
    /// # Errors
    /// Only `Bug`.
    pub fn lock(&self) -> Result<(), WalletError> {
        guarded("lock", || {
            // A closed wallet has nothing left to wipe.
            if let Ok(wallet) = self.shell.wallet() {
                wallet.lock();
            }
            Ok(())
        })
    }

    /// Reads the files again after `lock`. Fine to repeat. Blocks as `open` does.
    ///
    /// # Errors
    /// As `open`; `Vault` with `opening` while another call does the same; `Locked` after closing.
    pub fn unlock(&self) -> Result<(), WalletError> {
        guarded("unlock", || Ok(self.shell.wallet()?.unlock()?))
    }

    /// Lets calls that have begun come to their end, wipes every secret and lets go of the folder. Fine to repeat; every other
    /// call fails from now on.
    pub async fn close(&self) {
        let shell = Arc::clone(&self.shell);
        if let Some(runtime) = runtime() {
            // A task that fails has closed as far as it can be closed.
            let _ = runtime.spawn(async move { shell.close().await }).await;
        }
    }

    /// From now on, an answer is waited for this long at each try, milliseconds; 10,000 unless said otherwise. A count, because
    /// a span below zero would end an app in Swift before it gets here.
    ///
    /// # Errors
    /// `InvalidInput`: below 0. `Locked` after closing.
    pub fn set_patience(&self, ms: i64) -> Result<(), WalletError> {
        guarded("set_patience", || {
            let ms = u64::try_from(ms).map_err(|_| Error::InvalidInput("Nobody waits for less than no time."))?;
            self.shell.wallet()?.set_patience(Duration::from_millis(ms));
            Ok(())
        })
    }
}
