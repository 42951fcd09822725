//! An issuer that stays at its address when it dies, and people whose clocks move with its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use saifu::{Config, PhoneNumber, Wallet};
use saifu_host::doubles::MemoryHost;
use saifu_host::{Clock, Reading};
use saifu_link::Link;
use saifu_sandbox::policy::Policy;
use saifu_wire::Operation;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::plan::Pace;
use crate::support::rig::{self, Issuer, NO_WAITING, WallClock};

/// The machine's clock, moved along.
pub(crate) struct MovedClock(Arc<AtomicU64>);

impl Clock for MovedClock {
    fn read(&self) -> Reading {
        let (reading, moved) = (WallClock.read(), self.0.load(Ordering::SeqCst));
        Reading { wall_ms: reading.wall_ms + moved, elapsed_ms: reading.elapsed_ms + moved, ..reading }
    }
}

/// A fault as the control API takes it.
pub(crate) type Armed = (Operation, String);

/// The issuer, its time, and what goes wrong with it.
pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) pace: Pace,
    moved: Arc<AtomicU64>,
    patience: Duration,
    /// Each strikes once. The issuer forgets them when it dies.
    armed: Vec<Armed>,
    /// Where the log stood when they were armed, and when this issuer's life began.
    armed_at: usize,
    born_at: usize,
    people: u32,
}

impl World {
    pub(crate) fn start(pace: Pace) -> Self {
        Self::around(Issuer::start_logging(Some(rig::free_ports()), Some(NO_WAITING), true), pace)
    }

    /// With an issuer in this process that cannot die and may lack defences.
    pub(crate) async fn start_here(policy: Policy, pace: Pace) -> Self {
        Self::around(Issuer::start_here(policy).await, pace)
    }

    fn around(issuer: Issuer, pace: Pace) -> Self {
        let patience = Duration::from_millis(pace.patient);
        let moved = Arc::default();
        Self { issuer, pace, moved, patience, armed: Vec::new(), armed_at: 0, born_at: 0, people: 0 }
    }

    /// How long whoever comes from now on waits for an answer.
    pub(crate) fn set_patience(&mut self, ms: u64) {
        self.patience = Duration::from_millis(ms);
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(MovedClock(Arc::clone(&self.moved)))
    }

    /// Moves the issuer's clock and everybody's with it.
    pub(crate) fn advance(&mut self, ms: u64) {
        self.control("POST", "/clock", &json!({ "advance_ms": ms }));
        self.moved.fetch_add(ms, Ordering::SeqCst);
    }

    /// Brings a dead issuer back, as a supervisor does, and what has not struck yet with it. Returns when it answers.
    pub(crate) fn revive(&mut self) {
        self.control("GET", "/clock", &Value::Null);
    }

    fn revive_if_dead(&mut self) {
        if self.issuer.is_dead() {
            self.born_at = self.issuer.logged().len();
            self.issuer.restart();
            for fault in self.waiting() {
                self.add_fault(&fault, Some(1));
            }
        }
    }

    /// From now on these strike, each once, in this order where they wait for one message.
    pub(crate) fn arm(&mut self, faults: Vec<Armed>) {
        self.disarm();
        self.armed_at = self.issuer.logged().len();
        for fault in &faults {
            self.add_fault(fault, Some(1));
        }
        self.armed = faults;
    }

    /// Nothing goes wrong any more. What is held goes its way.
    pub(crate) fn disarm(&mut self) {
        self.armed.clear();
        self.control("DELETE", "/faults", &Value::Null);
    }

    /// What is armed and has not struck yet. The log says so even of a fault that killed the issuer; one that cannot die
    /// knows by itself.
    pub(crate) fn waiting(&mut self) -> Vec<Armed> {
        let mut waiting = self.armed.clone();
        if !self.issuer.logs() {
            let list = self.control("GET", "/faults", &Value::Null);
            let mut struck = list["faults"].as_array().unwrap().iter().map(|fault| fault["struck"] != 0);
            waiting.retain(|_| !struck.next().unwrap());
            return waiting;
        }
        let log = self.issuer.logged();
        let mut struck: Vec<Armed> = strikes(&log[self.armed_at..]).collect();
        waiting.retain(|fault| match struck.iter().position(|it| it == fault) {
            Some(place) => {
                struck.remove(place);
                false
            }
            None => true,
        });
        waiting
    }

    pub(crate) fn add_fault(&mut self, (on, act): &Armed, times: Option<u32>) {
        self.control("POST", "/faults", &json!({"on": on.name(), "do": act, "times": times}));
    }

    /// Waits until no request is held any more, but for those that are held for ever.
    pub(crate) async fn nothing_held(&mut self) {
        for _ in 0..1_000 {
            let held = self.control("GET", "/faults", &Value::Null)["held"].as_u64().unwrap();
            let for_ever =
                strikes(&self.issuer.logged()[self.born_at..]).filter(|(_, act)| act.starts_with("hang")).count();
            if held <= u64::try_from(for_ever).unwrap() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("a request is held for ever");
    }

    /// What the ledger's own check finds wrong; nothing as a rule.
    pub(crate) fn audit(&mut self) -> Vec<Value> {
        self.control("GET", "/audit", &Value::Null)["faults"].as_array().unwrap().clone()
    }

    /// A register, an ATM or an operator.
    pub(crate) fn terminal(&self, name: &str) -> Arc<Link> {
        let link = self.issuer.terminal(name);
        link.set_patience(self.patience);
        link
    }

    /// The newest code that was sent to a number.
    pub(crate) fn sms_code(&mut self, number: &PhoneNumber) -> String {
        self.revive();
        self.issuer.sms_code(number)
    }

    /// Calls the control API. What a customer's phone does by itself may kill the issuer at any time.
    fn control(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        for _ in 0..200 {
            self.revive_if_dead();
            if let Ok(answer) = self.issuer.try_control(method, path, &body) {
                return answer;
            }
            // It is dying, and nobody has buried it yet.
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{method} {path}: the issuer does not stay alive");
    }

    /// A number for somebody new. No block of numbers sees many of them.
    fn new_number(&mut self) -> String {
        let number = self.people;
        self.people += 1;
        format!("090-{:04}-{:04}", 1_000 + number % 9_000, number / 9_000)
    }
}

/// Which faults a part of the log says have struck.
fn strikes(log: &str) -> impl Iterator<Item = Armed> {
    log.lines().filter_map(|line| {
        let (_, on) = line.split_once("operation=\"")?;
        let (on, act) = on.split_once("\" fault=")?;
        let on = Operation::ALL.iter().find(|known| known.name() == on)?;
        Some((*on, act.split_whitespace().next()?.to_owned()))
    })
}

/// A customer with a wallet in this process.
pub(crate) struct Person {
    pub(crate) wallet: Wallet,
    pub(crate) host: MemoryHost,
    pub(crate) number: PhoneNumber,
    /// What tills and ATMs were told of each of their transactions: yen, to the customer.
    pub(crate) told: std::collections::BTreeMap<String, i64>,
    /// Begins each transaction id of this customer.
    pub(crate) id: String,
    _folder: TempDir,
}

impl Person {
    pub(crate) fn new(world: &mut World) -> Self {
        let (host, folder) = (MemoryHost::new(), tempfile::tempdir().unwrap());
        let config = Config {
            folder: folder.path().to_path_buf(),
            issuer: world.issuer.customer_config(),
            app_version: "faults".into(),
        };
        let platform = host.platform(world.clock());
        let wallet = Wallet::open(platform, config, tokio::runtime::Handle::current()).unwrap();
        wallet.set_patience(world.patience);
        let number = PhoneNumber::parse(&world.new_number()).unwrap();
        Self { wallet, host, number, told: Default::default(), id: format!("p{}", world.people), _folder: folder }
    }
}
