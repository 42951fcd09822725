//! sled, kept at arm's length. It panics on damaged files, does not flush as told, and cannot be opened after some
//! crashes; everything it does happens in here, behind one guard.
//!
//! A database lives in a folder `store.N`; the highest N counts. A damaged one is left where it is, for a bug report,
//! until the next is damaged too.

use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::VaultError;
use crate::disk::{absent_is_fine, sync_folder};

const PREFIX: &str = "store.";
/// sled's default is 1 GiB.
const PAGE_CACHE: u64 = 4 * 1024 * 1024;
/// Fixed when a database is made.
const SEGMENT: usize = 64 * 1024;
/// Threads of a database closed just now may still hold sled's lock: so many looks, so far apart.
const LOCK_LOOKS: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// An open database.
pub(super) struct Store {
    /// Taken out for dropping, which may panic as everything in sled may.
    db: Option<sled::Db>,
    /// sled's own flush does not reach the medium on Linux; syncing its file does.
    file: File,
}

impl Store {
    pub(super) fn open(folder: &Path) -> Result<Self, VaultError> {
        sweep(folder).map_err(VaultError::while_("preparing the cache"))?;
        let db = open_database(folder)?;
        let opened = || -> io::Result<Self> {
            // The file is sled's; a second handle only to synchronise it. The folder, for a file that was just made.
            let file = File::options().write(true).open(folder.join("db"))?;
            sync_folder(folder)?;
            Ok(Self { db: Some(db), file })
        };
        opened().map_err(VaultError::while_("opening the cache"))
    }

    /// Runs `work` on the database; a panic in it is damage.
    pub(super) fn with<T>(&self, work: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, VaultError> {
        let db = self.db.as_ref().ok_or(VaultError::Broken)?;
        guarded(|| work(db))
    }

    /// Returns when everything put is on the medium.
    pub(super) fn flush(&self) -> Result<(), VaultError> {
        self.with(|db| db.flush())?;
        self.file.sync_data().map_err(VaultError::while_("writing the cache"))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let db = self.db.take();
        // Everything acknowledged was flushed; a database that cannot even be closed is looked at when it is opened.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
    }
}

fn guarded<T>(work: impl FnOnce() -> sled::Result<T>) -> Result<T, VaultError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(sled::Error::Io(source))) if is_the_machines(&source) => {
            Err(VaultError::Io { doing: "using the cache", source })
        }
        Ok(Err(_)) => Err(VaultError::CacheDamaged { what: "the database refuses its files" }),
        Err(_) => Err(VaultError::CacheDamaged { what: "the database panicked" }),
    }
}

/// Whether an error speaks of the machine and not of the files' contents: then a new database would not help.
fn is_the_machines(error: &io::Error) -> bool {
    use io::ErrorKind::{OutOfMemory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, ResourceBusy, StorageFull};
    let kinds = [OutOfMemory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, ResourceBusy, StorageFull];
    // ENFILE and EMFILE, too many open files, have no kind; they are the same on Linux, Android, macOS and iOS.
    kinds.contains(&error.kind()) || (cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24)))
}

fn open_database(folder: &Path) -> Result<sled::Db, VaultError> {
    let config = sled::Config::new()
        .path(folder)
        .cache_capacity(PAGE_CACHE)
        .segment_size(SEGMENT)
        .mode(sled::Mode::LowSpace)
        .flush_every_ms(None);
    for _ in 0..LOCK_LOOKS {
        let mut locked = false;
        let opened = guarded(|| {
            config.open().inspect_err(|error| locked = error.to_string().contains("could not acquire lock"))
        });
        if !locked {
            return opened;
        }
        std::thread::sleep(LOCK_PAUSE);
    }
    Err(VaultError::InUse)
}

/// Removes what a crash in the middle of opening leaves, after which sled would never open again.
fn sweep(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The databases there are, by rising number.
pub(super) fn numbers(home: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(home)? {
        let name = entry?.file_name();
        found.extend(name.to_string_lossy().strip_prefix(PREFIX).and_then(|number| number.parse::<u64>().ok()));
    }
    found.sort_unstable();
    Ok(found)
}

/// The folder of a database.
pub(super) fn path(home: &Path, number: u64) -> PathBuf {
    home.join(format!("{PREFIX}{number}"))
}

/// Removes a database; an absent one is fine.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    absent_is_fine(fs::remove_dir_all(folder))
}
