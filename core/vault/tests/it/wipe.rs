//! When sealing keys end: wallets side by side on one key store, and a wallet that is destroyed, killed at every step.

use std::path::Path;
use std::sync::Arc;

use saifu_crypto::{Secret, SystemRandom};
use saifu_host::desktop::{DesktopHost, KeyStore};
use saifu_host::doubles::{ManualClock, MemoryHost};
use saifu_host::{KeyError, SealId, Secrets};
use saifu_vault::doubles::{Crash, MemoryDisk};
use saifu_vault::{CACHE_FOLDER, Cache, Disk, FolderDisk, JOURNAL_FILE, Journal, VaultError};

fn state(text: &str) -> Secret {
    Secret::copy_of(text.as_bytes())
}

fn open(disk: &Arc<impl Disk + 'static>, host: &Arc<dyn Secrets>) -> Result<(Journal, Option<String>), VaultError> {
    let (journal, state) = Journal::open(disk.clone(), host.clone(), Arc::new(SystemRandom))?;
    Ok((journal, state.map(|state| String::from_utf8(state.expose().to_vec()).unwrap())))
}

fn found(disk: &Arc<impl Disk + 'static>, host: &Arc<dyn Secrets>) -> Option<String> {
    open(disk, host).unwrap().1
}

fn disk_with(bytes: Vec<u8>) -> Arc<MemoryDisk> {
    let disk = Arc::new(MemoryDisk::new());
    disk.put(JOURNAL_FILE, bytes);
    disk
}

/// A folder with an account, whose older keys are retired.
fn account(host: &Arc<dyn Secrets>) -> Arc<MemoryDisk> {
    let disk = Arc::new(MemoryDisk::new());
    let (mut journal, _) = open(&disk, host).unwrap();
    journal.append(&state("signing up")).unwrap();
    journal.append(&state("account")).unwrap();
    journal.retire_older().unwrap();
    disk
}

#[test]
fn empty_folder_that_is_opened_stays_empty_and_makes_no_key() {
    let host = MemoryHost::new();
    let disk = Arc::new(MemoryDisk::new());
    let (journal, state) = open(&disk, &(Arc::new(host.clone()) as _)).unwrap();
    journal.retire_older().unwrap();
    assert!(state.is_none() && journal.derive("cache").is_ok());
    assert_eq!((disk.operations(), host.sealing_keys()), (0, 0));
}

/// Control: let `Journal::open` or the first append call `retire`, as both once did.
#[test]
fn second_folder_on_a_key_store_harms_the_first_only_with_an_account_of_its_own() {
    let memory = MemoryHost::new();
    let keys = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(1_760_000_000_000));
    let desktop = DesktopHost::open(keys.path(), KeyStore::File, clock).unwrap().platform().secrets;
    for host in [Arc::new(memory) as Arc<dyn Secrets>, desktop] {
        let first = account(&host);
        let copy = disk_with(first.get(JOURNAL_FILE).unwrap());
        let second = Arc::new(MemoryDisk::new());
        let (mut journal, _) = open(&second, &host).unwrap();
        assert_eq!(found(&first, &host).as_deref(), Some("account"), "an empty folder was opened beside it");
        journal.append(&state("signing up")).unwrap();
        assert_eq!(found(&second, &host).as_deref(), Some("signing up"));
        let (mut one, _) = open(&first, &host).unwrap();
        one.append(&state("account, later")).unwrap();
        one.retire_older().unwrap();
        assert_eq!(found(&second, &host).as_deref(), Some("signing up"), "the first one's key is not the newest");
        assert_eq!(found(&first, &host).as_deref(), Some("account, later"), "a sign-up went on beside it");
        journal.append(&state("another account")).unwrap();
        journal.retire_older().unwrap();
        for dead in [&first, &copy] {
            assert!(matches!(open(dead, &host), Err(VaultError::RolledBack)));
        }
        assert_eq!(found(&second, &host).as_deref(), Some("another account"));
    }
}

/// Whatever a second folder is doing when it dies, the first one opens, and so does the second one's next try.
#[test]
fn second_folder_that_dies_at_any_step_leaves_the_first_one_open() {
    let mut deaths = 0;
    for (operation, accesses) in (0..30).flat_map(|at| [(Some(at), None), (None, Some(at))]) {
        let memory = MemoryHost::new();
        let host: Arc<dyn Secrets> = Arc::new(memory.clone());
        let first = account(&host);
        let second = Arc::new(MemoryDisk::new());
        if let Some(at) = operation {
            second.die_at(at);
        }
        if let Some(at) = accesses {
            memory.fail_after(at, KeyError::Temporary);
        }
        let lived = (|| {
            let (mut journal, _) = open(&second, &host)?;
            for text in ["signing up", "still signing up"] {
                journal.append(&state(text))?;
                drop(open(&second, &host)?);
            }
            Ok::<(), VaultError>(())
        })();
        deaths += u32::from(lived.is_err());
        memory.heal();
        for crash in Crash::ALL {
            assert_eq!(found(&first, &host).as_deref(), Some("account"));
            let second = Arc::new(second.after(crash));
            let (mut journal, _) = open(&second, &host).unwrap();
            journal.append(&state("signing up again")).unwrap();
            assert_eq!(found(&second, &host).as_deref(), Some("signing up again"));
            assert_eq!(found(&first, &host).as_deref(), Some("account"));
        }
    }
    assert!(deaths > 8, "{deaths}");
}

#[test]
fn retiring_that_the_host_refused_is_ended_by_the_next_start() {
    let memory = MemoryHost::new();
    let host: Arc<dyn Secrets> = Arc::new(memory.clone());
    let copy = disk_with(account(&host).get(JOURNAL_FILE).unwrap());
    let disk = Arc::new(MemoryDisk::new());
    let (mut journal, _) = open(&disk, &host).unwrap();
    journal.append(&state("another account")).unwrap();
    memory.fail(KeyError::Temporary);
    assert!(matches!(journal.retire_older(), Err(VaultError::Key(KeyError::Temporary))));
    memory.heal();
    assert_eq!(found(&copy, &host).as_deref(), Some("account"), "not yet");
    drop(journal);
    open(&disk, &host).unwrap().0.retire_older().unwrap();
    assert!(matches!(open(&copy, &host), Err(VaultError::RolledBack)));
}

/// An account with a cache beside it, and a copy of its journal.
fn to_destroy(host: &Arc<dyn Secrets>) -> (Arc<MemoryDisk>, Vec<u8>) {
    let disk = account(host);
    let copy = disk.get(JOURNAL_FILE).unwrap();
    for file in ["cache/store.1/db", "cache/store.1/conf", "cache/opening"] {
        disk.put(file, b"sealed".to_vec());
    }
    disk.put("journal.new", copy.clone());
    (disk, copy)
}

const FILES: [&str; 6] =
    [JOURNAL_FILE, "journal.new", "journal.wiped", "cache/store.1/db", "cache/store.1/conf", "cache/opening"];

/// After a crash the wallet is whole, or there is none and nothing can be read; or why not. Then it can be destroyed.
fn after_destroying(disk: &Arc<MemoryDisk>, host: &Arc<dyn Secrets>, copy: &[u8]) -> Result<bool, String> {
    let (journal, state) = open(disk, host).map_err(|error| error.to_string())?;
    drop(journal);
    let gone = state.is_none();
    if let Some(text) = state {
        let cache = FILES[3..].iter().all(|file| disk.get(file).is_some());
        if text != "account" || !cache {
            return Err(format!("{text}; the cache is whole: {cache}"));
        }
        Journal::destroy(&**disk, &**host).map_err(|error| error.to_string())?;
        if open(disk, host).map_err(|error| error.to_string())?.1.is_some() {
            return Err("it is still there".to_owned());
        }
    }
    if let Some(file) = FILES.iter().find(|file| disk.get(file).is_some()) {
        return Err(format!("{file} is still there"));
    }
    if !matches!(open(&disk_with(copy.to_vec()), host), Err(VaultError::RolledBack)) {
        return Err("a copy can still be read".to_owned());
    }
    let (mut journal, _) = open(disk, host).map_err(|error| error.to_string())?;
    journal.append(&Secret::copy_of(b"new")).map_err(|error| error.to_string())?;
    let again = open(disk, host).map_err(|error| error.to_string())?.1;
    if again.as_deref() == Some("new") { Ok(gone) } else { Err(format!("a new wallet has {again:?}")) }
}

/// Every way to die while destroying, and what was wrong afterwards; how often the wallet was gone, and how often not.
fn deaths_while_destroying(host: fn(&MemoryHost) -> Arc<dyn Secrets>) -> (Vec<String>, [u32; 2]) {
    let (mut wrong, mut counts) = (Vec::new(), [0; 2]);
    for (operation, accesses) in (0..12).flat_map(|at| [(Some(at), None), (None, Some(at))]) {
        for crash in Crash::ALL {
            let memory = MemoryHost::new();
            let host = host(&memory);
            let (disk, copy) = to_destroy(&host);
            if let Some(at) = operation {
                disk.die_at(disk.operations() + at);
            }
            if let Some(at) = accesses {
                memory.fail_after(at, KeyError::Temporary);
            }
            let done = Journal::destroy(&*disk, &*host);
            memory.heal();
            let disk = Arc::new(disk.after(crash));
            match after_destroying(&disk, &host, &copy) {
                Ok(gone) if done.is_err() || gone => counts[usize::from(gone)] += 1,
                Ok(_) => wrong.push(format!("{operation:?} {accesses:?} {crash:?}: destroyed, and back again")),
                Err(why) => wrong.push(format!("{operation:?} {accesses:?} {crash:?}: {why}")),
            }
        }
    }
    (wrong, counts)
}

#[test]
fn wallet_that_is_killed_while_it_is_destroyed_is_whole_or_gone_and_never_damaged() {
    let (wrong, counts) = deaths_while_destroying(|memory| Arc::new(memory.clone()));
    assert_eq!(wrong, Vec::<String>::new());
    assert!(counts.iter().all(|count| *count > 8), "{counts:?}");
}

/// Deletes the old sealing key in the moment it makes a new one.
struct HastyHost(MemoryHost);
impl Secrets for HastyHost {
    fn seal(&self, plain: &Secret) -> Result<Vec<u8>, KeyError> {
        self.0.seal(plain)
    }
    fn unseal(&self, sealed: &[u8]) -> Result<Secret, KeyError> {
        self.0.unseal(sealed)
    }
    fn id(&self) -> Result<Option<SealId>, KeyError> {
        self.0.id()
    }
    fn renew(&self) -> Result<SealId, KeyError> {
        let id = self.0.renew()?;
        self.0.retire().map(|()| id)
    }
    fn retire(&self) -> Result<(), KeyError> {
        self.0.retire()
    }
}

#[test]
fn control_host_that_retires_in_one_step_damages_wallets() {
    let (wrong, _) = deaths_while_destroying(|memory| Arc::new(HastyHost(memory.clone())));
    assert!(wrong.iter().any(|why| why.contains("older copy")), "{wrong:?}");
}

#[test]
fn wallet_that_does_not_open_is_destroyed_all_the_same_and_an_empty_folder_too() {
    let host: Arc<dyn Secrets> = Arc::new(MemoryHost::new());
    let damaged = disk_with(b"no journal".to_vec());
    Journal::destroy(&*damaged, &*host).unwrap();
    Journal::destroy(&*damaged, &*host).unwrap();
    assert_eq!(found(&damaged, &host), None);
}

#[test]
fn destroyed_folder_holds_nothing_but_its_lock() {
    let (home, host) = (tempfile::tempdir().unwrap(), Arc::new(MemoryHost::new()) as Arc<dyn Secrets>);
    let disk = Arc::new(FolderDisk::open(home.path()).unwrap());
    let (mut journal, _) = open(&disk, &host).unwrap();
    journal.append(&state("account")).unwrap();
    let cache = home.path().join(CACHE_FOLDER);
    let (cache, _) = Cache::open(&cache, &journal.derive("cache").unwrap(), &[]).unwrap();
    cache.put_batch("history", 1, &[("k", "v")]).unwrap();
    drop((cache, journal));
    Journal::destroy(&*disk, &*host).unwrap();
    let left =
        |folder: &Path| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(left(home.path()), ["lock"]);
    assert_eq!(found(&disk, &host), None);
}
