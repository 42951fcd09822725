//! Where a scenario is played: the world, and a phone for each persona. What a step does with a wallet is asked of its driver
//! here; nothing here knows the order of a scenario's steps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use saifu::PhoneNumber;
use saifu_sandbox::policy::Policy;
use serde_json::{Map, Value, json};

use super::arguments::Arguments;
use super::halt::Halt;
use super::perform;
use super::phone::Phone;
use super::world::World;
use crate::peers::RememberedIssuer;

/// How often, and with which pauses, the runner looks whether a stream stands again: 30 s on the machine's clock.
const BACK_LOOKS: u32 = 1_500;
const BACK_PAUSE: Duration = Duration::from_millis(20);

/// How often it is looked whether the issuer holds a request by now.
const HELD_PAUSE: Duration = Duration::from_millis(5);

/// The world and the phones in it.
pub(super) struct Stage<'a> {
    pub(super) world: World,
    folder: PathBuf,
    /// What a driver is told of the issuer.
    issuer: Value,
    /// The phones' clocks, as a driver is told. Kept here for wallets that open while the issuer is not running.
    clock: Value,
    /// What starts a driver; this very command without.
    driver: Option<&'a str>,
    phones: BTreeMap<String, Phone>,
}

/// A call that was answered, or that a kill met.
enum Ended {
    Answered(Value),
    Killed,
}

impl<'a> Stage<'a> {
    /// Nobody in a world of its own.
    pub(super) async fn new(
        folder: &Path,
        policy: &Policy,
        seed: Option<u64>,
        driver: Option<&'a str>,
    ) -> Result<Self, Halt> {
        let world = World::new(folder, policy, seed).await?;
        let issuer = {
            let (info, file) = world.info()?;
            json!(RememberedIssuer::new(info, file))
        };
        let clock = clock(&world.clock().await?);
        Ok(Self { world, folder: folder.to_owned(), issuer, clock, driver, phones: BTreeMap::new() })
    }

    /// Does one step. `who` is the persona or terminal, `arguments` have their saved values.
    pub(super) async fn perform(
        &mut self,
        verb: &str,
        who: &str,
        arguments: &Map<String, Value>,
    ) -> Result<Value, Halt> {
        if verb.starts_with("wallet.") {
            return self.wallet(verb, who, &Arguments(arguments)).await;
        }
        let number = self.phones.get(who).map(|phone| &phone.number);
        let outcome = perform::perform(&mut self.world, verb, who, number, arguments).await?;
        match verb {
            "sandbox.start" | "sandbox.restart" => self.followers_are_back().await?,
            "sandbox.clock" => self.tell_clock(&outcome).await?,
            _ => {}
        }
        Ok(outcome)
    }

    /// A persona with a wallet of its own that nobody has signed up in.
    pub(super) async fn add(&mut self, name: &str, number: &PhoneNumber) -> Result<(), Halt> {
        let phone = Phone::new(name, number, self.folder.join("wallets").join(name));
        self.phones.insert(name.to_owned(), phone);
        self.open(name).await.map(drop)
    }

    /// Moves every clock: the issuer's, and those of the phones.
    pub(super) async fn advance(&mut self, ms: u64) -> Result<(), Halt> {
        let moved = self.world.advance(ms).await?;
        self.tell_clock(&moved).await
    }

    /// Ends everything.
    pub(super) async fn close(self) {
        for phone in self.phones.into_values() {
            phone.close().await;
        }
        self.world.close().await;
    }

    async fn wallet(&mut self, verb: &str, who: &str, arguments: &Arguments<'_>) -> Result<Value, Halt> {
        match verb {
            "wallet.kill" => {
                self.phone(who)?.kill().await?;
                Ok(json!({ "state": "killed" }))
            }
            "wallet.reopen" => self.open(who).await,
            "wallet.damage" => self.phone(who)?.damage(),
            _ if arguments.flag("killed") => match self.call(verb, who, arguments, true).await {
                Ok(Ended::Killed) => Ok(json!({ "state": "killed" })),
                Ok(Ended::Answered(_)) | Err(Halt::Refused(_)) => {
                    Err(Halt::Broken("the call ended before the issuer held it".into()))
                }
                Err(Halt::Broken(why)) => Err(Halt::Broken(format!("{why} before the issuer held it"))),
            },
            _ => match self.call(verb, who, arguments, false).await? {
                Ended::Answered(outcome) => Ok(outcome),
                Ended::Killed => Err(Halt::Broken("a kill that nobody asked for".into())),
            },
        }
    }

    /// A step of a wallet in the words of a driver, which knows neither inbox nor control API.
    async fn call(&mut self, verb: &str, who: &str, arguments: &Arguments<'_>, killed: bool) -> Result<Ended, Halt> {
        let mut words = arguments.0.clone();
        for of_the_runner in ["killed", "thinking"] {
            words.remove(of_the_runner);
        }
        match verb {
            "wallet.sign-up" => {
                words.insert("number".into(), json!(self.phone(who)?.number));
            }
            "wallet.confirm" => {
                let code = match arguments.needed("code") {
                    Ok(code) => code,
                    Err(_) => self.newest_code(who).await?,
                };
                words.insert("code".into(), json!(code));
            }
            "wallet.top-up" => {
                if let Ended::Killed = self.ask(who, "wallet.prepare-top-up", json!(words), killed).await? {
                    return Ok(Ended::Killed);
                }
                if let Some(ms) = arguments.span_ms("thinking") {
                    self.advance(ms).await?;
                }
                return self.ask(who, "wallet.approve-top-up", json!({}), killed).await;
            }
            _ => {}
        }
        let ended = self.ask(who, verb, json!(words), killed).await?;
        if verb == "wallet.follow" {
            self.phone(who)?.follows = true;
        }
        Ok(ended)
    }

    /// Asks a driver; with `killed`, its process ends as soon as the issuer holds a request of it. Nothing goes on then.
    async fn ask(&mut self, who: &str, verb: &str, words: Value, killed: bool) -> Result<Ended, Halt> {
        let phone = self.phones.get_mut(who).ok_or_else(|| nobody(who))?;
        if !killed {
            return phone.ask(verb, words).await.map(Ended::Answered);
        }
        let world = &self.world;
        let held = async {
            while world.held().await? == 0 {
                tokio::time::sleep(HELD_PAUSE).await;
            }
            Ok::<(), Halt>(())
        };
        tokio::select! {
            held = held => held?,
            answer = phone.ask(verb, words) => return answer.map(Ended::Answered),
        }
        phone.kill().await?;
        Ok(Ended::Killed)
    }

    /// Opens a persona's wallet.
    async fn open(&mut self, name: &str) -> Result<Value, Halt> {
        let phone = self.phones.get_mut(name).ok_or_else(|| nobody(name))?;
        phone.open(self.driver, &self.issuer, &self.clock).await
    }

    fn phone(&mut self, name: &str) -> Result<&mut Phone, Halt> {
        self.phones.get_mut(name).ok_or_else(|| nobody(name))
    }

    async fn newest_code(&mut self, who: &str) -> Result<String, Halt> {
        let number = self.phone(who)?.number.clone();
        let newest = self.world.control().newest_code(&number).await?;
        newest.ok_or_else(|| Halt::Broken("there is no code in the inbox".into()))
    }

    async fn tell_clock(&mut self, moved: &Value) -> Result<(), Halt> {
        self.clock = clock(moved);
        for phone in self.phones.values_mut().filter(|phone| phone.is_open()) {
            phone.ask("driver.clock", self.clock.clone()).await?;
        }
        Ok(())
    }

    /// Waits until every wallet that follows has its stream again and has read the service document, which it does then. It
    /// comes back on the machine's time; without the wait, its lines would stand now here, now there in the log.
    async fn followers_are_back(&self) -> Result<(), Halt> {
        let following = self.phones.values().filter(|phone| phone.follows).count();
        for _ in 0..BACK_LOOKS {
            let log = self.world.control().log(0, &[]).await?;
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
}

fn nobody(name: &str) -> Halt {
    Halt::Broken(format!("no persona is {name}"))
}

/// What the phones' clocks show, of what the control API says of the issuer's.
fn clock(told: &Value) -> Value {
    let held = told.get("held") == Some(&json!(true));
    json!({ "offset_ms": told.get("offset_ms"), "held_at": told.get("now").filter(|_| held) })
}
