//! An issuer that stays at its address when it dies, and people whose clocks move with its own.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use saifu::{Config, PhoneNumber, Wallet};
use saifu_host::doubles::MemoryHost;
use saifu_host::{Clock, Reading};
use saifu_link::Link;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::rig::{Issuer, NO_WAITING, WallClock};

/// The machine's clock, moved along.
pub(crate) struct MovedClock(Arc<AtomicU64>);

impl Clock for MovedClock {
    fn read(&self) -> Reading {
        let (reading, moved) = (WallClock.read(), self.0.load(Ordering::SeqCst));
        Reading { wall_ms: reading.wall_ms + moved, elapsed_ms: reading.elapsed_ms + moved, ..reading }
    }
}

/// The issuer and its time.
pub(crate) struct World {
    pub(crate) issuer: Issuer,
    moved: Arc<AtomicU64>,
    patience: Duration,
    deaths: u32,
}

impl World {
    pub(crate) fn start(patience_ms: u64) -> Self {
        let issuer = Issuer::start_on(Some(four_free_ports()), Some(NO_WAITING));
        Self { issuer, moved: Arc::default(), patience: Duration::from_millis(patience_ms), deaths: 0 }
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(MovedClock(Arc::clone(&self.moved)))
    }

    /// Moves the issuer's clock and everybody's with it.
    pub(crate) fn advance(&self, ms: u64) {
        self.issuer.advance(ms);
        self.moved.fetch_add(ms, Ordering::SeqCst);
    }

    /// Brings a dead issuer back, as a supervisor does.
    pub(crate) fn revive(&mut self) {
        if self.issuer.is_dead() {
            self.deaths += 1;
            self.issuer.restart();
        }
    }

    pub(crate) fn deaths(&self) -> u32 {
        self.deaths
    }

    pub(crate) fn add_fault(&self, on: &str, act: &str) {
        self.issuer.lever("POST", "/faults", &json!({"on": on, "do": act, "times": 1}).to_string());
    }

    pub(crate) fn faults(&self) -> Value {
        self.issuer.lever("GET", "/faults", "")
    }

    pub(crate) fn clear_faults(&self) {
        self.issuer.lever("DELETE", "/faults", "");
    }

    /// Waits until no request is held any more.
    pub(crate) async fn nothing_held(&self) {
        for _ in 0..600 {
            if self.faults()["held"] == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("a request is held for ever");
    }

    /// A register, an ATM or an operator.
    pub(crate) fn terminal(&self, name: &str) -> Arc<Link> {
        let link = self.issuer.terminal(name);
        link.set_patience(self.patience);
        link
    }
}

/// Four ports in a row that nobody uses now.
fn four_free_ports() -> u16 {
    let start = 20_000 + u16::try_from(std::process::id() % 20_000).unwrap();
    let mut candidates = (start..60_000).step_by(4);
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    candidates.nth(usize::try_from(TAKEN.fetch_add(1, Ordering::SeqCst)).unwrap() * 8);
    let free = |first: &u16| (*first..*first + 4).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
    candidates.find(free).unwrap()
}

/// A customer with a wallet in this process.
pub(crate) struct Person {
    pub(crate) wallet: Wallet,
    pub(crate) host: MemoryHost,
    pub(crate) number: PhoneNumber,
    /// What all approved answers at tills and ATMs come to.
    pub(crate) expected: i64,
    _folder: TempDir,
}

impl Person {
    pub(crate) fn new(world: &World, number: &str) -> Self {
        let (host, folder) = (MemoryHost::new(), tempfile::tempdir().unwrap());
        let config = Config {
            folder: folder.path().to_path_buf(),
            issuer: world.issuer.customer_config(),
            app_version: "faults".into(),
            disk: None,
        };
        let platform = host.platform(world.clock());
        let wallet = Wallet::open(platform, config, tokio::runtime::Handle::current()).unwrap();
        wallet.set_patience(world.patience);
        Self { wallet, host, number: PhoneNumber::parse(number).unwrap(), expected: 0, _folder: folder }
    }
}
