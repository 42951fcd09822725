use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use saifu_wire::Name;
use saifu_wire::messages::TerminalKind;

use super::{FORMAT, FileError, RUNNING, read_json};

/// A terminal that every sandbox has from the start, with its private key.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct TerminalInfo {
    /// Its name.
    pub terminal: Name,
    /// What it is.
    pub kind: TerminalKind,
    /// Whose it is.
    pub merchant: Name,
    /// Its private key: PKCS#8 in base64 (RFC 4648 §4).
    pub key: String,
}

/// Where a phone finds it: on the address of `--host`, or as an emulator of Android sees this machine.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct PhoneUrls {
    /// Customers' API.
    pub customer_url: String,
    /// The signed service document's origin.
    pub service_url: String,
}

/// How to reach a running sandbox, and everything that plays the other parts with it: `sandbox.json`. It holds private keys
/// of the sandbox's terminals, so it has no `Debug`. All binary is base64 (RFC 4648 §4).
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct SandboxInfo {
    /// Customers' API.
    pub customer_url: String,
    /// Registers', ATMs' and operators' API.
    pub register_url: String,
    /// The signed service document's origin.
    pub service_url: String,
    /// The same two for a phone.
    #[serde(default)]
    pub phone: PhoneUrls,
    /// The control API, on loopback without TLS.
    pub lever_url: String,
    /// The certificate authority that TLS clients trust.
    pub ca_pem: String,
    /// SHA-256 of the SubjectPublicKeyInfo of the leaf, then of the key that would replace it.
    pub pins: Vec<String>,
    /// The same of the service document's origin, whose key is another.
    pub service_pins: Vec<String>,
    /// SubjectPublicKeyInfo of the key that signs the service document.
    pub service_key: String,
    /// Private key of `register-1`, PKCS#8.
    pub register_key: String,
    /// Private key of `atm-1`, PKCS#8.
    pub atm_key: String,
    /// Private key of `operator-1`, PKCS#8.
    pub operator_key: String,
    /// Every terminal of the first start.
    pub terminals: Vec<TerminalInfo>,
    /// Opens the control API: `Authorization: Bearer …`.
    pub lever_token: String,
    /// [`FORMAT`](crate::FORMAT).
    pub format: u32,
    /// The sandbox's version.
    pub version: String,
    /// When it started, by the machine's clock (RFC 3339, UTC).
    pub started_at: String,
    /// Its process.
    pub pid: u32,
}

/// Why a `sandbox.json` leads to no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum InfoError {
    /// There is none.
    #[error("no sandbox is running: {} does not exist; start one with `saifu sandbox`", .0.display())]
    Missing(PathBuf),
    /// Its process is gone.
    #[error("the sandbox of {} (process {pid}) is gone; start it again with `saifu sandbox`", path.display())]
    Stale {
        /// The file.
        path: PathBuf,
        /// The process that wrote it.
        pid: u32,
    },
    /// It is something else, or of another version.
    #[error("{} is no sandbox.json of this version", .0.display())]
    Malformed(PathBuf),
    /// It cannot be read.
    #[error(transparent)]
    File(FileError),
}

impl SandboxInfo {
    /// Reads a `sandbox.json` and makes sure that its sandbox is alive: that it holds the lock beside it. (A process id alone
    /// may have gone to somebody else.)
    ///
    /// # Errors
    /// [`InfoError`].
    pub fn read(path: &Path) -> Result<Self, InfoError> {
        // A sandbox takes the lock after it has removed its forerunner's file: asked in this order, a lock that is held and a
        // file that is there belong together.
        let alive = is_held(path.parent().unwrap_or(Path::new(".")));
        let info: Self = match read_json(path) {
            Ok(Some(info)) => info,
            Ok(None) => return Err(InfoError::Missing(path.to_owned())),
            Err(error) if error.source.kind() == std::io::ErrorKind::InvalidData => {
                return Err(InfoError::Malformed(path.to_owned()));
            }
            Err(error) => return Err(InfoError::File(error)),
        };
        if info.format != FORMAT {
            return Err(InfoError::Malformed(path.to_owned()));
        }
        if alive { Ok(info) } else { Err(InfoError::Stale { path: path.to_owned(), pid: info.pid }) }
    }
}

fn is_held(folder: &Path) -> bool {
    File::open(folder.join(RUNNING)).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Folder, write_json};

    fn info(format: u32) -> SandboxInfo {
        let text = String::new;
        SandboxInfo {
            customer_url: text(),
            register_url: text(),
            service_url: text(),
            phone: PhoneUrls::default(),
            lever_url: text(),
            ca_pem: text(),
            pins: Vec::new(),
            service_pins: Vec::new(),
            service_key: text(),
            register_key: text(),
            atm_key: text(),
            operator_key: text(),
            terminals: Vec::new(),
            lever_token: text(),
            format,
            version: text(),
            started_at: text(),
            pid: 4_000_000,
        }
    }

    #[test]
    fn a_sandbox_is_alive_while_it_holds_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sandbox.json");
        assert!(matches!(SandboxInfo::read(&path), Err(InfoError::Missing(_))));
        write_json(&path, &info(FORMAT)).unwrap();
        assert!(matches!(SandboxInfo::read(&path), Err(InfoError::Stale { pid: 4_000_000, .. })));
        let held = Folder::open(folder.path(), false).unwrap();
        assert!(matches!(SandboxInfo::read(&path), Err(InfoError::Missing(_))));
        write_json(&path, &info(FORMAT)).unwrap();
        assert!(SandboxInfo::read(&path).is_ok());
        drop(held);
        assert!(matches!(SandboxInfo::read(&path), Err(InfoError::Stale { .. })));
    }

    #[test]
    fn another_format_or_another_file_is_malformed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sandbox.json");
        write_json(&path, &info(FORMAT + 1)).unwrap();
        assert!(matches!(SandboxInfo::read(&path), Err(InfoError::Malformed(_))));
        std::fs::write(&path, "[]").unwrap();
        assert!(matches!(SandboxInfo::read(&path), Err(InfoError::Malformed(_))));
    }
}
