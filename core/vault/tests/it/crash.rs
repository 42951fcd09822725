//! The journal under power failures and full disks. One scripted life of a wallet (first start, appends, compaction,
//! restarts) dies at every operation of its disk and at every access to its host, or finds the disk full from there on for
//! a while; for each way the disk may be left, the journal must open with the last acknowledged state or one in flight,
//! and go on.

use std::io;
use std::sync::Arc;

use saifu_crypto::{Secret, SystemRandom};
use saifu_host::KeyError;
use saifu_host::doubles::MemoryHost;
use saifu_vault::doubles::{Crash, MemoryDisk};
use saifu_vault::{Journal, VaultError};

/// Large, so that a compaction comes soon.
const STATE_LEN: usize = 40_000;

fn state(number: u8) -> Secret {
    Secret::new(vec![number; STATE_LEN])
}

fn number(state: &Secret) -> u8 {
    let number = state.expose()[0];
    assert!(state.expose() == [number; STATE_LEN], "a torn state");
    number
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Append,
    Reopen,
}

const LIFE: [Step; 17] = {
    use Step::{Append, Reopen};
    [
        Append, Append, Reopen, Append, Append, Append, Append, Append, Append, // the seventh passes 256 KiB
        Append, Reopen, Append, Append, Reopen, Append, Append, Reopen,
    ]
};

/// What the outside world may rely on: the state acknowledged last, and those whose writes have failed since.
#[derive(Clone, Default)]
struct Promise {
    acknowledged: u8,
    in_flight: Vec<u8>,
}

impl Promise {
    fn allows(&self, found: u8) -> bool {
        found == self.acknowledged || self.in_flight.contains(&found)
    }
}

fn open(disk: &Arc<MemoryDisk>, host: &MemoryHost) -> Result<(Journal, u8), VaultError> {
    let (journal, found) = Journal::open(disk.clone(), Arc::new(host.clone()), Arc::new(SystemRandom))?;
    Ok((journal, found.map_or(0, |state| number(&state))))
}

/// Lives until the end or until something fails. `patience` is how often an append that fails is followed by another, of the
/// next state; `at_failure` looks at the disk then.
fn live(
    disk: &Arc<MemoryDisk>,
    host: &MemoryHost,
    patience: u8,
    mut at_failure: impl FnMut(&Promise),
) -> (Promise, bool) {
    let mut promise = Promise::default();
    let Ok((mut journal, _)) = open(disk, host) else { return (promise, false) };
    let mut next = 0;
    for step in LIFE {
        if step == Step::Reopen {
            drop(journal);
            let Ok((again, found)) = open(disk, host) else { return (promise, false) };
            assert!(promise.allows(found), "a reopened journal has what was acknowledged, or what failed");
            (journal, promise) = (again, Promise { acknowledged: found, in_flight: Vec::new() });
            continue;
        }
        for tried in 0..=patience {
            next += 1;
            promise.in_flight.push(next);
            let written = journal.append(&state(next));
            if written.is_ok() {
                promise = Promise { acknowledged: next, in_flight: Vec::new() };
                break;
            }
            at_failure(&promise);
            if tried == patience {
                return (promise, false);
            }
            let full =
                matches!(&written, Err(VaultError::Io { source, .. }) if source.kind() == io::ErrorKind::StorageFull);
            assert!(full, "{written:?}");
        }
    }
    (promise, true)
}

/// What a restart finds, or why the promise is broken.
fn restart(disk: &MemoryDisk, host: &MemoryHost, promise: &Promise, crash: Crash) -> Result<(), String> {
    let disk = Arc::new(disk.after(crash));
    let (mut journal, found) = open(&disk, host).map_err(|error| error.to_string())?;
    if !promise.allows(found) {
        return Err(format!("found {found}, acknowledged {}", promise.acknowledged));
    }
    for next in [200, 201] {
        journal.append(&state(next)).map_err(|error| error.to_string())?;
    }
    let (_, found) = open(&disk, host).map_err(|error| error.to_string())?;
    if found == 201 { Ok(()) } else { Err("a revived journal forgets".to_owned()) }
}

/// Operations of a whole life.
fn whole_life() -> u64 {
    let disk = Arc::new(MemoryDisk::new());
    let (_, whole) = live(&disk, &MemoryHost::new(), 0, |_| {});
    let operations = disk.operations();
    assert!(whole && operations > 30, "a life of {operations} operations is too short to tell anything");
    operations
}

/// Runs the life once for each operation of the disk, dying there, and looks at every kind of crash.
fn violations(lie: bool) -> Vec<String> {
    let mut broken = Vec::new();
    for at in 0..whole_life() {
        let (disk, host) = (Arc::new(MemoryDisk::new()), MemoryHost::new());
        if lie {
            disk.lie_about_syncs();
        }
        disk.die_at(at);
        let (promise, _) = live(&disk, &host, 0, |_| {});
        for crash in Crash::ALL {
            if let Err(why) = restart(&disk, &host, &promise, crash) {
                broken.push(format!("operation {at}, {crash:?}: {why}"));
            }
        }
    }
    broken
}

#[test]
fn every_crash_leaves_the_last_acknowledged_state_or_the_one_in_flight() {
    assert_eq!(violations(false), Vec::<String>::new());
}

#[test]
fn control_disk_that_lies_about_syncs_loses_acknowledged_states() {
    let broken = violations(true);
    assert!(broken.iter().any(|why| why.contains("acknowledged")), "{broken:?}");
}

/// Control: keep `len` in `Journal::append` instead of taking it, so that an append that failed is written behind. Then this
/// finds journals that are damaged, and synchronisations that were believed.
#[test]
fn disk_that_is_full_for_a_while_costs_nothing_but_the_states_it_refused() {
    for at in 0..whole_life() {
        for length in [1, 2, 5] {
            let (disk, host) = (Arc::new(MemoryDisk::new()), MemoryHost::new());
            disk.full_during(at..at + length);
            let mut refused = 0;
            let look = |promise: &Promise| {
                refused += 1;
                for crash in Crash::ALL {
                    restart(&disk, &host, promise, crash)
                        .unwrap_or_else(|why| panic!("{at}+{length}, {crash:?}: {why}"));
                }
            };
            let (promise, whole) = live(&disk, &host, 7, look);
            assert!(whole && refused > 0, "{at}+{length}: the same value goes on");
            for crash in Crash::ALL {
                restart(&disk, &host, &promise, crash).unwrap_or_else(|why| panic!("{at}+{length}, {crash:?}: {why}"));
            }
        }
    }
}

#[test]
fn host_that_dies_at_any_moment_costs_nothing() {
    let mut lives_cut_short = 0;
    for accesses in 0..20 {
        let (disk, host) = (Arc::new(MemoryDisk::new()), MemoryHost::new());
        host.fail_after(accesses, KeyError::Temporary);
        let (promise, whole) = live(&disk, &host, 0, |_| {});
        lives_cut_short += usize::from(!whole);
        host.heal();
        for crash in Crash::ALL {
            restart(&disk, &host, &promise, crash).unwrap_or_else(|why| panic!("{accesses}, {crash:?}: {why}"));
        }
    }
    assert!(lives_cut_short > 5, "the host died too seldom: {lives_cut_short}");
}

#[test]
fn journal_whose_disk_was_full_goes_on_without_being_opened_again() {
    let (disk, host) = (Arc::new(MemoryDisk::new()), MemoryHost::new());
    let (mut journal, _) = open(&disk, &host).unwrap();
    journal.append(&state(1)).unwrap();
    disk.full_during(disk.operations()..u64::MAX);
    for next in 2..5 {
        assert!(matches!(journal.append(&state(next)), Err(VaultError::Io { .. })), "the same answer each time");
        assert!([1, 2].contains(&open(&disk, &host).unwrap().1), "nothing is lost meanwhile");
    }
    disk.full_during(0..0);
    journal.append(&state(5)).unwrap();
    journal.append(&state(6)).unwrap();
    assert_eq!(open(&disk, &host).unwrap().1, 6);
}
