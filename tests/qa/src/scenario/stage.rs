//! Where the runner of Rust plays: the world, and a wallet for each persona. Nothing here knows a scenario's steps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use saifu::{Config, Error, Events, PhoneNumber, Wallet};
use saifu_sandbox::policy::Policy;
use saifu_vault::JOURNAL_FILE;
use serde_json::{Map, Value, json};

use super::arguments::Arguments;
use super::halt::Halt;
use super::host::Host;
use super::world::World;
use super::{perform, wallet};
use crate::peers::RememberedIssuer;

/// How often, and with which pauses, the runner looks whether a stream stands again: 30 s on the machine's clock.
const BACK_LOOKS: u32 = 1_500;
const BACK_PAUSE: Duration = Duration::from_millis(20);

/// The world and the wallets in it.
pub(super) struct Stage {
    pub(super) world: World,
    folder: PathBuf,
    issuer: RememberedIssuer,
    people: BTreeMap<String, Person>,
}

/// A persona with its wallet.
pub(super) struct Person {
    pub(super) number: PhoneNumber,
    folder: PathBuf,
    pub(super) host: Host,
    /// `None` while it is killed.
    wallet: Option<Wallet>,
    pub(super) events: Option<Events>,
}

impl Stage {
    /// Nobody in a world of its own.
    pub(super) async fn new(folder: &Path, policy: &Policy, seed: Option<u64>) -> Result<Self, Halt> {
        let world = World::new(folder, policy, seed).await?;
        let issuer = {
            let (info, file) = world.info()?;
            RememberedIssuer::new(info, file)
        };
        Ok(Self { world, folder: folder.to_owned(), issuer, people: BTreeMap::new() })
    }

    /// Does one step. `who` is the persona or terminal, `arguments` have their saved values.
    pub(super) async fn perform(
        &mut self,
        verb: &str,
        who: &str,
        arguments: &Map<String, Value>,
    ) -> Result<Value, Halt> {
        if let Some(verb) = verb.strip_prefix("wallet.") {
            return wallet::perform(self, verb, who, &Arguments(arguments)).await;
        }
        let number = self.people.get(who).map(|person| &person.number);
        let outcome = perform::perform(&mut self.world, verb, who, number, arguments).await?;
        if matches!(verb, "sandbox.start" | "sandbox.restart") {
            self.followers_are_back().await?;
        }
        Ok(outcome)
    }

    /// Waits until every wallet that follows has its stream again and has read the service document, which it does then. It
    /// comes back on the machine's time; without the wait, its lines would stand now here, now there in the log.
    async fn followers_are_back(&self) -> Result<(), Halt> {
        let following = self.people.values().filter(|person| person.events.is_some()).count();
        for _ in 0..BACK_LOOKS {
            let log = self.world.levers().log(0, &[]).await?;
            let done = |operation: &str| {
                let of = |line: &&Value| line.get("operation") == Some(&json!(operation));
                log.iter().filter(of).filter(|line| line.get("status") == Some(&json!(200))).count()
            };
            if ["events", "service-document"].into_iter().all(|operation| done(operation) >= following) {
                return Ok(());
            }
            tokio::time::sleep(BACK_PAUSE).await;
        }
        Err(Halt::Broken("a wallet that follows did not come back to the issuer".into()))
    }

    /// A persona with a wallet of its own that nobody has signed up in.
    pub(super) async fn add(&mut self, name: &str, number: &PhoneNumber) -> Result<(), Halt> {
        let folder = self.folder.join("wallets").join(name);
        let (path, clock) = (folder.clone(), self.issuer.clock(name));
        let host = tokio::task::spawn_blocking(move || Host::open(&path, clock)).await;
        let host = host.map_err(|error| Halt::Broken(error.to_string()))?;
        let host = host.map_err(|error| Halt::Broken(error.to_string()))?;
        let person = Person { number: number.clone(), folder, host, wallet: None, events: None };
        self.people.insert(name.to_owned(), person);
        self.open(name).await
    }

    /// Opens a persona's wallet.
    pub(super) async fn open(&mut self, name: &str) -> Result<(), Halt> {
        let issuer = self.issuer.config()?;
        let person = self.person_mut(name)?;
        if person.wallet.is_some() {
            return Err(Halt::Broken(format!("the wallet of {name} is open")));
        }
        let config = Config { folder: person.vault(), issuer, app_version: env!("CARGO_PKG_VERSION").into() };
        let (platform, runtime) = (person.host.platform(), tokio::runtime::Handle::current());
        let opened = tokio::task::spawn_blocking(move || Wallet::open(platform, config, runtime)).await;
        let opened = opened.map_err(|error| Halt::Broken(error.to_string()))?;
        person.wallet = Some(opened.map_err(Error::from)?);
        Ok(())
    }

    /// Ends a persona's wallet. Everything it knows is on the disk already, so this is what a kill leaves.
    pub(super) async fn kill(&mut self, name: &str) -> Result<(), Halt> {
        let person = self.person_mut(name)?;
        person.events = None;
        let wallet = person.wallet.take().ok_or_else(|| Halt::Broken(format!("{name} has no open wallet")))?;
        wallet.close().await;
        Ok(())
    }

    pub(super) fn person(&self, name: &str) -> Result<&Person, Halt> {
        self.people.get(name).ok_or_else(|| Halt::Broken(format!("no persona is {name}")))
    }

    pub(super) fn person_mut(&mut self, name: &str) -> Result<&mut Person, Halt> {
        self.people.get_mut(name).ok_or_else(|| Halt::Broken(format!("no persona is {name}")))
    }

    /// Ends everything.
    pub(super) async fn close(mut self) {
        for person in self.people.values_mut() {
            if let Some(wallet) = person.wallet.take() {
                wallet.close().await;
            }
        }
        self.world.close().await;
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
        Ok(signed.map_err(Error::from)?)
    }

    /// Flips all bits of the byte in the middle of the journal.
    pub(super) fn damage(&self) -> Result<(), Halt> {
        if self.wallet.is_some() {
            return Err(Halt::Broken("this wallet is open; kill it first".into()));
        }
        let broken = |error: std::io::Error| Halt::Broken(format!("the journal: {error}"));
        let file = self.vault().join(JOURNAL_FILE);
        let mut bytes = std::fs::read(&file).map_err(broken)?;
        let middle = bytes.len() / 2;
        let byte = bytes.get_mut(middle).ok_or_else(|| Halt::Broken("the journal is empty".into()))?;
        *byte = !*byte;
        std::fs::write(&file, bytes).map_err(broken)
    }

    fn vault(&self) -> PathBuf {
        self.folder.join("vault")
    }
}
