//! The one place where the state rests: in memory while the wallet is open, in the journal always. It knows nothing of the
//! issuer.
//!
//! *Locking.* [`Store::lock`] wipes what is in memory and waits for nobody, least of all for a disk: it ends the current
//! [`Turn`], so that whatever began before it finds its turn over, and whoever holds the journal at that moment drops it as
//! soon as it comes back from the disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};

use saifu_crypto::{Secret, SystemRandom};
use saifu_host::Secrets;
use saifu_vault::{Disk, Journal};

use crate::state::State;
use crate::{Error, OpenError};

/// One opening of the wallet, from an unlocking to the next lock. Every piece of work belongs to the turn in which it began
/// and changes nothing after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn(u64);

pub(crate) struct Store {
    disk: Arc<dyn Disk>,
    /// Taken for the length of a commit, so that commits come one after another.
    journal: Mutex<Option<(Turn, Journal)>>,
    /// What the journal says; `None` while locked. Held for memory only.
    state: RwLock<Option<State>>,
    turn: AtomicU64,
    /// Held while the journal is being opened. Nobody waits for it: the host is asked meanwhile, and may call back.
    opening: Mutex<()>,
}

impl Store {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Self {
        Self {
            disk,
            journal: Mutex::default(),
            state: RwLock::default(),
            turn: AtomicU64::default(),
            opening: Mutex::default(),
        }
    }

    /// The turn that runs.
    ///
    /// # Errors
    /// [`Error::Locked`].
    pub(crate) fn turn(&self) -> Result<Turn, Error> {
        // The state is looked at after the turn: a lock in between ends the turn that is given here.
        let turn = self.current();
        self.read(|_| turn).ok_or(Error::Locked)
    }

    /// Whether this turn still runs.
    pub(crate) fn runs(&self, turn: Turn) -> bool {
        self.current() == turn
    }

    fn current(&self) -> Turn {
        Turn(self.turn.load(Ordering::SeqCst))
    }

    /// Reads the journal; `true` if it was closed before. Fine to repeat.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::Opening`] while another call, or the host's own call back, does the same.
    pub(crate) fn unlock(&self, secrets: &Arc<dyn Secrets>) -> Result<bool, OpenError> {
        let _opening = match self.opening.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(OpenError::Opening),
        };
        if self.read(|_| ()).is_some() {
            return Ok(false);
        }
        let turn = self.current();
        // A commit that a lock has overtaken may still be writing; the file is read after it, and its journal is gone.
        *self.journal.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let (journal, kept) = Journal::open(Arc::clone(&self.disk), Arc::clone(secrets), Arc::new(SystemRandom))?;
        let state = kept.map_or_else(|| Ok(State::default()), |kept| State::decode(&kept))?;
        if state.account.is_some() {
            // Ends what a crash cut short; a host that refuses does it at the next opening, and keeps nobody out.
            let _ = journal.retire_older();
        }
        let mut slot = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // An unlocking that a lock has overtaken must not win.
        if self.runs(turn) {
            *slot = Some((turn, journal));
            *memory = Some(state);
        }
        drop((memory, slot));
        self.sweep();
        Ok(true)
    }

    /// Wipes the state from memory, and the vault key too unless a commit is using it, which wipes it when it ends.
    pub(crate) fn lock(&self) {
        self.turn.fetch_add(1, Ordering::SeqCst);
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.sweep();
    }

    /// Drops a journal of an earlier turn, unless somebody holds it: he sweeps when he is done.
    fn sweep(&self) {
        let mut slot = match self.journal.try_lock() {
            Ok(slot) => slot,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if slot.as_ref().is_some_and(|(turn, _)| !self.runs(*turn)) {
            *slot = None;
        }
    }

    /// Looks at the state; `None` while locked.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> Option<T> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(look)
    }

    /// Changes the state: on disk first, then in memory. Blocks for the disk. What `change` returns is handed on, so that it
    /// can look and decide in one step.
    ///
    /// # Errors
    /// [`Error::Locked`] when the turn is over; [`Error::Vault`], and then nothing changed in memory.
    pub(crate) fn commit<T>(&self, turn: Turn, change: impl FnOnce(&mut State) -> T) -> Result<T, Error> {
        self.with_journal(turn, |journal| {
            let mut next = self.read(State::clone).ok_or(Error::Locked)?;
            let told = change(&mut next);
            journal.append(&next.encode()?)?;
            let mut memory = self.state.write().unwrap_or_else(PoisonError::into_inner);
            // A lock that came meanwhile has wiped the memory, and it stays wiped.
            if self.runs(turn) {
                *memory = Some(next);
            }
            Ok(told)
        })
    }

    /// A key for something outside the journal, derived from the vault key.
    pub(crate) fn derive(&self, turn: Turn, label: &str) -> Result<Secret, Error> {
        self.with_journal(turn, |journal| Ok(journal.derive(label)?))
    }

    /// Deletes the sealing keys of earlier files, once the first state with an account is on disk.
    pub(crate) fn retire_older_keys(&self, turn: Turn) -> Result<(), Error> {
        self.with_journal(turn, |journal| Ok(journal.retire_older()?))
    }

    /// Deletes the journal and the cache beside it, so that nothing of them can be read again. The wallet is locked.
    pub(crate) fn erase(&self, secrets: &dyn Secrets) -> Result<(), Error> {
        let _opening = self.opening.try_lock().map_err(|_| OpenError::Opening)?;
        let mut slot = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = None;
        Ok(Journal::destroy(&*self.disk, secrets)?)
    }

    fn with_journal<T>(&self, turn: Turn, work: impl FnOnce(&mut Journal) -> Result<T, Error>) -> Result<T, Error> {
        let mut slot = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = match &mut *slot {
            Some((opened, journal)) if *opened == turn && self.runs(turn) => work(journal),
            _ => Err(Error::Locked),
        };
        drop(slot);
        self.sweep();
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use saifu_host::doubles::{ManualClock, MemoryHost};
    use saifu_vault::doubles::MemoryDisk;

    use super::*;

    /// A disk that hangs in a sync until it is let go.
    struct Hanging {
        disk: MemoryDisk,
        hangs: Mutex<Option<(Sender<()>, Receiver<()>)>>,
    }

    impl Disk for Hanging {
        fn read(&self, name: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
            self.disk.read(name, most)
        }
        fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
            self.disk.write(name, bytes)
        }
        fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
            self.disk.append(name, bytes)
        }
        fn sync(&self, name: &str) -> io::Result<()> {
            if let Some((hanging, go)) = self.hangs.lock().unwrap().take() {
                hanging.send(()).unwrap();
                go.recv().unwrap();
            }
            self.disk.sync(name)
        }
        fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            self.disk.rename(from, to)
        }
        fn remove(&self, name: &str) -> io::Result<()> {
            self.disk.remove(name)
        }
        fn remove_folder(&self, name: &str) -> io::Result<()> {
            self.disk.remove_folder(name)
        }
        fn sync_folder(&self) -> io::Result<()> {
            self.disk.sync_folder()
        }
    }

    fn secrets() -> Arc<dyn Secrets> {
        MemoryHost::new().platform(Arc::new(ManualClock::new(1))).secrets
    }

    /// Control: let `lock` wait for the journal's mutex, as it once did, and it never comes back here.
    #[test]
    fn lock_wipes_at_once_while_a_disk_hangs_and_the_journal_goes_as_soon_as_it_comes_back() {
        let (hanging, hangs) = channel();
        let (go, goes) = channel();
        let disk = Arc::new(Hanging { disk: MemoryDisk::new(), hangs: Mutex::default() });
        let store = Arc::new(Store::new(disk.clone()));
        store.unlock(&secrets()).unwrap();
        let turn = store.turn().unwrap();
        store.commit(turn, |state| state.service_version = 1).unwrap();
        *disk.hangs.lock().unwrap() = Some((hanging, goes));
        let commit = std::thread::spawn({
            let store = Arc::clone(&store);
            move || store.commit(turn, |state| state.service_version = 2)
        });
        hangs.recv().unwrap();
        store.lock();
        assert!(store.read(|_| ()).is_none() && matches!(store.turn(), Err(Error::Locked)));
        go.send(()).unwrap();
        // It is on disk, so it is told; and nothing of it is in memory.
        commit.join().unwrap().unwrap();
        assert!(store.read(|_| ()).is_none());
        assert!(store.journal.lock().unwrap().is_none(), "the vault key is still here");
    }

    #[test]
    fn nothing_of_an_earlier_turn_is_written_after_a_lock() {
        let store = Store::new(Arc::new(MemoryDisk::new()));
        let secrets = secrets();
        store.unlock(&secrets).unwrap();
        let turn = store.turn().unwrap();
        store.commit(turn, |state| state.service_version = 1).unwrap();
        store.lock();
        store.unlock(&secrets).unwrap();
        assert!(matches!(store.commit(turn, |state| state.service_version = 2), Err(Error::Locked)));
        assert!(matches!(store.derive(turn, "x"), Err(Error::Locked)));
        assert_eq!(store.read(|state| state.service_version), Some(1));
    }
}
