use saifu_host::Reading;

/// The issuer's time on this device: anchored at the last answer, carried on by the elapsed clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TrustedTime {
    issuer_ms: u64,
    wall_ms: u64,
    elapsed_ms: u64,
    boot_id: [u8; 16],
}

/// How far a time can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Anchored in this boot, and both clocks agree within 30 seconds.
    Full,
    /// Anchored in this boot, but the wall clock moved by itself. The time given follows the elapsed clock.
    WallDisagrees,
    /// The device restarted since the anchor. The time given follows the wall clock, which the owner can set.
    Rebooted,
}

/// An estimate of the issuer's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuerTime {
    /// Unix milliseconds.
    pub issuer_ms: u64,
    /// What it rests on.
    pub trust: Trust,
}

impl TrustedTime {
    const TOLERANCE_MS: u64 = 30_000;

    /// An anchor: the issuer said `issuer_ms` while the host's clocks showed `reading`.
    #[must_use]
    pub fn anchored(issuer_ms: u64, reading: Reading) -> Self {
        let Reading { wall_ms, elapsed_ms, boot_id } = reading;
        Self { issuer_ms, wall_ms, elapsed_ms, boot_id }
    }

    /// The issuer's time now. It never runs backwards within a boot, whatever the wall clock does.
    #[must_use]
    pub fn now(&self, reading: Reading) -> IssuerTime {
        let by_wall = self.issuer_ms.saturating_add(reading.wall_ms.saturating_sub(self.wall_ms));
        if reading.boot_id != self.boot_id || reading.elapsed_ms < self.elapsed_ms {
            return IssuerTime { issuer_ms: by_wall, trust: Trust::Rebooted };
        }
        let elapsed = reading.elapsed_ms.saturating_sub(self.elapsed_ms);
        let expected_wall = self.wall_ms.saturating_add(elapsed);
        let agree = reading.wall_ms.abs_diff(expected_wall) <= Self::TOLERANCE_MS;
        IssuerTime {
            issuer_ms: self.issuer_ms.saturating_add(elapsed),
            trust: if agree { Trust::Full } else { Trust::WallDisagrees },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Reading = Reading { wall_ms: 1_000_000, elapsed_ms: 500, boot_id: [1; 16] };

    fn at(wall_ms: u64, elapsed_ms: u64) -> Reading {
        Reading { wall_ms, elapsed_ms, ..START }
    }

    #[test]
    fn time_runs_on_with_the_elapsed_clock() {
        let time = TrustedTime::anchored(9_000_000, START);
        assert_eq!(time.now(at(1_060_000, 60_500)), IssuerTime { issuer_ms: 9_060_000, trust: Trust::Full });
    }

    #[test]
    fn wall_clock_set_by_the_owner_changes_nothing_but_trust() {
        let time = TrustedTime::anchored(9_000_000, START);
        for wall in [0, 1_000_000 + 3_600_000] {
            let now = time.now(at(wall, 60_500));
            assert_eq!(now, IssuerTime { issuer_ms: 9_060_000, trust: Trust::WallDisagrees });
        }
    }

    #[test]
    fn reboot_falls_back_to_the_wall_and_says_so() {
        let time = TrustedTime::anchored(9_000_000, START);
        let now = time.now(Reading { wall_ms: 1_010_000, elapsed_ms: 3, boot_id: [2; 16] });
        assert_eq!(now, IssuerTime { issuer_ms: 9_010_000, trust: Trust::Rebooted });
    }

    proptest! {
        #[test]
        fn no_clock_makes_time_run_back(steps in prop::collection::vec((any::<u64>(), 0..u64::MAX / 64), 1..40)) {
            let time = TrustedTime::anchored(9_000_000, START);
            let (mut elapsed, mut last) = (START.elapsed_ms, 0);
            for (wall, step) in steps {
                elapsed = elapsed.saturating_add(step);
                let now = time.now(at(wall, elapsed)).issuer_ms;
                prop_assert!(now >= last);
                last = now;
            }
        }
    }
}
