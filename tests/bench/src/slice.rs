//! A stretch of one kind of work: how much was done, and how long each piece took.

use std::time::{Duration, Instant};

/// What is printed of it.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Slice {
    pub(crate) what: &'static str,
    pub(crate) count: u64,
    pub(crate) seconds: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Time on a core, of this process alone: other work on the machine changes it little.
    pub(crate) cpu_seconds: Option<f64>,
}

/// Runs from the beginning of a slice to its end.
pub(crate) struct Stopwatch {
    begun: Instant,
    cpu: Option<Duration>,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { begun: Instant::now(), cpu: cpu_time() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Ends the slice; `pieces` are filled in afterwards, so that gathering them costs it nothing.
    pub(crate) fn stop(self, what: &'static str) -> Unfilled {
        let cpu = self.cpu.zip(cpu_time()).map(|(begun, ended)| ended.saturating_sub(begun));
        Unfilled { what, took: self.begun.elapsed(), cpu }
    }
}

/// A slice that has ended, before anybody looked at its pieces.
pub(crate) struct Unfilled {
    what: &'static str,
    took: Duration,
    cpu: Option<Duration>,
}

impl Unfilled {
    /// Each piece with its own time.
    pub(crate) fn fill(self, mut pieces: Vec<Duration>) -> Slice {
        pieces.sort_unstable();
        Slice {
            what: self.what,
            count: u64::try_from(pieces.len()).unwrap_or(u64::MAX),
            seconds: self.took.as_secs_f64(),
            cpu_seconds: self.cpu.map(|cpu| cpu.as_secs_f64()),
            p50_ms: percentile(&pieces, 50),
            p99_ms: percentile(&pieces, 99),
        }
    }
}

/// What all threads of this process have computed for, where the system tells.
fn cpu_time() -> Option<Duration> {
    #[cfg(unix)]
    let time = {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Duration::try_from(time).ok()
    };
    #[cfg(not(unix))]
    let time = None;
    time
}

/// The smallest time that `percent` of all pieces did not exceed (nearest rank), in milliseconds.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100);
    let found = sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default();
    (found.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(millis: impl Iterator<Item = u64>) -> Slice {
        Stopwatch::start().stop("sample").fill(millis.map(Duration::from_millis).collect())
    }

    #[test]
    fn percentiles_are_times_that_were_seen() {
        let hundred = slice((1..=100).rev());
        assert_eq!((hundred.count, hundred.p50_ms, hundred.p99_ms), (100, 50.0, 99.0));
        let one = slice(std::iter::once(7));
        assert_eq!((one.p50_ms, one.p99_ms), (7.0, 7.0));
    }

    #[test]
    fn the_slow_one_of_fifty_counts_and_of_a_thousand_does_not() {
        let with_one_slow = |fast: usize| slice(std::iter::repeat_n(1, fast).chain([900])).p99_ms;
        assert_eq!(with_one_slow(49), 900.0);
        assert_eq!(with_one_slow(999), 1.0);
    }

    #[test]
    fn nothing_done_took_no_time() {
        assert_eq!(slice(std::iter::empty()).p99_ms, 0.0);
    }
}
