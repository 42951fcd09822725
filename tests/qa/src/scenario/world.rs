//! One scenario's world: a fresh issuer in a folder of its own, its terminals, its control API, its books. There are no wallets
//! here: those are with the drivers, see `phone`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use saifu_crypto::{Random as _, SystemRandom, sha256};
use saifu_sandbox::policy::Policy;
use saifu_sandbox::{Options, Running, Sandbox, SandboxInfo, StartError};
use saifu_wire::Name;
use saifu_wire::messages::TerminalKind;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::halt::Halt;
use super::record::Record;
use crate::failure::{Failure, LocalCode};
use crate::peers::{ControlApi, Terminal};

/// Ports are drawn below those that systems give to clients, four in a row.
const FIRST_PORT: u16 = 10_240;
const PORT_BLOCKS: u16 = 5_000;
const PORT_DRAWS: u8 = 50;
/// Seeded worlds begin in the year 2100, so that no machine's clock is past them: at a moment drawn from the seed, so that
/// many seeds meet many days and hours.
const SEEDED_YEAR: u64 = 4_102_444_800_000;
const YEAR_MS: u64 = 365 * 86_400_000;

/// An issuer, its terminals and its control API.
pub(super) struct World {
    folder: PathBuf,
    policy: Policy,
    port: u16,
    running: Option<Running>,
    /// As the issuer said at its last start.
    control: ControlApi,
    terminals: BTreeMap<String, Terminal>,
    record: Record,
}

/// The folder that a world is made in; it goes with its guard.
pub(super) fn temporary_folder() -> Result<TempDir, Failure> {
    let folder = tempfile::Builder::new().prefix("saifu-scenario-").tempdir();
    folder.map_err(|error| LocalCode::FileFailed.detail(format!("a temporary folder: {error}")))
}

impl World {
    /// Starts an issuer on ports that it keeps when it starts again. With a seed time is held, at the seed's moment.
    pub(super) async fn new(folder: &Path, policy: &Policy, seed: Option<u64>) -> Result<Self, Halt> {
        let mut draws: u8 = 0;
        let (port, running) = loop {
            let drawn = u16::from_be_bytes(SystemRandom.bytes().map_err(|error| Halt::Broken(error.to_string()))?);
            let port = FIRST_PORT.saturating_add(drawn.checked_rem(PORT_BLOCKS).unwrap_or(0).saturating_mul(4));
            draws = draws.saturating_add(1);
            match start(folder, port, policy, seed).await {
                Ok(running) => break (port, running),
                Err(StartError::Port { .. }) if draws < PORT_DRAWS => {}
                Err(error) => return Err(Halt::Broken(error.to_string())),
            }
        };
        let control = ControlApi::new(running.info())?;
        if let Some(seed) = seed {
            control.post("clock", &json!({ "held": true })).await?;
            control.post("clock", &json!({ "to": first_moment(seed) })).await?;
        }
        let (folder, policy, terminals) = (folder.to_owned(), policy.clone(), BTreeMap::new());
        Ok(Self { folder, policy, port, running: Some(running), control, terminals, record: Record::default() })
    }

    /// What the running issuer says of itself, and the file that says it.
    pub(super) fn info(&self) -> Result<(&SandboxInfo, &Path), Halt> {
        let running = self.running.as_ref().ok_or_else(|| Halt::Broken("the issuer is not running".into()))?;
        Ok((running.info(), running.info_file()))
    }

    pub(super) fn control(&self) -> &ControlApi {
        &self.control
    }

    /// Stops the issuer. Stopping a stopped one is a mistake of the scenario.
    pub(super) async fn stop(&mut self) -> Result<(), Halt> {
        self.gather().await?;
        let running = self.running.take().ok_or_else(|| Halt::Broken("the issuer is not running".into()))?;
        running.stop().await;
        Ok(())
    }

    /// Starts a stopped issuer again: same folder, same ports.
    pub(super) async fn start(&mut self) -> Result<(), Halt> {
        if self.running.is_some() {
            return Err(Halt::Broken("the issuer is running".into()));
        }
        // The folder keeps the seed.
        let running = start(&self.folder, self.port, &self.policy, None).await;
        let running = running.map_err(|error| Halt::Broken(error.to_string()))?;
        self.control = ControlApi::new(running.info())?;
        self.running = Some(running);
        Ok(())
    }

    /// Whether the issuer runs.
    pub(super) fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// Moves every clock.
    pub(super) async fn advance(&self, ms: u64) -> Result<Value, Halt> {
        Ok(self.control.advance(ms).await?)
    }

    /// The issuer's clock as it stands.
    pub(super) async fn clock(&self) -> Result<Value, Halt> {
        Ok(self.control.get("clock", &[]).await?)
    }

    /// How many requests faults hold.
    pub(super) async fn held(&self) -> Result<u64, Halt> {
        let faults: Value = self.control.get("faults", &[]).await?;
        faults.get("held").and_then(Value::as_u64).ok_or_else(|| Halt::Broken("the control API tells no `held`".into()))
    }

    /// The ledger's check of itself; `None` while the issuer is not running.
    pub(super) async fn audit(&self) -> Result<Option<Value>, Halt> {
        if self.runs() { Ok(Some(self.control.get("audit", &[]).await?)) } else { Ok(None) }
    }

    /// Takes the log of the issuer that runs, if one does, before it ends.
    pub(super) async fn gather(&mut self) -> Result<(), Halt> {
        if self.runs() { self.record.gather(&self.control).await } else { Ok(()) }
    }

    /// The issuer's log as far as it was gathered.
    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// A terminal; its connection stays open.
    pub(super) fn terminal(&mut self, name: &str) -> Result<&Terminal, Halt> {
        if !self.terminals.contains_key(name) {
            let named = Name::new(name).map_err(|error| Halt::Broken(error.to_string()))?;
            let kind = if name.starts_with("atm") { TerminalKind::Atm } else { TerminalKind::Register };
            let (info, file) = self.info()?;
            let terminal = Terminal::connect(info, file, kind, Some(&named))?;
            self.terminals.insert(name.to_owned(), terminal);
        }
        self.terminals.get(name).ok_or_else(|| Halt::Broken(format!("no terminal is {name}")))
    }

    /// Ends everything.
    pub(super) async fn close(self) {
        if let Some(running) = self.running {
            running.stop().await;
        }
    }
}

async fn start(folder: &Path, port: u16, policy: &Policy, seed: Option<u64>) -> Result<Running, StartError> {
    let data = folder.join("sandbox");
    Sandbox::start(Options {
        ports: saifu_sandbox::Ports::At(port),
        policy: policy.clone(),
        seed,
        ..Options::new(data)
    })
    .await
}

fn first_moment(seed: u64) -> u64 {
    let digest = sha256(&seed.to_be_bytes());
    let drawn = digest.first_chunk().map_or(seed, |bytes| u64::from_be_bytes(*bytes));
    SEEDED_YEAR.saturating_add(drawn.checked_rem(YEAR_MS).unwrap_or(0))
}
