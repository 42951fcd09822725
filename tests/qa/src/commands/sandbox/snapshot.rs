//! `saifu sandbox snapshot` and `saifu sandbox restore`: the issuer and the wallets of this home folder in one file. A bug that
//! took an hour to reach is handed on as that file.
//!
//! It holds private keys, as the folders do, so it is readable by its owner only. A wallet's files are read under the
//! wallet's own lock and before the issuer's, so at worst the wallet has not heard an answer yet, which is what it is built
//! for; an issuer older than its wallets would be something that never happens.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use data_encoding::BASE64;
use saifu_sandbox::{IssuerSnapshot, RestoreError, StartError, holds_an_issuer, is_free};
use saifu_vault::{FolderDisk, VaultError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::{KeyStoreChoice, WalletName};
use crate::context::Context;
use crate::failure::{Failure, LocalCode, at};
use crate::files::{self, Readers};
use crate::home::WalletFolder;
use crate::report::Report;
use crate::restoring::Staged;
use crate::words::shown_path;

const FORMAT: u32 = 1;
/// Bytes of a snapshot at most.
const MOST_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Folders in folders of a wallet: more is not ours.
const DEPTH: usize = 8;
/// Names of locks, and of files on their way to another name.
const PASSING: [&str; 2] = ["lock", "keys.lock"];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    format: u32,
    version: String,
    issuer: IssuerSnapshot,
    /// By wallet, then by path within its folder, in base64.
    wallets: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

pub(in crate::commands) async fn snapshot(file: &Path, context: &Context) -> Result<Report, Failure> {
    let control = context.control()?;
    let mut wallets = BTreeMap::new();
    let mut locks = Vec::new();
    for (name, folder) in wallets_here(context)? {
        locks.push(locked(&name, &folder)?);
        let mut files = BTreeMap::new();
        collect(folder.path(), "", DEPTH, &mut files)?;
        wallets.insert(name, files);
    }
    let issuer = control.get("snapshot", &[]).await?;
    drop(locks);
    let snapshot = Snapshot { format: FORMAT, version: env!("CARGO_PKG_VERSION").into(), issuer, wallets };
    let text = serde_json::to_vec(&snapshot).map_err(|error| LocalCode::Bug.detail(error.to_string()))?;
    files::write(file, &text, Readers::Owner)?;
    report(file, context, &snapshot.wallets, "taken")
}

pub(in crate::commands) fn restore(file: &Path, force: bool, context: &Context) -> Result<Report, Failure> {
    let snapshot = read(file)?;
    let (home, data) = (context.home()?, data(context)?);
    is_free(&data).map_err(StartError::Folder)?;
    let mut here = Vec::new();
    for name in snapshot.wallets.keys() {
        let wallet = WalletName::from_str(name).map_err(|what| LocalCode::BadInput.detail(what))?;
        let folder = home.wallet(&wallet);
        if folder.path().exists() {
            in_file(name, &folder)?;
            here.push((name, folder));
        }
    }
    if !force && (holds_an_issuer(&data) || !here.is_empty()) {
        let full = if holds_an_issuer(&data) { &data } else { home.path() };
        let what = format!("{} is not empty; --force replaces what is there", full.display());
        return Err(LocalCode::BadInput.detail(what));
    }
    let _locks = here.iter().map(|(name, folder)| locked(name, folder)).collect::<Result<Vec<_>, _>>()?;
    let staged = Staged::new(home)?;
    for (name, files) in &snapshot.wallets {
        put(&staged.wallet(name), files)?;
        WalletFolder::at(staged.wallet(name)).move_issuer(&context.sandbox_file()?)?;
    }
    let Snapshot { issuer, wallets, .. } = snapshot;
    staged.commit(home, data, issuer)?;
    for other in home.wallets().0.iter().filter(|other| !wallets.contains_key(other.as_str())) {
        context.printer.note(&format!("the wallet `{}` is not in the snapshot and stays as it is", other.as_str()));
    }
    report(file, context, &wallets, "restored")
}

fn report<T>(
    file: &Path,
    context: &Context,
    wallets: &BTreeMap<String, T>,
    done: &'static str,
) -> Result<Report, Failure> {
    let names: Vec<&str> = wallets.keys().map(String::as_str).collect();
    let sandbox = data(context)?;
    let document = json!({ "file": file.to_string_lossy(), "sandbox": sandbox.to_string_lossy(), "wallets": names });
    let names = if names.is_empty() { "no wallet".to_owned() } else { names.join(", ") };
    let text = format!("{}: {done}, with {names}", shown_path(file));
    Report::new(document, text)
}

/// The sandbox's folder.
fn data(context: &Context) -> Result<PathBuf, Failure> {
    let file = context.sandbox_file()?;
    let whole = std::path::absolute(&file).map_err(at(&file))?;
    let folder = whole.parent().map(Path::to_owned);
    folder.ok_or_else(|| LocalCode::BadInput.detail("--sandbox: it names no file in a folder"))
}

/// The wallets that were signed up here; one whose keys are elsewhere is refused.
fn wallets_here(context: &Context) -> Result<Vec<(String, WalletFolder)>, Failure> {
    let mut here = Vec::new();
    let (wallets, strays) = context.home()?.wallets();
    for stray in strays {
        context.printer.note(&format!("{}: no wallet, left alone", shown_path(&stray)));
    }
    for wallet in wallets {
        let folder = context.home()?.wallet(&wallet);
        let name = wallet.as_str().to_owned();
        if in_file(&name, &folder)? {
            here.push((name, folder));
        }
    }
    Ok(here)
}

/// Whether a wallet was signed up and keeps its keys in a file; one in the keyring is refused.
fn in_file(name: &str, folder: &WalletFolder) -> Result<bool, Failure> {
    match folder.settings()?.map(|settings| settings.key_store) {
        None => Ok(false),
        Some(KeyStoreChoice::File) => Ok(true),
        Some(KeyStoreChoice::Keyring) => {
            let why = format!("the wallet `{name}` keeps its keys in the keyring, which no file takes along");
            Err(LocalCode::BadInput.detail(why))
        }
    }
}

/// Keeps every other process out of a wallet.
fn locked(name: &str, folder: &WalletFolder) -> Result<FolderDisk, Failure> {
    FolderDisk::open(&folder.vault()).map_err(|error| match error {
        VaultError::InUse => LocalCode::InUse.detail(format!("the wallet `{name}`")),
        error => LocalCode::Vault.detail(format!("the wallet `{name}`: {error}")),
    })
}

fn collect(folder: &Path, prefix: &str, depth: usize, files: &mut BTreeMap<String, String>) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder).map_err(at(folder))? {
        let entry = entry.map_err(at(folder))?;
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else { continue };
        let kind = entry.file_type().map_err(at(&path))?;
        let inside = format!("{prefix}{name}");
        if kind.is_dir() && depth > 0 {
            collect(&path, &format!("{inside}/"), depth.saturating_sub(1), files)?;
        } else if kind.is_file() && !PASSING.contains(&name.as_str()) && !name.ends_with(".new") {
            let bytes = std::fs::read(&path).map_err(at(&path))?;
            files.insert(inside, BASE64.encode(&bytes));
        }
    }
    Ok(())
}

/// Reads and checks all of it before anything is touched.
fn read(file: &Path) -> Result<Snapshot, Failure> {
    let text = files::read(file, MOST_BYTES)?;
    let wrong = |what: String| LocalCode::BadInput.detail(format!("{}: {what}", file.display()));
    let head: Head = serde_json::from_slice(&text).map_err(|_| wrong("it is no snapshot".into()))?;
    if head.format != FORMAT {
        return Err(wrong(format!("it has format {}, this version reads {FORMAT}", head.format)));
    }
    let snapshot: Snapshot =
        serde_json::from_slice(&text).map_err(|error| wrong(format!("damaged, line {}", error.line())))?;
    snapshot.issuer.check().map_err(|error| wrong(error.to_string()))?;
    for (name, files) in &snapshot.wallets {
        WalletName::from_str(name).map_err(|what| wrong(format!("the wallet `{name}`: {what}")))?;
        if !files.contains_key("settings.json") {
            return Err(wrong(format!("the wallet `{name}` has no settings")));
        }
        for (path, text) in files {
            let bytes = BASE64.decode(text.as_bytes());
            inside(path).filter(|_| bytes.is_ok()).ok_or_else(|| wrong(format!("`{path}` of the wallet `{name}`")))?;
        }
    }
    Ok(snapshot)
}

/// A path that stays in its folder on every system.
fn inside(path: &str) -> Option<PathBuf> {
    let plain = |name: &str| {
        let odd = name.contains(['\\', ':', '\0']);
        !(name.is_empty() || name == "." || name == ".." || odd)
    };
    path.split('/').all(plain).then(|| path.split('/').collect())
}

fn put(folder: &Path, files: &BTreeMap<String, String>) -> Result<(), Failure> {
    for (path, text) in files {
        let bug = || LocalCode::Bug.detail("a snapshot that was checked");
        let path = folder.join(inside(path).ok_or_else(bug)?);
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| bug())?;
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let parent = path.parent().unwrap_or(folder);
        builder.create(parent).map_err(at(parent))?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(at(&path))?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(at(&path))?;
    }
    Ok(())
}

impl From<RestoreError> for Failure {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Folder(error) => StartError::Folder(error).into(),
            error => LocalCode::BadInput.detail(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_its_folder() {
        assert_eq!(inside("vault/journal"), Some(PathBuf::from("vault/journal")));
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "a//b", ".", "a\\..\\x", "C:x", "a/"] {
            assert_eq!(inside(bad), None, "{bad}");
        }
    }
}
