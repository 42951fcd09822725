//! The history on the phone. An event's line goes into the journal with the event itself, in one write; some lines later they
//! go into the cache together. The cache can be lost at any time: what it lacks is noticed and fetched again from the issuer,
//! from the beginning if need be, and until that is done the history says that it is incomplete.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use saifu_link::{Auth, Request};
use saifu_policy::Class;
use saifu_vault::{Anchor, CACHE_FOLDER, Cache, Opened};
use saifu_wire::Operation;
use saifu_wire::messages::{EventBody, HistoryEntry, HistoryPage};

use crate::account::Call;
use crate::state::State;
use crate::store::{Store, Turn};
use crate::stored::{ENTRY_SCHEMA, read_entry, write_entry};
use crate::wallet::Inner;
use crate::{Error, Event, Wallet};

const TREE: &str = "history";
/// Lines that rest in the journal before they go into the cache together: each commit carries them along.
const TAIL: usize = 32;

/// The newest lines of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Newest first.
    pub entries: Vec<HistoryEntry>,
    /// Lines are missing: the wallet fetches them when it can reach the issuer.
    pub incomplete: bool,
}

/// The open cache, of one turn and with one number.
#[derive(Default)]
pub(crate) struct CacheSlot {
    open: Mutex<Option<(Turn, u64, Cache)>>,
    /// Waited for without a thread: a disk that hangs takes one thread, not one for each who asks.
    gate: Arc<tokio::sync::Mutex<()>>,
}

impl CacheSlot {
    /// Waits until nobody uses the cache; it stays closed for as long as the answer is held and the wallet is locked.
    pub(crate) async fn closed(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.gate).lock_owned().await
    }

    /// Closes a cache of an earlier turn, unless somebody is using it: he sweeps when he is done.
    pub(crate) fn sweep(&self, store: &Store) {
        let mut open = match self.open.try_lock() {
            Ok(open) => open,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if open.as_ref().is_some_and(|(turn, ..)| !store.runs(*turn)) {
            *open = None;
        }
    }
}

impl Wallet {
    /// The newest entries, at most `limit`. Works without a network. What is missing is fetched by the next refresh, and by
    /// itself while the wallet [follows](Wallet::follow).
    ///
    /// # Errors
    /// [`Error::NotSignedUp`], [`Error::Locked`], [`Error::Vault`].
    pub async fn history(&self, limit: usize) -> Result<History, Error> {
        let turn = self.0.may(Call::Use)?;
        // One that fails is closed and set aside if it is damaged, so the second try finds an empty one.
        let (cached, tail, complete) = match self.0.lines(turn, limit).await {
            Err(Error::Vault(_)) => self.0.lines(turn, limit).await?,
            other => other?,
        };
        let both = cached.into_iter().chain(tail).map(|entry| (entry.number, entry));
        let entries = both.collect::<BTreeMap<_, _>>().into_values().rev().take(limit).collect();
        if !complete && self.0.follower().is_wanted() {
            self.0.fill(turn);
        }
        Ok(History { entries, incomplete: !complete })
    }
}

/// What cannot be read is left out; [`Inner::open_cache`] sees to it that there is none.
fn newest(cache: &Cache, limit: usize) -> Result<Vec<HistoryEntry>, Error> {
    Ok(cache
        .newest(TREE, limit)?
        .iter()
        .filter_map(|record| read_entry(record.schema, record.value.expose()))
        .collect())
}

/// Whether this version can read every line, however old.
fn is_readable(cache: &Cache) -> Result<bool, Error> {
    let records = cache.newest(TREE, usize::MAX)?;
    Ok(records.iter().all(|record| read_entry(record.schema, record.value.expose()).is_some()))
}

impl State {
    /// Puts down a line that follows directly on everything known. Of what does not, the next filling learns.
    pub(crate) fn keep_line(&mut self, event: &Event) {
        let history = &mut self.history;
        if history.after.checked_add(1) != Some(event.number) {
            return;
        }
        match &event.body {
            EventBody::Entry { entry } => history.tail.push(entry.clone()),
            // Perhaps a line of a kind that this version does not know: the issuer's own history says.
            EventBody::Other => return,
            _ => {}
        }
        history.after = event.number;
    }

    /// Every line after event `from` up to event `to` is in the cache. Should the history have been begun anew meanwhile, the
    /// lines are there but not counted on.
    fn keep_cached(&mut self, number: u64, from: u64, to: u64, anchor: Option<Vec<u8>>) {
        let history = &mut self.history;
        if history.cache != number {
            return;
        }
        if history.after >= from {
            history.after = history.after.max(to);
        }
        if history.cached_to >= from {
            history.cached_to = history.cached_to.max(to);
        }
        let cached_to = history.cached_to;
        history.tail.retain(|entry| entry.number > cached_to);
        history.anchor = anchor.or(history.anchor.take());
    }
}

impl Inner {
    /// Fetches what is missing, beside the callers.
    pub(crate) fn fill(self: &Arc<Self>, turn: Turn) {
        self.start(turn, |inner| &inner.filling, |inner, turn| async move { inner.fill_now(turn).await });
    }

    /// After an event: the journal does not carry lines for ever.
    pub(crate) fn tail_is_long(&self) -> bool {
        self.store.read(|state| state.history.tail.len() >= TAIL).unwrap_or_default()
    }

    /// Page by page, until everything up to the newest event known is here.
    async fn fill_now(self: &Arc<Self>, turn: Turn) -> Result<(), Error> {
        self.with_cache(turn, |_, _| Ok(())).await?;
        self.empty_tail(turn).await?;
        loop {
            let known = self.store.read(|state| (state.history.after, state.last_event(), state.era.clone()));
            let (after, last_event, era) = known.ok_or(Error::Locked)?;
            if after >= last_event {
                return Ok(());
            }
            let request = Request {
                query: Some(("after", after)),
                ..Request::new(Operation::History, Auth::Session, Class::Screen)
            };
            let page: HistoryPage = self.call(turn, request, &()).await?;
            if era.is_some_and(|era| era != page.era) {
                // Event numbers of another era: the next picture begins the history anew.
                return self.refresh_home(turn).await;
            }
            let last = page.entries.iter().map(|entry| entry.number).max();
            let to = match last {
                Some(last) if page.more => last,
                last => last.unwrap_or(after).max(last_event),
            };
            self.put(turn, page.entries, after, to).await?;
        }
    }

    async fn empty_tail(self: &Arc<Self>, turn: Turn) -> Result<(), Error> {
        let tail = self.store.read(|state| {
            let history = &state.history;
            (history.tail.clone(), history.cached_to, history.after)
        });
        let (tail, from, to) = tail.ok_or(Error::Locked)?;
        if tail.is_empty() { Ok(()) } else { self.put(turn, tail, from, to).await }
    }

    /// Puts into the cache what happened after event `from` up to event `to`, then its anchor into the journal: a crash between
    /// the two is found at the next open.
    async fn put(self: &Arc<Self>, turn: Turn, entries: Vec<HistoryEntry>, from: u64, to: u64) -> Result<(), Error> {
        let mut records = Vec::with_capacity(entries.len());
        for entry in &entries {
            records.push((entry.number.to_be_bytes().to_vec(), write_entry(entry)?));
        }
        let inner = Arc::clone(self);
        // The anchor is written while the cache is held, so that a later batch's anchor is never overwritten by an earlier's.
        self.with_cache(turn, move |number, cache| {
            let anchor = match records.as_slice() {
                [] => None,
                records => {
                    cache.put_batch(TREE, ENTRY_SCHEMA, records)?;
                    Some(cache.anchor(TREE)?.to_bytes())
                }
            };
            inner.commit_now(turn, |state| state.keep_cached(number, from, to, anchor))
        })
        .await
    }

    /// The newest lines in the cache, the tail, and whether that is all. The tail is read while the cache is held: lines on
    /// their way from the one to the other would be in neither.
    async fn lines(
        self: &Arc<Self>,
        turn: Turn,
        limit: usize,
    ) -> Result<(Vec<HistoryEntry>, Vec<HistoryEntry>, bool), Error> {
        let inner = Arc::clone(self);
        self.with_cache(turn, move |_, cache| {
            let cached = newest(cache, limit)?;
            let rest = inner.store.read(|state| (state.history.tail.clone(), state.history_is_complete()));
            let (tail, complete) = rest.ok_or(Error::Locked)?;
            Ok((cached, tail, complete))
        })
        .await
    }

    /// Runs `work` on the cache, opening it first if need be. One that fails is closed, so that the next open sees to it.
    async fn with_cache<T: Send + 'static>(
        self: &Arc<Self>,
        turn: Turn,
        work: impl FnOnce(u64, &Cache) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let held = Arc::clone(&self.cache.gate).lock_owned().await;
        let inner = Arc::clone(self);
        self.blocking(move || {
            let outcome = inner.use_cache(turn, work);
            inner.cache.sweep(&inner.store);
            drop(held);
            outcome
        })
        .await
    }

    fn use_cache<T>(&self, turn: Turn, work: impl FnOnce(u64, &Cache) -> Result<T, Error>) -> Result<T, Error> {
        let mut slot = self.cache.open.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = self.store.read(|state| state.history.cache).ok_or(Error::Locked)?;
        let (number, cache) = match slot.take() {
            Some((opened, number, cache)) if opened == turn && number == wanted => (number, cache),
            other => {
                drop(other);
                self.open_cache(turn)?
            }
        };
        let outcome = work(number, &cache);
        if outcome.is_ok() {
            *slot = Some((turn, number, cache));
        }
        outcome
    }

    /// A cache that had to be set aside, or holds a line that this version cannot read, is begun anew: the journal is told, so
    /// that it is filled from the beginning.
    fn open_cache(&self, turn: Turn) -> Result<(u64, Cache), Error> {
        loop {
            let known = self.store.read(|state| (state.history.cache, state.history.anchor.clone()));
            let (number, anchor) = known.ok_or(Error::Locked)?;
            let anchors: Vec<Anchor> = anchor.and_then(|bytes| Anchor::from_bytes(&bytes)).into_iter().collect();
            let key = self.store.derive(turn, &label(number))?;
            let (cache, opened) = Cache::open(&self.folder.join(CACHE_FOLDER), &key, &anchors)?;
            match opened {
                Opened::Fine if is_readable(&cache)? => return Ok((number, cache)),
                Opened::Fine => {
                    tracing::warn!(target: "saifu", "the history has a line that cannot be read; it is fetched again");
                    drop(cache);
                    self.commit_now(turn, State::forget_history)?;
                }
                Opened::Rebuilt(reason) => {
                    tracing::warn!(target: "saifu", ?reason, "the history cache was set aside and is filled again");
                    let empty = crate::state::History { cache: number, ..Default::default() };
                    self.commit_now(turn, |state| state.history = empty)?;
                    return Ok((number, cache));
                }
            }
        }
    }
}

/// Each cache has a key of its own, so that a new number finds nothing that opens.
fn label(number: u64) -> String {
    match number {
        0 => "saifu/v1/cache".to_owned(),
        later => format!("saifu/v1/cache/{later}"),
    }
}
