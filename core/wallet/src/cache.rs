//! The history on the phone: entries in the cache, which can be lost at any time and is filled again from the issuer; where
//! it ends stands in the journal.

use std::sync::{Arc, PoisonError};

use saifu_link::{Auth, Request};
use saifu_policy::Class;
use saifu_vault::{Anchor, Cache, Opened};
use saifu_wire::Operation;
use saifu_wire::messages::{HistoryEntry, HistoryPage};

use crate::state::HistoryAnchor;
use crate::wallet::Inner;
use crate::{Error, Wallet};

const TREE: &str = "history";

impl Wallet {
    /// The newest entries, newest first, at most `limit`. Works without a network.
    ///
    /// # Errors
    /// [`Error::NotSignedUp`], [`Error::Locked`], [`Error::Vault`].
    pub async fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, Error> {
        self.0.binding()?;
        let inner = Arc::clone(&self.0);
        self.0
            .blocking(move || {
                let mut entries = Vec::new();
                inner.with_cache(|cache| {
                    for (_, value) in cache.newest(TREE, limit)? {
                        // A record that an older version wrote differently is left out; the next refill brings it back.
                        entries.extend(postcard::from_bytes::<HistoryEntry>(value.expose()).ok());
                    }
                    Ok(())
                })?;
                Ok(entries)
            })
            .await
    }
}

impl Inner {
    /// Runs `work` on the cache, opening it first if need be. A cache that had to be rebuilt is empty, and the journal is
    /// told so that the next refresh fills it from the beginning.
    fn with_cache(&self, work: impl FnOnce(&mut Cache) -> Result<(), Error>) -> Result<(), Error> {
        let mut slot = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            let anchor = self.read(|state| state.history.anchor.clone()).ok_or(Error::Locked)?;
            let anchors: Vec<Anchor> = anchor.and_then(|bytes| Anchor::from_bytes(&bytes)).into_iter().collect();
            let key = self.derive("saifu/v1/cache")?;
            let (cache, opened) = Cache::open(&self.folder.join("cache"), &key, &anchors)?;
            if let Opened::Rebuilt(reason) = opened {
                tracing::warn!(target: "saifu", ?reason, "the history cache was set aside and is filled again");
                self.commit_now(|state| state.history = HistoryAnchor::default())?;
            }
            *slot = Some(cache);
        }
        match slot.as_mut() {
            Some(cache) => work(cache),
            None => Err(Error::Bug("the cache is not there")),
        }
    }

    /// Fetches what is missing, page by page.
    pub(crate) async fn refresh_history(self: &Arc<Self>) -> Result<(), Error> {
        let inner = Arc::clone(self);
        self.blocking(move || inner.with_cache(|_| Ok(()))).await?;
        loop {
            let after = self.read(|state| state.history.after).ok_or(Error::Locked)?;
            let request = Request {
                query: Some(("after", after)),
                ..Request::new(Operation::History, Auth::Session, Class::Screen)
            };
            let page: HistoryPage = self.link.call(request, &()).await?;
            let more = page.more && !page.entries.is_empty();
            self.cache_entries(page.entries).await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Puts entries into the cache, then their anchor into the journal: a crash between the two is found at the next open.
    pub(crate) async fn cache_entries(self: &Arc<Self>, entries: Vec<HistoryEntry>) -> Result<(), Error> {
        let Some(last) = entries.iter().map(|entry| entry.number).max() else { return Ok(()) };
        let inner = Arc::clone(self);
        self.blocking(move || {
            let mut records = Vec::with_capacity(entries.len());
            for entry in &entries {
                let value = postcard::to_stdvec(entry).map_err(|_| Error::Bug("an entry does not encode"))?;
                records.push((entry.number.to_be_bytes().to_vec(), value));
            }
            let mut anchor = None;
            inner.with_cache(|cache| {
                anchor = Some(cache.put_batch(TREE, &records)?.to_bytes());
                Ok(())
            })?;
            inner.commit_now(move |state| {
                state.history.after = state.history.after.max(last);
                state.history.anchor = anchor;
            })
        })
        .await
    }
}
