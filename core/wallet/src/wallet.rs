use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use saifu_host::Platform;
use saifu_link::{Auth, Credentials, IssuerConfig, Link, LinkError, Request};
use saifu_policy::IssuerTime;
use saifu_vault::FolderDisk;
use saifu_wire::signed::Binding;
use saifu_wire::{Millis, Open, ProblemCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::account::{Call, Change, Outcome, WalletState};
use crate::chores::Chore;
use crate::code::Codes;
use crate::events::Update;
use crate::follower::{Follower, Following};
use crate::history::CacheSlot;
use crate::sending::Sending;
use crate::state::State;
use crate::store::{Store, Turn};
use crate::{Error, OpenError};

/// Updates kept for a subscriber that is slow.
const UPDATES_KEPT: usize = 256;

/// How long closing waits for a disk or a key store that hangs.
const LAST_WORK: Duration = Duration::from_secs(5);

/// What a shell chooses.
#[derive(Clone)]
pub struct Config {
    /// This wallet's folder; nothing else may use it. It is to be left out of backups.
    pub folder: PathBuf,
    /// The issuer.
    pub issuer: IssuerConfig,
    /// The shell's version, at most 32 printable characters.
    pub app_version: String,
}

/// One customer's wallet. Cheap to clone; all clones are one wallet.
#[derive(Clone)]
pub struct Wallet(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) platform: Platform,
    pub(crate) link: Link,
    pub(crate) runtime: Handle,
    pub(crate) folder: PathBuf,
    pub(crate) store: Store,
    pub(crate) cache: CacheSlot,
    pub(crate) codes: Mutex<Codes>,
    pub(crate) sending: Sending,
    pub(crate) updates: broadcast::Sender<Update>,
    pub(crate) follower: Mutex<Follower>,
    pub(crate) following: watch::Sender<Following>,
    /// Rouses the follower's task: something about its wish has changed.
    pub(crate) wake: Arc<Notify>,
    pub(crate) follower_task: Mutex<Option<JoinHandle<()>>>,
    /// Asks what became of intents whose outcome is unknown, and finishes the activation.
    pub(crate) asking: Chore,
    /// Fetches what the history lacks.
    pub(crate) filling: Chore,
    /// Fetches the service document.
    pub(crate) reading: Chore,
    tasks: Mutex<JoinSet<()>>,
    /// How many pieces of blocking work run.
    busy: Arc<watch::Sender<u32>>,
}

impl Wallet {
    /// Opens the wallet in a folder: reads the journal, nothing else. No network, one unseal of the host.
    ///
    /// # Errors
    /// [`OpenError`], whose sentence says what to do. Nothing on disk is changed then.
    pub fn open(platform: Platform, config: Config, runtime: Handle) -> Result<Self, OpenError> {
        let Config { folder, issuer, app_version } = config;
        let disk = Arc::new(FolderDisk::open(&folder)?);
        let link = Link::new(issuer, Arc::clone(&platform.clock), &app_version).map_err(OpenError::Config)?;
        let inner = Inner {
            platform,
            link,
            runtime,
            folder,
            store: Store::new(disk),
            cache: CacheSlot::default(),
            codes: Mutex::default(),
            sending: Sending::default(),
            updates: broadcast::channel(UPDATES_KEPT).0,
            follower: Mutex::default(),
            following: watch::Sender::default(),
            wake: Arc::default(),
            follower_task: Mutex::default(),
            asking: Chore::default(),
            filling: Chore::default(),
            reading: Chore::default(),
            tasks: Mutex::default(),
            busy: Arc::default(),
        };
        inner.unlock()?;
        Ok(Self(Arc::new(inner)))
    }

    /// Wipes every secret from memory and ends the session. Waits for nobody, asks nobody, and is fine to repeat. A wish to
    /// [`follow`](Self::follow) rests until [`unlock`](Self::unlock).
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
        self.0.follower().give_up();
        self.0.lock();
        let task = self.0.follower_task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.abort();
            // It was told to end; what it returns does not matter.
            let _ = task.await;
        }
        let mut tasks = std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
        // Blocking work does not end with whoever waits for it, and holds the folder until it ends.
        let mut busy = self.0.busy.subscribe();
        let _ = tokio::time::timeout(LAST_WORK, busy.wait_for(|running| *running == 0)).await;
    }

    /// From now on, an answer is waited for this long at each try; 10 s unless said otherwise.
    pub fn set_patience(&self, patience: Duration) {
        self.0.link.set_patience(patience);
    }

    /// The issuer's clock, as far as this device knows it.
    #[must_use]
    pub fn issuer_time(&self) -> Millis {
        self.0.now()
    }
}

impl Inner {
    fn unlock(&self) -> Result<(), OpenError> {
        if self.store.unlock(&self.platform.secrets)? {
            self.look_again();
        }
        Ok(())
    }

    /// Hands what the journal says of the account to those who go by it. Called when it may have changed.
    pub(crate) fn look_again(&self) {
        let account = self.store.turn().ok().zip(self.store.read(|state| state.account.clone()).flatten());
        let binding = account.as_ref().map(|(_, account)| account.binding);
        let keys = Arc::clone(&self.platform.keys);
        self.link.set_credentials(binding.map(|binding| Credentials { binding, keys }));
        if let Some(anchor) = self.store.read(|state| state.anchor).flatten() {
            self.link.restore_anchor(anchor);
        }
        self.follower().set_possible(account.is_some());
        // A lock in between has the last word.
        if self.store.turn().is_err() {
            self.forget();
        }
        self.wake.notify_one();
        self.announce();
    }

    fn lock(&self) {
        self.store.lock();
        self.forget();
        self.cache.sweep(&self.store);
        self.wake.notify_one();
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        self.announce();
    }

    /// Wipes what lies outside the store.
    fn forget(&self) {
        self.link.set_credentials(None);
        self.codes().clear();
        self.follower().set_possible(false);
    }

    pub(crate) fn follower(&self) -> MutexGuard<'_, Follower> {
        self.follower.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn codes(&self) -> MutexGuard<'_, Codes> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs something beside the callers until it ends, or the wallet is locked or closed.
    pub(crate) fn beside(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // What has ended is swept out here, so that the set does not grow.
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(work, &self.runtime);
    }

    /// Which state the wallet is in.
    pub(crate) fn wallet_state(&self) -> WalletState {
        let now = self.now();
        self.store.read(|state| state.wallet_state(now)).unwrap_or(WalletState::Locked)
    }

    /// The turn in which a call begins, if the wallet's state has room for it.
    pub(crate) fn may(&self, call: Call) -> Result<Turn, Error> {
        let turn = self.store.turn()?;
        self.wallet_state().may(call)?;
        Ok(turn)
    }

    /// Which device this is.
    pub(crate) fn binding(&self) -> Result<Binding, Error> {
        self.store
            .read(|state| state.account.as_ref().map(|account| account.binding))
            .ok_or(Error::Locked)?
            .ok_or(Error::NotSignedUp)
    }

    /// The issuer's time: the last answer of this process, else the anchor on disk, else the wall clock; and what it rests on.
    pub(crate) fn time(&self) -> IssuerTime {
        self.link.time()
    }

    pub(crate) fn now(&self) -> Millis {
        Millis(self.time().issuer_ms)
    }

    /// Asks the issuer. What its answer says of this device is recorded; an answer that a lock has overtaken is not given.
    pub(crate) async fn call<B: Serialize + Sync, A: DeserializeOwned>(
        self: &Arc<Self>,
        turn: Turn,
        request: Request,
        body: &B,
    ) -> Result<A, Error> {
        let binding = self.store.read(|state| state.account.as_ref().map(|account| account.binding)).flatten();
        let answer = self.link.call(request, body).await;
        if request.auth == Auth::Session
            && let Some(binding) = binding
        {
            self.heard_of_device(turn, binding, answer.as_ref().err()).await?;
        }
        self.told(turn, answer)
    }

    /// An answer or its absence, as a caller of this turn is told of it.
    pub(crate) fn told<T>(&self, turn: Turn, answer: Result<T, LinkError>) -> Result<T, Error> {
        if !self.store.runs(turn) {
            return Err(Error::Locked);
        }
        Ok(answer?)
    }

    /// Records whether the issuer knows this device; only a change costs anything.
    pub(crate) async fn heard_of_device(
        self: &Arc<Self>,
        turn: Turn,
        binding: Binding,
        error: Option<&LinkError>,
    ) -> Result<(), Error> {
        let change = match error {
            None => Change::Known { binding },
            Some(error) if error.code() == Some(ProblemCode::UnknownDevice) => {
                Change::NotKnown { binding, why: Open::Known(ProblemCode::UnknownDevice) }
            }
            Some(_) => return Ok(()),
        };
        let put_aside = matches!(change, Change::NotKnown { .. });
        let known = self.store.read(|state| {
            let account = state.account.as_ref().filter(|account| account.binding == binding);
            account.map(|account| account.put_aside.is_some())
        });
        if known.flatten() == Some(put_aside) {
            return Ok(());
        }
        let outcome = self.commit(turn, move |state| state.change(change)).await?;
        if outcome == Outcome::Changed {
            self.announce();
        }
        Ok(())
    }

    /// Changes the state: on disk first, then in memory.
    pub(crate) async fn commit<T: Send + 'static>(
        self: &Arc<Self>,
        turn: Turn,
        change: impl FnOnce(&mut State) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(self);
        self.blocking(move || inner.commit_now(turn, change)).await
    }

    /// [`commit`](Self::commit), for callers that may block.
    pub(crate) fn commit_now<T>(&self, turn: Turn, change: impl FnOnce(&mut State) -> T) -> Result<T, Error> {
        self.store.commit(turn, |state| {
            let told = change(state);
            state.anchor = self.link.anchor().or(state.anchor);
            told
        })
    }

    /// Runs something that may block (a host call, a file) off the async workers.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let busy = Busy::on(&self.busy);
        let work = move || {
            let done = work();
            drop(busy);
            done
        };
        self.runtime.spawn_blocking(work).await.map_err(|_| Error::Bug("a background task failed"))?
    }
}

/// Counts one piece of blocking work for as long as it runs.
struct Busy(Arc<watch::Sender<u32>>);

impl Busy {
    fn on(busy: &Arc<watch::Sender<u32>>) -> Self {
        busy.send_modify(|running| *running = running.saturating_add(1));
        Self(Arc::clone(busy))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running = running.saturating_sub(1));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(task) = self.follower_task.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}
