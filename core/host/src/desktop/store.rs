//! Where a desktop's keys rest: one entry of the operating system's keyring, or one file that only its owner can read.
//! Loads and updates are whole: the file is replaced atomically, the entry is one value.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::format;
use crate::KeyError;
use crate::software::{Material, MaterialStore};

const FILE_NAME: &str = "keys.json";
const TEMPORARY_NAME: &str = "keys.json.new";
const LOCK_NAME: &str = "keys.lock";
const SERVICE: &str = "saifu";
/// No key store of ours is near this size; a larger one is not read into memory.
const MAX_BYTES: u64 = 64 * 1024;
/// How long [`keyring_answers`] waits.
const PROBE: Duration = Duration::from_secs(2);
/// How long a keyring may take: its own dialogue may be asking the owner for the keyring's password.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the keys of a desktop wallet are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStore {
    /// The keyring of the operating system: Secret Service, Keychain or Credential Manager.
    Keyring,
    /// A file in the wallet's folder, readable by its owner alone. Use this where no keyring answers.
    File,
}

/// Why a desktop's keys could not be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or the file in it cannot be read or written.
    #[error("{path}: {source}; check that the folder exists and belongs to you", path = path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Others may read the file, so its keys may have been copied.
    #[error("{path} can be read by others; run `chmod 600` on it, and replace this device if others use the machine", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The store holds something that is not our keys.
    #[error(
        "the keys in {place} are damaged: {why}; restore that entry from where it was changed, or move it away and recover the account"
    )]
    Damaged {
        /// The file, or the keyring's entry.
        place: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The keyring is absent, locked or did not answer in time.
    #[error("the operating system's keyring does not answer; unlock it, or choose the file key store")]
    NoKeyring,
}

/// A wallet's place for keys.
pub(super) struct Place {
    folder: PathBuf,
    store: KeyStore,
}

impl Place {
    pub(super) fn new(folder: &Path, store: KeyStore) -> Result<Self, OpenError> {
        create_private_folder(folder).map_err(at(folder))?;
        let folder = folder.canonicalize().map_err(at(folder))?;
        Ok(Self { folder, store })
    }

    /// The keys as stored; none of them when nothing is stored yet.
    pub(super) fn read(&self) -> Result<Material, OpenError> {
        let (bytes, place) = match self.store {
            KeyStore::File => {
                let path = self.folder.join(FILE_NAME);
                (read_private(&path)?, path.display().to_string())
            }
            KeyStore::Keyring => {
                let user = self.user();
                let place = format!("the keyring's entry {SERVICE}, {user}");
                (bounded(PATIENCE, move || read_entry(&user)).ok_or(OpenError::NoKeyring)??, place)
            }
        };
        let Some(bytes) = bytes else { return Ok(Material::default()) };
        format::decode(&bytes).map_err(|why| OpenError::Damaged { place, why })
    }

    fn write(&self, material: &Material) -> Result<(), OpenError> {
        let bytes = format::encode(material);
        match self.store {
            KeyStore::File => self.replace_file(&bytes).map_err(at(&self.folder.join(FILE_NAME))),
            KeyStore::Keyring => {
                let user = self.user();
                bounded(PATIENCE, move || entry(&user)?.set_secret(&bytes).map_err(|_| OpenError::NoKeyring))
                    .ok_or(OpenError::NoKeyring)?
            }
        }
    }

    fn user(&self) -> String {
        self.folder.to_string_lossy().into_owned()
    }

    /// The new file is complete and on the disk before it takes the old one's name.
    fn replace_file(&self, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.folder.join(TEMPORARY_NAME);
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, self.folder.join(FILE_NAME))?;
        // Windows has no handle to a folder that could be synchronised.
        if cfg!(unix) { File::open(&self.folder)?.sync_all() } else { Ok(()) }
    }

    fn locked_update(
        &self,
        change: &mut dyn FnMut(&mut Material) -> Result<(), KeyError>,
    ) -> Result<Result<(), KeyError>, OpenError> {
        let path = self.folder.join(LOCK_NAME);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(at(&path))?;
        lock.lock().map_err(at(&path))?;
        let mut material = self.read()?;
        if let Err(refusal) = change(&mut material) {
            return Ok(Err(refusal));
        }
        self.write(&material).map(Ok)
    }
}

impl MaterialStore for Place {
    fn load(&self) -> Result<Material, KeyError> {
        self.read().map_err(|error| temporary(&error))
    }

    fn update(&self, change: &mut dyn FnMut(&mut Material) -> Result<(), KeyError>) -> Result<(), KeyError> {
        self.locked_update(change).map_err(|error| temporary(&error))?
    }
}

/// A store that fails after it was opened says nothing lasting about the keys, so nothing may be wiped for it. The
/// message names a folder of the user's, hence only in the debug log.
fn temporary(error: &OpenError) -> KeyError {
    tracing::debug!(%error, "the key store failed");
    KeyError::Temporary
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_path_buf();
    move |source| OpenError::Io { path, source }
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn read_private(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, OpenError> {
    // A pipe in its place would be waited for without an end.
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(OpenError::Damaged { place: path.display().to_string(), why: "it is no plain file" });
    }
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(at(path))?,
    };
    let about = file.metadata().map_err(at(path))?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0 {
        return Err(OpenError::Exposed { path: path.to_path_buf() });
    }
    if about.len() > MAX_BYTES {
        return Err(OpenError::Damaged { place: path.display().to_string(), why: "it is too large" });
    }
    // Room for the whole file, so that the buffer never moves and leaves an unwiped copy.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0).saturating_add(1)));
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(at(path))?;
    Ok(Some(bytes))
}

fn entry(user: &str) -> Result<keyring::Entry, OpenError> {
    keyring::Entry::new(SERVICE, user).map_err(|_| OpenError::NoKeyring)
}

fn read_entry(user: &str) -> Result<Option<Zeroizing<Vec<u8>>>, OpenError> {
    match entry(user)?.get_secret() {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(_) => Err(OpenError::NoKeyring),
    }
}

/// Whether a keyring answers within two seconds. It asks for an entry that does not exist, so nothing is unlocked and
/// nobody is prompted; a keyring that answers may still be locked, and then prompts when the keys are stored.
#[must_use]
pub fn keyring_answers() -> bool {
    bounded(PROBE, || read_entry("is anybody there?")).is_some_and(|answer| answer.is_ok())
}

/// A keyring is another program, and D-Bus may wait for it without end. The work left behind ends with the process.
fn bounded<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (answer, answered) = mpsc::sync_channel(1);
    let worker = std::thread::Builder::new().name("keyring".into()).spawn(move || answer.send(work()));
    worker.ok()?;
    answered.recv_timeout(limit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_hangs_is_given_up() {
        let (hold, held) = mpsc::channel::<()>();
        assert_eq!(bounded(Duration::from_millis(20), move || held.recv()), None);
        drop(hold);
        assert_eq!(bounded(PATIENCE, || 7), Some(7));
        assert_eq!(bounded(PATIENCE, || -> u8 { panic!("a store that panics") }), None);
    }
}
