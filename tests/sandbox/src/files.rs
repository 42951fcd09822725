//! What lies in the sandbox's DATA folder, and who may touch it.
//!
//! | File | What |
//! | --- | --- |
//! | `lock` | locked for as long as a sandbox uses the folder; the operating system unlocks it when the process dies |
//! | `replacing.json` | a reset or a restore was begun, and is finished by whoever takes the folder next |
//! | `running` | locked from when a forerunner's `sandbox.json` is gone: says that the one that is there is true |
//! | `format.json` | the layout's number, and how often a sandbox started here |
//! | `issuer-keys.json` | every private key and the rules' secret: outside the database, so that a copy of that forges nothing |
//! | `issuer.db` | accounts and ledger |
//! | `commands.jsonl` | what was done by hand, for `saifu scenario record`: the command writes it, a reset or a restore takes it away |
//! | `clock.json` | the offset of the issuer's clock ([`ClockFile`](crate::ClockFile)) |
//! | `sandbox.json` | how to reach the running sandbox ([`SandboxInfo`](crate::SandboxInfo)) |
//!
//! Each JSON file is replaced in one step (written beside, flushed, renamed), so a kill leaves the old or the new one. All
//! are readable by their owner only.

mod info;
mod keys;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::rules::Secrets;

pub use info::{InfoError, PhoneUrls, SandboxInfo, TerminalInfo};
pub(crate) use keys::{EMULATOR, Keys, TerminalKey, Tls};

/// The number of this layout; a folder or `sandbox.json` with another one is refused.
pub const FORMAT: u32 = 1;

/// The name of [`SandboxInfo`]'s file.
pub(crate) const INFO: &str = "sandbox.json";
/// The file whose lock says that [`INFO`] is true.
const RUNNING: &str = "running";
/// The name of the database's file.
pub(crate) const DATABASE: &str = "issuer.db";
/// What a sandbox is when it is stopped; the database last, so that a restore that is cut short leaves no accounts.
pub(crate) const STATE: [&str; 4] = ["issuer-keys.json", "format.json", "clock.json", DATABASE];
/// What the workbench writes down of what was done here.
pub const COMMANDS: &str = "commands.jsonl";
/// What a reset takes away; the key file last, because a database without keys is refused.
const KEPT: [&str; 7] =
    [COMMANDS, "format.json", "clock.json", DATABASE, "issuer.db-wal", "issuer.db-shm", "issuer-keys.json"];

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct FileError {
    /// Which file.
    pub path: PathBuf,
    /// What happened.
    #[source]
    pub source: io::Error,
}

impl FileError {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { path, source }
    }
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process runs a sandbox here.
    #[error("another sandbox is running in {}", .0.display())]
    InUse(PathBuf),
    /// Another version's layout.
    #[error("{} has format {found}, this version reads {FORMAT}; start with --reset to begin anew", path.display())]
    Format {
        /// The folder.
        path: PathBuf,
        /// Its number.
        found: u32,
    },
    /// There are accounts and no keys: what was made with the lost keys would be dead.
    #[error("{} has a database and no issuer-keys.json; start with --reset to begin anew", .0.display())]
    KeysLost(PathBuf),
    /// A key is not what it should be.
    #[error("{}: {what}", path.display())]
    BadKeys {
        /// The key file.
        path: PathBuf,
        /// Which key.
        what: &'static str,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

#[derive(serde::Serialize, serde::Deserialize)]
struct FormatFile {
    format: u32,
    starts: u64,
    /// What chance was drawn from, if a seed was ever named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

/// Says that what is kept here goes, and whether the files beside it come in its place. It is written when they are all there, and
/// goes last: whoever takes the folder after a kill in between finishes what was begun.
const REPLACING: &str = "replacing.json";

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Replacing {
    Reset,
    Restore,
}

/// A DATA folder, held by this process and otherwise as it was.
pub(crate) struct Held {
    path: PathBuf,
    locks: [File; 2],
}

impl Held {
    /// Takes the folder, and makes it where there is none.
    pub(crate) fn new(path: &Path) -> Result<Self, FolderError> {
        make_private_dir(path).map_err(FileError::at(path))?;
        let lock = locked(path, "lock")?;
        // Whoever wrote it is gone, or the lock would be held.
        remove(&path.join(INFO))?;
        let running = locked(path, RUNNING)?;
        finish(path)?;
        Ok(Self { path: path.to_owned(), locks: [lock, running] })
    }

    /// Begins to use it. `reset` empties it of everything that a sandbox keeps there, so call this when nothing else can fail.
    pub(crate) fn begin(self, reset: bool) -> Result<Folder, FolderError> {
        if reset {
            write_json(&self.path.join(REPLACING), &Replacing::Reset)?;
            finish(&self.path)?;
        }
        Folder::begun(self)
    }
}

/// A DATA folder, held and used by this process.
pub(crate) struct Folder {
    path: PathBuf,
    /// How often a sandbox started here, this time included.
    pub(crate) starts: u64,
    kept_seed: Option<u64>,
    _locks: [File; 2],
}

impl Folder {
    #[cfg(test)]
    pub(crate) fn open(path: &Path, reset: bool) -> Result<Self, FolderError> {
        Held::new(path)?.begin(reset)
    }

    fn begun(Held { path, locks }: Held) -> Result<Self, FolderError> {
        let format_file = path.join("format.json");
        let format =
            read_json::<FormatFile>(&format_file)?.unwrap_or(FormatFile { format: FORMAT, starts: 0, seed: None });
        if format.format != FORMAT {
            return Err(FolderError::Format { path, found: format.format });
        }
        let starts = format.starts.saturating_add(1);
        write_json(&format_file, &FormatFile { starts, ..format })?;
        Ok(Self { path, starts, kept_seed: format.seed, _locks: locks })
    }

    /// The seed of this start: the one named, which is kept, else the one kept before.
    pub(crate) fn seed(&self, named: Option<u64>) -> Result<Option<u64>, FolderError> {
        let seed = named.or(self.kept_seed);
        if seed != self.kept_seed {
            write_json(&self.file("format.json"), &FormatFile { format: FORMAT, starts: self.starts, seed })?;
        }
        Ok(seed)
    }

    /// The seed that chance is drawn from, if there is one.
    pub(crate) fn current_seed(&self) -> Result<Option<u64>, FileError> {
        Ok(read_json::<FormatFile>(&self.file("format.json"))?.and_then(|format| format.seed))
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The keys; made at the first start.
    pub(crate) fn keys(&self, host: Option<IpAddr>) -> Result<(Keys, Secrets), FolderError> {
        let path = self.file("issuer-keys.json");
        if !path.exists() && self.file(DATABASE).exists() {
            return Err(FolderError::KeysLost(self.path.clone()));
        }
        Keys::open(&path, host)
    }
}

/// Puts these files, all of [`STATE`], in place of what a stopped sandbox keeps in the folder.
pub(crate) fn replace(path: &Path, files: &BTreeMap<&'static str, Vec<u8>>) -> Result<(), FolderError> {
    let _held = Held::new(path)?;
    for (name, bytes) in files {
        let file = beside(path, name);
        let write = || {
            let mut file = private(OpenOptions::new().create(true).truncate(true).write(true)).open(&file)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(FileError::at(&file))?;
    }
    write_json(&path.join(REPLACING), &Replacing::Restore)?;
    Ok(finish(path)?)
}

/// Makes sure, before anything is touched, that no sandbox runs in the folder and that it can be written to.
///
/// # Errors
/// [`FolderError`].
pub fn is_free(path: &Path) -> Result<(), FolderError> {
    Held::new(path).map(drop)
}

fn beside(path: &Path, name: &str) -> PathBuf {
    path.join(format!("{name}.restored"))
}

/// Finishes a reset or a restore that was begun, if one was. Fine to repeat.
fn finish(path: &Path) -> Result<(), FileError> {
    let marker = path.join(REPLACING);
    let Some(replacing) = read_json::<Replacing>(&marker)? else { return Ok(()) };
    for name in KEPT {
        // What has a new one beside it is replaced in one step, below.
        let stays = replacing == Replacing::Restore && STATE.contains(&name);
        if !stays {
            remove(&path.join(name))?;
        }
    }
    for name in STATE {
        let (new, name) = (beside(path, name), path.join(name));
        match std::fs::rename(&new, &name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(FileError::at(&name)(error)),
            _ => {}
        }
    }
    if cfg!(unix) {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(FileError::at(path))?;
    }
    remove(&marker)
}

fn remove(path: &Path) -> Result<(), FileError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::at(path)(error)),
        _ => Ok(()),
    }
}

fn locked(folder: &Path, name: &str) -> Result<File, FolderError> {
    let path = folder.join(name);
    let failed = |source| FileError::at(&path)(source);
    let file = private(OpenOptions::new().create(true).truncate(false).write(true)).open(&path).map_err(failed)?;
    // One that is being stopped holds it for a moment still, and so does whoever asks whether one runs.
    for _ in 0..100 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            Err(TryLockError::Error(source)) => return Err(FileError::at(&path)(source).into()),
        }
    }
    Err(FolderError::InUse(folder.to_owned()))
}

/// Reads a JSON file; `None` where there is none.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, FileError> {
    // A pipe in its place would be waited for without an end.
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(FileError::at(path)(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file")));
    }
    let text = match std::fs::read(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::at(path)(error)),
    };
    // The error's own text may quote the file, and the file may be a key.
    let malformed = |error: serde_json::Error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("not what belongs there, line {}", error.line()))
    };
    serde_json::from_slice(&text).map(Some).map_err(malformed).map_err(FileError::at(path))
}

/// Replaces a JSON file in one step.
pub(crate) fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> Result<(), FileError> {
    let write = || {
        let mut text = Zeroizing::new(serde_json::to_vec_pretty(value).map_err(io::Error::other)?);
        text.push(b'\n');
        let beside = path.with_extension("json.new");
        let mut file = private(OpenOptions::new().create(true).truncate(true).write(true)).open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        match path.parent() {
            Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    };
    write().map_err(FileError::at(path))
}

fn make_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_use_is_refused_until_its_holder_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let first = Folder::open(folder.path(), false).unwrap();
        assert!(matches!(Folder::open(folder.path(), false), Err(FolderError::InUse(_))));
        drop(first);
        assert_eq!(Folder::open(folder.path(), false).unwrap().starts, 2);
    }

    #[test]
    fn a_seed_that_was_named_is_used_again_until_another_is() {
        let folder = tempfile::tempdir().unwrap();
        let seed = |named, reset| Folder::open(folder.path(), reset).unwrap().seed(named).unwrap();
        assert_eq!([seed(None, false), seed(Some(7), false), seed(None, false)], [None, Some(7), Some(7)]);
        assert_eq!([seed(Some(8), false), seed(None, false), seed(None, true)], [Some(8), Some(8), None]);
    }

    #[test]
    fn reset_begins_anew_and_leaves_other_files_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("format.json"), r#"{"format":99,"starts":1}"#).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        let opened = Folder::open(folder.path(), true).unwrap();
        assert_eq!(opened.starts, 1);
        assert!(folder.path().join("notes.txt").exists());
    }

    /// Control: with the marker gone first, a folder that was half emptied stays so.
    #[test]
    fn a_reset_or_restore_that_was_killed_is_finished_by_whoever_comes_next() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        drop(Folder::open(folder.path(), false).unwrap());
        for name in KEPT {
            std::fs::write(at(name), "old").unwrap();
        }
        // Killed after the marker and the first file.
        write_json(&at(REPLACING), &Replacing::Restore).unwrap();
        std::fs::remove_file(at("issuer.db-wal")).unwrap();
        for name in STATE {
            let text = if name == "format.json" { r#"{"format":1,"starts":7}"# } else { "new" };
            std::fs::write(at(&format!("{name}.restored")), text).unwrap();
        }
        std::fs::rename(at("clock.json.restored"), at("clock.json")).unwrap();
        assert_eq!(Folder::open(folder.path(), false).unwrap().starts, 8);
        assert!(STATE.iter().all(|name| *name == "format.json" || std::fs::read(at(name)).unwrap() == b"new"));
        assert!(!at("issuer.db-shm").exists() && !at(REPLACING).exists());

        write_json(&at(REPLACING), &Replacing::Reset).unwrap();
        std::fs::remove_file(at(DATABASE)).unwrap();
        assert_eq!(Folder::open(folder.path(), false).unwrap().starts, 1);
        assert!(!at("issuer-keys.json").exists());
    }

    #[test]
    fn a_folder_of_another_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("format.json"), r#"{"format":99,"starts":1}"#).unwrap();
        assert!(matches!(Folder::open(folder.path(), false), Err(FolderError::Format { found: 99, .. })));
    }

    #[test]
    fn keys_are_kept_are_private_and_are_never_made_anew_beside_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Folder::open(folder.path(), false).unwrap();
        let ((first, _), (second, _)) = (opened.keys(None).unwrap(), opened.keys(None).unwrap());
        assert_eq!((first.api.pins, first.origin.pins), (second.api.pins, second.origin.pins));
        assert_eq!(first.service.public_key(), second.service.public_key());
        let path = folder.path().join("issuer-keys.json");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::write(opened.file(DATABASE), "").unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(opened.keys(None), Err(FolderError::KeysLost(_))));
    }

    #[test]
    fn keys_of_before_the_origin_had_its_own_get_them_and_keep_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Folder::open(folder.path(), false).unwrap();
        let (first, _) = opened.keys(None).unwrap();
        assert!(first.origin.pins.iter().all(|pin| !first.api.pins.contains(pin)));
        let path = folder.path().join("issuer-keys.json");
        let mut file: serde_json::Value = read_json(&path).unwrap().unwrap();
        file.as_object_mut().unwrap().remove("origin").unwrap();
        write_json(&path, &file).unwrap();
        let ((second, _), (third, _)) = (opened.keys(None).unwrap(), opened.keys(None).unwrap());
        assert_eq!((second.api.pins, &second.ca_pem), (first.api.pins, &first.ca_pem));
        assert!(second.origin.pins != first.origin.pins && second.origin.pins == third.origin.pins);
    }

    #[test]
    fn what_a_kill_left_beside_a_file_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("format.json");
        std::fs::write(folder.path().join("format.json.new"), "{\"for").unwrap();
        write_json(&path, &FormatFile { format: FORMAT, starts: 1, seed: None }).unwrap();
        assert_eq!(read_json::<FormatFile>(&path).unwrap().unwrap().starts, 1);
    }

    #[test]
    fn error_about_a_damaged_file_quotes_none_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        std::fs::write(&path, r#"{"format":"secret","starts":1}"#).unwrap();
        let error = read_json::<FormatFile>(&path).err().unwrap().to_string();
        assert!(error.contains("x.json") && !error.contains("secret"), "{error}");
    }
}
