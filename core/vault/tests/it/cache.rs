//! What the cache answers, and what it says of a database that is not what was acknowledged.

use std::fs;
use std::path::{Path, PathBuf};

use saifu_crypto::Secret;
use saifu_vault::{Anchor, Cache, MAX_KEY, MAX_VALUE, Opened, Rebuild, Record, VaultError};

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

fn numbers(found: &[Record]) -> Vec<u32> {
    let number = |record: &Record| {
        assert_eq!((record.schema, record.value.expose()), (1, &record.key.repeat(40)[..]), "a wrong value");
        u32::from_be_bytes(record.key.as_slice().try_into().unwrap())
    };
    found.iter().map(number).collect()
}

/// By rising key.
fn all(cache: &Cache) -> Vec<u32> {
    let mut all = numbers(&cache.newest(TREE, usize::MAX).unwrap());
    all.reverse();
    all
}

/// Puts records and gives the anchor.
fn put(cache: &Cache, records: &[([u8; 4], Vec<u8>)]) -> Anchor {
    cache.put_batch(TREE, 1, records).unwrap();
    cache.anchor(TREE).unwrap()
}

fn bytes_on_disk(folder: &Path) -> u64 {
    let size = |path: PathBuf| if path.is_dir() { bytes_on_disk(&path) } else { path.metadata().unwrap().len() };
    fs::read_dir(folder).unwrap().map(|entry| size(entry.unwrap().path())).sum()
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
fn records_are_found_newest_first_with_the_schema_they_were_put_with() {
    let home = tempfile::tempdir().unwrap();
    let (cache, opened) = open(home.path(), &[]);
    assert_eq!(opened, Opened::Fine);
    cache.put_batch(TREE, 1, &records(0..100)).unwrap();
    assert_eq!(numbers(&cache.newest(TREE, 3).unwrap()), [99, 98, 97]);
    assert_eq!(all(&cache), (0..100).collect::<Vec<_>>());
    assert!(cache.newest("other", 9).unwrap().is_empty());
    cache.put_batch("other", 0xfffe, &[("k", "of tomorrow")]).unwrap();
    let anchors = [cache.anchor(TREE).unwrap(), cache.anchor("other").unwrap()];
    drop(cache);
    let (cache, opened) = open(home.path(), &anchors);
    assert_eq!((opened, all(&cache).len()), (Opened::Fine, 100));
    let found = cache.newest("other", 9).unwrap();
    assert_eq!((found[0].schema, found[0].value.expose()), (0xfffe, &b"of tomorrow"[..]));
}

#[test]
fn batch_replaces_and_of_two_with_one_key_the_later_counts() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    let put = |entries: &[(&str, &str)]| {
        cache.put_batch(TREE, 1, entries).unwrap();
        cache.anchor(TREE).unwrap()
    };
    let first = put(&[("a", "one"), ("b", "two"), ("a", "three")]);
    assert_eq!((first.count, first.last_sequence), (2, 1));
    assert_eq!(cache.newest(TREE, 2).unwrap()[1].value.expose(), b"three");
    let second = put(&[("a", "four")]);
    assert_eq!((second.count, second.last_sequence), (2, 2));
    assert_ne!(first.digest, second.digest);
    assert_eq!(put(&[]), second);
    assert_eq!(put(&[("b", "two"), ("a", "four")]), second, "what is there already is left alone");
    cache.put_batch(TREE, 2, &[("a", "four")]).unwrap();
    assert_eq!(cache.newest(TREE, 2).unwrap()[1].schema, 2, "but not if it means something else");
    let third = cache.anchor(TREE).unwrap();
    drop(cache);
    assert_eq!(open(home.path(), &[third]).1, Opened::Fine);
}

/// A crash takes what no anchor speaks of, or leaves it; either is fine. Control: anchors of both.
#[test]
fn batch_without_an_anchor_may_be_lost_and_costs_nothing() {
    let (home, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cache, _) = open(home.path(), &[]);
    let anchor = put(&cache, &records(0..10));
    // What is on the medium now is what a machine without power has.
    copy(home.path(), crashed.path());
    cache.put_batch(TREE, 1, &records(10..20)).unwrap();
    assert_eq!(all(&cache).len(), 20, "it is read back at once");
    let later = cache.anchor(TREE).unwrap();
    let (lost, opened) = open(crashed.path(), std::slice::from_ref(&anchor));
    assert_eq!((opened, all(&lost).len()), (Opened::Fine, 10));
    assert_eq!(put(&lost, &records(10..20)).count, 20);
    drop((cache, lost));
    for anchor in [anchor, later.clone()] {
        let (cache, opened) = open(home.path(), &[anchor]);
        assert_eq!((opened, all(&cache).len()), (Opened::Fine, 20));
    }
    let older = tempfile::tempdir().unwrap();
    put(&open(older.path(), &[]).0, &records(0..10));
    assert!(matches!(open(older.path(), &[later]).1, Opened::Rebuilt(_)), "control");
}

#[test]
fn names_keys_and_values_have_their_limits() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    cache.put_batch(TREE, 1, &[(vec![1; MAX_KEY], vec![2; MAX_VALUE])]).unwrap();
    assert!(matches!(cache.put_batch(TREE, 1, &[("k", vec![2; MAX_VALUE + 1])]), Err(VaultError::TooLarge { .. })));
    for name in ["", "History", "__sled__default", &"a".repeat(33)] {
        assert!(matches!(cache.put_batch(name, 1, &[("k", "v")]), Err(VaultError::BadName { .. })), "{name}");
    }
    for bad in [vec![], vec![1; MAX_KEY + 1]] {
        assert!(matches!(cache.put_batch(TREE, 1, &[(bad, "v")]), Err(VaultError::BadName { .. })));
    }
}

#[test]
fn cache_survives_and_batches_after_the_anchor_are_kept() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    let anchor = put(&cache, &records(0..10));
    put(&cache, &records(10..20));
    cache.put_batch("coupons", 1, &records(0..1)).unwrap();
    drop(cache);
    let (cache, opened) = open(home.path(), &[anchor]);
    assert_eq!((opened, all(&cache).len()), (Opened::Fine, 20));
    assert_eq!(put(&cache, &records(20..21)).last_sequence, 3);
}

#[test]
fn older_emptier_or_missing_database_is_rebuilt_and_the_next_open_is_fine() {
    let home = tempfile::tempdir().unwrap();
    let older = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    put(&cache, &records(0..50));
    drop(cache);
    copy(home.path(), older.path());
    let (cache, _) = open(home.path(), &[]);
    let anchor = put(&cache, &records(50..60));
    drop(cache);

    // Control: without the anchor, the older copy opens as if nothing were missing.
    let (cache, opened) = open(older.path(), &[]);
    assert_eq!((opened, all(&cache).len()), (Opened::Fine, 50));
    drop(cache);
    let (cache, opened) = open(older.path(), std::slice::from_ref(&anchor));
    assert_eq!(opened, Opened::Rebuilt(Rebuild::Differs { tree: TREE.to_owned() }));
    assert!(all(&cache).is_empty());
    let refilled = put(&cache, &records(0..60));
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
    let anchor = put(&cache, &records(0..5));
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
    let anchor = put(&cache, &records(0..5));
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
    let anchor = put(&cache, &records(0..5));
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
    let anchor = put(&cache, &records(0..5));
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
fn opening_that_returns_an_error_is_no_hang_however_often() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    let anchor = put(&cache, &records(0..5));
    drop(cache);
    // The machine's fault: no folder can be had in this place.
    let (folder, aside) = (database(home.path()), home.path().join("aside"));
    fs::rename(&folder, &aside).unwrap();
    fs::write(&folder, "").unwrap();
    for _ in 0..5 {
        let refused = Cache::open(home.path(), &key(1), std::slice::from_ref(&anchor)).err().unwrap();
        assert!(matches!(refused, VaultError::Io { .. }), "{refused}");
    }
    fs::remove_file(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    let (cache, opened) = open(home.path(), &[anchor]);
    assert_eq!((opened, all(&cache).len()), (Opened::Fine, 5));
}

#[test]
fn nothing_of_a_value_is_in_the_files() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    cache.put_batch(TREE, 1, &[("k", "a very telling value")]).unwrap();
    cache.anchor(TREE).unwrap();
    drop(cache);
    for entry in fs::read_dir(database(home.path())).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(12).any(|window| window == b"very telling"), "{}", path.display());
        }
    }
}

/// sled reuses space but never gives it back.
#[test]
fn files_much_larger_than_their_records_are_written_anew() {
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    for n in 0..50_u8 {
        let large: Vec<_> = (0..20_u8).map(|m| ([n, m], vec![n; MAX_VALUE])).collect();
        cache.put_batch("large", 1, &large).unwrap();
    }
    for n in 0..50_u8 {
        let small: Vec<_> = (0..20_u8).map(|m| ([n, m], [n, m])).collect();
        cache.put_batch("large", 1, &small).unwrap();
    }
    cache.put_batch("large", 1, &[("k", "v")]).unwrap();
    let anchors = [cache.anchor("large").unwrap(), put(&cache, &records(0..50))];
    drop(cache);
    let folder = database(home.path());
    let before = bytes_on_disk(&folder);
    assert!(before > 8_000_000, "{before}");
    for _ in 0..2 {
        let (cache, opened) = open(home.path(), &anchors);
        assert_eq!((opened, all(&cache).len()), (Opened::Fine, 50));
        let large = cache.newest("large", 2).unwrap();
        assert_eq!((large[1].key.as_slice(), large[1].value.expose()), (&[49, 19][..], &[49, 19][..]));
        assert!(bytes_on_disk(&database(home.path())) < 4_000_000);
        assert!(!folder.exists());
    }
}

/// Damages one file of a database copied from `whole`: cuts it, or flips a bit of it.
fn damaged(whole: &Path, file: &Path, at: usize, cut: bool) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    copy(whole, home.path());
    let path = home.path().join(file);
    let mut bytes = fs::read(&path).unwrap();
    if cut {
        bytes.truncate(at);
    } else {
        bytes[at] ^= 0x10;
    }
    fs::write(&path, bytes).unwrap();
    home
}

/// A short round over every file of a database, evenly spread, before and after sled has written its snapshot (which it
/// does when it opens what it finds): after any cut or flipped bit the cache is whole, or says that it was rebuilt. The
/// control counts what the same damage does when nobody holds an anchor against it.
#[test]
fn cut_or_flipped_database_is_whole_or_rebuilt_never_shorter() {
    const POSITIONS: usize = 6;
    let home = tempfile::tempdir().unwrap();
    let (cache, _) = open(home.path(), &[]);
    let mut anchor = None;
    for n in 0..20 {
        anchor = Some(put(&cache, &records(n * 100..n * 100 + 100)));
    }
    drop(cache);
    let anchor = [anchor.unwrap()];
    let fresh = damage_everywhere(home.path(), &anchor, POSITIONS);
    assert_eq!(open(home.path(), &anchor).1, Opened::Fine);
    let reopened = damage_everywhere(home.path(), &anchor, POSITIONS);
    assert!(fresh.rebuilt > 0 && reopened.rebuilt > 0, "this damage does not matter to sled");
    assert!(fresh.unnoticed > 0, "control: without anchors some damage goes unnoticed");
}

#[derive(Default)]
struct Damage {
    rebuilt: u32,
    unnoticed: u32,
}

fn damage_everywhere(whole: &Path, anchor: &[Anchor], positions: usize) -> Damage {
    let mut damage = Damage::default();
    for entry in fs::read_dir(database(whole)).unwrap() {
        let file = entry.unwrap().path();
        let len = usize::try_from(file.metadata().unwrap().len()).unwrap();
        if !file.is_file() || len == 0 {
            continue;
        }
        let name = file.strip_prefix(whole).unwrap();
        for (at, cut) in (0..positions).flat_map(|n| [(len * n / positions, true), (len * n / positions, false)]) {
            let guarded = damaged(whole, name, at, cut);
            let (cache, opened) = open(guarded.path(), anchor);
            match opened {
                Opened::Fine => assert_eq!(all(&cache).len(), 2000, "{} at {at}, cut: {cut}", name.display()),
                Opened::Rebuilt(_) => {
                    assert!(all(&cache).is_empty());
                    damage.rebuilt += 1;
                }
            }
            let bare = damaged(whole, name, at, cut);
            let (cache, opened) = open(bare.path(), &[]);
            damage.unnoticed += u32::from(opened == Opened::Fine && all(&cache).len() < 2000);
        }
    }
    damage
}
