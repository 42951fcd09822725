use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};

use saifu_crypto::{Secret, SystemRandom};
use saifu_host::Platform;
use saifu_link::{Credentials, IssuerConfig, Link};
use saifu_vault::{Cache, Disk, FolderDisk, Journal};
use saifu_wire::Millis;
use saifu_wire::messages::Event;
use saifu_wire::signed::Binding;
use tokio::runtime::Handle;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use crate::code::PaymentCode;
use crate::state::State;
use crate::{Error, OpenError};

/// Events kept for a subscriber that is slow.
const EVENTS_KEPT: usize = 256;

/// What a shell chooses.
#[derive(Clone)]
pub struct Config {
    /// This wallet's folder; nothing else may use it. It is to be left out of backups.
    pub folder: PathBuf,
    /// The issuer.
    pub issuer: IssuerConfig,
    /// The shell's version, at most 32 printable characters.
    pub app_version: String,
    /// The files under the journal; `None` is the folder itself. Tests swap it.
    pub disk: Option<Arc<dyn Disk>>,
}

/// One customer's wallet. Cheap to clone; all clones are one wallet.
#[derive(Clone)]
pub struct Wallet(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) platform: Platform,
    pub(crate) link: Link,
    pub(crate) runtime: Handle,
    pub(crate) folder: PathBuf,
    disk: Arc<dyn Disk>,
    /// Taken for the length of a commit, so that commits come one after another.
    journal: Mutex<Option<Journal>>,
    /// What the journal says; `None` while locked.
    state: RwLock<Option<State>>,
    pub(crate) cache: Mutex<Option<Cache>>,
    pub(crate) codes: Mutex<Vec<PaymentCode>>,
    pub(crate) events: broadcast::Sender<Event>,
    follower: Mutex<Option<JoinHandle<()>>>,
    /// Held while the journal is being opened. Nobody waits for it: the host is asked meanwhile, and may call back.
    opening: Mutex<()>,
    /// How often the wallet was locked: an unlocking that a lock has overtaken must not win.
    locks: AtomicU64,
}

impl Wallet {
    /// Opens the wallet in a folder: reads the journal, nothing else. No network, one unseal of the host.
    ///
    /// # Errors
    /// [`OpenError`], whose sentence says what to do. Nothing on disk is changed then.
    pub fn open(platform: Platform, config: Config, runtime: Handle) -> Result<Self, OpenError> {
        let Config { folder, issuer, app_version, disk } = config;
        let disk = match disk {
            Some(disk) => disk,
            None => Arc::new(FolderDisk::open(&folder)?),
        };
        let link = Link::new(issuer, Arc::clone(&platform.clock), &app_version).map_err(OpenError::Config)?;
        let (events, _) = broadcast::channel(EVENTS_KEPT);
        let inner = Inner {
            platform,
            link,
            runtime,
            folder,
            disk,
            journal: Mutex::default(),
            state: RwLock::default(),
            cache: Mutex::default(),
            codes: Mutex::default(),
            events,
            follower: Mutex::default(),
            opening: Mutex::default(),
            locks: AtomicU64::default(),
        };
        inner.unlock()?;
        Ok(Self(Arc::new(inner)))
    }

    /// Wipes every secret from memory and ends the session. Asks nobody and is fine to repeat.
    pub fn lock(&self) {
        self.0.lock();
    }

    /// Reads the journal again after [`lock`](Self::lock). Fine to repeat.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`OpenError::Opening`] while another call, or the host's own call back, does the same.
    pub fn unlock(&self) -> Result<(), OpenError> {
        self.0.unlock()
    }

    /// Ends everything this wallet runs and wipes its secrets. Fine to repeat.
    pub async fn close(&self) {
        let task = self.0.set_follower(None);
        self.0.lock();
        if let Some(task) = task {
            // It was told to end; what it returns does not matter.
            let _ = task.await;
        }
    }

    /// From now on, an answer is waited for this long at each try; 10 s unless said otherwise.
    pub fn set_patience(&self, patience: std::time::Duration) {
        self.0.link.set_patience(patience);
    }

    /// The issuer's clock, as far as this device knows it.
    #[must_use]
    pub fn issuer_time(&self) -> Millis {
        self.0.issuer_time()
    }
}

impl Inner {
    fn unlock(&self) -> Result<(), OpenError> {
        let _opening = match self.opening.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(OpenError::Opening),
        };
        if self.journal().is_some() {
            return Ok(());
        }
        let locks = self.locks.load(Ordering::SeqCst);
        let secrets = Arc::clone(&self.platform.secrets);
        let (opened, kept) = Journal::open(Arc::clone(&self.disk), secrets, Arc::new(SystemRandom))?;
        let state = kept.map_or_else(|| Ok(State::default()), |kept| State::decode(&kept))?;
        let account = state.account.as_ref();
        if account.is_some() {
            // Unfinished, it must not keep the owner out.
            let _ = opened.retire_older();
        }
        let credentials =
            account.map(|account| Credentials { binding: account.binding, keys: Arc::clone(&self.platform.keys) });
        let mut journal = self.journal();
        if self.locks.load(Ordering::SeqCst) != locks {
            return Ok(());
        }
        self.link.set_credentials(credentials);
        *journal = Some(opened);
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Some(state);
        Ok(())
    }

    fn lock(&self) {
        if let Some(task) = self.set_follower(None) {
            task.abort();
        }
        self.codes.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.cache.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mut journal = self.journal();
        self.locks.fetch_add(1, Ordering::SeqCst);
        self.link.set_credentials(None);
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = None;
        *journal = None;
    }

    fn journal(&self) -> MutexGuard<'_, Option<Journal>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the task that follows the event stream; the old one is stopped and handed back.
    pub(crate) fn set_follower(&self, task: Option<JoinHandle<()>>) -> Option<JoinHandle<()>> {
        let mut slot = self.follower.lock().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *slot, task);
        if let Some(old) = &old {
            old.abort();
        }
        old
    }

    /// Looks at the state; `None` while locked.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> Option<T> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(look)
    }

    /// Which device this is.
    pub(crate) fn binding(&self) -> Result<Binding, Error> {
        self.read(|state| state.account.as_ref().map(|account| account.binding))
            .ok_or(Error::Locked)?
            .ok_or(Error::NotSignedUp)
    }

    /// The issuer's time: the last answer of this process, else the anchor on disk, else the wall clock.
    pub(crate) fn issuer_time(&self) -> Millis {
        let reading = self.platform.clock.read();
        let anchor = self.link.anchor().or_else(|| self.read(|state| state.anchor).flatten());
        Millis(anchor.map_or(reading.wall_ms, |anchor| anchor.now(reading).issuer_ms))
    }

    /// Changes the state: on disk first, then in memory.
    pub(crate) async fn commit(
        self: &Arc<Self>,
        change: impl FnOnce(&mut State) + Send + 'static,
    ) -> Result<(), Error> {
        let inner = Arc::clone(self);
        self.blocking(move || inner.commit_now(change)).await
    }

    /// [`commit`](Self::commit), for callers that may block.
    pub(crate) fn commit_now(&self, change: impl FnOnce(&mut State)) -> Result<(), Error> {
        let mut journal = self.journal();
        let journal = journal.as_mut().ok_or(Error::Locked)?;
        let mut next = self.read(State::clone).ok_or(Error::Locked)?;
        change(&mut next);
        next.anchor = self.link.anchor().or(next.anchor);
        journal.append(&next.encode()?)?;
        if next.account.is_some() && self.read(|state| state.account.is_none()).unwrap_or_default() {
            // The next opening makes up for a host that refuses.
            let _ = journal.retire_older();
        }
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Some(next);
        Ok(())
    }

    /// A key for something outside the journal, derived from the vault key.
    pub(crate) fn derive(&self, label: &str) -> Result<Secret, Error> {
        Ok(self.journal().as_ref().ok_or(Error::Locked)?.derive(label)?)
    }

    /// Runs something that may block (a host call, a file) off the async workers.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.runtime.spawn_blocking(work).await.map_err(|_| Error::Bug("a background task failed"))?
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(task) = self.set_follower(None) {
            task.abort();
        }
    }
}
