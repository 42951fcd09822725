//! An issuer that stays at its address when it dies, and people whose clocks move with its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use saifu::PhoneNumber;
use saifu_host::desktop::DesktopClock;
use saifu_link::Link;
use saifu_rig::{Customer, Issuer, Launch, control, free_ports};
use saifu_sandbox::policy::Policy;
use saifu_wire::Operation;
use serde_json::{Value, json};

use super::plan::Pace;
use crate::support::common::{NO_WAITING, launch};

/// A fault as the control API takes it.
pub(crate) type Armed = (Operation, String);

/// The issuer, its time, and what goes wrong with it.
pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) pace: Pace,
    /// How far it is ahead of the machine.
    moved: Arc<AtomicI64>,
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
        Self::around(Issuer::launch(Launch { port: Some(free_ports()), log: true, ..launch(Some(NO_WAITING)) }), pace)
    }

    /// With an issuer in this process that cannot die and may lack defences.
    pub(crate) async fn start_here(policy: Policy, pace: Pace) -> Self {
        Self::around(Issuer::here(|options| options.policy = policy).await, pace)
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

    /// Moves the issuer's clock and everybody's with it.
    pub(crate) fn advance(&mut self, ms: u64) {
        self.control("POST", "/clock", json!({ "advance_ms": ms }));
        self.moved.fetch_add(i64::try_from(ms).unwrap(), Ordering::SeqCst);
    }

    /// Brings a dead issuer back, as a supervisor does, and what has not struck yet with it. Returns when it answers.
    pub(crate) fn revive(&mut self) {
        self.control("GET", "/clock", None);
    }

    fn logged(&self) -> String {
        self.issuer.logged().unwrap_or_default()
    }

    fn revive_if_dead(&mut self) {
        if self.issuer.is_dead() {
            self.born_at = self.logged().len();
            self.issuer.restart();
            for fault in self.waiting() {
                self.add_fault(&fault, Some(1));
            }
        }
    }

    /// From now on these strike, each once, in this order where they wait for one message.
    pub(crate) fn arm(&mut self, faults: Vec<Armed>) {
        self.disarm();
        self.armed_at = self.logged().len();
        for fault in &faults {
            self.add_fault(fault, Some(1));
        }
        self.armed = faults;
    }

    /// Nothing goes wrong any more. What is held goes its way.
    pub(crate) fn disarm(&mut self) {
        self.armed.clear();
        self.control("DELETE", "/faults", None);
    }

    /// What is armed and has not struck yet. The log says so even of a fault that killed the issuer; one that cannot die
    /// knows by itself.
    pub(crate) fn waiting(&mut self) -> Vec<Armed> {
        let mut waiting = self.armed.clone();
        let Some(log) = self.issuer.logged() else {
            let list = self.control("GET", "/faults", None);
            let mut struck = list["faults"].as_array().unwrap().iter().map(|fault| fault["struck"] != 0);
            waiting.retain(|_| !struck.next().unwrap());
            return waiting;
        };
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
        self.control("POST", "/faults", json!({"on": on.name(), "do": act, "times": times}));
    }

    /// Waits until no request is held any more, but for those that are held for ever.
    pub(crate) async fn nothing_held(&mut self) {
        for _ in 0..1_000 {
            let held = self.control("GET", "/faults", None)["held"].as_u64().unwrap();
            let for_ever = strikes(&self.logged()[self.born_at..]).filter(|(_, act)| act.starts_with("hang")).count();
            if held <= u64::try_from(for_ever).unwrap() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("a request is held for ever");
    }

    /// What the ledger's own check finds wrong; nothing as a rule.
    pub(crate) fn audit(&mut self) -> Vec<Value> {
        self.control("GET", "/audit", None)["faults"].as_array().unwrap().clone()
    }

    /// A register, an ATM or an operator.
    pub(crate) fn terminal(&self, name: &str) -> Arc<Link> {
        let link = self.issuer.link(name);
        link.set_patience(self.patience);
        link
    }

    /// The newest code that was sent to a number.
    pub(crate) fn sms_code(&mut self, number: &PhoneNumber) -> String {
        self.revive();
        self.issuer.sms_code(number)
    }

    /// Calls the control API. What a customer's phone does by itself may kill the issuer at any time.
    fn control(&mut self, method: &str, path: &str, body: impl Into<Option<Value>>) -> Value {
        let body = body.into();
        for _ in 0..200 {
            self.revive_if_dead();
            if let Ok(answer) = control::ask(&self.issuer.info, method, path, body.clone()) {
                return answer.ok();
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

/// A customer, and what was told of him.
pub(crate) struct Person {
    pub(crate) customer: Customer,
    /// What tills and ATMs were told of each of their transactions: yen, to the customer.
    pub(crate) told: std::collections::BTreeMap<String, i64>,
    /// Begins each transaction id of this customer.
    pub(crate) id: String,
}

impl Person {
    pub(crate) fn new(world: &mut World) -> Self {
        let moved = Arc::clone(&world.moved);
        let clock = DesktopClock::shifted(Arc::new(move |_| moved.load(Ordering::SeqCst)));
        let number = world.new_number();
        let customer = Customer::stranger(&world.issuer, &number, Arc::new(clock));
        customer.wallet.set_patience(world.patience);
        Self { customer, told: Default::default(), id: format!("p{}", world.people) }
    }
}
