//! Hosts that misbehave, and wallets that are closed while somebody still holds their objects. Kotlin and Swift have the same
//! tests from their side of the FFI boundary; here no foreign code is in the way.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::result_large_err,
    reason = "a test may stop"
)]

use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use saifu_ffi::{
    Cancel, Clock, ClockReading, Config, HostError, HostKey, Keys, Role, SealName, Secrets, Wallet, WalletError,
    diagnostics,
};
use saifu_host::doubles::{ManualClock, MemoryHost};
use saifu_host::{KeyError, KeyInfo, Platform};
use tempfile::TempDir;

/// What a host does at a call, besides answering.
type Hook = Box<dyn Fn(&str) + Send + Sync>;

/// A sound host as a shell would write it, with a place to misbehave.
struct Host {
    platform: Platform,
    hook: OnceLock<Hook>,
    /// Answers of a key in place of the true one.
    spki: Mutex<Option<Vec<u8>>>,
    signature: Mutex<Option<Vec<u8>>>,
    boot_id: Mutex<Vec<u8>>,
    clock_fails: Mutex<bool>,
    elapsed_ms: Mutex<Option<i64>>,
}

impl Host {
    fn new() -> Arc<Self> {
        let memory = MemoryHost::new();
        let platform = memory.platform(Arc::new(ManualClock::new(1_760_000_000_000)));
        Arc::new(Self {
            platform,
            hook: OnceLock::new(),
            spki: Mutex::default(),
            signature: Mutex::default(),
            boot_id: Mutex::new(vec![7; 16]),
            clock_fails: Mutex::default(),
            elapsed_ms: Mutex::default(),
        })
    }

    fn at(&self, call: &str) {
        if let Some(hook) = self.hook.get() {
            hook(call);
        }
    }

    fn key(&self, info: Result<KeyInfo, KeyError>) -> Result<HostKey, HostError> {
        let info = info.map_err(thrown)?;
        let spki = self.spki.lock().unwrap().clone().unwrap_or_else(|| info.public_key.to_spki());
        Ok(HostKey { spki, hardware: info.hardware })
    }

    fn open(self: &Arc<Self>, folder: &TempDir) -> Result<Wallet, WalletError> {
        let config = config(folder);
        Wallet::open(self.clone(), self.clone(), self.clone(), config)
    }
}

fn thrown(error: KeyError) -> HostError {
    match error {
        KeyError::Temporary => HostError::Temporary,
        KeyError::UserDeclined => HostError::UserDeclined,
        KeyError::NoScreenLock => HostError::NoScreenLock,
        KeyError::Gone => HostError::Gone,
    }
}

fn role(role: Role) -> saifu_host::Role {
    match role {
        Role::Device => saifu_host::Role::Device,
        Role::Authorization => saifu_host::Role::Authorization,
    }
}

fn seal_name(id: saifu_host::SealId) -> SealName {
    SealName { install: id.install.to_vec(), generation: i64::try_from(id.generation).unwrap() }
}

impl Keys for Host {
    fn create(&self, which: Role) -> Result<HostKey, HostError> {
        self.at("create");
        self.key(self.platform.keys.create(role(which)))
    }

    fn info(&self, which: Role) -> Result<HostKey, HostError> {
        self.key(self.platform.keys.info(role(which)))
    }

    fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, HostError> {
        let garbage = self.signature.lock().unwrap().clone();
        garbage.map_or_else(|| self.platform.keys.sign(&message).map_err(thrown), Ok)
    }

    fn delete(&self, which: Role) -> Result<(), HostError> {
        self.platform.keys.delete(role(which)).map_err(thrown)
    }
}

impl Secrets for Host {
    fn seal(&self, plain: Vec<u8>) -> Result<Vec<u8>, HostError> {
        self.platform.secrets.seal(&saifu_host::Secret::new(plain)).map_err(thrown)
    }

    fn unseal(&self, sealed: Vec<u8>) -> Result<Vec<u8>, HostError> {
        self.at("unseal");
        self.platform.secrets.unseal(&sealed).map(|plain| plain.expose().to_vec()).map_err(thrown)
    }

    fn id(&self) -> Result<Option<SealName>, HostError> {
        self.at("id");
        Ok(self.platform.secrets.id().map_err(thrown)?.map(seal_name))
    }

    fn renew(&self) -> Result<SealName, HostError> {
        self.at("renew");
        self.platform.secrets.renew().map(seal_name).map_err(thrown)
    }

    fn retire(&self) -> Result<(), HostError> {
        self.platform.secrets.retire().map_err(thrown)
    }
}

impl Clock for Host {
    fn read(&self) -> Result<ClockReading, HostError> {
        self.at("read");
        if *self.clock_fails.lock().unwrap() {
            return Err(HostError::Unexpected);
        }
        let now = self.platform.clock.read();
        let boot_id = self.boot_id.lock().unwrap().clone();
        let wall = SystemTime::UNIX_EPOCH + Duration::from_millis(now.wall_ms);
        let elapsed_ms = self.elapsed_ms.lock().unwrap().unwrap_or(i64::try_from(now.elapsed_ms).unwrap());
        Ok(ClockReading { wall, elapsed_ms, boot_id })
    }
}

/// An issuer that nobody listens for.
fn config(folder: &TempDir) -> Config {
    let keys = MemoryHost::new().platform(Arc::new(ManualClock::new(0))).keys;
    Config {
        folder: folder.path().join("wallet").to_str().unwrap().to_owned(),
        app_version: "test".into(),
        customer_url: "https://127.0.0.1:1".into(),
        service_url: "https://127.0.0.1:1".into(),
        ca_pem: None,
        pins: vec![vec![0; 32]],
        service_pins: vec![vec![0; 32]],
        service_key: keys.create(saifu_host::Role::Device).unwrap().public_key.to_spki(),
        sandbox: true,
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn detail(error: &WalletError) -> (&str, Option<&str>) {
    (&error.info().name, error.info().detail.as_deref())
}

#[test]
fn clock_that_throws_or_answers_nonsense_is_found_at_opening_and_got_over_later() {
    let (host, home) = (Host::new(), folder());
    *host.clock_fails.lock().unwrap() = true;
    assert_eq!(detail(&host.open(&home).err().unwrap()).0, "invalid-input");
    *host.clock_fails.lock().unwrap() = false;
    *host.boot_id.lock().unwrap() = vec![7; 15];
    assert_eq!(detail(&host.open(&home).err().unwrap()).0, "invalid-input");
    *host.boot_id.lock().unwrap() = vec![7; 16];
    *host.elapsed_ms.lock().unwrap() = Some(-1);
    assert_eq!(detail(&host.open(&home).err().unwrap()).0, "invalid-input");
    *host.elapsed_ms.lock().unwrap() = None;
    let wallet = host.open(&home).unwrap();
    *host.clock_fails.lock().unwrap() = true;
    assert!(wallet.home().unwrap().balance_yen.is_none());
}

#[test]
fn clock_that_asks_the_wallet_while_it_is_asked_gets_an_answer() {
    let (host, home) = (Host::new(), folder());
    let wallet = Arc::new(host.open(&home).unwrap());
    let (inner, seen) = (Arc::downgrade(&wallet), Arc::new(Mutex::new(0_u32)));
    let counted = Arc::clone(&seen);
    let hook: Hook = Box::new(move |call| {
        if call == "read" && inner.upgrade().unwrap().home().is_ok() {
            *counted.lock().unwrap() += 1;
        }
    });
    assert!(host.hook.set(hook).is_ok());
    wallet.home().unwrap();
    assert!(*seen.lock().unwrap() > 0);
}

#[tokio::test]
async fn garbage_for_a_public_key_is_an_error_of_the_key_store() {
    for garbage in [vec![], vec![0; 91], b"not a key".to_vec()] {
        let (host, home) = (Host::new(), folder());
        *host.spki.lock().unwrap() = Some(garbage);
        let wallet = host.open(&home).unwrap();
        let error = wallet.account().sign_up("090-1234-5678".into(), None).await.unwrap_err();
        assert_eq!(detail(&error), ("key", Some("temporary")));
    }
}

#[tokio::test]
async fn public_key_that_changes_and_signature_that_does_not_verify_are_errors_of_the_key_store() {
    let (host, home) = (Host::new(), folder());
    let wallet = host.open(&home).unwrap();
    let number = || "090-1234-5678".to_owned();
    // A sound host comes as far as the network.
    let error = wallet.account().sign_up(number(), None).await.unwrap_err();
    assert_eq!(detail(&error), ("offline", None));
    *host.signature.lock().unwrap() = Some(vec![1; 70]);
    let error = wallet.account().sign_up(number(), None).await.unwrap_err();
    assert_eq!(detail(&error), ("key", Some("temporary")));
    *host.signature.lock().unwrap() = None;
    let other = Host::new().platform.keys.create(saifu_host::Role::Device).unwrap().public_key.to_spki();
    *host.spki.lock().unwrap() = Some(other);
    let error = wallet.account().sign_up(number(), None).await.unwrap_err();
    assert_eq!(detail(&error), ("key", Some("temporary")));
}

#[tokio::test]
async fn host_that_panics_in_a_call_is_an_error_of_the_key_store() {
    let (host, home) = (Host::new(), folder());
    let wallet = host.open(&home).unwrap();
    assert!(host.hook.set(Box::new(|call| assert!(call != "create", "as a host may"))).is_ok());
    let error = wallet.account().sign_up("090-1234-5678".into(), None).await.unwrap_err();
    assert_eq!(detail(&error), ("key", Some("temporary")));
}

#[test]
fn host_that_unlocks_while_it_is_asked_is_told_that_it_goes_on_already() {
    let (host, home) = (Host::new(), folder());
    let wallet = Arc::new(host.open(&home).unwrap());
    wallet.lock().unwrap();
    let (inner, seen) = (Arc::downgrade(&wallet), Arc::new(Mutex::new(Vec::new())));
    let told = Arc::clone(&seen);
    let hook: Hook = Box::new(move |call| {
        if call == "id" {
            told.lock().unwrap().push(inner.upgrade().unwrap().unlock());
        }
    });
    assert!(host.hook.set(hook).is_ok());
    wallet.unlock().unwrap();
    let seen = seen.lock().unwrap();
    let [Err(error)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(detail(error), ("vault", Some("opening")));
}

#[test]
fn lock_that_overtakes_an_unlocking_wins() {
    let (host, home) = (Host::new(), folder());
    let wallet = Arc::new(host.open(&home).unwrap());
    wallet.lock().unwrap();
    let inner = Arc::downgrade(&wallet);
    let hook: Hook = Box::new(move |call| {
        if call == "id" {
            inner.upgrade().unwrap().lock().unwrap();
        }
    });
    assert!(host.hook.set(hook).is_ok());
    wallet.unlock().unwrap();
    assert_eq!(wallet.home().unwrap().balance_reason.as_deref(), Some("the wallet is locked"));
}

#[tokio::test]
async fn closed_wallet_frees_its_folder_whoever_still_holds_its_parts() {
    let (host, home) = (Host::new(), folder());
    let wallet = host.open(&home).unwrap();
    let (account, codes) = (wallet.account(), wallet.codes());
    // The control: while it is open, nobody else gets the folder.
    assert_eq!(detail(&host.open(&home).err().unwrap()), ("vault", Some("in-use")));
    wallet.close().await;
    wallet.close().await;
    let again = host.open(&home).unwrap();
    assert!(again.home().is_ok());
    for error in [
        wallet.home().err(),
        account.totp().err(),
        codes.current(saifu_ffi::Purpose::Pay).err(),
        wallet.refresh(None).await.err(),
        wallet.unlock().err(),
    ] {
        assert_eq!(detail(&error.unwrap()), ("locked", Some("closed")));
    }
    wallet.lock().unwrap();
}

#[tokio::test]
async fn call_with_a_cancelled_handle_does_not_begin() {
    let (host, home) = (Host::new(), folder());
    let wallet = host.open(&home).unwrap();
    let cancel = Arc::new(Cancel::new());
    cancel.cancel();
    cancel.cancel();
    assert!(cancel.is_cancelled());
    let error = wallet.account().sign_up("090-1234-5678".into(), Some(cancel)).await.unwrap_err();
    assert_eq!(detail(&error), ("cancelled", None));
    // No key was made for it.
    assert_eq!(host.platform.keys.info(saifu_host::Role::Device), Err(KeyError::Gone));
}

#[tokio::test]
async fn configuration_that_makes_no_sense_is_refused() {
    let (host, home) = (Host::new(), folder());
    let open = |change: &dyn Fn(&mut Config)| {
        let mut config = config(&home);
        change(&mut config);
        Wallet::open(host.clone(), host.clone(), host.clone(), config).err().map(|error| error.info().name.clone())
    };
    let refused = Some("invalid-input".to_owned());
    assert_eq!(open(&|config| config.customer_url = "nowhere".into()), refused);
    assert_eq!(open(&|config| config.customer_url = "http://127.0.0.1:1".into()), refused);
    assert_eq!(open(&|config| config.pins = vec![vec![0; 31]]), refused);
    assert_eq!(open(&|config| config.pins = Vec::new()), refused);
    assert_eq!(open(&|config| config.service_key = vec![1, 2, 3]), refused);
    assert_eq!(open(&|config| config.ca_pem = Some("no certificate".into())), refused);
    assert_eq!(open(&|config| config.app_version = "\n".into()), refused);
    assert_eq!(open(&|_| {}), None);
}

#[tokio::test]
async fn counts_below_zero_are_refused() {
    let (host, home) = (Host::new(), folder());
    let wallet = host.open(&home).unwrap();
    assert_eq!(detail(&wallet.set_patience(-1).unwrap_err()).0, "invalid-input");
    wallet.set_patience(0).unwrap();
    wallet.set_patience(i64::MAX).unwrap();
    assert_eq!(detail(&wallet.history().newest(-1, None).await.unwrap_err()).0, "invalid-input");
}

#[test]
fn diagnostics_count_what_is_held() {
    let cancels = diagnostics().cancels;
    let held: Vec<Cancel> = (0..100).map(|_| Cancel::new()).collect();
    assert!(diagnostics().cancels >= 100);
    drop(held);
    // Other tests of this process hold a few at most.
    assert!(diagnostics().cancels < cancels + 100);
}

#[test]
fn issuer_whose_name_has_letters_beyond_ascii_is_refused() {
    let (folder, host) = (folder(), Host::new());
    let open = |url: &str| {
        let config = Config { customer_url: url.into(), ..config(&folder) };
        Wallet::open(host.clone(), host.clone(), host.clone(), config)
    };
    assert!(matches!(open("https://財布.example"), Err(WalletError::InvalidInput { .. })));
    assert!(open("https://saifu.example").is_ok());
}
