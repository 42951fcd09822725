//! A journal's disk that says yes and writes nothing: the control of the crash tests, which must notice it. Only
//! `SAIFU_FORGETFUL_DISK=1` puts it under a wallet.

use std::io;
use std::path::Path;
use std::sync::Arc;

use saifu_vault::{Disk, FolderDisk, VaultError};

const SWITCH: &str = "SAIFU_FORGETFUL_DISK";

/// The disk under a wallet's journal: `None`, its own folder, unless the environment asks for the forgetful one.
pub(crate) fn chosen(folder: &Path) -> Result<Option<Arc<dyn Disk>>, VaultError> {
    if std::env::var_os(SWITCH).is_none_or(|value| value != "1") {
        return Ok(None);
    }
    Ok(Some(Arc::new(Forgetful(FolderDisk::open(folder)?))))
}

/// Reads what is there; every change is thrown away.
struct Forgetful(FolderDisk);

impl Disk for Forgetful {
    fn read(&self, name: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        self.0.read(name, most)
    }

    fn write(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn append(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn remove_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        Ok(())
    }
}
