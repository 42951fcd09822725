use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use saifu_crypto::{KeyPair, Random, SeededRandom, SystemRandom, sha256};
use saifu_wire::messages::TerminalKind;
use saifu_wire::{Listener, Millis};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{BoundListeners, Options, Outside, Running, StartError, http, listener, tick, tls};
use crate::clock::Clock;
use crate::control;
use crate::faults::Faults;
use crate::files::{
    DATABASE, EMULATOR, FORMAT, Folder, Held, INFO, Keys, PhoneUrls, SandboxInfo, TerminalInfo, TerminalKey, Tls,
    write_json,
};
use crate::issuer::{Issuer, Origins};
use crate::rules::{Rules, terminal};
use crate::service::Service;
use crate::store::Store;

pub(super) async fn start(options: Options) -> Result<Running, StartError> {
    let (ports, host) = (options.ports, options.host);
    let data = options.data.clone();
    let held = tokio::task::spawn_blocking(move || Held::new(&data)).await.map_err(|_| StartError::Interrupted)??;
    // Before anything is forgotten: a taken port must cost nobody an account.
    let listeners = BoundListeners::bind(ports).await?;
    let outside = match host {
        Some(host) => Some(Outside::bind(host, &listeners).await?),
        None => None,
    };
    let prepared = tokio::task::spawn_blocking(move || Prepared::new(held, options)).await;
    let Prepared { folder, keys, rules, clock, faults } = prepared.map_err(|_| StartError::Interrupted)??;
    let (info, lever_token) = describe(&listeners, &keys, host)?;
    let info_file = folder.file(INFO);

    let customer = [&info.customer_url, &info.phone.customer_url, &emulator(&info.customer_url)];
    let origins = Origins { customer: customer.map(String::clone).to_vec(), register: info.register_url.clone() };
    let service = Service::new(KeyPair::from_pkcs8(keys.service.pkcs8().duplicate())?);
    let issuer = Arc::new(Issuer::new(rules, clock, faults, service, origins, folder)?);
    enrol(&issuer, &keys.terminals).await?;
    issuer.run_due(issuer.now()).await.map_err(StartError::Rules)?;

    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let (api, origin) = (tls::acceptor(&keys.api)?, tls::acceptor(&keys.origin)?);
    for (socket, kind, tls) in [
        (listeners.customer, Listener::Customer, api.clone()),
        (listeners.register, Listener::Register, api.clone()),
        (listeners.service, Listener::Service, origin.clone()),
    ] {
        let app = http::router(Arc::clone(&issuer), kind);
        tasks.spawn(listener::run(socket, Some(tls), app, stopped.clone()));
    }
    for (socket, kind, tls) in outside.into_iter().flat_map(|it| {
        [(it.customer, Listener::Customer, api.clone()), (it.service, Listener::Service, origin.clone())]
    }) {
        let app = http::router(Arc::clone(&issuer), kind);
        tasks.spawn(listener::run(socket, Some(tls), app, stopped.clone()));
    }
    let app = control::router(Arc::clone(&issuer), sha256(lever_token.as_bytes()));
    tasks.spawn(listener::run(listeners.control, None, app, stopped.clone()));
    tasks.spawn(tick(Arc::clone(&issuer), stopped));

    let running = Running { info, info_file, stop, tasks, issuer };
    write_json(&running.info_file, &running.info)?;
    tracing::info!(customer = running.info.customer_url, "the sandbox is ready");
    Ok(running)
}

/// What the files give; made away from the async threads.
struct Prepared {
    folder: Folder,
    keys: Keys,
    rules: Rules,
    clock: Clock,
    faults: Faults,
}

impl Prepared {
    fn new(held: Held, options: Options) -> Result<Self, StartError> {
        let folder = held.begin(options.reset)?;
        let (keys, secrets) = folder.keys(options.host)?;
        let store = Store::open(folder.file(DATABASE))?;
        let clock = Clock::open(folder.file("clock.json"), Millis(store.latest()?))?;
        let seed = folder.seed(options.seed)?;
        let random = chance(seed, folder.starts, "");
        let faults = Faults::new(chance(seed, folder.starts, "faults"), options.die);
        let rules = Rules::new(store, options.policy, secrets, random)?;
        Ok(Self { folder, keys, rules, clock, faults })
    }
}

/// A source of chance, apart from those of other names. A seeded one goes on with another stretch at every start: repeated ids would collide with
/// those in the database.
fn chance(seed: Option<u64>, starts: u64, name: &str) -> Arc<dyn Random> {
    let Some(seed) = seed else { return Arc::new(SystemRandom) };
    let digest = sha256(&[&seed.to_be_bytes(), &starts.to_be_bytes(), name.as_bytes()].concat());
    let stretch = digest.first_chunk().map_or(seed, |bytes| u64::from_be_bytes(*bytes));
    Arc::new(SeededRandom::new(stretch))
}

async fn enrol(issuer: &Issuer, terminals: &[TerminalKey]) -> Result<(), StartError> {
    let rows: Vec<_> = terminals
        .iter()
        .map(|row| (row.terminal.clone(), row.kind, row.merchant.clone(), row.key.public_key().to_spki()))
        .collect();
    let enrolled = issuer.write(issuer.now(), "start", move |cx| {
        for (name, kind, merchant, spki) in &rows {
            terminal::enrol_first(cx, name, *kind, merchant, spki)?;
        }
        Ok(())
    });
    enrolled.await.map_err(StartError::Rules)
}

/// The same address as an emulator of Android reaches this machine's loopback by.
fn emulator(url: &str) -> String {
    url.replacen("127.0.0.1", EMULATOR, 1)
}

fn describe(
    listeners: &BoundListeners,
    keys: &Keys,
    host: Option<IpAddr>,
) -> Result<(SandboxInfo, String), StartError> {
    let url = |scheme: &str, socket: &TcpListener| {
        let address: SocketAddr = socket.local_addr().map_err(|source| StartError::Port { port: 0, source })?;
        Ok::<_, StartError>(format!("{scheme}://{address}"))
    };
    let terminals: Vec<TerminalInfo> = keys
        .terminals
        .iter()
        .map(|row| TerminalInfo {
            terminal: row.terminal.clone(),
            kind: row.kind,
            merchant: row.merchant.clone(),
            key: BASE64.encode(row.key.pkcs8().expose()),
        })
        .collect();
    let pins = |tls: &Tls| tls.pins.iter().map(|pin| BASE64.encode(pin)).collect();
    let first = |kind: TerminalKind| {
        terminals.iter().find(|row| row.kind == kind).map(|row| row.key.clone()).unwrap_or_default()
    };
    let (customer_url, service_url) = (url("https", &listeners.customer)?, url("https", &listeners.service)?);
    let outside = |url: &str| match host {
        Some(IpAddr::V6(host)) => url.replacen("127.0.0.1", &format!("[{host}]"), 1),
        Some(IpAddr::V4(host)) => url.replacen("127.0.0.1", &host.to_string(), 1),
        None => emulator(url),
    };
    let phone = PhoneUrls { customer_url: outside(&customer_url), service_url: outside(&service_url) };
    let lever_token = BASE64URL_NOPAD.encode(&SystemRandom.bytes::<32>()?);
    let info = SandboxInfo {
        customer_url,
        register_url: url("https", &listeners.register)?,
        service_url,
        phone,
        lever_url: url("http", &listeners.control)?,
        ca_pem: keys.ca_pem.clone(),
        pins: pins(&keys.api),
        service_pins: pins(&keys.origin),
        service_key: BASE64.encode(&keys.service.public_key().to_spki()),
        register_key: first(TerminalKind::Register),
        atm_key: first(TerminalKind::Atm),
        operator_key: first(TerminalKind::Operator),
        terminals,
        lever_token: lever_token.clone(),
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").into(),
        started_at: jiff::Timestamp::now().to_string(),
        pid: std::process::id(),
    };
    Ok((info, lever_token))
}
