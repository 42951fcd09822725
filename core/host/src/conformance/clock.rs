use super::{Findings, Inspection};
use crate::Clock;

const YEAR_2024_MS: u64 = 1_704_067_200_000;
const YEAR_2200_MS: u64 = 7_258_118_400_000;
/// Long enough to tell milliseconds from seconds and microseconds, short enough to wait for.
const PAUSE_MS: u64 = 20;
/// Where a pause of 20 ms counted in microseconds would land, less some; a busy machine stays far below.
const TOO_LONG_MS: u64 = 15_000;

/// Checks units and monotonicity. `pause` lets at least that many milliseconds pass: it sleeps, or moves a manual clock.
///
/// # Errors
/// [`Findings`].
pub fn check_clock(clock: &dyn Clock, pause: &dyn Fn(u64)) -> Result<(), Findings> {
    let mut inspection = Inspection::default();
    let first = clock.read();
    inspection.require(
        (YEAR_2024_MS..YEAR_2200_MS).contains(&first.wall_ms),
        "wall time is milliseconds since 1970 and lies between 2024 and 2200",
    );
    pause(PAUSE_MS);
    let second = clock.read();
    let moved = second.elapsed_ms.saturating_sub(first.elapsed_ms);
    inspection.require(
        (PAUSE_MS.saturating_sub(1)..TOO_LONG_MS).contains(&moved),
        "elapsed time counts milliseconds, also while nothing runs",
    );
    let mut before = second;
    for _ in 0..1000 {
        let now = clock.read();
        inspection.require(now.elapsed_ms >= before.elapsed_ms, "elapsed time never falls");
        inspection.require(now.boot_id == first.boot_id, "the boot id stays within one boot");
        if !inspection.0.is_empty() {
            break;
        }
        before = now;
    }
    inspection.verdict()
}
