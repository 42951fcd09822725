//! The journal's one door to files. Two ways through it: [`FolderDisk`] in every product, `MemoryDisk` (feature
//! `doubles`) in crash tests, which loses what was not synchronised.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::VaultError;

/// A folder of files, as the journal needs it.
///
/// Nothing is durable until it is synchronised: bytes by [`sync`](Self::sync), names by [`sync_folder`](Self::sync_folder).
/// Every operation fails as the operating system says, and then may have happened in part.
pub trait Disk: Send + Sync {
    /// The file's bytes, `None` if there is no such file. Of a file longer than `most` bytes, the first `most` + 1.
    fn read(&self, name: &str, most: u64) -> io::Result<Option<Vec<u8>>>;
    /// Makes or empties the file, then writes.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Writes at the end of an existing file.
    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Returns when the file's bytes and length are on the medium.
    fn sync(&self, name: &str) -> io::Result<()>;
    /// Gives a file another's name, replacing that one, all or nothing.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file; an absent one is fine.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Removes a folder with everything in it; an absent one is fine.
    fn remove_folder(&self, name: &str) -> io::Result<()>;
    /// Returns when the folder's names are on the medium.
    fn sync_folder(&self) -> io::Result<()>;
}

/// A real folder, locked against other processes for as long as this value lives. The cache beside the journal stands
/// under the same lock.
pub struct FolderDisk {
    folder: PathBuf,
    /// The file written last, so that an append costs one write and one sync.
    handle: Mutex<Option<(String, File)>>,
    lock: File,
}

const LOCK_NAME: &str = "lock";

impl FolderDisk {
    /// Opens the folder, making it if need be, and locks it.
    ///
    /// # Errors
    /// [`VaultError::InUse`] when another process, or another value in this one, holds the lock.
    pub fn open(folder: &Path) -> Result<Self, VaultError> {
        let doing = VaultError::while_("opening the wallet's folder");
        fs::create_dir_all(folder).map_err(&doing)?;
        let lock = private(OpenOptions::new().create(true).truncate(false).write(true))
            .open(folder.join(LOCK_NAME))
            .map_err(&doing)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(VaultError::InUse),
            Err(TryLockError::Error(source)) => return Err(doing(source)),
        }
        Ok(Self { folder: folder.to_path_buf(), handle: Mutex::new(None), lock })
    }

    fn handle(&self) -> MutexGuard<'_, Option<(String, File)>> {
        self.handle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` on the kept handle, opening the file for appending if another one was kept.
    fn with(&self, name: &str, work: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
        let mut slot = self.handle();
        let file = match &mut *slot {
            Some((kept, file)) if kept == name => file,
            other => {
                let file = OpenOptions::new().append(true).open(self.folder.join(name))?;
                &mut other.insert((name.to_owned(), file)).1
            }
        };
        work(file)
    }
}

impl Drop for FolderDisk {
    /// Unlocks by name, not by closing: a process that is being started in another thread holds a copy of the descriptor for
    /// a moment, and the lock would outlive its owner for as long.
    fn drop(&mut self) {
        // An owner that ends has nobody to tell; closing the file is the second try.
        let _ = self.lock.unlock();
    }
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

impl Disk for FolderDisk {
    fn read(&self, name: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.folder.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut bytes = Vec::new();
        file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        // Emptied here, written through a handle that always writes at the end: no one handle can do both.
        private(OpenOptions::new().create(true).truncate(true).write(true)).open(self.folder.join(name))?;
        *self.handle() = None;
        self.append(name, bytes)
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.with(name, |file| file.write_all(bytes))
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.with(name, |file| file.sync_data())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        *self.handle() = None;
        fs::rename(self.folder.join(from), self.folder.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        *self.handle() = None;
        absent_is_fine(fs::remove_file(self.folder.join(name)))
    }

    fn remove_folder(&self, name: &str) -> io::Result<()> {
        absent_is_fine(fs::remove_dir_all(self.folder.join(name)))
    }

    fn sync_folder(&self) -> io::Result<()> {
        sync_folder(&self.folder)
    }
}

pub(crate) fn absent_is_fine(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Makes the names in a folder durable. Windows has no handle to a folder that could be synchronised; its file systems
/// journal names themselves.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_disk_reads_back_what_it_was_told() {
        let home = tempfile::tempdir().unwrap();
        let disk = FolderDisk::open(&home.path().join("wallet")).unwrap();
        assert_eq!(disk.read("a", 9).unwrap(), None);
        disk.write("a", b"one").unwrap();
        disk.append("a", b"two").unwrap();
        disk.sync("a").unwrap();
        assert_eq!(disk.read("a", 9).unwrap().unwrap(), b"onetwo");
        assert_eq!(disk.read("a", 2).unwrap().unwrap(), b"one");
        disk.append("a", b"!").unwrap();
        disk.write("b", b"other").unwrap();
        disk.rename("a", "b").unwrap();
        disk.append("b", b"?").unwrap();
        disk.sync_folder().unwrap();
        assert_eq!(disk.read("b", 9).unwrap().unwrap(), b"onetwo!?");
        disk.remove("b").unwrap();
        disk.remove("b").unwrap();
        assert!(disk.append("b", b"x").is_err());
        fs::create_dir_all(home.path().join("wallet/cache/deep")).unwrap();
        disk.remove_folder("cache").unwrap();
        disk.remove_folder("cache").unwrap();
        assert!(!home.path().join("wallet/cache").exists());
    }

    #[test]
    fn folder_opens_once() {
        let home = tempfile::tempdir().unwrap();
        let disk = FolderDisk::open(home.path()).unwrap();
        assert!(matches!(FolderDisk::open(home.path()).err(), Some(VaultError::InUse)));
        drop(disk);
        FolderDisk::open(home.path()).unwrap();
    }
}
