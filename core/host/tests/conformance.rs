//! The suite run over every host there is, and over hosts that are wrong on purpose: a suite that passes those is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::arithmetic_side_effects, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use saifu_crypto::Secret;
use saifu_host::conformance::{Findings, Subject, Suite};
use saifu_host::desktop::{DesktopClock, DesktopHost, KeyStore, OpenError, keyring_answers};
use saifu_host::doubles::{ManualClock, MemoryHost};
use saifu_host::{Clock, KeyError, KeyInfo, Keys, Platform, Reading, Role, SealId, Secrets};

const NOW_MS: u64 = 1_790_000_000_000;

fn sleep(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

fn open(folder: &Path, store: KeyStore) -> DesktopHost {
    DesktopHost::open(folder, store, Arc::new(DesktopClock::new())).unwrap()
}

fn check_desktop(store: KeyStore) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("me");
    let reopen = || open(&folder, store).platform();
    let authorize = |message: &[u8]| open(&folder, store).authorize(message);
    for suite in Suite::ALL {
        suite.check(&Subject { open: &reopen, authorize: &authorize, pause: &sleep }).unwrap();
    }
    assert_eq!(folder.join("keys.json").exists(), store == KeyStore::File);
}

#[test]
fn doubles_conform() {
    let (host, clock) = (MemoryHost::new(), Arc::new(ManualClock::new(NOW_MS)));
    let authorize = |message: &[u8]| host.authorize(message);
    for suite in Suite::ALL {
        let subject =
            Subject { open: &|| host.platform(clock.clone()), authorize: &authorize, pause: &|ms| clock.advance(ms) };
        suite.check(&subject).unwrap();
    }
}

#[test]
fn desktop_file_host_conforms() {
    check_desktop(KeyStore::File);
}

/// The test runner sets `SAIFU_TEST_KEYRING=1` where it has started a Secret Service; a developer's own keyring is never
/// written to. Without it, what must hold is that the probe comes back and that opening says what to do.
#[test]
fn desktop_keyring_host_conforms_where_one_is_started_and_says_so_where_none_answers() {
    if std::env::var("SAIFU_TEST_KEYRING").as_deref() == Ok("1") {
        assert!(keyring_answers(), "SAIFU_TEST_KEYRING promises a keyring");
        check_desktop(KeyStore::Keyring);
    } else if !keyring_answers() {
        let home = tempfile::tempdir().unwrap();
        let opened = DesktopHost::open(home.path(), KeyStore::Keyring, Arc::new(DesktopClock::new()));
        assert!(matches!(opened.err(), Some(OpenError::NoKeyring)));
    }
}

#[test]
#[cfg(unix)]
fn key_file_is_private_and_an_exposed_or_damaged_one_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    open(home.path(), KeyStore::File).platform().keys.create(Role::Device).unwrap();
    let file = home.path().join("keys.json");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!home.path().join("keys.json.new").exists());

    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    let refused = |clock| DesktopHost::open(home.path(), KeyStore::File, clock).err();
    assert!(matches!(refused(Arc::new(DesktopClock::new())), Some(OpenError::Exposed { .. })));
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(&file, "{}").unwrap();
    assert!(matches!(refused(Arc::new(DesktopClock::new())), Some(OpenError::Damaged { .. })));
}

#[test]
fn damage_after_opening_is_temporary_so_that_nothing_is_wiped() {
    let home = tempfile::tempdir().unwrap();
    let platform = open(home.path(), KeyStore::File).platform();
    platform.keys.create(Role::Device).unwrap();
    let good = std::fs::read(home.path().join("keys.json")).unwrap();
    std::fs::write(home.path().join("keys.json"), &good[..good.len() / 2]).unwrap();
    assert_eq!(platform.keys.sign(b"m"), Err(KeyError::Temporary));
    assert_eq!(platform.secrets.id(), Err(KeyError::Temporary));
    assert_eq!(platform.keys.create(Role::Device).err(), Some(KeyError::Temporary), "a key is never made over damage");
}

/// A stale half-written file of a crash is in nobody's way.
#[test]
fn update_succeeds_over_the_leavings_of_a_crash() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("keys.json.new"), "half").unwrap();
    let made = open(home.path(), KeyStore::File).platform().keys.create(Role::Device).unwrap();
    assert_eq!(open(home.path(), KeyStore::File).platform().keys.info(Role::Device), Ok(made));
}

#[test]
fn two_processes_see_each_others_keys() {
    let home = tempfile::tempdir().unwrap();
    let (one, other) = (open(home.path(), KeyStore::File).platform(), open(home.path(), KeyStore::File).platform());
    let id = one.secrets.renew().unwrap();
    assert_eq!(other.secrets.id(), Ok(Some(id)));
    assert_eq!(other.secrets.renew().unwrap().generation, 2);
    assert_eq!(one.secrets.id().unwrap().unwrap().generation, 2);
}

// Hosts that are wrong on purpose.

/// How a bad host is bad.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    SignsGarbage,
    SignsDigest,
    SharesOneKey,
    ForgetsDeletion,
    UnsealsAnything,
    SealsInClear,
    RetiresTooEarly,
    NeverRetires,
    StaysAtOneGeneration,
}

struct BadHost(MemoryHost, Fault);

impl Keys for BadHost {
    fn create(&self, role: Role) -> Result<KeyInfo, KeyError> {
        self.0.create(if self.1 == Fault::SharesOneKey { Role::Device } else { role })
    }
    fn info(&self, role: Role) -> Result<KeyInfo, KeyError> {
        self.0.info(if self.1 == Fault::SharesOneKey { Role::Device } else { role })
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.0.sign(message)?;
        match self.1 {
            Fault::SignsGarbage => Ok(vec![0x30; 70]),
            // What a host does that takes what it is given for a digest's preimage twice over.
            Fault::SignsDigest => self.0.sign(&saifu_crypto::sha256(message)),
            _ => Ok(signature),
        }
    }
    fn delete(&self, role: Role) -> Result<(), KeyError> {
        if self.1 == Fault::ForgetsDeletion { Ok(()) } else { self.0.delete(role) }
    }
}

impl Secrets for BadHost {
    fn seal(&self, plain: &Secret) -> Result<Vec<u8>, KeyError> {
        if self.1 == Fault::SealsInClear { Ok(plain.expose().to_vec()) } else { self.0.seal(plain) }
    }
    fn unseal(&self, sealed: &[u8]) -> Result<Secret, KeyError> {
        match self.1 {
            Fault::SealsInClear => Ok(Secret::copy_of(sealed)),
            Fault::UnsealsAnything => self.0.unseal(sealed).or_else(|_| Ok(Secret::copy_of(b"something"))),
            _ => self.0.unseal(sealed),
        }
    }
    fn id(&self) -> Result<Option<SealId>, KeyError> {
        self.0.id()
    }
    fn renew(&self) -> Result<SealId, KeyError> {
        if let (Fault::StaysAtOneGeneration, Some(id)) = (self.1, self.0.id()?) {
            return Ok(id);
        }
        let id = self.0.renew()?;
        if self.1 == Fault::RetiresTooEarly {
            self.0.retire()?;
        }
        Ok(id)
    }
    fn retire(&self) -> Result<(), KeyError> {
        if self.1 == Fault::NeverRetires { Ok(()) } else { self.0.retire() }
    }
}

fn findings(suite: Suite, fault: Fault) -> Result<(), Findings> {
    let host = MemoryHost::new();
    let bad = || {
        let bad = Arc::new(BadHost(host.clone(), fault));
        Platform { keys: bad.clone(), secrets: bad, clock: Arc::new(ManualClock::new(NOW_MS)) }
    };
    let authorize = |message: &[u8]| host.authorize(message);
    suite.check(&Subject { open: &bad, authorize: &authorize, pause: &sleep })
}

#[test]
fn control_bad_keys_are_caught_by_the_rule_they_break() {
    for (fault, rule) in [
        (Fault::SignsGarbage, "DER over SHA-256"),
        (Fault::SignsDigest, "DER over SHA-256"),
        (Fault::SharesOneKey, "two roles have two keys"),
        (Fault::ForgetsDeletion, "a deleted key"),
    ] {
        let findings = findings(Suite::Keys, fault).expect_err(rule).to_string();
        assert!(findings.contains(rule), "{findings}");
    }
    assert_eq!(findings(Suite::Keys, Fault::UnsealsAnything), Ok(()), "a fault elsewhere is not blamed on the keys");
}

#[test]
fn control_bad_secrets_are_caught_by_the_rule_they_break() {
    for (fault, rule) in [
        (Fault::UnsealsAnything, "does not open"),
        (Fault::SealsInClear, "does not contain the secret"),
        (Fault::RetiresTooEarly, "until it is retired"),
        (Fault::NeverRetires, "retired key sealed is Gone"),
        (Fault::StaysAtOneGeneration, "raises the generation"),
    ] {
        let findings = findings(Suite::Secrets, fault).expect_err(rule).to_string();
        assert!(findings.contains(rule), "{findings}");
    }
    assert_eq!(findings(Suite::Secrets, Fault::SignsGarbage), Ok(()), "a fault elsewhere is not blamed on the seals");
}

#[test]
fn control_authorization_by_the_wrong_key_is_caught() {
    let host = MemoryHost::new();
    let platform = host.platform(Arc::new(ManualClock::new(NOW_MS)));
    let authorize = |message: &[u8]| host.sign(message);
    let subject = Subject { open: &|| platform.clone(), authorize: &authorize, pause: &sleep };
    let findings = Suite::Authorization.check(&subject).unwrap_err().to_string();
    assert!(findings.contains("the device key never authorizes"), "{findings}");
}

/// Each reading is what the closure makes of a good one and the number of readings before it.
struct BadClock<F>(ManualClock, AtomicU64, F);
impl<F: Fn(Reading, u64) -> Reading + Send + Sync> Clock for BadClock<F> {
    fn read(&self) -> Reading {
        (self.2)(self.0.read(), self.1.fetch_add(1, Ordering::Relaxed))
    }
}

fn clock_findings(fault: impl Fn(Reading, u64) -> Reading + Send + Sync + 'static) -> String {
    let host = MemoryHost::new();
    let clock = Arc::new(BadClock(ManualClock::new(NOW_MS), AtomicU64::new(0), fault));
    let authorize = |message: &[u8]| host.authorize(message);
    let subject =
        Subject { open: &|| host.platform(clock.clone()), authorize: &authorize, pause: &|ms| clock.0.advance(ms) };
    Suite::Clock.check(&subject).unwrap_err().to_string()
}

#[test]
fn control_bad_clocks_are_caught_by_the_rule_they_break() {
    let back = clock_findings(|r, n| Reading { elapsed_ms: if n > 500 { 1 } else { r.elapsed_ms }, ..r });
    assert!(back.contains("elapsed time never falls"), "{back}");
    let seconds = clock_findings(|r, _| Reading { wall_ms: r.wall_ms / 1000, ..r });
    assert!(seconds.contains("milliseconds since 1970"), "{seconds}");
    let micros = clock_findings(|r, _| Reading { elapsed_ms: r.elapsed_ms * 1000, ..r });
    assert!(micros.contains("elapsed time counts milliseconds"), "{micros}");
    let boots = clock_findings(|r, n| Reading { boot_id: [n as u8; 16], ..r });
    assert!(boots.contains("boot id stays"), "{boots}");
}
