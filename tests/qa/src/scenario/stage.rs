//! Where one scenario is played: a fresh issuer in a folder of its own, a wallet for each persona, the terminals, the
//! levers. Nothing here knows a scenario's steps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use saifu::{Config, Events, PhoneNumber, Wallet};
use saifu_crypto::{Random as _, SystemRandom};
use saifu_host::desktop::{DesktopHost, KeyStore};
use saifu_sandbox::policy::Policy;
use saifu_sandbox::{Options, Running, Sandbox, StartError};
use saifu_wire::Name;
use saifu_wire::messages::TerminalKind;
use serde_json::{Value, json};

use super::perform::Halt;
use crate::failure::LocalCode;
use crate::peers::{Levers, RememberedIssuer, Terminal};

/// Ports are drawn below those that systems give to clients, four in a row.
const FIRST_PORT: u16 = 10_240;
const PORT_BLOCKS: u16 = 5_000;
const PORT_DRAWS: u8 = 50;

/// One scenario's world.
pub(super) struct Stage {
    folder: PathBuf,
    policy: Policy,
    port: u16,
    running: Option<Running>,
    /// As the issuer said at its last start.
    levers: Levers,
    issuer: RememberedIssuer,
    people: BTreeMap<String, Person>,
    terminals: BTreeMap<String, Terminal>,
}

/// A persona with its wallet.
pub(super) struct Person {
    pub(super) number: PhoneNumber,
    folder: PathBuf,
    host: DesktopHost,
    /// `None` while it is killed.
    wallet: Option<Wallet>,
    pub(super) events: Option<Events>,
}

impl Stage {
    /// Starts an issuer on ports that it keeps when it starts again.
    pub(super) async fn new(folder: &Path, policy: &Policy) -> Result<Self, Halt> {
        let mut draws: u8 = 0;
        let (port, running) = loop {
            let drawn = u16::from_be_bytes(SystemRandom.bytes().map_err(|error| Halt::Broken(error.to_string()))?);
            let port = FIRST_PORT.saturating_add(drawn.checked_rem(PORT_BLOCKS).unwrap_or(0).saturating_mul(4));
            draws = draws.saturating_add(1);
            match start(folder, port, policy).await {
                Ok(running) => break (port, running),
                Err(StartError::Port { .. }) if draws < PORT_DRAWS => {}
                Err(error) => return Err(Halt::Broken(error.to_string())),
            }
        };
        let levers = Levers::new(running.info())?;
        let issuer = RememberedIssuer::new(running.info(), running.info_file());
        let (people, terminals) = (BTreeMap::new(), BTreeMap::new());
        let (folder, policy) = (folder.to_owned(), policy.clone());
        Ok(Self { folder, policy, port, running: Some(running), levers, issuer, people, terminals })
    }

    pub(super) fn levers(&self) -> &Levers {
        &self.levers
    }

    /// Stops the issuer. Stopping a stopped one is a mistake of the scenario.
    pub(super) async fn stop(&mut self) -> Result<(), Halt> {
        let running = self.running.take().ok_or_else(|| Halt::Broken("the issuer is not running".into()))?;
        running.stop().await;
        Ok(())
    }

    /// Starts a stopped issuer again: same folder, same ports.
    pub(super) async fn start(&mut self) -> Result<(), Halt> {
        if self.running.is_some() {
            return Err(Halt::Broken("the issuer is running".into()));
        }
        let running = start(&self.folder, self.port, &self.policy).await;
        let running = running.map_err(|error| Halt::Broken(error.to_string()))?;
        self.levers = Levers::new(running.info())?;
        self.running = Some(running);
        Ok(())
    }

    /// Whether the issuer runs.
    pub(super) fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// Moves every clock.
    pub(super) async fn advance(&self, ms: u64) -> Result<Value, Halt> {
        Ok(self.levers.move_clock(&json!({ "advance_ms": ms })).await?)
    }

    /// A persona with a wallet of its own that nobody has signed up in.
    pub(super) async fn add(&mut self, name: &str, number: &PhoneNumber) -> Result<(), Halt> {
        let folder = self.folder.join("wallets").join(name);
        let (path, clock) = (folder.clone(), self.issuer.clock(name));
        let host = tokio::task::spawn_blocking(move || DesktopHost::open(&path, KeyStore::File, clock)).await;
        let host = host.map_err(|error| Halt::Broken(error.to_string()))?;
        let host = host.map_err(|error| Halt::Broken(error.to_string()))?;
        let person = Person { number: number.clone(), folder, host, wallet: None, events: None };
        self.people.insert(name.to_owned(), person);
        self.open(name).await
    }

    /// Opens a persona's wallet.
    pub(super) async fn open(&mut self, name: &str) -> Result<(), Halt> {
        let issuer = self.issuer.config()?;
        let person = self.person(name)?;
        if person.wallet.is_some() {
            return Err(Halt::Broken(format!("the wallet of {name} is open")));
        }
        let config = Config {
            folder: person.folder.join("vault"),
            issuer,
            app_version: env!("CARGO_PKG_VERSION").into(),
            disk: None,
        };
        let (platform, runtime) = (person.host.platform(), tokio::runtime::Handle::current());
        let opened = tokio::task::spawn_blocking(move || Wallet::open(platform, config, runtime)).await;
        let opened = opened.map_err(|error| Halt::Broken(error.to_string()))?;
        person.wallet = Some(opened.map_err(|error| Halt::Broken(error.to_string()))?);
        Ok(())
    }

    /// Ends a persona's wallet. Everything it knows is on the disk already, so this is what a kill leaves.
    pub(super) async fn kill(&mut self, name: &str) -> Result<(), Halt> {
        let person = self.person(name)?;
        person.events = None;
        let wallet = person.wallet.take().ok_or_else(|| Halt::Broken(format!("{name} has no open wallet")))?;
        wallet.close().await;
        Ok(())
    }

    pub(super) fn person(&mut self, name: &str) -> Result<&mut Person, Halt> {
        self.people.get_mut(name).ok_or_else(|| Halt::Broken(format!("no persona is {name}")))
    }

    /// A terminal; its connection stays open.
    pub(super) fn terminal(&mut self, name: &str) -> Result<&Terminal, Halt> {
        if !self.terminals.contains_key(name) {
            let running = self.running.as_ref().ok_or_else(|| Halt::Broken("the issuer is not running".into()))?;
            let named = Name::new(name).map_err(|error| Halt::Broken(error.to_string()))?;
            let kind = if name.starts_with("atm") { TerminalKind::Atm } else { TerminalKind::Register };
            let terminal = Terminal::connect(running.info(), running.info_file(), kind, Some(&named))?;
            self.terminals.insert(name.to_owned(), terminal);
        }
        self.terminals.get(name).ok_or_else(|| Halt::Broken(format!("no terminal is {name}")))
    }

    /// Ends everything.
    pub(super) async fn close(mut self) {
        for person in self.people.values_mut() {
            if let Some(wallet) = person.wallet.take() {
                wallet.close().await;
            }
        }
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }
}

impl Person {
    /// The open wallet.
    pub(super) fn wallet(&self) -> Result<&Wallet, Halt> {
        self.wallet.as_ref().ok_or_else(|| Halt::Broken("this wallet is not open; reopen it first".into()))
    }

    /// Signs as the owner who agreed.
    pub(super) async fn authorize(&self, message: &[u8]) -> Result<Vec<u8>, Halt> {
        let (host, message) = (self.host.clone(), message.to_vec());
        let signed = tokio::task::spawn_blocking(move || host.authorize(&message)).await;
        let signed = signed.map_err(|error| Halt::Broken(error.to_string()))?;
        signed.map_err(|error| LocalCode::KeyStore.detail(error.to_string()).into())
    }
}

async fn start(folder: &Path, port: u16, policy: &Policy) -> Result<Running, StartError> {
    let data = folder.join("sandbox");
    Sandbox::start(Options { port: Some(port), policy: policy.clone(), ..Options::new(data) }).await
}
