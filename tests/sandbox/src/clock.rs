//! The issuer's clock: the machine's time plus an offset that the control API raises, or a time that it holds. It never goes
//! back. `clock.json` beside the database says how the clock stands; the wallets, registers and ATMs of the same sandbox read
//! it there and move along.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use saifu_wire::{Millis, Name};

use crate::files::{self, FileError};

/// The clock never goes beyond the year 2999, in milliseconds: certificates and calendars end somewhere.
const LATEST: Millis = Millis(32_503_680_000_000);

/// `clock.json`: how the sandbox's clocks stand to the machine's.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ClockFile {
    /// How far the issuer's clock is ahead of the machine's, in milliseconds; below 0 after time was held. Means nothing
    /// while it is held.
    pub offset_ms: i64,
    /// Where the issuer's clock stands still, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_at: Option<Millis>,
    /// How far everybody else's clock stays behind the issuer's, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub others_behind_ms: u64,
    /// How far single wallets are ahead of the other wallets, in milliseconds, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub wallets_ahead_ms: BTreeMap<String, u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(ms: &u64) -> bool {
    *ms == 0
}

impl ClockFile {
    /// The issuer's time when the machine's is `machine`.
    #[must_use]
    pub fn issuer(&self, machine: Millis) -> Millis {
        self.held_at.unwrap_or(Millis(machine.0.saturating_add_signed(self.offset_ms)))
    }

    /// The time of a wallet, or of a register or an ATM, when the machine's is `machine`.
    #[must_use]
    pub fn other(&self, wallet: Option<&str>, machine: Millis) -> Millis {
        let ahead = wallet.and_then(|name| self.wallets_ahead_ms.get(name)).copied().unwrap_or(0);
        self.issuer(machine).minus(self.others_behind_ms).plus(ahead)
    }

    /// Moves the issuer's clock to `target`.
    fn set(&mut self, target: Millis, machine: Millis) {
        self.offset_ms = signed(target).saturating_sub(signed(machine));
        self.held_at = self.held_at.map(|_| target);
    }
}

fn signed(time: Millis) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

/// Where a clock goes. Never back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// Ahead by so many milliseconds.
    By(u64),
    /// To this time.
    To(Millis),
}

impl Target {
    fn from(self, now: Millis) -> Result<Millis, ClockError> {
        let target = match self {
            Self::By(ms) => now.plus(ms),
            Self::To(time) => time,
        };
        match target {
            _ if target < now => Err(ClockError::Back),
            _ if target > LATEST => Err(ClockError::TooFar),
            _ => Ok(target),
        }
    }
}

/// Whose clock is moved.
#[derive(Debug, Clone)]
pub(crate) enum Whose {
    /// The issuer's, and everybody else's with it.
    Everybody,
    /// The issuer's alone.
    Issuer,
    /// One wallet's alone.
    Wallet(Name),
}

/// The issuer's clock. It never goes back, whatever the machine's does.
#[derive(Debug)]
pub(crate) struct Clock {
    path: PathBuf,
    state: Mutex<ClockState>,
}

#[derive(Debug)]
struct ClockState {
    file: ClockFile,
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
    /// The state could not be kept.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Clock {
    /// Reads how the clock stands, if it was kept. The clock begins at `latest` at the earliest, the last time that the
    /// issuer's database knows: the machine's clock may have been put back meanwhile.
    ///
    /// # Errors
    /// [`FileError`] when the file cannot be read or written.
    pub(crate) fn open(path: PathBuf, latest: Millis) -> Result<Self, FileError> {
        Self::open_at(path, latest, machine_time())
    }

    fn open_at(path: PathBuf, latest: Millis, machine: Millis) -> Result<Self, FileError> {
        let kept = files::read_json::<ClockFile>(&path)?;
        let mut file = kept.clone().unwrap_or_default();
        if file.issuer(machine) < latest {
            file.set(latest, machine);
        }
        if kept.as_ref() != Some(&file) {
            files::write_json(&path, &file)?;
        }
        let last = file.issuer(machine);
        Ok(Self { path, state: Mutex::new(ClockState { file, last }) })
    }

    /// The issuer's time.
    pub(crate) fn now(&self) -> Millis {
        self.at(machine_time())
    }

    fn at(&self, machine: Millis) -> Millis {
        let mut state = self.lock();
        let now = state.file.issuer(machine).min(LATEST);
        state.last = state.last.max(now);
        state.last
    }

    /// How the clock stands.
    pub(crate) fn file(&self) -> ClockFile {
        self.lock().file.clone()
    }

    /// Moves clocks ahead, and keeps that on the disk before anybody sees the new time. The issuer's time then.
    ///
    /// # Errors
    /// [`ClockError`].
    pub(crate) fn go(&self, whose: Whose, target: Target) -> Result<Millis, ClockError> {
        self.change(|file, machine, now| match whose {
            Whose::Everybody => {
                file.set(target.from(now)?, machine);
                Ok(())
            }
            Whose::Issuer => {
                let to = target.from(now)?;
                file.others_behind_ms = file.others_behind_ms.saturating_add(to.since(now));
                file.set(to, machine);
                Ok(())
            }
            Whose::Wallet(name) => {
                let theirs = file.other(Some(name.as_str()), machine);
                let further = target.from(theirs)?.since(theirs);
                let ahead = file.wallets_ahead_ms.entry(name.as_str().into()).or_default();
                *ahead = ahead.saturating_add(further);
                Ok(())
            }
        })
    }

    /// Stops time for everybody, or lets it go on from where it stands. The issuer's time then.
    ///
    /// # Errors
    /// [`ClockError::File`].
    pub(crate) fn hold(&self, held: bool) -> Result<Millis, ClockError> {
        self.change(|file, machine, now| {
            file.set(now, machine);
            file.held_at = held.then_some(now);
            Ok(())
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&mut ClockFile, Millis, Millis) -> Result<(), ClockError>,
    ) -> Result<Millis, ClockError> {
        let mut state = self.lock();
        let machine = machine_time();
        let now = state.last.max(state.file.issuer(machine));
        let mut file = state.file.clone();
        change(&mut file, machine, now)?;
        files::write_json(&self.path, &file)?;
        let last = now.max(file.issuer(machine));
        *state = ClockState { file, last };
        Ok(last)
    }

    fn lock(&self) -> MutexGuard<'_, ClockState> {
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
    const HOUR: u64 = 3_600_000;

    fn by(hours: u64) -> Target {
        Target::By(hours.saturating_mul(HOUR))
    }

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
        let moved = clock.go(Whose::Everybody, by(72)).unwrap();
        assert!(moved >= before.plus(72 * HOUR));
        assert!(matches!(clock.go(Whose::Everybody, Target::To(before)), Err(ClockError::Back)));
        assert!(matches!(clock.go(Whose::Everybody, Target::To(Millis(u64::MAX))), Err(ClockError::TooFar)));
        drop(clock);
        assert!(Clock::open(file.clone(), Millis(0)).unwrap().now() >= moved);
        // A machine whose clock was put back by a day meanwhile.
        let yesterday = Millis(before.0 - 86_400_000);
        let behind = Clock::open_at(file, moved, yesterday).unwrap();
        assert!(behind.at(yesterday) >= moved);
    }

    #[test]
    fn held_time_stands_still_for_everybody_moves_when_told_and_goes_on_from_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock.json");
        let clock = Clock::open(file.clone(), Millis(0)).unwrap();
        let held = clock.hold(true).unwrap();
        let later = machine_time().plus(HOUR);
        assert_eq!((clock.at(later), clock.file().other(Some("me"), later)), (held, held));
        assert_eq!(clock.hold(true).unwrap(), held);
        let moved = clock.go(Whose::Everybody, by(3)).unwrap();
        assert_eq!((moved, clock.at(later)), (held.plus(3 * HOUR), moved));
        drop(clock);
        let clock = Clock::open(file, Millis(0)).unwrap();
        assert_eq!(clock.at(later), moved, "a restart does not let it go");
        assert_eq!(clock.hold(false).unwrap(), moved);
        assert!(clock.at(later) >= moved.plus(HOUR - 60_000), "and then it goes on");
    }

    #[test]
    fn time_goes_on_from_where_it_was_held_however_long_that_was() {
        let held = ClockFile { offset_ms: 0, held_at: Some(MACHINE), ..ClockFile::default() };
        let later = MACHINE.plus(72 * HOUR);
        let mut running = ClockFile { held_at: None, ..held };
        running.set(MACHINE, later);
        assert_eq!(running.issuer(later.plus(5)), MACHINE.plus(5));
    }

    #[test]
    fn one_clock_moved_alone_leaves_the_others_where_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::open(folder.path().join("clock.json"), Millis(0)).unwrap();
        let start = clock.hold(true).unwrap();
        let others = |wallet| clock.file().other(wallet, machine_time());
        clock.go(Whose::Issuer, by(3)).unwrap();
        assert_eq!((clock.now(), others(None), others(Some("me"))), (start.plus(3 * HOUR), start, start));
        let fast = Whose::Wallet(Name::new("fast").unwrap());
        assert_eq!(clock.go(fast.clone(), by(5)).unwrap(), start.plus(3 * HOUR));
        assert_eq!((others(Some("me")), others(Some("fast"))), (start, start.plus(5 * HOUR)));
        assert!(matches!(clock.go(fast, Target::To(start)), Err(ClockError::Back)));
        clock.go(Whose::Everybody, by(1)).unwrap();
        assert_eq!((others(Some("me")), others(Some("fast"))), (start.plus(HOUR), start.plus(6 * HOUR)));
    }
}
