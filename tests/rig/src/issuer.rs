//! An issuer with a folder of its own: in this process, where a test may take its defences away, or a process that can be killed.

use std::fs::{self, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use saifu_link::{IssuerConfig, Link};
use saifu_sandbox::{Options, Running, Sandbox, SandboxInfo};
use saifu_wire::PhoneNumber;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Peer, Phone, control, terminal};

/// How an issuer is started as a process of its own.
pub struct Launch {
    /// The command `saifu`.
    pub program: PathBuf,
    /// The text of a policy file.
    pub policy: Option<String>,
    /// This port and the three above it, at each start; otherwise whatever is free.
    pub port: Option<u16>,
    /// Whether what it says of faults that strike is kept, for [`Issuer::logged`].
    pub log: bool,
}

/// Killed at the end.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

enum Host {
    Process(Process, Launch),
    Here(Box<Running>),
}

/// A running issuer.
pub struct Issuer {
    host: Host,
    /// What it says of itself.
    pub info: SandboxInfo,
    /// Everything that belongs to it; its data is in `sandbox`.
    pub home: TempDir,
}

impl Issuer {
    /// As a process.
    pub fn launch(launch: Launch) -> Self {
        let home = tempfile::tempdir().unwrap();
        if let Some(policy) = &launch.policy {
            fs::write(home.path().join("policy.json"), policy).unwrap();
        }
        let (process, info) = launch.start(home.path());
        Self { host: Host::Process(process, launch), info, home }
    }

    /// In this process.
    pub async fn start() -> Self {
        Self::here(|_| {}).await
    }

    /// With a customer without the core, who has an account and a session.
    pub async fn with_phone(number: &str) -> (Self, Phone) {
        let issuer = Self::start().await;
        let phone = issuer.phone(number).await;
        (issuer, phone)
    }

    /// And this balance.
    pub async fn with_balance(number: &str, yen: i64) -> (Self, Phone) {
        let (issuer, phone) = Self::with_phone(number).await;
        phone.cash_in(&issuer.info, yen).await;
        (issuer, phone)
    }

    /// The same as [`start`](Self::start) with a policy that may lack defences, or other options.
    pub async fn here(change: impl FnOnce(&mut Options)) -> Self {
        Self::over(tempfile::tempdir().unwrap(), change).await
    }

    /// The same over what another one left.
    pub async fn over(home: TempDir, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(home.path().join("sandbox"));
        change(&mut options);
        let running = Sandbox::start(options).await.unwrap();
        Self { info: running.info().clone(), host: Host::Here(Box::new(running)), home }
    }

    /// The sandbox of this process.
    pub fn running(&self) -> &Running {
        match &self.host {
            Host::Here(running) => running,
            Host::Process(..) => panic!("this issuer is another process"),
        }
    }

    /// Ends it, the one of this process in good order; its folder is left.
    pub async fn stop(self) -> TempDir {
        if let Host::Here(running) = self.host {
            running.stop().await;
        }
        self.home
    }

    /// Ends the one of this process and starts it again over the same folder.
    pub async fn restarted(self) -> Self {
        Self::over(self.stop().await, |_| {}).await
    }

    /// Whether its process has ended.
    pub fn is_dead(&mut self) -> bool {
        match &mut self.host {
            Host::Process(process, _) => process.0.try_wait().unwrap().is_some(),
            Host::Here(_) => false,
        }
    }

    /// SIGKILL, in the middle of whatever it does.
    pub fn kill(&mut self) {
        let Host::Process(process, _) = &mut self.host else { panic!("this issuer is no process of its own") };
        process.0.kill().unwrap();
        process.0.wait().unwrap();
    }

    /// Kills it and starts it again over the same folder, on new ports unless it was given some.
    pub fn restart(&mut self) {
        self.kill();
        if let Host::Process(process, launch) = &mut self.host {
            (*process, self.info) = launch.start(self.home.path());
        }
    }

    /// What it has logged since its first start, if it was asked to.
    pub fn logged(&self) -> Option<String> {
        let file = self.home.path().join(LOG);
        file.exists().then(|| fs::read_to_string(file).unwrap())
    }

    /// Where its data is.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("sandbox")
    }

    /// Its `sandbox.json`.
    pub fn info_file(&self) -> PathBuf {
        self.data().join("sandbox.json")
    }

    /// Its database, to look at.
    pub fn database(&self) -> Connection {
        let conn =
            Connection::open_with_flags(self.data().join("issuer.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        conn.busy_timeout(Duration::from_secs(10)).unwrap();
        conn
    }

    /// Asks the control API for what it must do.
    #[track_caller]
    pub fn control(&self, method: &str, path: &str, body: impl Into<Option<Value>>) -> Value {
        control::ask(&self.info, method, path, body).unwrap().ok()
    }

    /// Moves its clock and runs what is due.
    pub fn advance(&self, ms: u64) -> Value {
        self.control("POST", "/clock", json!({ "advance_ms": ms }))
    }

    /// The newest code that was sent to a number.
    pub fn sms_code(&self, number: &PhoneNumber) -> String {
        control::sms_code(&self.info, number)
    }

    /// Has every balance recomputed from the postings and compared.
    pub fn assert_books_balance(&self) {
        let audit = self.control("GET", "/audit", None);
        assert!(audit["ok"] == true && audit["faults"] == json!([]) && audit["postings"].as_u64() > Some(0), "{audit}");
    }

    /// Customers' address, as their wallets know it.
    pub fn config(&self) -> IssuerConfig {
        terminal::config(&self.info, &self.info.customer_url)
    }

    /// A terminal of its first start, by the core's link.
    pub fn link(&self, terminal: &str) -> Arc<Link> {
        terminal::link(&self.info, terminal::key(&self.info, terminal))
    }

    /// The same without the core.
    pub fn terminal(&self, name: &str) -> Peer {
        Peer::terminal(&self.info, name)
    }

    /// A customer without the core, with an account and a session.
    pub async fn phone(&self, number: &str) -> Phone {
        Phone::sign_up(&self.info, number).await
    }
}

const LOG: &str = "issuer.log";

impl Launch {
    /// Another test that looks for free ports may sit on one of these for a moment.
    fn start(&self, home: &Path) -> (Process, SandboxInfo) {
        let mut ended = None;
        for _ in 0..if self.port.is_some() { 20 } else { 1 } {
            match self.try_start(home) {
                Ok(started) => return started,
                Err(status) => ended = Some(status),
            }
            sleep(Duration::from_millis(100));
        }
        panic!("the sandbox ended: {ended:?}");
    }

    fn try_start(&self, home: &Path) -> Result<(Process, SandboxInfo), ExitStatus> {
        let data = home.join("sandbox");
        let mut command = Command::new(&self.program);
        command.arg("sandbox").arg("--data").arg(&data).arg("--quiet").stdin(Stdio::null()).stdout(Stdio::null());
        command.arg("--port").arg(self.port.unwrap_or(0).to_string());
        if self.policy.is_some() {
            command.arg("--policy").arg(home.join("policy.json"));
        }
        if self.log {
            let file = OpenOptions::new().create(true).append(true).open(home.join(LOG)).unwrap();
            command.env("SAIFU_LOG", "saifu_sandbox::issuer::faulty=info").env("NO_COLOR", "1").stderr(file);
        }
        let mut process = Process(command.spawn().unwrap());
        for _ in 0..600 {
            if let Ok(info) = SandboxInfo::read(&data.join("sandbox.json"))
                && info.pid == process.0.id()
            {
                return Ok((process, info));
            }
            if let Some(status) = process.0.try_wait().unwrap() {
                return Err(status);
            }
            sleep(Duration::from_millis(50));
        }
        panic!("the sandbox did not get ready within 30 s");
    }
}

/// Four ports in a row that nobody uses now, below those that the system gives away by itself: another connection must not
/// sit on one of them while its issuer is dead.
pub fn free_ports() -> u16 {
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    let (first, last) = (10_000_u64, 32_000_u64);
    let offset = u64::from(std::process::id()) * 800;
    let free = |first: &u16| (*first..*first + 4).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
    let mut candidates =
        std::iter::repeat_with(|| first + (offset + TAKEN.fetch_add(4, Ordering::SeqCst)) % (last - first));
    candidates.find_map(|port| Some(u16::try_from(port).unwrap()).filter(free)).unwrap()
}
