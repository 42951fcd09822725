//! What the tests of money share: an issuer as a process of its own, customers with real wallets, tills and ATMs, and the
//! control API. Everything talks TLS on loopback with random ports.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use data_encoding::BASE64;
use saifu::{Config, PhoneNumber, Wallet};
use saifu_crypto::{KeyPair, PublicKey, Secret};
use saifu_host::Clock;
use saifu_host::doubles::MemoryHost;
use saifu_link::{Auth, IssuerConfig, Link, LinkError, Request, Roots};
use saifu_policy::Class;
use saifu_sandbox::SandboxInfo;
use saifu_wire::messages::{
    AtmAuthorizeAnswer, AtmAuthorizeRequest, AtmDepositRequest, Outcome, SettleAnswer, SettleRequest,
};
use saifu_wire::{Amount, Name, Operation, Sensitive};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Handle;

/// A policy without waiting times: only what a test switches on decides.
pub(crate) const NO_WAITING: &str = include_str!("no_waiting.json");

/// Where an issuer runs.
enum Host {
    /// `saifu sandbox` as a process of its own. Killed when dropped.
    Process(Child),
    /// In the process of its test, which may take its defences away. Nobody can kill it.
    Here { _running: Box<saifu_sandbox::Running> },
}

impl Host {
    fn process(&mut self) -> &mut Child {
        match self {
            Self::Process(child) => child,
            Self::Here { .. } => panic!("an issuer in the test's own process cannot be killed"),
        }
    }
}

/// An issuer with a folder of its own.
pub(crate) struct Issuer {
    host: Host,
    data: PathBuf,
    policy: Option<PathBuf>,
    port: Option<u16>,
    /// What it says to stderr goes to this file.
    log: Option<PathBuf>,
    pub(crate) info: SandboxInfo,
    pub(crate) home: TempDir,
}

impl Issuer {
    /// Starts one on a fresh folder; `policy` is the text of a policy file.
    pub(crate) fn start(policy: Option<&str>) -> Self {
        Self::start_on(None, policy)
    }

    /// The same on this port and the three above it, after each restart too.
    pub(crate) fn start_on(port: Option<u16>, policy: Option<&str>) -> Self {
        Self::start_logging(port, policy, false)
    }

    /// The same; what it logs of faults that strike is kept for [`logged`](Self::logged), beyond its death.
    pub(crate) fn start_logging(port: Option<u16>, policy: Option<&str>, log: bool) -> Self {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("sandbox");
        let policy = policy.map(|text| {
            let file = home.path().join("policy.json");
            std::fs::write(&file, text).unwrap();
            file
        });
        let log = log.then(|| home.path().join("issuer.log"));
        let (child, info) = launch(&data, policy.as_deref(), port, log.as_deref());
        Self { host: Host::Process(child), data, policy, port, log, info, home }
    }

    /// Starts one in this process, with any policy there is.
    pub(crate) async fn start_here(policy: saifu_sandbox::policy::Policy) -> Self {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("sandbox");
        let options = saifu_sandbox::Options { policy, ..saifu_sandbox::Options::new(&data) };
        let running = saifu_sandbox::Sandbox::start(options).await.unwrap();
        let info = running.info().clone();
        Self { host: Host::Here { _running: Box::new(running) }, data, policy: None, port: None, log: None, info, home }
    }

    /// Whether its log is kept.
    pub(crate) fn logs(&self) -> bool {
        self.log.is_some()
    }

    /// What it has logged since its first start; nothing if it was not asked to.
    pub(crate) fn logged(&self) -> String {
        self.log.as_ref().map(|log| std::fs::read_to_string(log).unwrap()).unwrap_or_default()
    }

    /// Whether its process has ended.
    pub(crate) fn is_dead(&mut self) -> bool {
        match &mut self.host {
            Host::Process(child) => child.try_wait().unwrap().is_some(),
            Host::Here { .. } => false,
        }
    }

    /// SIGKILL, in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        let child = self.host.process();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts again on the same folder, on new ports unless it was given some.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let (child, info) = launch(&self.data, self.policy.as_deref(), self.port, self.log.as_deref());
        (self.host, self.info) = (Host::Process(child), info);
    }

    pub(crate) fn info_file(&self) -> PathBuf {
        self.data.join("sandbox.json")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.data.join("issuer.db")
    }

    /// Calls the control API.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Value {
        self.try_control(method, path, body).unwrap()
    }

    /// Calls the control API of an issuer that may die meanwhile.
    pub(crate) fn try_control(&self, method: &str, path: &str, body: &str) -> std::io::Result<Value> {
        let address = self.info.lever_url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let mut stream = TcpStream::connect(&address)?;
        let token = &self.info.lever_token;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
        assert!(head.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
        Ok(serde_json::from_str(body)?)
    }

    /// Moves the issuer's clock and runs what is due.
    pub(crate) fn advance(&self, ms: u64) {
        self.control("POST", "/clock", &format!("{{\"advance_ms\":{ms}}}"));
    }

    /// The newest code that was sent to a number.
    pub(crate) fn sms_code(&self, number: &PhoneNumber) -> String {
        let path = format!("/sms?number={}", number.as_str().replace('+', "%2B"));
        let inbox = self.control("GET", &path, "");
        let mut codes = inbox["messages"].as_array().unwrap().iter().filter_map(|message| message["code"].as_str());
        codes.next_back().unwrap_or_else(|| panic!("no code for {number:?}: {inbox}")).to_owned()
    }

    /// Has every balance recomputed from the postings and compared.
    pub(crate) fn assert_books_balance(&self) {
        let audit = self.control("GET", "/audit", "");
        assert!(
            audit["faults"].as_array().is_some_and(Vec::is_empty) && audit["postings"].as_u64() > Some(0),
            "{audit}"
        );
    }

    pub(crate) fn customer_config(&self) -> IssuerConfig {
        config(&self.info, &self.info.customer_url)
    }

    /// A register or ATM of the sandbox.
    pub(crate) fn terminal(&self, name: &str) -> Arc<Link> {
        let entry = self.info.terminals.iter().find(|terminal| terminal.terminal.as_str() == name).unwrap();
        let key = KeyPair::from_pkcs8(Secret::new(BASE64.decode(entry.key.as_bytes()).unwrap())).unwrap();
        let config = config(&self.info, &self.info.register_url);
        Arc::new(Link::with_key(config, Arc::new(WallClock), "rig", key).unwrap())
    }
}

/// Four ports in a row that nobody uses now, below those that the system gives away by itself: another connection must not
/// sit on one of them while its issuer is dead.
pub(crate) fn free_ports() -> u16 {
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    let (first, last) = (10_000_u64, 32_000_u64);
    let offset = u64::from(std::process::id()) * 800;
    let free = |first: &u16| (*first..*first + 4).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
    let mut candidates =
        std::iter::repeat_with(|| first + (offset + TAKEN.fetch_add(4, Ordering::SeqCst)) % (last - first));
    candidates.find_map(|port| Some(u16::try_from(port).unwrap()).filter(free)).unwrap()
}

impl Drop for Issuer {
    fn drop(&mut self) {
        if let Host::Process(child) = &mut self.host {
            // It may be dead already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts a process. Another test that looks for a free port may sit on one of these for a moment.
fn launch(data: &Path, policy: Option<&Path>, port: Option<u16>, log: Option<&Path>) -> (Child, SandboxInfo) {
    let mut ended = None;
    for _ in 0..if port.is_some() { 20 } else { 1 } {
        match try_launch(data, policy, port, log) {
            Ok(launched) => return launched,
            Err(status) => ended = Some(status),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the sandbox ended: {ended:?}");
}

fn try_launch(
    data: &Path,
    policy: Option<&Path>,
    port: Option<u16>,
    log: Option<&Path>,
) -> Result<(Child, SandboxInfo), ExitStatus> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_saifu"));
    command.arg("sandbox").arg("--data").arg(data).arg("--quiet").stdin(Stdio::null()).stdout(Stdio::null());
    if let Some(policy) = policy {
        command.arg("--policy").arg(policy);
    }
    command.arg("--port").arg(port.unwrap_or(0).to_string());
    if let Some(log) = log {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        command.env("SAIFU_LOG", "saifu_sandbox::issuer::faulty=info").env("NO_COLOR", "1").stderr(file);
    }
    let mut child = command.spawn().unwrap();
    for _ in 0..600 {
        if let Ok(info) = SandboxInfo::read(&data.join("sandbox.json"))
            && info.pid == child.id()
        {
            return Ok((child, info));
        }
        if let Some(status) = child.try_wait().unwrap() {
            return Err(status);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the sandbox did not get ready within 30 s");
}

pub(crate) fn config(info: &SandboxInfo, api: &str) -> IssuerConfig {
    let pin = |pin: &String| BASE64.decode(pin.as_bytes()).unwrap().try_into().unwrap();
    IssuerConfig {
        api: api.parse().unwrap(),
        service: info.service_url.parse().unwrap(),
        roots: Roots::Pem(info.ca_pem.clone()),
        pins: info.pins.iter().map(pin).collect(),
        service_pins: info.service_pins.iter().map(pin).collect(),
        service_key: PublicKey::from_spki(&BASE64.decode(info.service_key.as_bytes()).unwrap()).unwrap(),
        sandbox: true,
    }
}

/// The machine's own clock; the issuer's is told by its answers.
pub(crate) struct WallClock;

impl Clock for WallClock {
    fn read(&self) -> saifu_host::Reading {
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let wall_ms = u64::try_from(wall.as_millis()).unwrap();
        saifu_host::Reading { wall_ms, elapsed_ms: wall_ms, boot_id: [1; 16] }
    }
}

/// A customer with a real wallet in this process and keys in memory.
pub(crate) struct Customer {
    pub(crate) wallet: Wallet,
    pub(crate) host: MemoryHost,
    pub(crate) number: PhoneNumber,
    folder: TempDir,
}

impl Customer {
    /// Signs up.
    pub(crate) async fn new(issuer: &Issuer, number: &str) -> Self {
        let number = PhoneNumber::parse(number).unwrap();
        let (host, folder) = (MemoryHost::new(), tempfile::tempdir().unwrap());
        let wallet = open(&host, folder.path(), issuer);
        let sign_up = wallet.sign_up(number.clone()).await.unwrap();
        sign_up.confirm(&issuer.sms_code(&number)).await.unwrap();
        Self { wallet, host, number, folder }
    }

    /// Asks for the SMS code and goes no further.
    pub(crate) async fn unconfirmed(issuer: &Issuer, number: &str) -> Self {
        let number = PhoneNumber::parse(number).unwrap();
        let (host, folder) = (MemoryHost::new(), tempfile::tempdir().unwrap());
        let wallet = open(&host, folder.path(), issuer);
        drop(wallet.sign_up(number.clone()).await.unwrap());
        Self { wallet, host, number, folder }
    }

    /// The sign-up that waits for its code.
    pub(crate) fn sign_up(&self) -> saifu::SignUp {
        self.wallet.sign_up_in_progress().unwrap()
    }

    /// Opens the same wallet again, perhaps for an issuer on new ports.
    pub(crate) async fn reopen(self, issuer: &Issuer) -> Self {
        let Self { wallet, host, number, folder } = self;
        wallet.close().await;
        drop(wallet);
        let wallet = open(&host, folder.path(), issuer);
        Self { wallet, host, number, folder }
    }

    pub(crate) fn cache_folder(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Tops up at an ATM, all the way.
    pub(crate) async fn top_up(&self, issuer: &Issuer, yen: i64) {
        let approval = self.wallet.top_up(saifu::Channel::Atm, Amount::new(yen).unwrap()).await.unwrap();
        let signature = self.host.authorize(approval.message()).unwrap();
        let top_up = approval.confirm(signature).await.unwrap();
        let number = top_up.number.unwrap();
        let txid = format!("fill-{}", top_up.intent);
        let answer = deposit(&issuer.terminal("atm-1"), &txid, &number, &self.totp(), yen).await.unwrap();
        assert_eq!(answer.result, Outcome::Approved, "{answer:?}");
    }

    pub(crate) fn totp(&self) -> Sensitive {
        self.wallet.totp().unwrap().code
    }
}

fn open(host: &MemoryHost, folder: &Path, issuer: &Issuer) -> Wallet {
    let config = Config { folder: folder.to_path_buf(), issuer: issuer.customer_config(), app_version: "rig".into() };
    Wallet::open(host.platform(Arc::new(WallClock)), config, Handle::current()).unwrap()
}

/// An ATM checks number and TOTP, then posts the cash.
pub(crate) async fn deposit(
    atm: &Link,
    txid: &str,
    number: &Sensitive,
    totp: &Sensitive,
    yen: i64,
) -> Result<SettleAnswer, LinkError> {
    let txid = Name::new(txid).unwrap();
    let body = AtmAuthorizeRequest { txid: txid.clone(), number: number.clone(), totp: totp.clone() };
    let request = Request::new(Operation::AtmAuthorize, Auth::Proof, Class::Terminal);
    let checked: AtmAuthorizeAnswer = atm.call(request, &body).await?;
    if checked.result != Outcome::Approved {
        let saifu_wire::messages::AtmAuthorizeAnswer { result, reason, yen, .. } = checked;
        return Ok(SettleAnswer { result, reason, settlement: None, yen });
    }
    let request = Request::new(Operation::AtmDeposit, Auth::Proof, Class::Terminal);
    atm.call(request, &AtmDepositRequest { txid, yen: Amount::new(yen).unwrap() }).await
}

/// A register settles a code.
pub(crate) async fn settle(register: &Link, txid: &str, digits: &str, yen: i64) -> Result<SettleAnswer, LinkError> {
    let body = SettleRequest {
        txid: Name::new(txid).unwrap(),
        digits: Sensitive::new(digits),
        yen: Amount::new(yen).unwrap(),
    };
    register.call(Request::new(Operation::Settle, Auth::Proof, Class::Terminal), &body).await
}
