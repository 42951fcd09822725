//! The issuer's clock: the machine's time plus an offset that only grows. The clock lever moves it; the offset lies in
//! `clock.json` beside the database, where the wallets of the same sandbox read it and move along.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use saifu_wire::Millis;

use crate::files::{self, FileError};

/// The clock never goes beyond the year 2999, in milliseconds: certificates and calendars end somewhere.
const LATEST: Millis = Millis(32_503_680_000_000);

/// `clock.json`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ClockFile {
    /// How far the issuer's clock is ahead of the machine's, in milliseconds.
    pub offset_ms: u64,
}

/// The issuer's clock. It never goes back, whatever the machine's does.
#[derive(Debug)]
pub(crate) struct Clock {
    file: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    offset_ms: u64,
    last: Millis,
}

/// The clock cannot go where it was told to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClockError {
    /// The time lies behind.
    #[error("the clock never goes back")]
    Back,
    /// The time lies beyond the year 2999.
    #[error("the clock ends with the year 2999")]
    TooFar,
    /// The offset could not be kept.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Clock {
    /// Reads the offset, if there is one. The clock begins at `latest` at the earliest, the last time that the issuer's
    /// database knows: the machine's clock may have been put back meanwhile.
    ///
    /// # Errors
    /// [`FileError`] when the offset cannot be read or written.
    pub(crate) fn open(file: PathBuf, latest: Millis) -> Result<Self, FileError> {
        Self::open_at(file, latest, machine_time())
    }

    fn open_at(file: PathBuf, latest: Millis, machine: Millis) -> Result<Self, FileError> {
        let kept = files::read_json::<ClockFile>(&file)?;
        let offset_ms = kept.unwrap_or_default().offset_ms.max(latest.since(machine));
        if kept != Some(ClockFile { offset_ms }) {
            files::write_json(&file, &ClockFile { offset_ms })?;
        }
        Ok(Self { file, state: Mutex::new(State { offset_ms, last: machine.plus(offset_ms) }) })
    }

    /// The issuer's time.
    pub(crate) fn now(&self) -> Millis {
        self.at(machine_time())
    }

    fn at(&self, machine: Millis) -> Millis {
        let mut state = self.lock();
        let now = machine.plus(state.offset_ms).min(LATEST);
        state.last = state.last.max(now);
        state.last
    }

    /// How far it is ahead of the machine's, in milliseconds.
    pub(crate) fn offset_ms(&self) -> u64 {
        self.lock().offset_ms
    }

    /// Moves the clock ahead by `ms`, and keeps the offset on the disk before anybody sees the new time.
    ///
    /// # Errors
    /// [`ClockError`].
    pub(crate) fn advance(&self, ms: u64) -> Result<Millis, ClockError> {
        self.set(|now| now.plus(ms))
    }

    /// Moves the clock ahead to `target`.
    ///
    /// # Errors
    /// [`ClockError`].
    pub(crate) fn to(&self, target: Millis) -> Result<Millis, ClockError> {
        self.set(|_| target)
    }

    fn set(&self, target: impl FnOnce(Millis) -> Millis) -> Result<Millis, ClockError> {
        let mut state = self.lock();
        let machine = machine_time();
        let now = state.last.max(machine.plus(state.offset_ms));
        let target = target(now);
        if target < now {
            return Err(ClockError::Back);
        }
        if target > LATEST {
            return Err(ClockError::TooFar);
        }
        let offset_ms = state.offset_ms.max(target.since(machine));
        files::write_json(&self.file, &ClockFile { offset_ms })?;
        *state = State { offset_ms, last: target };
        Ok(target)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn machine_time() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: Millis = Millis(1_800_000_000_000);

    #[test]
    fn clock_never_goes_back_when_the_machine_does() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::open_at(folder.path().join("clock.json"), Millis(0), MACHINE).unwrap();
        assert_eq!(clock.at(MACHINE.plus(5_000)), MACHINE.plus(5_000));
        assert_eq!(clock.at(MACHINE), MACHINE.plus(5_000));
        assert_eq!(clock.at(MACHINE.plus(6_000)), MACHINE.plus(6_000));
    }

    #[test]
    fn offset_survives_a_restart_and_no_restart_leads_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock.json");
        let clock = Clock::open(file.clone(), Millis(0)).unwrap();
        let before = clock.now();
        let moved = clock.advance(72 * 3_600_000).unwrap();
        assert!(moved >= before.plus(72 * 3_600_000));
        assert!(matches!(clock.to(before), Err(ClockError::Back)));
        assert!(matches!(clock.to(Millis(u64::MAX)), Err(ClockError::TooFar)));
        drop(clock);
        assert!(Clock::open(file.clone(), Millis(0)).unwrap().now() >= moved);
        // A machine whose clock was put back by a day meanwhile.
        let yesterday = Millis(before.0 - 86_400_000);
        let behind = Clock::open_at(file, moved, yesterday).unwrap();
        assert!(behind.at(yesterday) >= moved);
    }
}
