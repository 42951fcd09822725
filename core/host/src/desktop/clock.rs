//! The machine's clocks. The only place of the core that asks the operating system for the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use saifu_crypto::{Random as _, SystemRandom};

use crate::{Clock, Reading};

/// Milliseconds by which wall and elapsed time are moved alike; asked at every reading, and given the machine's wall clock
/// in milliseconds since 1970, so that a shift may also stop time.
pub type Shift = Arc<dyn Fn(u64) -> i64 + Send + Sync>;

/// Wall time, and time since the start *including sleep*: `CLOCK_BOOTTIME` and the kernel's boot id on Linux; on other
/// systems the monotonic clock, which counts sleep on macOS and Windows, with an id made for this process, so that
/// elapsed times of two runs are never compared.
///
/// Elapsed time never falls, even when the shift does.
pub struct DesktopClock {
    boot_id: [u8; 16],
    shift: Option<Shift>,
    /// How far the machine's wall clock is ahead of its elapsed time.
    ahead_ms: AtomicI64,
    highest_elapsed_ms: AtomicU64,
    #[cfg(not(unix))]
    started: std::time::Instant,
}

/// Two clocks that are read one after the other and rounded down each differ by so much without either being set.
const JITTER_MS: u64 = 2;
const READINGS: u8 = 20;

impl DesktopClock {
    /// The machine's time as it is.
    #[must_use]
    pub fn new() -> Self {
        Self {
            boot_id: boot_id(),
            shift: None,
            ahead_ms: AtomicI64::new(i64::MAX),
            highest_elapsed_ms: AtomicU64::new(0),
            #[cfg(not(unix))]
            started: now(),
        }
    }

    /// The machine's time moved by `shift`: quality assurance jumps three days ahead with it.
    #[must_use]
    pub fn shifted(shift: Shift) -> Self {
        Self { shift: Some(shift), ..Self::new() }
    }

    #[cfg(unix)]
    fn machine_elapsed_ms(&self) -> u64 {
        use rustix::time::{ClockId, clock_gettime};
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let time = clock_gettime(ClockId::Boottime);
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let time = clock_gettime(ClockId::Monotonic);
        let (seconds, nanos) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
        seconds.unwrap_or(0).saturating_mul(1000).saturating_add(nanos.unwrap_or(0) / 1_000_000)
    }

    #[cfg(not(unix))]
    fn machine_elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl DesktopClock {
    /// How far the wall clock is ahead: the same until somebody sets it.
    fn ahead_ms(&self, wall_ms: u64, elapsed_ms: u64) -> i64 {
        let ahead = |wall: u64, elapsed: u64| signed(wall).saturating_sub(signed(elapsed));
        let known = self.ahead_ms.load(Ordering::Relaxed);
        let mut seen = ahead(wall_ms, elapsed_ms);
        if seen.abs_diff(known) > JITTER_MS {
            // Set, or this thread had to wait between the two readings: two readings of the wall tell.
            for _ in 0..READINGS {
                let (before, elapsed, after) = (self::wall_ms(), self.machine_elapsed_ms(), self::wall_ms());
                if after.saturating_sub(before) < JITTER_MS {
                    seen = ahead(before, elapsed);
                    break;
                }
            }
        }
        if seen.abs_diff(known) <= JITTER_MS {
            return known;
        }
        let stored = self.ahead_ms.compare_exchange(known, seen, Ordering::Relaxed, Ordering::Relaxed);
        stored.map_or_else(|by_another_thread| by_another_thread, |_| seen)
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

impl Default for DesktopClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for DesktopClock {
    fn read(&self) -> Reading {
        let machine_wall_ms = wall_ms();
        let machine_elapsed_ms = self.machine_elapsed_ms();
        let shift = self.shift.as_ref().map_or(0, |shift| shift(machine_wall_ms));
        let elapsed_ms = match self.shift {
            // Beside a wall clock that stands still, elapsed time must not tremble.
            Some(_) => machine_wall_ms
                .saturating_add_signed(shift)
                .saturating_add_signed(self.ahead_ms(machine_wall_ms, machine_elapsed_ms).saturating_neg()),
            None => machine_elapsed_ms,
        };
        let before = self.highest_elapsed_ms.fetch_max(elapsed_ms, Ordering::Relaxed);
        Reading {
            wall_ms: machine_wall_ms.saturating_add_signed(shift),
            elapsed_ms: elapsed_ms.max(before),
            boot_id: self.boot_id,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else takes its time from")]
fn wall_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else takes its time from")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// The kernel's id where it has one, else one for this process.
fn boot_id() -> [u8; 16] {
    kernel_boot_id().or_else(|| SystemRandom.bytes().ok()).unwrap_or_default()
}

fn kernel_boot_id() -> Option<[u8; 16]> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let hex: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use super::*;

    const THREE_DAYS_MS: u64 = 3 * 24 * 3_600_000;

    #[test]
    fn shift_moves_both_times_alike_and_elapsed_never_falls() {
        let shift = Arc::new(AtomicI64::new(0));
        let source = shift.clone();
        let clock = DesktopClock::shifted(Arc::new(move |_| source.load(Ordering::Relaxed)));
        let before = clock.read();
        shift.store(THREE_DAYS_MS as i64, Ordering::Relaxed);
        let after = clock.read();
        assert!(after.wall_ms - before.wall_ms >= THREE_DAYS_MS - 60_000, "a wall clock may be set meanwhile");
        assert!(after.elapsed_ms - before.elapsed_ms >= THREE_DAYS_MS);
        shift.store(0, Ordering::Relaxed);
        assert!(clock.read().elapsed_ms >= after.elapsed_ms);
    }

    #[test]
    fn elapsed_time_stands_still_beside_a_wall_clock_that_does() {
        const HELD: i64 = 4_000_000_000_000;
        let clock = DesktopClock::shifted(Arc::new(|wall_ms| HELD - wall_ms as i64));
        let first = clock.read().elapsed_ms;
        for _ in 0..50 {
            std::thread::sleep(std::time::Duration::from_micros(300));
            assert_eq!(clock.read().elapsed_ms, first);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn boot_id_is_the_kernels() {
        assert!(kernel_boot_id().is_some());
        assert_eq!(DesktopClock::new().read().boot_id, DesktopClock::new().read().boot_id);
    }
}
