//! The cache: sealed records in sled, for what the issuer can send again. `saifu` (the wallet) opens it behind the first
//! screen and keeps its [`Anchor`]s in the journal.
//!
//! sled is fast and small, and careless about damage: of cut or flipped files it opens many as if nothing were missing.
//! So nothing it says is believed. At open every record is unsealed and counted, and each tree is compared with its
//! anchor; whatever does not hold sets the database aside, begins an empty one and is told as [`Opened::Rebuilt`], never as
//! an error and never as a shorter history. Records of batches that came after the anchor are kept: a crash between a
//! batch and the journal loses nothing. If such a batch had *replaced* records, the tree no longer matches and is rebuilt.
//!
//! A batch is not waited for: it is in the database at once and on the medium later, when [`Cache::anchor`] is asked for the
//! tree's anchor. There is no other way to one, so that the journal never speaks of what a crash can still take.
//!
//! There is no lock of its own: open it only while holding the [`FolderDisk`](crate::FolderDisk) of the same wallet.

mod anchor;
mod envelope;
mod sentinel;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use saifu_crypto::Secret;

use crate::VaultError;
pub use anchor::Anchor;
use anchor::Totals;
use envelope::{Place, Sealer};
use sentinel::Sentinel;
use store::Store;

/// The folder of the cache, beside the journal.
pub const FOLDER: &str = "cache";
/// A value's greatest length, bytes: sled's pages grow with it.
pub const MAX_VALUE: usize = 16 * 1024;
/// A key's greatest length, bytes.
pub const MAX_KEY: usize = 256;
/// A tree name's greatest length, bytes of lower-case letters, digits and hyphens.
const MAX_NAME: usize = 32;
/// Files larger than so many times the live bytes are written anew.
const BLOAT: u64 = 6;
/// Below this size on disk, sled's fixed cost is all there is to see.
const BLOAT_FLOOR: u64 = 4 * 1024 * 1024;

/// How the cache was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// Everything the anchors speak of is there.
    Fine,
    /// It was set aside and is empty now: forget the anchors and fill it from the issuer.
    Rebuilt(Rebuild),
}

/// Why a cache was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebuild {
    /// The database could not be read.
    Unreadable,
    /// A record does not open under this key: damaged, or sealed before the vault key was changed.
    Sealed,
    /// A tree is not what was acknowledged.
    Differs {
        /// Its name.
        tree: String,
    },
    /// Three openings in a row never came back.
    NeverOpens,
}

/// What was put under a key.
pub struct Record {
    /// The key.
    pub key: Vec<u8>,
    /// What the value means, as it was put. A number that the caller does not know is the caller's business.
    pub schema: u16,
    /// The value.
    pub value: Secret,
}

/// An open cache.
pub struct Cache {
    sealer: Sealer,
    inner: Mutex<Inner>,
}

struct Inner {
    number: u64,
    store: Store,
    trees: BTreeMap<String, Tree>,
    /// A write failed: what the totals should be is unknown until the cache is opened again.
    broken: bool,
}

/// A tree that is not empty.
#[derive(Default)]
struct Tree {
    totals: Totals,
    /// Every key: what a scan goes along. sled's own way from the end of a tree costs a library a megabyte, the constant
    /// that it looks for the last key by; and a record that is suddenly not there is noticed.
    keys: BTreeSet<Vec<u8>>,
}

impl Cache {
    /// Opens the cache in `folder`, making it if need be, and compares it with the anchors. `key` is 32 bytes from
    /// [`Journal::derive`](crate::Journal::derive).
    ///
    /// # Errors
    /// [`VaultError::Io`] when the machine, not the cache, is at fault; [`InUse`](VaultError::InUse).
    pub fn open(folder: &Path, key: &Secret, anchors: &[Anchor]) -> Result<(Self, Opened), VaultError> {
        let doing = VaultError::while_("opening the cache");
        std::fs::create_dir_all(folder).map_err(&doing)?;
        let sentinel = Sentinel::new(folder);
        let sealer = Sealer::new(key);
        let number = store::numbers(folder).map_err(&doing)?.last().copied().unwrap_or(0);
        let unfinished = sentinel.unfinished().map_err(&doing)?;

        let outcome = if unfinished >= sentinel::PATIENCE {
            Ok(Err(Rebuild::NeverOpens))
        } else {
            let begun = sentinel.begin(unfinished).map_err(&doing);
            begun.and_then(|()| inspect(folder, number, &sealer, anchors))
        };
        let opened = outcome.and_then(|found| match found {
            Ok(inner) => Ok((inner, Opened::Fine)),
            Err(why) => Ok((begin_anew(folder, number)?, Opened::Rebuilt(why))),
        });
        // Also when it failed: it came back.
        sentinel.end().map_err(&doing)?;
        let (inner, opened) = opened?;
        Ok((Self { sealer, inner: Mutex::new(inner) }, opened))
    }

    /// Puts records, replacing those of the same keys, all or none; of two with one key the later one counts, and one that
    /// is there already is left alone. They are read back at once, but on the medium only after the next
    /// [`anchor`](Self::anchor) of the tree: a crash before takes the whole batch, or leaves it.
    ///
    /// # Errors
    /// [`VaultError::BadName`], [`TooLarge`](VaultError::TooLarge): nothing happened. [`CacheDamaged`](VaultError::CacheDamaged),
    /// [`Io`](VaultError::Io), and from then on [`Broken`](VaultError::Broken): open the cache again.
    pub fn put_batch<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        tree: &str,
        schema: u16,
        entries: &[(K, V)],
    ) -> Result<(), VaultError> {
        check_name(tree)?;
        let mut values = BTreeMap::new();
        for (key, value) in entries {
            let (key, value) = (key.as_ref(), value.as_ref());
            check_key(key)?;
            if value.len() > MAX_VALUE {
                return Err(VaultError::TooLarge { len: value.len(), most: MAX_VALUE });
            }
            values.insert(key, value);
        }
        let mut inner = self.usable()?;
        let mut totals = inner.trees.get(tree).map(|tree| tree.totals.clone()).unwrap_or_default();
        totals.last_sequence = totals.last_sequence.saturating_add(1);
        let (mut batch, mut keys) = (sled::Batch::default(), Vec::new());
        for (key, value) in values {
            let place = Place { tree, key };
            if let Some(old) = inner.store.with(|db| db.open_tree(tree)?.get(key))? {
                let known = self.sealer.open(place, &old);
                if known.is_some_and(|(known, _, old)| known == schema && old.expose() == value) {
                    continue;
                }
                totals.remove(key, &old, &self.sealer.mark(place, &old));
            }
            let record = self.sealer.seal(place, schema, totals.last_sequence, value)?;
            totals.add(key, &record, &self.sealer.mark(place, &record));
            batch.insert(key, record);
            keys.push(key.to_vec());
        }
        if keys.is_empty() {
            return Ok(());
        }
        inner.broken = true;
        inner.store.with(|db| db.open_tree(tree)?.apply_batch(batch))?;
        inner.broken = false;
        let known = inner.trees.entry(tree.to_owned()).or_default();
        known.totals = totals;
        known.keys.extend(keys);
        Ok(())
    }

    /// Puts everything on the medium, and gives what the journal is to remember of this tree in place of its anchor before.
    ///
    /// # Errors
    /// As [`put_batch`](Self::put_batch).
    pub fn anchor(&self, tree: &str) -> Result<Anchor, VaultError> {
        check_name(tree)?;
        let mut inner = self.usable()?;
        inner.broken = true;
        inner.store.flush()?;
        inner.broken = false;
        Ok(inner.trees.get(tree).map(|tree| tree.totals.clone()).unwrap_or_default().anchor(tree))
    }

    /// The `limit` records with the highest keys, highest first: the newest, if keys rise with time.
    ///
    /// # Errors
    /// [`VaultError::CacheDamaged`]: open the cache again; [`Broken`](VaultError::Broken).
    pub fn newest(&self, tree: &str, limit: usize) -> Result<Vec<Record>, VaultError> {
        let inner = self.usable()?;
        let Some(known) = inner.trees.get(tree) else { return Ok(Vec::new()) };
        let rows = inner.store.with(|db| db.open_tree(tree))?;
        let record = |key: &Vec<u8>| {
            let record = inner.store.with(|_| rows.get(key))?;
            let record = record.ok_or(VaultError::CacheDamaged { what: "a record is gone" })?;
            let opened = self.sealer.open(Place { tree, key }, &record);
            let (schema, _, value) = opened.ok_or(VaultError::CacheDamaged { what: "a record does not open" })?;
            Ok(Record { key: key.clone(), schema, value })
        };
        known.keys.iter().rev().take(limit).map(record).collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn usable(&self) -> Result<MutexGuard<'_, Inner>, VaultError> {
        let inner = self.inner();
        if inner.broken { Err(VaultError::Broken) } else { Ok(inner) }
    }
}

impl Inner {
    fn is_bloated(&self) -> Result<bool, VaultError> {
        let live = self.trees.values().fold(0_u64, |sum, tree| sum.saturating_add(tree.totals.live_bytes));
        let on_disk = self.store.with(|db| db.size_on_disk())?;
        Ok(on_disk > BLOAT_FLOOR && on_disk > live.saturating_mul(BLOAT))
    }
}

/// Opens a database and holds it against the anchors. The outer error is the machine's, the inner one the database's.
fn inspect(
    home: &Path,
    number: u64,
    sealer: &Sealer,
    anchors: &[Anchor],
) -> Result<Result<Inner, Rebuild>, VaultError> {
    let looked = Store::open(&store::path(home, number)).and_then(|store| {
        let trees = take_stock(&store, sealer, anchors)?;
        Ok(trees.map(|trees| Inner { number, store, trees, broken: false }))
    });
    match looked {
        Ok(Ok(inner)) if inner.is_bloated().unwrap_or(false) => rewritten(home, inner).map(Ok),
        Err(VaultError::CacheDamaged { .. }) => Ok(Err(Rebuild::Unreadable)),
        other => other,
    }
}

/// Unseals and sums up every record, and compares with the anchors.
fn take_stock(
    store: &Store,
    sealer: &Sealer,
    anchors: &[Anchor],
) -> Result<Result<BTreeMap<String, Tree>, Rebuild>, VaultError> {
    let names = store.with(|db| Ok(db.tree_names()))?;
    let mut trees = BTreeMap::new();
    // What there was up to each anchor; a tree that is missing altogether sums up to nothing.
    let mut anchored: BTreeMap<&str, Totals> = BTreeMap::new();
    for name in names {
        let Ok(name) = std::str::from_utf8(&name) else { return Ok(Err(Rebuild::Unreadable)) };
        let anchor = anchors.iter().find(|anchor| anchor.tree == name);
        let (mut all, mut acknowledged) = (Tree::default(), Totals::default());
        let records = store.with(|db| Ok(db.open_tree(name)?.iter()))?;
        let mut records = records;
        while let Some((key, record)) = store.with(|_| records.next().transpose())? {
            let place = Place { tree: name, key: &key };
            let Some((_, sequence, _)) = sealer.open(place, &record) else { return Ok(Err(Rebuild::Sealed)) };
            let mark = sealer.mark(place, &record);
            all.totals.add(&key, &record, &mark);
            all.totals.last_sequence = all.totals.last_sequence.max(sequence);
            all.keys.insert(key.to_vec());
            if anchor.is_some_and(|anchor| sequence <= anchor.last_sequence) {
                acknowledged.add(&key, &record, &mark);
                acknowledged.last_sequence = acknowledged.last_sequence.max(sequence);
            }
        }
        if let Some(anchor) = anchor {
            anchored.insert(&anchor.tree, acknowledged);
        }
        if all.totals.count > 0 {
            trees.insert(name.to_owned(), all);
        }
    }
    for anchor in anchors {
        let found = anchored.remove(anchor.tree.as_str()).unwrap_or_default();
        if found.anchor(&anchor.tree) != *anchor {
            return Ok(Err(Rebuild::Differs { tree: anchor.tree.clone() }));
        }
    }
    Ok(Ok(trees))
}

/// An empty database of the next number. The one before stays, set aside; any older ones go.
fn begin_anew(home: &Path, number: u64) -> Result<Inner, VaultError> {
    for older in store::numbers(home).map_err(VaultError::while_("clearing the cache"))? {
        if older != number {
            store::remove(&store::path(home, older)).map_err(VaultError::while_("clearing the cache"))?;
        }
    }
    let number = number.saturating_add(1);
    let store = Store::open(&store::path(home, number))?;
    crate::disk::sync_folder(home).map_err(VaultError::while_("opening the cache"))?;
    Ok(Inner { number, store, trees: BTreeMap::new(), broken: false })
}

/// The same records in a database of the next number, without what sled has not given back. A crash on the way leaves
/// one that does not match its anchors, and so is rebuilt.
fn rewritten(home: &Path, old: Inner) -> Result<Inner, VaultError> {
    let new = begin_anew(home, old.number)?;
    for name in old.trees.keys() {
        let mut records = old.store.with(|db| Ok(db.open_tree(name)?.iter()))?;
        while let Some((key, record)) = old.store.with(|_| records.next().transpose())? {
            new.store.with(|db| db.open_tree(name)?.insert(key, record))?;
        }
    }
    new.store.flush()?;
    let (number, trees) = (old.number, old.trees);
    drop(old.store);
    store::remove(&store::path(home, number)).map_err(VaultError::while_("clearing the cache"))?;
    Ok(Inner { trees, ..new })
}

fn check_name(tree: &str) -> Result<(), VaultError> {
    let fits = (1..=MAX_NAME).contains(&tree.len());
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if fits && tree.bytes().all(allowed) {
        Ok(())
    } else {
        Err(VaultError::BadName { what: "a tree is named by 1 to 32 lower-case letters, digits and hyphens" })
    }
}

fn check_key(key: &[u8]) -> Result<(), VaultError> {
    if (1..=MAX_KEY).contains(&key.len()) {
        Ok(())
    } else {
        Err(VaultError::BadName { what: "a key has 1 to 256 bytes" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_that_sled_loses_while_it_is_open_is_damage() {
        let home = tempfile::tempdir().unwrap();
        let (cache, _) = Cache::open(home.path(), &Secret::new(vec![1; 32]), &[]).unwrap();
        cache.put_batch("history", 1, &[("a", "one"), ("b", "two")]).unwrap();
        cache.inner().store.with(|db| db.open_tree("history")?.remove("a")).unwrap();
        assert_eq!(cache.newest("history", 1).unwrap().len(), 1);
        assert!(matches!(cache.newest("history", 2), Err(VaultError::CacheDamaged { .. })));
    }
}
