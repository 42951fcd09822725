//! What the journal does with files that are not what it wrote, and with a host that is not the one it wrote for.

use std::sync::Arc;

use proptest::prelude::*;
use saifu_crypto::{Secret, SystemRandom};
use saifu_host::doubles::MemoryHost;
use saifu_host::{KeyError, Secrets as _};
use saifu_vault::doubles::MemoryDisk;
use saifu_vault::{COMPACT_AT, FolderDisk, JOURNAL_FILE, Journal, MAX_STATE, VaultError};

fn secret(text: &str) -> Secret {
    Secret::copy_of(text.as_bytes())
}

fn open(disk: &Arc<MemoryDisk>, host: &MemoryHost) -> Result<(Journal, Option<String>), VaultError> {
    let (journal, state) = Journal::open(disk.clone(), Arc::new(host.clone()), Arc::new(SystemRandom))?;
    Ok((journal, state.map(|state| String::from_utf8(state.expose().to_vec()).unwrap())))
}

fn open_bytes(bytes: &[u8], host: &MemoryHost) -> Result<Option<String>, VaultError> {
    let disk = Arc::new(MemoryDisk::new());
    disk.put(JOURNAL_FILE, bytes.to_vec());
    open(&disk, host).map(|(_, state)| state)
}

/// A journal with three states, and the length of its file before them and after each.
fn small() -> (MemoryHost, Vec<u8>, Vec<usize>) {
    let (disk, host) = (Arc::new(MemoryDisk::new()), MemoryHost::new());
    let (mut journal, _) = open(&disk, &host).unwrap();
    let mut lengths = Vec::new();
    for text in ["first", "second", "third"] {
        journal.append(&secret(text)).unwrap();
        lengths.push(disk.get(JOURNAL_FILE).unwrap().len());
    }
    // Around a text: head 28, tag 16, checksum 4.
    lengths.insert(0, lengths[0] - "first".len() - 48);
    (host, disk.get(JOURNAL_FILE).unwrap(), lengths)
}

#[test]
fn every_flipped_bit_is_detected_or_leaves_the_newest_state() {
    let (host, good, _) = small();
    assert_eq!(open_bytes(&good, &host).unwrap().as_deref(), Some("third"));
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let opened = open_bytes(&bad, &host);
        // A checksum that has become zero looks unwritten; the seal says that the state before it is whole.
        let whole = bit / 8 == good.len() - 1 && bad.ends_with(&[0]) && matches!(&opened, Ok(Some(s)) if s == "third");
        assert!(whole || matches!(opened, Err(VaultError::Corrupt { .. })), "bit {bit}: {opened:?}");
    }
}

/// As every crash may leave it: the last entry's end is zeros. A checksum alone that is missing is made up for by the seal.
#[test]
fn file_whose_end_was_not_written_opens_however_little_is_missing() {
    let (host, good, lengths) = small();
    for missing in 1..=good.len() - lengths[2] {
        let mut bad = good.clone();
        let kept = good.len() - missing;
        bad[kept..].fill(0);
        let opened = open_bytes(&bad, &host).unwrap_or_else(|error| panic!("{missing} bytes: {error}"));
        let expected: &[&str] = if missing <= 4 { &["third", "second"] } else { &["second"] };
        assert!(bad == good || expected.contains(&opened.as_deref().unwrap()), "{missing} bytes: {opened:?}");
    }
}

/// Cuts within an entry are what a crash leaves and take that entry only. Cuts between entries cannot be told from a
/// shorter life: the residual that the module's page names.
#[test]
fn cut_file_opens_with_the_entries_that_are_whole() {
    let (host, good, lengths) = small();
    for len in 0..=good.len() {
        let whole = lengths.iter().filter(|end| **end <= len).count();
        match open_bytes(&good[..len], &host) {
            Err(VaultError::Corrupt { .. }) => assert_eq!(whole, 0, "only a cut header is damage"),
            opened => {
                let expected = [None, Some("first"), Some("second"), Some("third")][whole - 1];
                assert_eq!(opened.unwrap().as_deref(), expected, "cut at {len}");
            }
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_open_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let host = MemoryHost::new();
        host.renew().unwrap();
        prop_assert!(open_bytes(&bytes, &host).is_err());
    }

    #[test]
    fn no_bytes_after_a_good_header_make_open_panic_or_invent_a_state(
        tail in proptest::collection::vec(any::<u8>(), 0..400),
        keep in 0_usize..3,
    ) {
        let (host, good, lengths) = small();
        let opened = open_bytes(&[&good[..lengths[keep]], &tail].concat(), &host);
        let kept = [None, Some("first"), Some("second")][keep];
        let fine = match opened {
            Err(VaultError::Corrupt { .. }) => true,
            Err(_) => false,
            Ok(state) => state.as_deref() == kept,
        };
        prop_assert!(fine);
    }

    #[test]
    fn overwritten_range_is_detected_unless_it_says_the_same(at in 0_usize..400, with in proptest::collection::vec(any::<u8>(), 1..8)) {
        let (host, good, _) = small();
        let mut bad = good.clone();
        let at = at % (good.len() - with.len());
        bad[at..at + with.len()].copy_from_slice(&with);
        match open_bytes(&bad, &host) {
            Ok(state) => prop_assert!(state.as_deref() == Some("third") || bad.ends_with(&[0; 5])),
            Err(error) => {
                let damage = matches!(error, VaultError::Corrupt { .. });
                prop_assert!(damage, "{}", error);
            }
        }
    }
}

#[test]
fn frame_of_one_journal_does_not_open_in_another() {
    let (host, good, lengths) = small();
    let (other_host, other, other_lengths) = small();
    for (host, header, frames) in [
        (&other_host, &other[..other_lengths[0]], &good[lengths[0]..]),
        (&host, &good[..lengths[0]], &other[other_lengths[0]..]),
    ] {
        assert!(matches!(open_bytes(&[header, frames].concat(), host), Err(VaultError::Corrupt { .. })));
    }
}

#[test]
fn first_append_that_the_host_refuses_changes_nothing_and_is_made_up_for() {
    let (disk, host) = (Arc::new(MemoryDisk::new()), MemoryHost::new());
    let (mut journal, _) = open(&disk, &host).unwrap();
    for accesses in [0, 1] {
        host.fail_after(accesses, KeyError::Temporary);
        assert!(matches!(journal.append(&secret("no")), Err(VaultError::Key(KeyError::Temporary))));
        host.heal();
        assert_eq!(disk.operations(), 0);
    }
    let cache = journal.derive("cache").unwrap();
    journal.append(&secret("yes")).unwrap();
    drop(journal);
    let (journal, state) = open(&disk, &host).unwrap();
    assert_eq!(state.as_deref(), Some("yes"));
    assert_eq!(journal.derive("cache").unwrap().expose(), cache.expose(), "a key derived before stays");
}

#[test]
fn opening_changes_nothing_on_the_disk() {
    let (host, good, lengths) = small();
    for bytes in [&good[..], &good[..lengths[2] + 40], &good[..lengths[0]]] {
        let disk = Arc::new(MemoryDisk::new());
        disk.put(JOURNAL_FILE, bytes.to_vec());
        let (mut journal, _) = open(&disk, &host).unwrap();
        assert_eq!(disk.operations(), 0);
        journal.append(&secret("next")).unwrap();
        assert_eq!(open(&disk, &host).unwrap().1.as_deref(), Some("next"));
    }
}

#[test]
fn file_and_host_that_do_not_belong_together_are_told_apart() {
    let (host, good, _) = small();
    assert!(matches!(open_bytes(&good, &MemoryHost::new()), Err(VaultError::Foreign)), "no key at all");
    let other = MemoryHost::new();
    other.renew().unwrap();
    assert!(matches!(open_bytes(&good, &other), Err(VaultError::Foreign)), "another installation");
    host.fail(KeyError::Temporary);
    assert!(matches!(open_bytes(&good, &host), Err(VaultError::Key(KeyError::Temporary))), "nothing lasting");
    host.heal();
    host.lose_sealing_keys();
    assert!(matches!(open_bytes(&good, &host), Err(VaultError::KeyLost)));
}

#[test]
fn file_stays_small_and_the_sequence_goes_on_over_compaction() {
    let (disk, host) = (Arc::new(MemoryDisk::new()), MemoryHost::new());
    let (mut journal, _) = open(&disk, &host).unwrap();
    let mut longest = 0;
    for n in 0..300 {
        journal.append(&secret(&format!("{n:04000}"))).unwrap();
        longest = longest.max(disk.get(JOURNAL_FILE).unwrap().len() as u64);
    }
    assert!(longest <= COMPACT_AT && longest > COMPACT_AT / 2, "{longest}");
    drop(journal);
    assert_eq!(open(&disk, &host).unwrap().1, Some(format!("{:04000}", 299)));
}

#[test]
fn state_of_the_largest_size_is_taken_and_a_larger_one_refused_without_harm() {
    let (disk, host) = (Arc::new(MemoryDisk::new()), MemoryHost::new());
    let (mut journal, _) = open(&disk, &host).unwrap();
    journal.append(&Secret::new(vec![b'x'; MAX_STATE])).unwrap();
    let refused = journal.append(&Secret::new(vec![b'y'; MAX_STATE + 1]));
    assert!(matches!(refused, Err(VaultError::TooLarge { .. })));
    journal.append(&Secret::new(Vec::new())).unwrap();
    drop(journal);
    assert_eq!(open(&disk, &host).unwrap().1.as_deref(), Some(""));
}

#[test]
fn derived_keys_differ_by_label_and_last_over_a_restart() {
    let (disk, host) = (Arc::new(MemoryDisk::new()), MemoryHost::new());
    let (mut journal, _) = open(&disk, &host).unwrap();
    journal.append(&secret("first")).unwrap();
    let (cache, other) = (journal.derive("cache").unwrap(), journal.derive("other").unwrap());
    assert_ne!(cache.expose(), other.expose());
    drop(journal);
    assert_eq!(open(&disk, &host).unwrap().0.derive("cache").unwrap().expose(), cache.expose());
}

#[test]
fn nothing_of_the_state_is_in_the_file() {
    let (_, file, _) = small();
    for text in ["first", "second", "third"] {
        assert!(!file.windows(text.len()).any(|window| window == text.as_bytes()));
    }
}

#[test]
fn folder_holds_a_journal_that_survives_and_opens_once() {
    let (home, host) = (tempfile::tempdir().unwrap(), MemoryHost::new());
    for n in 0..150_u8 {
        let disk = Arc::new(FolderDisk::open(home.path()).unwrap());
        assert!(matches!(FolderDisk::open(home.path()).err(), Some(VaultError::InUse)));
        let (mut journal, state) = Journal::open(disk, Arc::new(host.clone()), Arc::new(SystemRandom)).unwrap();
        assert_eq!(state.map(|s| s.expose().to_vec()), n.checked_sub(1).map(|n| vec![n; 4000]));
        journal.append(&Secret::new(vec![n; 4000])).unwrap();
    }
}
