//! An issuer on loopback that answers as its script says, over real TLS with keys of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use saifu_crypto::{PublicKey, sha256};
use saifu_host::doubles::{ManualClock, MemoryHost};
use saifu_host::{Keys, Role};
use saifu_link::{Auth, Credentials, IssuerConfig, Link, LinkError, Request, Roots};
use saifu_policy::Class;
use saifu_wire::signed::Binding;
use saifu_wire::{AccountId, DeviceId, Operation, ProblemCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

/// 2026-11-27, when every certificate here is valid.
pub(crate) const NOW_MS: u64 = 1_795_737_600_000;
/// The issuer's own clock, where a script does not move it.
pub(crate) const ISSUER_MS: u64 = NOW_MS + 5_000;

/// What came in.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) operation: Option<Operation>,
    /// Of this operation, counted from 1.
    pub(crate) nth: usize,
    pub(crate) token: Option<String>,
}

/// What goes back.
pub(crate) enum Answer {
    Ok(Value),
    Refused(ProblemCode),
    /// The same at another time of the issuer's clock.
    At(u64, Value),
    /// Nothing, ever; the connection stays.
    Never,
    /// Nothing; the connection ends.
    Cut,
}

type Script = dyn Fn(Asked) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync;

#[derive(Default)]
struct Seen {
    asked: Mutex<Vec<Asked>>,
}

/// A TLS server with a leaf of its own authority.
pub(crate) struct Issuer {
    pub(crate) url: String,
    pub(crate) ca_pem: String,
    pub(crate) pin: [u8; 32],
    tls: ServerConfig,
    seen: Arc<Seen>,
}

/// A server that would speak HTTP/2 too, takes everything and says nothing; `came` is told of each connection.
pub(crate) async fn silent_peer(issuer: &Issuer, came: Arc<Notify>) -> IssuerConfig {
    let mut tls = issuer.tls.clone();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let api = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, came) = (acceptor.clone(), Arc::clone(&came));
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await.unwrap();
                assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
                came.notify_one();
                let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            });
        }
    });
    IssuerConfig { api, ..issuer.config() }
}

impl Issuer {
    /// `dates` is the first and the last year of the leaf.
    pub(crate) async fn start<F, A>(dates: (i32, i32), script: F) -> Self
    where
        F: Fn(Asked) -> A + Send + Sync + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        Self::under(&Authority::new(), dates, script).await
    }

    pub(crate) async fn under<F, A>(authority: &Authority, dates: (i32, i32), script: F) -> Self
    where
        F: Fn(Asked) -> A + Send + Sync + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        let script: Arc<Script> = Arc::new(move |asked| Box::pin(script(asked)));
        let leaf = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut server = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        server.not_before = rcgen::date_time_ymd(dates.0, 1, 1);
        server.not_after = rcgen::date_time_ymd(dates.1, 1, 1);
        let chain = vec![server.signed_by(&leaf, &authority.issuer).unwrap().der().clone()];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (tls, acceptor) = (config.clone(), TlsAcceptor::from(Arc::new(config)));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let told = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, script, seen) = (acceptor.clone(), Arc::clone(&script), Arc::clone(&told));
                tokio::spawn(async move {
                    // A client that does not like the certificate goes away.
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let _ = serve(BufReader::new(stream), &*script, &seen).await;
                });
            }
        });
        let pin = spki_pin(&leaf);
        Self { url, ca_pem: authority.pem.clone(), pin, tls, seen }
    }

    pub(crate) fn config(&self) -> IssuerConfig {
        let host = MemoryHost::new();
        IssuerConfig {
            api: self.url.parse().unwrap(),
            service: self.url.parse().unwrap(),
            roots: Roots::Pem(self.ca_pem.clone()),
            pins: vec![self.pin],
            service_pins: vec![self.pin],
            service_key: host.create(Role::Device).unwrap().public_key,
            sandbox: true,
        }
    }

    /// How often it was asked this.
    pub(crate) fn count(&self, operation: Operation) -> usize {
        self.seen.asked.lock().unwrap().iter().filter(|asked| asked.operation == Some(operation)).count()
    }
}

/// Whose certificates are believed.
pub(crate) struct Authority {
    issuer: rcgen::Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: rcgen::Issuer::new(params, key), pem }
    }
}

fn spki_pin(key: &KeyPair) -> [u8; 32] {
    use rcgen::PublicKeyData as _;
    let spki = key.subject_public_key_info();
    assert!(PublicKey::from_spki(&spki).is_ok());
    sha256(&spki)
}

async fn serve<S>(mut stream: BufReader<S>, script: &Script, seen: &Seen) -> std::io::Result<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        let (mut path, mut length, mut token) = (String::new(), 0, None);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if path.is_empty() {
                path = line.split([' ', '?']).nth(1).unwrap().to_owned();
            } else if let Some((name, value)) = line.split_once(": ") {
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.parse().unwrap(),
                    "authorization" => token = value.split(' ').nth(1).map(str::to_owned),
                    _ => {}
                }
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let operation = Operation::ALL.iter().copied().find(|known| known.path() == path);
        let asked = {
            let mut all = seen.asked.lock().unwrap();
            let nth = all.iter().filter(|asked| asked.operation == operation).count() + 1;
            let asked = Asked { operation, nth, token };
            all.push(asked.clone());
            asked
        };
        let (status, at, body) = match script(asked).await {
            Answer::Ok(body) => (200, ISSUER_MS, body),
            Answer::At(at, body) => (200, at, body),
            Answer::Refused(code) => {
                (code.status(), ISSUER_MS, serde_json::to_value(saifu_wire::Problem::new(code)).unwrap())
            }
            Answer::Never => std::future::pending().await,
            Answer::Cut => return Ok(()),
        };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ndpop-nonce: n\r\nsaifu-time: {at}\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.flush().await?;
    }
}

/// What every script says unless it has something else to say: the first session request is told to bring a nonce, each later
/// one gets a session of its own, and whoever has a token is answered.
pub(crate) fn usual(asked: &Asked) -> Answer {
    match asked.operation {
        Some(Operation::Session) if asked.nth == 1 => Answer::Refused(ProblemCode::UseDpopNonce),
        Some(Operation::Session) => Answer::Ok(session(asked.nth)),
        _ => Answer::Ok(json!({})),
    }
}

/// The session whose token is `token-N`.
pub(crate) fn session(n: usize) -> Value {
    let (token_ends, ends) = (ISSUER_MS + 300_000, ISSUER_MS + 3_600_000);
    json!({"session": format!("session-{n}"), "session_expires_at": ends, "access_token": format!("token-{n}"),
           "expires_at": token_ends})
}

/// Keys that count what they sign.
pub(crate) struct Counting {
    host: MemoryHost,
    signed: AtomicUsize,
}

impl Counting {
    pub(crate) fn new() -> Arc<Self> {
        let host = MemoryHost::new();
        host.create(Role::Device).unwrap();
        Arc::new(Self { host, signed: AtomicUsize::new(0) })
    }

    pub(crate) fn signed(&self) -> usize {
        self.signed.load(Ordering::SeqCst)
    }

    pub(crate) fn credentials(self: &Arc<Self>) -> Credentials {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let (account, device): (AccountId, DeviceId) =
            (serde_json::from_value(json!(id)).unwrap(), serde_json::from_value(json!(id)).unwrap());
        Credentials { binding: Binding { account, device, epoch: 1 }, keys: Arc::clone(self) as Arc<dyn Keys> }
    }
}

impl Keys for Counting {
    fn create(&self, role: Role) -> Result<saifu_host::KeyInfo, saifu_host::KeyError> {
        self.host.create(role)
    }
    fn info(&self, role: Role) -> Result<saifu_host::KeyInfo, saifu_host::KeyError> {
        self.host.info(role)
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, saifu_host::KeyError> {
        self.signed.fetch_add(1, Ordering::SeqCst);
        self.host.sign(message)
    }
    fn delete(&self, role: Role) -> Result<(), saifu_host::KeyError> {
        self.host.delete(role)
    }
}

/// A link to this issuer whose clock stands at `wall_ms`.
pub(crate) fn link(config: IssuerConfig, wall_ms: u64) -> (Arc<Link>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(wall_ms));
    (Arc::new(Link::new(config, Arc::clone(&clock) as _, "test").unwrap()), clock)
}

/// A link of a device.
pub(crate) fn device(issuer: &Issuer) -> (Arc<Link>, Arc<ManualClock>, Arc<Counting>) {
    let ((link, clock), keys) = (link(issuer.config(), NOW_MS), Counting::new());
    link.set_credentials(Some(keys.credentials()));
    (link, clock, keys)
}

/// Asks something that needs a session.
pub(crate) async fn ask(link: &Link, operation: Operation, class: Class) -> Result<Value, LinkError> {
    link.call(Request::new(operation, Auth::Session, class), &json!({})).await
}

/// Asks something that needs none.
pub(crate) async fn ask_alone(link: &Link) -> Result<Value, LinkError> {
    link.call(Request::new(Operation::SignUp, Auth::Proof, Class::Intent), &json!({})).await
}
