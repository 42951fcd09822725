//! A restore that a kill cannot leave half done. Everything new is made complete in a folder of its own; giving that folder its
//! name, [`READY`], is the moment from which the new state counts. Only then do the old wallets and the old issuer go, and
//! whoever looks at the home folder next finishes what a kill cut short. Wallets that are not in the plan are never touched.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use saifu_sandbox::IssuerSnapshot;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, LocalCode, at};
use crate::files::{self, Readers, sync_folder};
use crate::home::Home;

/// Where a complete restore lies in the home folder until it is in place.
const READY: &str = "restoring";
const PLAN: &str = "plan.json";
const WALLETS: &str = "wallets";

#[derive(Serialize, Deserialize)]
struct Plan {
    /// The sandbox's folder.
    #[serde(with = "crate::words::exact_path")]
    data: PathBuf,
    issuer: IssuerSnapshot,
}

/// A restore that is being made. Dropped, it has changed nothing.
pub(crate) struct Staged(tempfile::TempDir);

impl Staged {
    pub(crate) fn new(home: &Home) -> Result<Self, Failure> {
        make_private(home.path())?;
        let folder = tempfile::Builder::new().prefix(".restoring-").tempdir_in(home.path());
        let staged = Self(folder.map_err(at(home.path()))?);
        make_private(&staged.0.path().join(WALLETS))?;
        Ok(staged)
    }

    /// The folder of a wallet that comes back; it is for the caller to make and to fill.
    pub(crate) fn wallet(&self, name: &str) -> PathBuf {
        self.0.path().join(WALLETS).join(name)
    }

    /// From here on the new state counts. What it replaces must be held by the caller.
    pub(crate) fn commit(self, home: &Home, data: PathBuf, issuer: IssuerSnapshot) -> Result<(), Failure> {
        let plan =
            serde_json::to_vec(&Plan { data, issuer }).map_err(|error| LocalCode::Bug.detail(error.to_string()))?;
        files::write(&self.0.path().join(PLAN), &plan, Readers::Owner)?;
        sync_folder(&self.0.path().join(WALLETS)).map_err(at(home.path()))?;
        let ready = home.path().join(READY);
        fs::rename(self.0.path(), &ready).map_err(at(&ready))?;
        sync_folder(home.path()).map_err(at(home.path()))?;
        finish(home)
    }
}

/// Puts a restore that is complete in place, if there is one. Fine to repeat.
pub(crate) fn finish(home: &Home) -> Result<(), Failure> {
    let ready = home.path().join(READY);
    let file = ready.join(PLAN);
    let Ok(lock) = File::open(&file) else { return Ok(()) };
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(LocalCode::InUse.detail("a snapshot is being restored here")),
        Err(TryLockError::Error(error)) => return Err(at(&file)(error)),
    }
    let text = fs::read(&file).map_err(at(&file))?;
    let plan: Plan = serde_json::from_slice(&text).map_err(|error| at(&file)(error.into()))?;
    let wallets = home.wallets_folder();
    make_private(&wallets)?;
    for entry in fs::read_dir(ready.join(WALLETS)).map_err(at(&ready))? {
        let new = entry.map_err(at(&ready))?.path();
        let old = wallets.join(new.file_name().unwrap_or_default());
        remove(&old)?;
        fs::rename(&new, &old).map_err(at(&old))?;
    }
    sync_folder(&wallets).map_err(at(&wallets))?;
    plan.issuer.restore(&plan.data)?;
    // In one step, so that it is never begun again.
    let done = tempfile::Builder::new().prefix(".restored-").tempdir_in(home.path()).map_err(at(home.path()))?;
    fs::rename(&ready, done.path().join(READY)).map_err(at(&ready))
}

fn make_private(folder: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(at(folder))
}

fn remove(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(folder)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Control: with the old wallets removed before the new ones are complete, a kill before `commit` leaves none.
    #[test]
    fn before_the_commit_nothing_has_changed_and_after_it_all_of_it_has_whoever_finishes() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let (me, other) = (home.wallets_folder().join("me"), home.wallets_folder().join("other"));
        for wallet in [&me, &other] {
            make_private(wallet).unwrap();
            fs::write(wallet.join("keys.json"), "old").unwrap();
        }
        let staged = Staged::new(&home).unwrap();
        make_private(&staged.wallet("me")).unwrap();
        fs::write(staged.wallet("me").join("keys.json"), "new").unwrap();
        finish(&home).unwrap();
        assert_eq!(fs::read(me.join("keys.json")).unwrap(), b"old");

        // Killed right after the rename, and with the old wallet half gone.
        let issuer: IssuerSnapshot = serde_json::from_str(
            r#"{"format":1,"files":{"issuer-keys.json":"","format.json":"","clock.json":"","issuer.db":"YQ=="}}"#,
        )
        .unwrap();
        let plan = Plan { data: folder.path().join("sandbox"), issuer };
        fs::write(staged.0.path().join(PLAN), serde_json::to_vec(&plan).unwrap()).unwrap();
        fs::rename(staged.0.path(), folder.path().join(READY)).unwrap();
        fs::remove_file(me.join("keys.json")).unwrap();
        finish(&home).unwrap();
        finish(&home).unwrap();
        assert_eq!(fs::read(me.join("keys.json")).unwrap(), b"new");
        assert_eq!(fs::read(other.join("keys.json")).unwrap(), b"old");
        assert_eq!(fs::read(folder.path().join("sandbox/issuer.db")).unwrap(), b"a");
        assert!(!folder.path().join(READY).exists());
    }
}
