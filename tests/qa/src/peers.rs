//! Whom a command talks to: the issuer as `sandbox.json` describes it, a terminal's link, the control API; and the clock that
//! a desktop wallet shares with its sandbox.

mod control;
mod terminal;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::BASE64;
use saifu_crypto::PublicKey;
use saifu_host::Clock;
use saifu_host::desktop::DesktopClock;
use saifu_link::{IssuerConfig, Roots};
use saifu_sandbox::{ClockFile, InfoError, SandboxInfo};
use saifu_wire::Millis;
use url::{Host, Url};

use crate::failure::{Failure, LocalCode, at};
use crate::files;

pub(crate) use control::{ControlApi, Sms};
pub(crate) use terminal::{Terminal, new_txid};

/// Bytes of `clock.json` at most.
const MOST_CLOCK: u64 = 1024 * 1024;

/// The running sandbox behind a `sandbox.json`.
pub(crate) fn read_sandbox(path: &Path) -> Result<SandboxInfo, Failure> {
    SandboxInfo::read(path).map_err(|error| match &error {
        InfoError::Missing(_) => LocalCode::NoSandbox.detail(format!("{} does not exist", path.display())),
        InfoError::Stale { pid, .. } => {
            LocalCode::StaleSandbox.detail(format!("{} was written by process {pid}, which is gone", path.display()))
        }
        InfoError::Malformed(_) => LocalCode::BadInput.detail(error.to_string()),
        InfoError::File(_) => LocalCode::FileFailed.detail(error.to_string()),
    })
}

/// What a wallet keeps of its issuer, so that it opens while the issuer is not running.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct RememberedIssuer {
    customer_url: String,
    service_url: String,
    ca_pem: String,
    pins: Vec<String>,
    /// Absent in what was kept before the service document had an origin with a key of its own.
    #[serde(default)]
    service_pins: Vec<String>,
    service_key: String,
    /// Where the sandbox's clock lies: beside this file.
    #[serde(with = "crate::words::exact_path")]
    sandbox_file: PathBuf,
}

impl RememberedIssuer {
    pub(crate) fn new(info: &SandboxInfo, sandbox_file: &Path) -> Self {
        Self {
            customer_url: info.customer_url.clone(),
            service_url: info.service_url.clone(),
            ca_pem: info.ca_pem.clone(),
            pins: info.pins.clone(),
            service_pins: info.service_pins.clone(),
            service_key: info.service_key.clone(),
            sandbox_file: std::path::absolute(sandbox_file).unwrap_or_else(|_| sandbox_file.to_owned()),
        }
    }

    /// The same issuer, whose `sandbox.json` lies there now.
    pub(crate) fn moved_to(self, sandbox_file: &Path) -> Self {
        let sandbox_file = std::path::absolute(sandbox_file).unwrap_or_else(|_| sandbox_file.to_owned());
        Self { sandbox_file, ..self }
    }

    /// For the wallet's link.
    pub(crate) fn config(&self) -> Result<IssuerConfig, Failure> {
        self.config_at(&self.customer_url)
    }

    /// The same issuer at its registers' address.
    fn config_at(&self, api: &str) -> Result<IssuerConfig, Failure> {
        let wrong = |what: &str| LocalCode::BadInput.detail(format!("{}: {what}", self.sandbox_file.display()));
        let url = |text: &str| Url::parse(text).map_err(|_| wrong("an address is not a URL"));
        let bytes = |text: &str| BASE64.decode(text.as_bytes()).map_err(|_| wrong("a key or pin is not base64"));
        let api = url(api)?;
        let pin = |pin: &String| <[u8; 32]>::try_from(bytes(pin)?).map_err(|_| wrong("a pin has not 32 bytes"));
        Ok(IssuerConfig {
            sandbox: is_loopback(&api),
            api,
            service: url(&self.service_url)?,
            roots: Roots::Pem(self.ca_pem.clone()),
            pins: self.pins.iter().map(pin).collect::<Result<_, _>>()?,
            service_pins: self.service_pins.iter().map(pin).collect::<Result<_, _>>()?,
            service_key: PublicKey::from_spki(&bytes(&self.service_key)?)
                .map_err(|_| wrong("the service key is not a P-256 key"))?,
        })
    }

    /// The clock of the wallet of that name at this issuer.
    pub(crate) fn clock(&self, wallet: &str) -> Result<Arc<dyn Clock>, Failure> {
        sandbox_clock(&self.sandbox_file, Some(wallet))
    }
}

/// An issuer counts as a sandbox, where nobody has to approve, only on this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The machine's clock, moved along with the sandbox's: how that stands lies in `clock.json` beside `sandbox.json`, and is
/// there also while the sandbox is not running. A wallet's clock may have been moved by itself.
pub(crate) fn sandbox_clock(sandbox_file: &Path, wallet: Option<&str>) -> Result<Arc<dyn Clock>, Failure> {
    let (file, wallet) = (sandbox_file.with_file_name("clock.json"), wallet.map(str::to_owned));
    match files::read_io(&file, MOST_CLOCK) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&file)(error)),
        _ => {}
    }
    let shift = move |machine_ms| shift_ms(&file, wallet.as_deref(), machine_ms);
    Ok(Arc::new(DesktopClock::shifted(Arc::new(shift))))
}

fn shift_ms(file: &Path, wallet: Option<&str>, machine_ms: u64) -> i64 {
    let read = files::read_io(file, MOST_CLOCK).ok().and_then(|text| serde_json::from_slice::<ClockFile>(&text).ok());
    let Some(clock) = read else { return 0 };
    let shifted = clock.other(wallet, Millis(machine_ms));
    let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    signed(shifted.0).saturating_sub(signed(machine_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_counts_as_a_sandbox() {
        for (url, yes) in [
            ("https://127.0.0.1:1", true),
            ("https://localhost:1", true),
            ("https://[::1]:1", true),
            ("https://pay.example.com", false),
            ("https://localhost.example.com", false),
            ("https://10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), yes, "{url}");
        }
    }

    #[test]
    fn wallet_clock_moves_with_the_sandbox() {
        let folder = tempfile::tempdir().unwrap();
        let clock = sandbox_clock(&folder.path().join("sandbox.json"), Some("me")).unwrap();
        let before = clock.read();
        std::fs::write(folder.path().join("clock.json"), r#"{"offset_ms":259200000,"seen":0}"#).unwrap();
        let after = clock.read();
        assert!(after.elapsed_ms - before.elapsed_ms >= 259_200_000);
        let held = r#"{"offset_ms":0,"held_at":4000000000000,"wallets_ahead_ms":{"me":5}}"#;
        std::fs::write(folder.path().join("clock.json"), held).unwrap();
        let held = [clock.read(), clock.read()].map(|reading| reading.wall_ms);
        assert_eq!(held, [4_000_000_000_005; 2]);
    }
}
