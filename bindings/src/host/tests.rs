#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, reason = "a test may panic")]

use super::*;

/// The calls under way are counted for the process, so these tests run one after another.
static ALONE: Mutex<()> = Mutex::new(());

/// Control: take `Call` out of `ask`. Then no call is refused, and a commit gets a thread only when callers give up.
#[test]
fn hundred_calls_that_hang_leave_threads_for_files() {
    let _alone = ALONE.lock();
    let runtime = runtime().unwrap();
    let hold = Arc::new(Mutex::new(()));
    let held = hold.lock().unwrap();
    let (told, tells) = mpsc::channel();
    for _ in 0..100 {
        let (hold, told) = (Arc::clone(&hold), told.clone());
        // As the core does it: the caller waits on a thread of the same pool.
        runtime.spawn_blocking(move || {
            let stuck = move || {
                drop(hold.lock());
                Ok(7)
            };
            told.send(ask(stuck)).unwrap();
        });
    }
    // Sixteen hang; all others were answered, so that nothing here waits for patience to end.
    for _ in MOST_CALLS..100 {
        assert_eq!(tells.recv_timeout(PATIENCE / 2).unwrap(), Err(KeyError::Temporary));
    }
    let (done, committed) = mpsc::channel();
    runtime.spawn_blocking(move || done.send(()));
    committed.recv_timeout(PATIENCE / 2).unwrap();
    drop(held);
    for _ in 0..MOST_CALLS {
        assert_eq!(tells.recv().unwrap(), Ok(7));
    }
    assert_eq!(ask(|| Ok(8)), Ok(8), "the host has recovered");
}

/// A host in memory whose seals are these bytes, if any.
struct Sealing(saifu_host::doubles::MemoryHost, Option<Vec<u8>>);

impl Secrets for Sealing {
    fn seal(&self, plain: Vec<u8>) -> Result<Vec<u8>, HostError> {
        Ok(self.1.clone().unwrap_or_else(|| saifu_host::Secrets::seal(&self.0, &Secret::new(plain)).unwrap()))
    }
    fn unseal(&self, sealed: Vec<u8>) -> Result<Vec<u8>, HostError> {
        let plain = saifu_host::Secrets::unseal(&self.0, &sealed);
        plain.map(|plain| plain.expose().to_vec()).map_err(|_| HostError::Gone)
    }
    fn id(&self) -> Result<Option<SealName>, HostError> {
        Ok(None)
    }
    fn renew(&self) -> Result<SealName, HostError> {
        Err(HostError::Temporary)
    }
    fn retire(&self) -> Result<(), HostError> {
        Err(HostError::Temporary)
    }
}

/// Without the look at what was sealed, the wallet would be lost at the next start.
#[test]
fn garbage_for_a_seal_is_an_error_of_the_key_store() {
    let _alone = ALONE.lock();
    let host = saifu_host::doubles::MemoryHost::new();
    saifu_host::Secrets::renew(&host).unwrap();
    let seal = |garbage| {
        let secrets = CheckedSecrets(Arc::new(Sealing(host.clone(), garbage)));
        saifu_host::Secrets::seal(&secrets, &Secret::copy_of(b"a vault key"))
    };
    for garbage in [vec![], vec![9; 64], vec![0; 100_000]] {
        assert_eq!(seal(Some(garbage)), Err(KeyError::Temporary));
    }
    assert!(seal(None).is_ok());
}

#[test]
fn call_that_panics_gives_its_place_back() {
    let _alone = ALONE.lock();
    for _ in 0..MOST_CALLS * 2 {
        assert_eq!(ask::<()>(|| panic!("a host that panics")), Err(KeyError::Temporary));
    }
}
