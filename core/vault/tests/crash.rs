//! The journal under power failures. One scripted life of a wallet (first start, appends, compaction, rotation, appends)
//! dies at every operation of its disk and at every access to its host; for each way the disk may be left, the journal
//! must open with the last acknowledged state or the one in flight, and go on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::arithmetic_side_effects, reason = "a test may panic")]
#![allow(clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

use std::sync::Arc;

use saifu_crypto::{Secret, SystemRandom};
use saifu_host::doubles::MemoryHost;
use saifu_host::{KeyError, SealId, Secrets};
use saifu_vault::doubles::{Crash, MemoryDisk, Unsynced};
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

#[derive(Clone, Copy)]
enum Step {
    Append,
    Rotate,
    Reopen,
}

const LIFE: [Step; 17] = {
    use Step::{Append, Reopen, Rotate};
    [
        Append, Append, Reopen, Append, Append, Append, Append, Append, // the seventh passes 256 KiB
        Append, Rotate, Append, Reopen, Rotate, Rotate, Append, Append, Reopen,
    ]
};

/// What the outside world may rely on: the state acknowledged last, and one whose write returned no answer.
#[derive(Clone, Copy, Default)]
struct Promise {
    acknowledged: u8,
    in_flight: u8,
}

fn open(disk: &Arc<MemoryDisk>, host: &dyn Secrets) -> Result<(Journal, u8), VaultError> {
    let (journal, found) = Journal::open(disk.clone(), host, Arc::new(SystemRandom))?;
    Ok((journal, found.map_or(0, |state| number(&state))))
}

/// Lives until the end or until something fails.
fn live(disk: &Arc<MemoryDisk>, host: &dyn Secrets) -> Promise {
    let mut promise = Promise::default();
    let Ok((mut journal, _)) = open(disk, host) else { return promise };
    for (step, next) in LIFE.iter().zip(1..) {
        let written = match step {
            Step::Append => journal.append(&state(next)),
            Step::Rotate => journal.rotate(host, &state(next)),
            Step::Reopen => {
                drop(journal);
                match open(disk, host) {
                    Ok((again, found)) => {
                        assert_eq!(found, promise.acknowledged, "a reopened journal has what was acknowledged");
                        journal = again;
                        continue;
                    }
                    Err(_) => return promise,
                }
            }
        };
        promise.in_flight = next;
        if written.is_err() {
            return promise;
        }
        promise.acknowledged = next;
    }
    promise
}

/// What a restart finds, or why the promise is broken.
fn restart(disk: &MemoryDisk, host: &dyn Secrets, promise: Promise, crash: Crash) -> Result<(), String> {
    let disk = Arc::new(disk.after(crash));
    let (mut journal, found) = open(&disk, host).map_err(|error| error.to_string())?;
    if found != promise.acknowledged && found != promise.in_flight {
        return Err(format!("found {found}, acknowledged {}", promise.acknowledged));
    }
    journal.append(&state(200)).map_err(|error| error.to_string())?;
    journal.rotate(host, &state(201)).map_err(|error| error.to_string())?;
    let (_, found) = open(&disk, host).map_err(|error| error.to_string())?;
    if found == 201 { Ok(()) } else { Err("a revived journal forgets".to_owned()) }
}

/// Runs the life once for each operation of the disk, dying there, and looks at every kind of crash.
fn violations(make_host: impl Fn() -> Box<dyn Host>, lie: bool) -> Vec<String> {
    let whole = Arc::new(MemoryDisk::new());
    let promise = live(&whole, make_host().as_secrets());
    assert_eq!(usize::from(promise.acknowledged), LIFE.len() - 1, "without a crash the life is complete");
    let operations = whole.operations();
    assert!(operations > 40, "a life of {operations} operations is too short to tell anything");

    let mut broken = Vec::new();
    for at in 0..operations {
        for crash in Crash::ALL {
            let (disk, host) = (Arc::new(MemoryDisk::new()), make_host());
            if lie {
                disk.lie_about_syncs();
            }
            disk.die_at(at);
            let promise = live(&disk, host.as_secrets());
            if let Err(why) = restart(&disk, host.as_secrets(), promise, crash) {
                broken.push(format!("operation {at}, {crash:?}: {why}"));
            }
        }
    }
    broken
}

trait Host {
    fn as_secrets(&self) -> &dyn Secrets;
}

impl Host for MemoryHost {
    fn as_secrets(&self) -> &dyn Secrets {
        self
    }
}

#[test]
fn every_crash_leaves_the_last_acknowledged_state_or_the_one_in_flight() {
    assert_eq!(violations(|| Box::new(MemoryHost::new()), false), Vec::<String>::new());
}

#[test]
fn control_disk_that_lies_about_syncs_loses_acknowledged_states() {
    let broken = violations(|| Box::new(MemoryHost::new()), true);
    assert!(broken.iter().any(|why| why.contains("acknowledged")), "{broken:?}");
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
impl Host for HastyHost {
    fn as_secrets(&self) -> &dyn Secrets {
        self
    }
}

#[test]
fn control_host_that_retires_in_one_step_bricks_wallets() {
    let broken = violations(|| Box::new(HastyHost(MemoryHost::new())), false);
    assert!(broken.iter().any(|why| why.contains("older copy")), "{broken:?}");
}

#[test]
fn host_that_dies_at_any_moment_costs_nothing() {
    let whole = Arc::new(MemoryDisk::new());
    live(&whole, &MemoryHost::new());
    let mut lives_cut_short = 0;
    for accesses in 0..60 {
        let (disk, host) = (Arc::new(MemoryDisk::new()), MemoryHost::new());
        host.fail_after(accesses, KeyError::Temporary);
        let promise = live(&disk, &host);
        lives_cut_short += usize::from(usize::from(promise.acknowledged) < LIFE.len() - 1);
        host.heal();
        for crash in Crash::ALL {
            let disk = disk.after(crash);
            // Each crash needs its own host state: a revived journal rotates. Here only the first look counts.
            let (_, found) = open(&Arc::new(disk), &host).unwrap_or_else(|error| panic!("{accesses}: {error}"));
            assert!([promise.acknowledged, promise.in_flight].contains(&found), "{accesses} {crash:?}: {found}");
        }
    }
    assert!(lives_cut_short > 20, "the host died too seldom: {lives_cut_short}");
}

#[test]
fn failed_write_closes_the_journal_until_it_is_opened_again() {
    let (disk, host) = (Arc::new(MemoryDisk::new()), MemoryHost::new());
    let (mut journal, _) = open(&disk, &host).unwrap();
    journal.append(&state(1)).unwrap();
    disk.die_at(disk.operations());
    assert!(matches!(journal.append(&state(2)), Err(VaultError::Io { .. })));
    assert!(matches!(journal.append(&state(3)), Err(VaultError::Broken)));
    assert!(matches!(journal.rotate(&host, &state(3)), Err(VaultError::Broken)));
    let disk = Arc::new(disk.after(Crash { bytes: Unsynced::Torn, names_kept: true }));
    let (mut journal, found) = open(&disk, &host).unwrap();
    assert_eq!(found, 1);
    journal.append(&state(4)).unwrap();
    assert_eq!(open(&disk, &host).unwrap().1, 4);
}
