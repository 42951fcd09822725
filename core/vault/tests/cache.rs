//! What the cache answers, and what it says of a database that is not what was acknowledged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::arithmetic_side_effects, reason = "a test may panic")]
#![allow(clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use saifu_crypto::Secret;
use saifu_vault::{Anchor, Cache, MAX_KEY, MAX_VALUE, Opened, Order, Rebuild, VaultError};

const TREE: &str = "history";

fn key(byte: u8) -> Secret {
    Secret::new(vec![byte; 32])
}

fn open(home: &Path, anchors: &[Anchor]) -> (Cache, Opened) {
    Cache::open(home, &key(1), anchors).unwrap()
}

fn records(range: std::ops::Range<u32>) -> Vec<([u8; 4], Vec<u8>)> {
    range.map(|n| (n.to_be_bytes(), n.to_be_bytes().repeat(40))).collect()
}

fn numbers(found: &[(Vec<u8>, Secret)]) -> Vec<u32> {
    let number = |(key, value): &(Vec<u8>, Secret)| {
        assert_eq!(value.expose(), key.repeat(40), "a wrong value");
        u32::from_be_bytes(key.as_slice().try_into().unwrap())
    };
    found.iter().map(number).collect()
}

fn all(cache: &Cache) -> Vec<u32> {
    numbers(&cache.scan(TREE, .., Order::Ascending, usize::MAX).unwrap())
}

fn database(home: &Path) -> PathBuf {
    let mut stores: Vec<_> = fs::read_dir(home).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    stores.sort();
    stores.pop().unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() { copy(&from, &to) } else { fs::copy(&from, &to).map(|_| ()).unwrap() }
    }
}

#[test]
fn records_are_found_by_key_range_and_order() {
    let home = tempfile::tempdir().unwrap();
    let (cache, opened) = open(home.path(), &[]);
    assert_eq!(opened, Opened::Fine);
    cache.put_batch(TREE, &records(0..100)).unwrap();
    assert_eq!(cache.get(TREE, &7_u32.to_be_bytes()).unwrap().unwrap().expose(), 7_u32.to_be_bytes().repeat(40));
    assert!(cache.get(TREE, b"none").unwrap().is_none());
    assert!(cache.get("other", b"none").unwrap().is_none());
    assert_eq!(numbers(&cache.newest(TREE, 3).unwrap()), [99, 98, 97]);
    let at = |n: u32| n.to_be_bytes().to_vec();
    let scan = |range: (std::ops::Bound<Vec<u8>>, std::ops::Bound<Vec<u8>>), order, limit| {
        numbers(&cache.scan(TREE, range, order, limit).unwrap())
    };
    use std::ops::Bound::{Excluded, Included, Unbounded};
    assert_eq!(scan((Unbounded, Excluded(at(97))), Order::Descending, 2), [96, 95]);
    assert_eq!(scan((Included(at(10)), Included(at(12))), Order::Ascending, 9), [10, 11, 12]);
    for nothing in
        [(Included(at(9)), Included(at(8))), (Excluded(at(8)), Excluded(at(8))), (Included(at(8)), Excluded(at(8)))]
    {
        assert!(scan(nothing, Order::Ascending, 9).is_empty());
    }
    assert!(cache.newest("other", 9).unwrap().is_empty());
}

#[test]
fn batch_replaces_and_of_two_with_one_key_the_later_counts() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    let first = cache.put_batch(TREE, &[("a", "one"), ("b", "two"), ("a", "three")]).unwrap();
    assert_eq!((first.count, first.last_sequence), (2, 1));
    assert_eq!(cache.get(TREE, b"a").unwrap().unwrap().expose(), b"three");
    let second = cache.put_batch(TREE, &[("a", "four")]).unwrap();
    assert_eq!((second.count, second.last_sequence), (2, 2));
    assert_ne!(first.digest, second.digest);
    assert_eq!(cache.put_batch::<&str, &str>(TREE, &[]).unwrap(), second);
    drop(cache);
    assert_eq!(open(home.path(), &[second]).1, Opened::Fine);
}

#[test]
fn names_keys_and_values_have_their_limits() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    cache.put_batch(TREE, &[(vec![1; MAX_KEY], vec![2; MAX_VALUE])]).unwrap();
    assert!(matches!(cache.put_batch(TREE, &[("k", vec![2; MAX_VALUE + 1])]), Err(VaultError::TooLarge { .. })));
    for name in ["", "History", "__sled__default", &"a".repeat(33)] {
        assert!(matches!(cache.put_batch(name, &[("k", "v")]), Err(VaultError::BadName { .. })), "{name}");
    }
    for bad in [vec![], vec![1; MAX_KEY + 1]] {
        assert!(matches!(cache.put_batch(TREE, &[(bad, "v")]), Err(VaultError::BadName { .. })));
    }
}

#[test]
fn cache_survives_and_batches_after_the_anchor_are_kept() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    let anchor = cache.put_batch(TREE, &records(0..10)).unwrap();
    cache.put_batch(TREE, &records(10..20)).unwrap();
    cache.put_batch("coupons", &records(0..1)).unwrap();
    drop(cache);
    let (cache, opened) = open(home.path(), &[anchor]);
    assert_eq!((opened, all(&cache).len()), (Opened::Fine, 20));
    assert_eq!(cache.put_batch(TREE, &records(20..21)).unwrap().last_sequence, 3);
}

#[test]
fn older_emptier_or_missing_database_is_rebuilt_and_the_next_open_is_fine() {
    let home = tempfile::tempdir().unwrap();
    let older = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    cache.put_batch(TREE, &records(0..50)).unwrap();
    drop(cache);
    copy(home.path(), older.path());
    let (cache, _) = open(home.path(), &[]);
    let anchor = cache.put_batch(TREE, &records(50..60)).unwrap();
    drop(cache);

    // Control: without the anchor, the older copy opens as if nothing were missing.
    let (cache, opened) = open(older.path(), &[]);
    assert_eq!((opened, all(&cache).len()), (Opened::Fine, 50));
    drop(cache);
    let (cache, opened) = open(older.path(), std::slice::from_ref(&anchor));
    assert_eq!(opened, Opened::Rebuilt(Rebuild::Differs { tree: TREE.to_owned() }));
    assert!(all(&cache).is_empty());
    let refilled = cache.put_batch(TREE, &records(0..60)).unwrap();
    drop(cache);
    let (cache, opened) = open(older.path(), &[refilled]);
    assert_eq!((opened, all(&cache).len()), (Opened::Fine, 60));

    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(open(empty.path(), &[anchor]).1, Opened::Rebuilt(Rebuild::Differs { .. })));
}

#[test]
fn another_key_or_a_swapped_record_is_rebuilt() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    let anchor = cache.put_batch(TREE, &records(0..5)).unwrap();
    drop(cache);
    // What a thief of the files can do: sled keeps its own checksums right, the seal notices.
    let raw = sled::Config::new().path(database(home.path())).flush_every_ms(None).segment_size(64 * 1024);
    let db = reopened(&raw);
    let tree = db.open_tree(TREE).unwrap();
    let (one, two) = (tree.get([0, 0, 0, 1]).unwrap().unwrap(), tree.get([0, 0, 0, 2]).unwrap().unwrap());
    tree.insert([0, 0, 0, 1], two).unwrap();
    tree.insert([0, 0, 0, 2], one).unwrap();
    db.flush().unwrap();
    drop((tree, db));
    assert_eq!(open(home.path(), &[anchor]).1, Opened::Rebuilt(Rebuild::Sealed));

    let (cache, _) = open(home.path(), &[]);
    let anchor = cache.put_batch(TREE, &records(0..5)).unwrap();
    drop(cache);
    let (_, opened) = Cache::open(home.path(), &key(2), &[anchor]).unwrap();
    assert_eq!(opened, Opened::Rebuilt(Rebuild::Sealed));
}

fn reopened(config: &sled::Config) -> sled::Db {
    for _ in 0..200 {
        if let Ok(db) = config.open() {
            return db;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("the database stays locked");
}

#[test]
fn leavings_of_a_crash_while_opening_are_swept() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    let anchor = cache.put_batch(TREE, &records(0..5)).unwrap();
    drop(cache);
    let leavings = database(home.path()).join("snap.0000000000000001.generating");
    fs::write(&leavings, "half").unwrap();
    // Control: sled alone does not open over it.
    let bare = sled::Config::new().path(database(home.path())).flush_every_ms(None).segment_size(64 * 1024);
    let alone = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| bare.open().is_ok())).unwrap_or(false);
    assert!(!alone, "sled has learnt to sweep; this wrapper's sweep can go");
    let (cache, opened) = open(home.path(), &[anchor]);
    assert_eq!((opened, all(&cache).len()), (Opened::Fine, 5));
    assert!(!leavings.exists());
}

#[test]
fn database_that_never_finished_opening_three_times_is_set_aside() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    let anchor = cache.put_batch(TREE, &records(0..5)).unwrap();
    drop(cache);
    let sentinel = home.path().join("opening");
    assert!(!sentinel.exists(), "an opening that ends leaves no mark");
    fs::write(&sentinel, "2").unwrap();
    assert_eq!(open(home.path(), std::slice::from_ref(&anchor)).1, Opened::Fine);
    fs::write(&sentinel, "3").unwrap();
    let (cache, opened) = open(home.path(), &[anchor]);
    assert_eq!(opened, Opened::Rebuilt(Rebuild::NeverOpens));
    assert!(all(&cache).is_empty() && !sentinel.exists());
}

#[test]
fn cleared_cache_is_empty_on_disk_too_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    cache.put_batch(TREE, &records(0..5)).unwrap();
    let before = database(home.path());
    cache.clear().unwrap();
    assert!(all(&cache).is_empty() && !before.exists());
    let anchor = cache.put_batch(TREE, &records(5..8)).unwrap();
    assert_eq!((anchor.count, anchor.last_sequence), (3, 1));
    drop(cache);
    let (cache, opened) = open(home.path(), &[anchor]);
    assert_eq!((opened, all(&cache)), (Opened::Fine, vec![5, 6, 7]));
}

#[test]
fn nothing_of_a_value_is_in_the_files() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    cache.put_batch(TREE, &[("k", "a very telling value")]).unwrap();
    drop(cache);
    for entry in fs::read_dir(database(home.path())).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(12).any(|window| window == b"very telling"), "{}", path.display());
        }
    }
}

/// A short round of what the long run does at 50,000 positions: after any cut or flipped byte the cache is whole, or says
/// that it was rebuilt. The control counts what the same damage does when nobody holds an anchor against it.
#[test]
fn cut_or_flipped_database_is_whole_or_rebuilt_never_shorter() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    let mut anchor = None;
    for n in 0..20 {
        anchor = Some(cache.put_batch(TREE, &records(n * 100..n * 100 + 100)).unwrap());
    }
    let anchor = [anchor.unwrap()];
    drop(cache);
    let len = fs::metadata(database(home.path()).join("db")).unwrap().len();
    let (mut rebuilt, mut unnoticed) = (0, 0);
    for round in 0..40_u64 {
        let (guarded, bare) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for copied in [&guarded, &bare] {
            copy(home.path(), copied.path());
            let path = database(copied.path()).join("db");
            let mut bytes = fs::read(&path).unwrap();
            let at = usize::try_from(len * (round / 2) / 20).unwrap();
            if round % 2 == 0 {
                bytes.truncate(at);
            } else {
                bytes[at + 33] ^= 0x10;
            }
            fs::write(&path, bytes).unwrap();
        }
        let (cache, opened) = open(guarded.path(), &anchor);
        match opened {
            Opened::Fine => assert_eq!(all(&cache).len(), 2000, "round {round}"),
            Opened::Rebuilt(_) => {
                assert!(all(&cache).is_empty());
                rebuilt += 1;
            }
        }
        let (cache, opened) = open(bare.path(), &[]);
        unnoticed += u32::from(opened == Opened::Fine && all(&cache).len() < 2000);
    }
    assert!(rebuilt > 0, "this damage does not matter to sled");
    assert!(unnoticed > 0, "control: without anchors some damage goes unnoticed");
}
