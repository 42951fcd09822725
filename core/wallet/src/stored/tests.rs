//! What was written once opens for ever. The fixtures in `tests/fixtures` were written by the command line of their version
//! against a sandbox: a wallet with ¥3,240, three lines of history, a top-up of ¥1,000 that waits for its cash and one of
//! ¥2,000 whose answer was lost; and a wallet in the middle of its sign-up.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use saifu_host::Secrets;
use saifu_host::desktop::{DesktopClock, DesktopHost, KeyStore};
use saifu_vault::doubles::{Crash, MemoryDisk};
use saifu_vault::{Anchor, Cache, Disk, Opened};
use saifu_wire::Millis;
use saifu_wire::messages::Standing;

use super::*;
use crate::account::WalletState;
use crate::store::Store;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A fixture's keys and its journal on a disk in memory.
fn opened(name: &str) -> (tempfile::TempDir, Arc<dyn Secrets>, MemoryDisk) {
    let home = tempfile::tempdir().unwrap();
    copy(&fixture(name), home.path());
    let keys = home.path().join("keys.json");
    #[cfg(unix)]
    std::fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let host = DesktopHost::open(home.path(), KeyStore::File, Arc::new(DesktopClock::default())).unwrap();
    let disk = MemoryDisk::new();
    disk.put("journal", std::fs::read(home.path().join("vault/journal")).unwrap());
    (home, host.platform().secrets, disk)
}

/// What differs between the wallets that the versions wrote.
struct Wrote {
    fixture: &'static str,
    device: &'static str,
    /// The top-ups on their way, and whether their answer was lost.
    intents: [(&'static str, bool); 2],
    top_up_left_yen: i64,
    /// Lines of the history that were still in the journal.
    tail: usize,
}

const V1: Wrote = Wrote {
    fixture: "wallet-v1",
    device: "1daf230a-3dba-47ba-b542-0241926a79d5",
    intents: [("01a21da1-75f6-7a7c-b87a-765ab86b29d3", true), ("01a21d9f-a0cf-7f18-b10d-503d381a5a8f", false)],
    top_up_left_yen: 5_000,
    tail: 0,
};
const V2: Wrote = Wrote {
    fixture: "wallet-v2",
    device: "1176a200-a483-46cb-a39f-8a36d2f6c700",
    intents: [("01a21ef4-3f81-74ee-906d-d4ad7325157a", false), ("01a21efd-67c5-784c-a4d5-6f96d5a44394", true)],
    top_up_left_yen: 4_000,
    tail: 1,
};

/// What each of these wallets knew.
fn is_whole(state: &State, wrote: &Wrote) {
    let picture = state.picture.as_ref().unwrap();
    assert_eq!((picture.balance_yen.0, picture.points.0, picture.last_event), (3_240, 8, 4));
    assert_eq!(picture.standing, Standing::Starter);
    assert_eq!(
        (picture.top_up_left_yen.0, picture.pay_left_yen.0, picture.notices.len()),
        (wrote.top_up_left_yen, 8_240, 1)
    );
    let account = state.account.as_ref().unwrap();
    assert_eq!((account.number.as_str(), account.binding.epoch), ("+819012345678", 1));
    assert_eq!(account.binding.device.to_string(), wrote.device);
    let activated = state.activated.as_ref().unwrap();
    assert_eq!((activated.offline_seed.secret().len(), activated.totp.digits, activated.totp.period), (32, 6, 30));
    assert!(activated.totp_secret.secret().len() >= 20 && activated.unconfirmed.is_none() && state.anchor.is_some());
    let intents: Vec<_> = state.intents.iter().map(|intent| (intent.key.to_string(), intent.is_unknown())).collect();
    assert_eq!(intents, wrote.intents.map(|(key, unknown)| (key.to_owned(), unknown)));
    assert_eq!(state.history.tail.len(), wrote.tail);
    assert_eq!(state.history.after, 4);
    assert_eq!(state.wallet_state(Millis(0)), WalletState::Ready);
}

#[test]
fn every_version_opens_with_everything_in_it() {
    for wrote in [V1, V2] {
        let (_home, secrets, disk) = opened(wrote.fixture);
        let store = Store::new(Arc::new(disk));
        store.unlock(&secrets).unwrap();
        store.read(|state| is_whole(state, &wrote)).unwrap();
    }
}

#[test]
fn version_1_in_the_middle_of_a_sign_up_opens() {
    let (_home, secrets, disk) = opened("wallet-v1-signing-up");
    let store = Store::new(Arc::new(disk));
    store.unlock(&secrets).unwrap();
    let sign_up = store.read(|state| state.signing_up.clone()).unwrap().unwrap();
    assert_eq!((sign_up.number.as_str(), sign_up.expires_at.since(sign_up.since)), ("+819012345678", 300_000));
}

#[test]
fn history_of_every_version_opens() {
    for (wrote, label, schema) in [(V1, "saifu/v1/cache", 1), (V2, "saifu/v1/cache/1", 2)] {
        let (home, secrets, disk) = opened(wrote.fixture);
        let store = Store::new(Arc::new(disk));
        store.unlock(&secrets).unwrap();
        let key = store.derive(store.turn().unwrap(), label).unwrap();
        let anchor = store.read(|state| Anchor::from_bytes(state.history.anchor.as_ref().unwrap())).unwrap().unwrap();
        let (cache, found) = Cache::open(&home.path().join("vault/cache"), &key, &[anchor]).unwrap();
        assert_eq!(found, Opened::Fine);
        let cached = cache.newest("history", 9).unwrap();
        assert!(cached.iter().all(|record| record.schema == schema), "{}", wrote.fixture);
        let cached = cached.iter().map(|record| read_entry(record.schema, record.value.expose()).unwrap());
        let tail = store.read(|state| state.history.tail.clone()).unwrap();
        let lines: Vec<_> = tail
            .into_iter()
            .chain(cached)
            .map(|entry| (entry.number, entry.kind.as_str().to_owned(), entry.yen.0))
            .collect();
        let payment = || "payment".to_owned();
        assert_eq!(lines, [(4, payment(), -480), (3, payment(), -1_280), (1, "top-up".to_owned(), 5_000)]);
    }
}

/// Every step of the first write of a newer version may be the last; whatever the disk makes of it, all is there.
#[test]
fn migration_killed_at_any_step_loses_nothing() {
    let (_home, secrets, disk) = opened("wallet-v1");
    let journal = disk.get("journal").unwrap();
    let fresh = || {
        let disk = Arc::new(MemoryDisk::new());
        disk.put("journal", journal.clone());
        disk
    };
    let migrate = |disk: &Arc<MemoryDisk>| {
        let store = Store::new(Arc::clone(disk) as Arc<dyn Disk>);
        store.unlock(&secrets).unwrap();
        let turn = store.turn().unwrap();
        store.commit(turn, |state| state.service_version = 99)
    };
    let whole = fresh();
    migrate(&whole).unwrap();
    let steps = whole.operations();
    assert!(steps >= 2, "{steps} operations");
    let (mut old, mut new) = (0, 0);
    for step in 0..steps {
        for crash in Crash::ALL {
            let disk = fresh();
            disk.die_at(step);
            assert!(migrate(&disk).is_err());
            let store = Store::new(Arc::new(disk.after(crash)));
            store.unlock(&secrets).unwrap();
            store.read(|state| is_whole(state, &V1)).unwrap();
            match store.read(|state| state.service_version).unwrap() {
                99 => new += 1,
                _ => old += 1,
            }
        }
    }
    assert!(old > 0 && new > 0, "both sides of the migration were seen: {old}, {new}");
}

#[test]
fn what_is_written_reads_back_and_its_bytes_are_frozen() {
    let (_home, secrets, disk) = opened("wallet-v1");
    let store = Store::new(Arc::new(disk));
    store.unlock(&secrets).unwrap();
    let written = store.read(|state| state.encode().unwrap()).unwrap();
    is_whole(&State::decode(&written).unwrap(), &V1);
    // A change of these bytes is a new version: keep this one's module, and add the next.
    let frozen = "a713c3941de6621ef69cfffc86609dfe5a371aaf5ea2d008a324fa8f5f82a3fb";
    assert_eq!(data_encoding::HEXLOWER.encode(&saifu_crypto::sha256(written.expose())), frozen);
}

#[test]
fn newer_is_never_damaged_and_nonsense_is() {
    for body in [&b""[..], b"anything", &[0xff; 40]] {
        let newer = Secret::new([&[0, 3], body].concat());
        assert!(matches!(State::decode(&newer), Err(OpenError::Newer { found: 3 })));
    }
    for bad in [vec![], vec![0], vec![0, 0, 1], vec![0, 1, 9, 9, 9], vec![0, 2, 9, 9, 9]] {
        assert!(matches!(State::decode(&Secret::new(bad)), Err(OpenError::Damaged)));
    }
    assert!(read_entry(3, b"of tomorrow").is_none() && read_entry(2, b"nonsense").is_none());
}

#[test]
fn word_that_this_version_does_not_know_is_kept() {
    let (_home, secrets, disk) = opened("wallet-v1");
    let store = Store::new(Arc::new(disk));
    store.unlock(&secrets).unwrap();
    let mut state = store.read(State::clone).unwrap();
    let word = || saifu_wire::Name::new("golden").unwrap();
    state.picture.as_mut().unwrap().standing = saifu_wire::Open::Other(word());
    let back = State::decode(&state.encode().unwrap()).unwrap();
    assert_eq!(back.picture.unwrap().standing.as_str(), "golden");
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(version in 0..3_u8, bytes: Vec<u8>) {
        let _ = read_entry(version.into(), &bytes);
        let _ = State::decode(&Secret::new([vec![0, version], bytes].concat()));
    }
}
