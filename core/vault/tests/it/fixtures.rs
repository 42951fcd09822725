//! What earlier versions wrote opens for ever, and this one writes the same bytes.
//!
//! `fixtures/v1` was made at commit 7ba18ce by what [`script`] does, with that commit's calls, the host below and a journal
//! whose chance was `SeededRandom::new(1)`: a journal of two states, the second with the cache's anchor, and a cache of two
//! trees in three batches. Files that hold nothing (`lock`) are left out.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use saifu_crypto::{Secret, SeededRandom, aead};
use saifu_host::{KeyError, SealId, Secrets};
use saifu_vault::{Anchor, CACHE_FOLDER, Cache, FolderDisk, JOURNAL_FILE, Journal, Opened};

const ID: SealId = SealId { install: [0x11; 16], generation: 1 };

/// One key and one nonce, so that its seals never change.
struct FixedHost;

fn sealing_key() -> Secret {
    Secret::new(vec![0x5a; 32])
}

impl Secrets for FixedHost {
    fn seal(&self, plain: &Secret) -> Result<Vec<u8>, KeyError> {
        aead::seal(&sealing_key(), &[0; 12], b"fixture", plain.expose()).map_err(|_| KeyError::Temporary)
    }
    fn unseal(&self, sealed: &[u8]) -> Result<Secret, KeyError> {
        aead::open(&sealing_key(), &[0; 12], b"fixture", sealed).map_err(|_| KeyError::Gone)
    }
    fn id(&self) -> Result<Option<SealId>, KeyError> {
        Ok(Some(ID))
    }
    fn renew(&self) -> Result<SealId, KeyError> {
        Ok(ID)
    }
    fn retire(&self) -> Result<(), KeyError> {
        Ok(())
    }
}

fn fixture(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(version)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() { copy(&from, &to) } else { fs::write(&to, fs::read(&from).unwrap()).unwrap() }
    }
}

fn open(home: &Path) -> (Journal, Option<Secret>) {
    let disk = Arc::new(FolderDisk::open(home).unwrap());
    Journal::open(disk, Arc::new(FixedHost), Arc::new(SeededRandom::new(1))).unwrap()
}

fn cache(home: &Path, journal: &Journal, anchors: &[Anchor]) -> (Cache, Opened) {
    Cache::open(&home.join(CACHE_FOLDER), &journal.derive("saifu/v1/cache").unwrap(), anchors).unwrap()
}

fn state(anchor: &Anchor) -> Secret {
    Secret::new([&b"anchor: "[..], &anchor.to_bytes()].concat())
}

/// The life that a fixture shows.
fn script(home: &Path) -> Anchor {
    let (mut journal, _) = open(home);
    journal.append(&Secret::copy_of(b"first")).unwrap();
    let (cache, _) = cache(home, &journal, &[]);
    let record = |n: u64| (n.to_be_bytes(), format!("entry {n}"));
    cache.put_batch("history", 1, &[record(1), record(2), record(3)]).unwrap();
    cache.put_batch("coupons", 1, &[(b"a".to_vec(), vec![7_u8; 3000])]).unwrap();
    cache.put_batch("history", 1, &[record(2), record(4)]).unwrap();
    let anchor = cache.anchor("history").unwrap();
    journal.append(&state(&anchor)).unwrap();
    anchor
}

/// Opens what [`script`] made and looks at all of it.
fn look(home: &Path) {
    let (mut journal, found) = open(home);
    let found = found.unwrap();
    let anchor = Anchor::from_bytes(found.expose().strip_prefix(b"anchor: ").unwrap()).unwrap();
    let (cache, opened) = cache(home, &journal, std::slice::from_ref(&anchor));
    assert_eq!((opened, anchor.count), (Opened::Fine, 4));
    let history = cache.newest("history", 9).unwrap();
    let read = |record: &saifu_vault::Record| {
        let number = u64::from_be_bytes(record.key.as_slice().try_into().unwrap());
        (number, record.schema, String::from_utf8(record.value.expose().to_vec()).unwrap())
    };
    let expected: Vec<_> = [4_u64, 3, 2, 1].map(|n| (n, 1_u16, format!("entry {n}"))).into();
    assert_eq!(history.iter().map(read).collect::<Vec<_>>(), expected);
    assert_eq!(cache.newest("coupons", 9).unwrap()[0].value.expose(), [7; 3000]);
    cache.put_batch("history", 2, &[("later", "of a later schema")]).unwrap();
    journal.append(&state(&cache.anchor("history").unwrap())).unwrap();
    drop((cache, journal));
    assert!(open(home).1.is_some());
}

#[test]
fn files_of_version_1_open_and_go_on() {
    let home = tempfile::tempdir().unwrap();
    copy(&fixture("v1"), home.path());
    look(home.path());
}

#[test]
fn journal_is_written_as_in_version_1_byte_for_byte() {
    let home = tempfile::tempdir().unwrap();
    script(home.path());
    // All but the cache's digest, whose records have nonces of their own: header, first state, head of the second.
    let [ours, frozen] = [home.path(), &fixture("v1")].map(|folder| fs::read(folder.join(JOURNAL_FILE)).unwrap());
    assert_eq!(ours.len(), frozen.len());
    let same = ours.iter().zip(&frozen).take_while(|(ours, frozen)| ours == frozen).count();
    // The second state ends in: digest 32, the tree's name 7, tag 16, checksum 4.
    assert!(same >= frozen.len() - (32 + 7 + 16 + 4), "byte {same} of {} differs", frozen.len());
    look(home.path());
}
