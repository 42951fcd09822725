//! The history on the phone: entries in the cache, which can be lost at any time and is filled again from the issuer; where
//! it ends stands in the journal.

use std::sync::{Arc, PoisonError};

use saifu_link::{Auth, Request};
use saifu_policy::Class;
use saifu_vault::{Anchor, CACHE_FOLDER, Cache, Opened};
use saifu_wire::Operation;
use saifu_wire::messages::{HistoryEntry, HistoryPage};

use crate::state::HistoryAnchor;
use crate::wallet::Inner;
use crate::{Error, Wallet};

const TREE: &str = "history";
/// Of the records.
const SCHEMA: u16 = 1;

impl Wallet {
    /// The newest entries, newest first, at most `limit`. Works without a network.
    ///
    /// # Errors
    /// [`Error::NotSignedUp`], [`Error::Locked`], [`Error::Vault`].
    pub async fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, Error> {
        self.0.binding()?;
        let inner = Arc::clone(&self.0);
        self.0.blocking(move || inner.newest(limit).or_else(|_| inner.newest(limit))).await
    }
}

impl Inner {
    fn newest(&self, limit: usize) -> Result<Vec<HistoryEntry>, Error> {
        self.with_cache(|cache| {
            let records = cache.newest(TREE, limit)?;
            // A record that an older version wrote differently is left out; the next refill brings it back.
            Ok(records.iter().filter_map(|record| postcard::from_bytes(record.value.expose()).ok()).collect())
        })
    }

    /// Runs `work` on the cache, opening it first if need be. A cache that had to be rebuilt is empty, and the journal is
    /// told so that the next refresh fills it from the beginning. One that fails is closed, so that the next open sees to it.
    fn with_cache<T>(&self, work: impl FnOnce(&mut Cache) -> Result<T, Error>) -> Result<T, Error> {
        let mut slot = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cache = match slot.take() {
            Some(cache) => cache,
            None => self.open_cache()?,
        };
        let result = work(&mut cache);
        if result.is_ok() {
            *slot = Some(cache);
        }
        result
    }

    fn open_cache(&self) -> Result<Cache, Error> {
        let anchor = self.read(|state| state.history.anchor.clone()).ok_or(Error::Locked)?;
        let anchors: Vec<Anchor> = anchor.and_then(|bytes| Anchor::from_bytes(&bytes)).into_iter().collect();
        let key = self.derive("saifu/v1/cache")?;
        let (cache, opened) = Cache::open(&self.folder.join(CACHE_FOLDER), &key, &anchors)?;
        if let Opened::Rebuilt(reason) = opened {
            tracing::warn!(target: "saifu", ?reason, "the history cache was set aside and is filled again");
            self.commit_now(|state| state.history = HistoryAnchor::default())?;
        }
        Ok(cache)
    }

    /// Fetches what is missing, page by page. Everything up to `known`, an event number heard of before, is there then.
    pub(crate) async fn refresh_history(self: &Arc<Self>, known: u64) -> Result<(), Error> {
        let inner = Arc::clone(self);
        self.blocking(move || inner.with_cache(|_| Ok(()))).await?;
        loop {
            let after = self.read(|state| state.history.after).ok_or(Error::Locked)?;
            let request = Request {
                query: Some(("after", after)),
                ..Request::new(Operation::History, Auth::Session, Class::Screen)
            };
            let page: HistoryPage = self.link.call(request, &()).await?;
            let last = page.entries.iter().map(|entry| entry.number).max();
            let to = match last {
                Some(last) if page.more => last,
                last => last.unwrap_or(after).max(known),
            };
            self.cache_entries(page.entries, after, to).await?;
            if !page.more || last.is_none() {
                return Ok(());
            }
        }
    }

    /// Puts into the cache what happened after event `from` up to event `to`, then its anchor into the journal: a crash between
    /// the two is found at the next open. Should the cache have been emptied meanwhile, the entries are kept but not counted
    /// on, so that the next refresh fills the gap.
    pub(crate) async fn cache_entries(
        self: &Arc<Self>,
        entries: Vec<HistoryEntry>,
        from: u64,
        to: u64,
    ) -> Result<(), Error> {
        if entries.is_empty() && self.read(|state| state.history.after >= to).unwrap_or_default() {
            return Ok(());
        }
        let inner = Arc::clone(self);
        self.blocking(move || {
            let mut records = Vec::with_capacity(entries.len());
            for entry in &entries {
                let value = postcard::to_stdvec(entry).map_err(|_| Error::Bug("an entry does not encode"))?;
                records.push((entry.number.to_be_bytes().to_vec(), value));
            }
            // The anchor is written while the cache is held, so that a later batch's anchor is never overwritten by an earlier's.
            inner.with_cache(|cache| {
                let anchor = match records.as_slice() {
                    [] => None,
                    records => {
                        cache.put_batch(TREE, SCHEMA, records)?;
                        Some(cache.anchor(TREE)?.to_bytes())
                    }
                };
                inner.commit_now(move |state| {
                    let history = &mut state.history;
                    if history.after >= from {
                        history.after = history.after.max(to);
                    }
                    history.anchor = anchor.or(history.anchor.take());
                })
            })
        })
        .await
    }
}
