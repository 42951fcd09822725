//! The folder that holds everything: `wallets/NAME/` and `sandbox/`. A wallet's folder has the vault, the keys if they are
//! in a file, and `settings.json`: what was chosen at sign-up.

use std::path::{Path, PathBuf};

use crate::cli::{KeyStoreChoice, WalletName};
use crate::failure::{Failure, LocalCode, at};
use crate::peers::RememberedIssuer;

const FORMAT: u32 = 1;

/// The home folder.
#[derive(Debug, Clone)]
pub(crate) struct Home(PathBuf);

impl Home {
    /// The one that was named, or the platform's data folder.
    pub(crate) fn new(named: Option<&Path>) -> Result<Self, Failure> {
        match named {
            Some(path) => Ok(Self(path.to_owned())),
            None => data_folder().map(Self).ok_or_else(|| {
                LocalCode::Usage.detail("this user has no home folder; name one with --home DIR or SAIFU_HOME")
            }),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn sandbox(&self) -> PathBuf {
        self.0.join("sandbox")
    }

    pub(crate) fn wallet(&self, name: &WalletName) -> WalletFolder {
        WalletFolder(self.0.join("wallets").join(name.as_str()))
    }

    /// Names of the wallets that are here, in order.
    pub(crate) fn wallets(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.join("wallets")).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
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

    fn settings_file(&self) -> PathBuf {
        self.0.join("settings.json")
    }

    /// What was chosen at sign-up; `None` before it.
    pub(crate) fn settings(&self) -> Result<Option<Settings>, Failure> {
        let path = self.settings_file();
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&path)(error)),
        };
        let wrong = |what: String| LocalCode::Vault.detail(format!("{}: {what}", path.display()));
        let settings: Settings = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if settings.format != FORMAT {
            return Err(wrong(format!("format {} is not {FORMAT}", settings.format)));
        }
        Ok(Some(settings))
    }

    /// Keeps what was chosen. The folder is made, readable by its owner only.
    pub(crate) fn keep_settings(&self, settings: &Settings) -> Result<(), Failure> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.0).map_err(at(&self.0))?;
        let path = self.settings_file();
        let beside = self.0.join("settings.json.new");
        let text =
            serde_json::to_vec_pretty(settings).map_err(|error| LocalCode::Bug.detail(format!("settings: {error}")))?;
        std::fs::write(&beside, text).map_err(at(&beside))?;
        std::fs::rename(&beside, &path).map_err(at(&path))
    }
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
