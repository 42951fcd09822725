//! The folder that holds everything: `wallets/NAME/` and `sandbox/`. A wallet's folder has the vault, the keys if they are
//! in a file, and `settings.json`: what was chosen at sign-up.

use std::path::{Path, PathBuf};

use crate::cli::{KeyStoreChoice, WalletName};
use crate::failure::{Failure, LocalCode};
use crate::files::{self, Readers};
use crate::peers::RememberedIssuer;

const FORMAT: u32 = 1;
/// Bytes of a wallet's settings at most.
const MOST_SETTINGS: u64 = 64 * 1024;
/// The number of the process that opened the wallet last.
const HOLDER: &str = "opened-by";

/// The home folder.
#[derive(Debug, Clone)]
pub(crate) struct Home(PathBuf);

impl Home {
    /// The one that was named, or the platform's data folder.
    pub(crate) fn new(named: Option<&Path>) -> Option<Self> {
        named.map(Path::to_owned).or_else(data_folder).map(Self)
    }

    /// The one at this path.
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn sandbox(&self) -> PathBuf {
        self.0.join("sandbox")
    }

    pub(crate) fn wallet(&self, name: &WalletName) -> WalletFolder {
        WalletFolder(self.wallets_folder().join(name.as_str()))
    }

    /// Where the wallets' folders lie.
    pub(crate) fn wallets_folder(&self) -> PathBuf {
        self.0.join("wallets")
    }

    /// The wallets that are here, in order, and what lies beside them and is none.
    pub(crate) fn wallets(&self) -> (Vec<WalletName>, Vec<PathBuf>) {
        let entries = std::fs::read_dir(self.wallets_folder()).into_iter().flatten().flatten();
        let (mut wallets, mut strays) = (Vec::new(), Vec::new());
        for path in entries.map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            match name.filter(|_| path.is_dir()) {
                Some(name) => wallets.push(name),
                None => strays.push(path),
            }
        }
        wallets.sort();
        strays.sort();
        (wallets, strays)
    }
}

fn data_folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if cfg!(windows) {
        return variable("LOCALAPPDATA").map(|folder| folder.join("saifu"));
    }
    if cfg!(target_os = "macos") {
        return variable("HOME").map(|home| home.join("Library/Application Support/saifu"));
    }
    // XDG Base Directory Specification: a relative value is to be ignored.
    variable("XDG_DATA_HOME")
        .filter(|folder| folder.is_absolute())
        .or_else(|| variable("HOME").map(|home| home.join(".local/share")))
        .map(|folder| folder.join("saifu"))
}

/// One wallet's folder.
#[derive(Debug, Clone)]
pub(crate) struct WalletFolder(PathBuf);

impl WalletFolder {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// One that does not lie where wallets do.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Remembers that the issuer's `sandbox.json` lies there now.
    pub(crate) fn move_issuer(&self, sandbox_file: &Path) -> Result<(), Failure> {
        let Some(settings) = self.settings()? else { return Ok(()) };
        self.keep_settings(&Settings { issuer: settings.issuer.moved_to(sandbox_file), ..settings })
    }

    /// The wallet's name.
    pub(crate) fn name(&self) -> String {
        self.0.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The wallet's own files.
    pub(crate) fn vault(&self) -> PathBuf {
        self.0.join("vault")
    }

    /// Writes down that this process has the wallet open. Only a hint for whoever is refused: the lock decides.
    pub(crate) fn hold(&self) {
        // A hint that cannot be written is none.
        let _ = std::fs::write(self.0.join(HOLDER), std::process::id().to_string());
    }

    /// The process that has the wallet open, if it said so and still runs.
    pub(crate) fn holder(&self) -> Option<u32> {
        let pid = std::fs::read_to_string(self.0.join(HOLDER)).ok()?.trim().parse().ok()?;
        runs(pid).then_some(pid)
    }

    fn settings_file(&self) -> PathBuf {
        self.0.join("settings.json")
    }

    /// What was chosen at sign-up; `None` before it.
    pub(crate) fn settings(&self) -> Result<Option<Settings>, Failure> {
        let path = self.settings_file();
        let wrong = |what: String| LocalCode::Vault.detail(format!("{}: {what}", path.display()));
        let text = match files::read_io(&path, MOST_SETTINGS) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let settings: Settings = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if settings.format != FORMAT {
            return Err(wrong(format!("format {} is not {FORMAT}", settings.format)));
        }
        Ok(Some(settings))
    }

    /// Keeps what was chosen, for an open wallet: its lock keeps every other process from doing the same.
    pub(crate) fn keep_settings(&self, settings: &Settings) -> Result<(), Failure> {
        let text =
            serde_json::to_vec_pretty(settings).map_err(|error| LocalCode::Bug.detail(format!("settings: {error}")))?;
        let path = self.settings_file();
        files::write_io(&path, &text, Readers::Owner)
            .map_err(|error| LocalCode::Vault.detail(format!("{}: {error}", path.display())))
    }

    /// Whether the wallet has ever written anything. Until then its key store has not proven itself, and may be chosen anew.
    pub(crate) fn is_used(&self) -> bool {
        let entries = std::fs::read_dir(self.vault()).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name() != "lock")
    }
}

#[cfg(unix)]
fn runs(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn runs(_: u32) -> bool {
    true
}

/// What was chosen at sign-up.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Settings {
    format: u32,
    /// Where the keys are.
    pub(crate) key_store: KeyStoreChoice,
    /// The issuer, so that the wallet opens while the sandbox is not running.
    pub(crate) issuer: RememberedIssuer,
}

impl Settings {
    pub(crate) fn new(key_store: KeyStoreChoice, issuer: RememberedIssuer) -> Self {
        Self { format: FORMAT, key_store, issuer }
    }
}
