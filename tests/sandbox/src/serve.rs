//! The sandbox as a whole: a DATA folder, an issuer over it, and four listeners around it. `saifu sandbox` and the tests of
//! all crates start it here, in their own process.
//!
//! | Listener | Who | How |
//! | --- | --- | --- |
//! | customer | phones; `GET /openapi.json` for everybody | TLS, DPoP |
//! | register | registers, ATMs, operators | TLS, DPoP with enrolled keys |
//! | service | everybody: `GET /service.json` | TLS |
//! | control API | quality assurance | plain HTTP on loopback, a token |

mod http;
mod listener;
mod start;
mod tls;

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::files::{FileError, FolderError, SandboxInfo};
use crate::issuer::Issuer;
use crate::policy::Policy;
use crate::store::StoreError;

/// How a sandbox is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where everything lies; made if it is not there.
    pub data: PathBuf,
    /// Where it listens.
    pub ports: Ports,
    /// An address of this machine where customers are served too, for phones. Never registers, never the control API.
    pub host: Option<IpAddr>,
    /// Makes the rules' chance repeat: ids, SMS codes, payment codes. Keys, tokens and signatures never do. The folder keeps
    /// it: `None` is the seed of the last start, if there was one.
    pub seed: Option<u64>,
    /// Forgets everything that the folder holds of a sandbox.
    pub reset: bool,
    /// The numbers of the rules.
    pub policy: Policy,
    /// Kills this process at once, for faults that do so. `None` where the process is not the sandbox's own.
    pub die: Option<fn()>,
}

/// The ports of customers, registers, service and control API: four in a row, but for free ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    /// Any that nobody uses.
    Free,
    /// This one and the next three.
    At(u16),
    /// The same, or where one of them is taken the next four that are not.
    From(u16),
}

impl Options {
    /// Free ports, the system's randomness, the default policy.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            ports: Ports::Free,
            host: None,
            seed: None,
            reset: false,
            policy: Policy::default(),
            die: None,
        }
    }
}

/// Why a sandbox does not start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The DATA folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A port is taken, or there are not three more above it.
    #[error("port {port} cannot be used: {source}; choose another with --port")]
    Port {
        /// Which.
        port: u16,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An address where phones cannot be served.
    #[error("--host {host} cannot be used: {why}")]
    Host {
        /// Which.
        host: IpAddr,
        /// Why.
        why: String,
    },
    /// The keys do not make a TLS server.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The system gave no randomness.
    #[error(transparent)]
    Crypto(#[from] saifu_crypto::CryptoError),
    /// A rule refused what every start does.
    #[error("the first steps failed: {0}")]
    Rules(saifu_wire::Problem),
    /// The preparation did not end.
    #[error("the start was interrupted")]
    Interrupted,
}

/// So many times four ports are tried before there are none.
const BLOCKS: u32 = 250;

/// Four bound sockets on loopback.
#[derive(Debug)]
pub(crate) struct BoundListeners {
    customer: TcpListener,
    register: TcpListener,
    service: TcpListener,
    control: TcpListener,
}

impl BoundListeners {
    async fn bind(ports: Ports) -> Result<Self, StartError> {
        let mut first = match ports {
            Ports::Free => return Self::bind_at(None).await,
            Ports::At(first) | Ports::From(first) => first,
        };
        let mut tries = if ports == Ports::At(first) { 1 } else { BLOCKS };
        loop {
            tries = tries.saturating_sub(1);
            match Self::bind_at(Some(first)).await {
                Err(StartError::Port { source, .. }) if tries > 0 && source.kind() == ErrorKind::AddrInUse => {
                    first = first.saturating_add(4);
                }
                bound => return bound,
            }
        }
    }

    /// Binds `port` and the three above it, or four free ones; 0 is any free ones too. On a machine without IPv4 they are IPv6's.
    async fn bind_at(port: Option<u16>) -> Result<Self, StartError> {
        match Self::bind_on(Ipv4Addr::LOCALHOST.into(), port).await {
            Err(StartError::Port { source, .. }) if source.kind() == ErrorKind::AddrNotAvailable => {
                Self::bind_on(Ipv6Addr::LOCALHOST.into(), port).await
            }
            bound => bound,
        }
    }

    async fn bind_on(address: IpAddr, port: Option<u16>) -> Result<Self, StartError> {
        let bind = async |offset: u16| {
            let port = match port {
                None | Some(0) => 0,
                Some(first) => first.checked_add(offset).ok_or_else(|| StartError::Port {
                    port: first,
                    source: std::io::Error::other("there are not three more ports above it"),
                })?,
            };
            TcpListener::bind((address, port)).await.map_err(|source| StartError::Port { port, source })
        };
        Ok(Self {
            customer: bind(0).await?,
            register: bind(1).await?,
            service: bind(2).await?,
            control: bind(3).await?,
        })
    }
}

/// What phones reach: customers' API and service document, on the ports that they have on loopback.
struct Outside {
    customer: TcpListener,
    service: TcpListener,
}

impl Outside {
    async fn bind(host: IpAddr, inside: &BoundListeners) -> Result<Self, StartError> {
        let failed = |why: String| StartError::Host { host, why };
        if host.is_unspecified() || host.is_multicast() {
            return Err(failed("name the address of this machine that a phone reaches, such as 192.168.1.20".into()));
        }
        let bind = async |inside: &TcpListener| {
            let port = inside.local_addr().map_err(|error| failed(error.to_string()))?.port();
            TcpListener::bind((host, port)).await.map_err(|error| failed(error.to_string()))
        };
        Ok(Self { customer: bind(&inside.customer).await?, service: bind(&inside.service).await? })
    }
}

/// The sandbox.
#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Starts one in this process. When this returns it answers, and `DATA/sandbox.json` says where.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(options: Options) -> Result<Running, StartError> {
        start::start(options).await
    }
}

/// A running sandbox. [`stop`](Self::stop) lets open requests finish; dropping it ends them.
pub struct Running {
    info: SandboxInfo,
    info_file: PathBuf,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    issuer: Arc<Issuer>,
}

impl Running {
    /// How to reach it: what `sandbox.json` says.
    #[must_use]
    pub fn info(&self) -> &SandboxInfo {
        &self.info
    }

    /// Where `sandbox.json` lies.
    #[must_use]
    pub fn info_file(&self) -> &std::path::Path {
        &self.info_file
    }

    /// The issuer itself.
    #[must_use]
    pub fn issuer(&self) -> &Arc<Issuer> {
        &self.issuer
    }

    /// Takes no more connections, lets open requests finish for some seconds, ends event streams, and removes
    /// `sandbox.json`.
    pub async fn stop(mut self) {
        self.issuer.close();
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.issuer.close();
        self.tasks.abort_all();
        if let Err(error) = std::fs::remove_file(&self.info_file) {
            tracing::warn!(%error, "sandbox.json could not be removed");
        }
    }
}

/// What has to be done every second, until told to stop.
async fn tick(issuer: Arc<Issuer>, mut stop: watch::Receiver<bool>) {
    let mut every_second = tokio::time::interval(Duration::from_secs(1));
    every_second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = listener::told(&mut stop) => return,
            _ = every_second.tick() => issuer.tick().await,
        }
    }
}
