//! What rests on the device. The [`Journal`] is the truth: one small sealed file of whole states, in which every append
//! changes everything at once and is on the medium when it returns. The [`Cache`] is a sealed sled database for what the
//! issuer can send again (history, coupons, notices): damaged, it is set aside, and nobody loses anything but time.
//!
//! *Invariants.* The vault knows bytes, not messages. Nothing about money or identity rests in the cache. It never
//! reads a clock, and takes chance only from [`saifu_crypto::Random`]. No input makes it panic, and no crash leaves an older
//! state than the last acknowledged one. The bytes are described in `FORMAT.md`.
//!
//! ```
//! use std::sync::Arc;
//! use saifu_crypto::{Secret, SystemRandom};
//! use saifu_host::doubles::MemoryHost;
//! use saifu_vault::{CACHE_FOLDER, Cache, FolderDisk, Journal, Opened};
//!
//! let home = tempfile::tempdir()?;
//! let host = Arc::new(MemoryHost::new());
//! let random = Arc::new(SystemRandom);
//!
//! // A first start finds nothing; then one append, and the process ends.
//! let disk = Arc::new(FolderDisk::open(home.path())?);
//! let (mut journal, state) = Journal::open(disk, host.clone(), random.clone())?;
//! assert!(state.is_none());
//! journal.append(&Secret::copy_of(b"account 7, epoch 1"))?;
//!
//! // The cache beside it: its key comes from the vault key, its anchor belongs into the next state.
//! let (cache, _) = Cache::open(&home.path().join(CACHE_FOLDER), &journal.derive("cache")?, &[])?;
//! cache.put_batch("history", 1, &[("0001", "coffee, 480 yen"), ("0002", "rice, 2,980 yen")])?;
//! let anchor = cache.anchor("history")?;
//! drop((cache, journal));
//!
//! // The next start reads back.
//! let disk = Arc::new(FolderDisk::open(home.path())?);
//! let (journal, state) = Journal::open(disk, host, random)?;
//! assert_eq!(state.unwrap().expose(), b"account 7, epoch 1");
//! let (cache, opened) = Cache::open(&home.path().join(CACHE_FOLDER), &journal.derive("cache")?, &[anchor])?;
//! assert_eq!(opened, Opened::Fine);
//! let newest = cache.newest("history", 1)?;
//! assert_eq!((newest[0].schema, newest[0].value.expose()), (1, &b"rice, 2,980 yen"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cache;
mod disk;
#[cfg(feature = "doubles")]
pub mod doubles;
mod error;
mod journal;

pub use cache::{Anchor, Cache, FOLDER as CACHE_FOLDER, MAX_KEY, MAX_VALUE, Opened, Rebuild, Record};
pub use disk::{Disk, FolderDisk};
pub use error::VaultError;
pub use journal::{COMPACT_AT, FILE as JOURNAL_FILE, Journal, MAX_STATE};
