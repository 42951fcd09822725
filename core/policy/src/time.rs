use saifu_host::Reading;

/// The issuer's time on this device: anchored at an answer, carried on by the elapsed clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TrustedTime {
    issuer_ms: u64,
    wall_ms: u64,
    elapsed_ms: u64,
    boot_id: [u8; 16],
}

/// How far a time can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Anchored in this boot, and both clocks agree within 30 seconds.
    Full,
    /// Anchored in this boot, but the wall clock moved by itself. The time given follows the elapsed clock.
    WallDisagrees,
    /// The device restarted since the anchor. The time given follows the wall clock, which the owner can set.
    Rebooted,
    /// The issuer was never heard. The time given is the wall clock, which the owner can set.
    Unanchored,
}

impl Trust {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::WallDisagrees => "wall-disagrees",
            Self::Rebooted => "rebooted",
            Self::Unanchored => "unanchored",
        }
    }

    /// Whether the time follows the issuer and not the owner: a code that is bound to it will be accepted.
    #[must_use]
    pub fn is_anchored(self) -> bool {
        matches!(self, Self::Full | Self::WallDisagrees)
    }
}

/// An estimate of the issuer's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuerTime {
    /// Unix milliseconds.
    pub issuer_ms: u64,
    /// What it rests on.
    pub trust: Trust,
}

/// An answer of the issuer that carries its time. The issuer looked at its clock somewhere between the two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// What the issuer's clock showed.
    pub issuer_ms: u64,
    /// The host's clocks before the request went out.
    pub sent: Reading,
    /// The host's clocks when the answer was there.
    pub received: Reading,
}

impl TrustedTime {
    const TOLERANCE_MS: u64 = 30_000;

    /// An anchor: the issuer's clock stood at `issuer_ms` while the host's clocks showed `reading`.
    #[must_use]
    pub fn anchored(issuer_ms: u64, reading: Reading) -> Self {
        let Reading { wall_ms, elapsed_ms, boot_id } = reading;
        Self { issuer_ms, wall_ms, elapsed_ms, boot_id }
    }

    /// The issuer's time of the anchor and the host's clocks at it: what [`anchored`](Self::anchored) takes.
    #[must_use]
    pub fn parts(&self) -> (u64, Reading) {
        let Self { issuer_ms, wall_ms, elapsed_ms, boot_id } = *self;
        (issuer_ms, Reading { wall_ms, elapsed_ms, boot_id })
    }

    /// The issuer's time now. It never runs backwards within a boot, whatever the wall clock does.
    #[must_use]
    pub fn now(&self, reading: Reading) -> IssuerTime {
        let by_wall = self.issuer_ms.saturating_add(reading.wall_ms.saturating_sub(self.wall_ms));
        // Two threads may read the clock in one order and come here in the other.
        let overtaken = self.elapsed_ms.saturating_sub(reading.elapsed_ms);
        if reading.boot_id != self.boot_id || overtaken > Self::TOLERANCE_MS {
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

/// What this process knows of the issuer's clock. Each answer says between which two times that clock is now, a round trip
/// apart. An estimate within them stands, so an answer that was delayed or overtaken changes nothing; one outside is moved to
/// the nearer of them. The estimate is never ahead of the issuer, and behind it by the quickest round trip at most.
#[derive(Debug, Clone, Default)]
pub struct IssuerClock {
    anchor: Option<TrustedTime>,
    /// The latest time given out in this boot.
    told: Option<([u8; 16], u64)>,
}

impl IssuerClock {
    /// No answer waits longer than this to be taken. What is older is of another boot, whatever the host says.
    const LONGEST_RACE_MS: u64 = 600_000;
    /// An estimate further ahead of the issuer than this is no drift: somebody put a clock right. Standing still until the issuer has
    /// caught up would keep every approval expired meanwhile.
    const LONGEST_STAND_MS: u64 = 60_000;

    /// The anchor as it stands, to be kept on disk.
    #[must_use]
    pub fn anchor(&self) -> Option<TrustedTime> {
        self.anchor
    }

    /// Goes on from an anchor that was kept on disk, unless the issuer has been heard since.
    pub fn restore(&mut self, anchor: TrustedTime) {
        self.anchor.get_or_insert(anchor);
    }

    /// Takes the time of an answer.
    pub fn hear(&mut self, heard: Heard) {
        let Heard { issuer_ms, sent, received } = heard;
        let round_trip = received.elapsed_ms.saturating_sub(sent.elapsed_ms);
        let (mut earliest, mut at) = (issuer_ms, received);
        if let Some((_, anchored_at)) = self.anchor.map(|anchor| anchor.parts())
            && anchored_at.boot_id == received.boot_id
            && let overtaken @ 1..=Self::LONGEST_RACE_MS = anchored_at.elapsed_ms.saturating_sub(received.elapsed_ms)
        {
            // Another thread was quicker with a later answer: what this one says is carried on to then.
            (earliest, at) = (issuer_ms.saturating_add(overtaken), anchored_at);
        }
        let latest = earliest.saturating_add(round_trip);
        let known = self.anchor.map(|anchor| anchor.now(at)).filter(|known| known.trust.is_anchored());
        let now = known.map_or(earliest, |known| known.issuer_ms.clamp(earliest, latest));
        self.anchor = Some(TrustedTime::anchored(now, at));
    }

    /// The issuer's time now. While it rests on the elapsed clock it does not run backwards: found to be ahead by a minute at most, it
    /// stands still until the issuer has caught up; by more, it follows the issuer at once.
    pub fn now(&mut self, reading: Reading) -> IssuerTime {
        let Some(anchor) = self.anchor else {
            return IssuerTime { issuer_ms: reading.wall_ms, trust: Trust::Unanchored };
        };
        let mut now = anchor.now(reading);
        if now.trust.is_anchored() {
            let told = self.told.filter(|(boot_id, _)| *boot_id == reading.boot_id);
            if let Some((_, told)) = told
                && told.saturating_sub(now.issuer_ms) <= Self::LONGEST_STAND_MS
            {
                now.issuer_ms = now.issuer_ms.max(told);
            }
            self.told = Some((reading.boot_id, now.issuer_ms));
        }
        now
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "counters of a test")]
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

    /// What one step of a history does.
    #[derive(Debug, Clone)]
    enum Step {
        /// Time passes, awake or asleep.
        Pass(u64),
        /// The owner sets the wall clock.
        Set(u64),
        /// The device starts again.
        Reboot,
        /// A request: on its way so long, then answered, then its answer on its way so long, then so long untaken.
        Ask { out: u64, back: u64, held: u64 },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0_u64..100_000_000).prop_map(Step::Pass),
            1 => (0_u64..4_000_000_000_000).prop_map(Step::Set),
            1 => Just(Step::Reboot),
            6 => (0_u64..20_000, 0_u64..20_000, 0_u64..60_000).prop_map(|(out, back, held)| Step::Ask { out, back, held }),
        ]
    }

    /// The issuer's clock, the host's clocks and the answers on their way.
    struct World {
        issuer_ms: u64,
        reading: Reading,
        boots: u8,
        late: Vec<(u64, Heard)>,
    }

    impl World {
        fn pass(&mut self, ms: u64) {
            self.issuer_ms += ms;
            self.reading.wall_ms += ms;
            self.reading.elapsed_ms += ms;
        }

        /// Hands over the answers that are due, in whatever order they come.
        fn deliver(&mut self, clock: &mut IssuerClock) -> Vec<Heard> {
            let now = self.issuer_ms;
            let due: Vec<Heard> = self.late.extract_if(.., |(at, _)| *at <= now).map(|(_, heard)| heard).collect();
            due.iter().for_each(|heard| clock.hear(*heard));
            due
        }
    }

    proptest! {
        #[test]
        fn issuers_time_never_runs_back_in_a_boot_and_errs_by_less_than_the_quickest_round_trip(
            steps in prop::collection::vec(step(), 1..60),
            ahead in 0_u64..1_000_000_000,
        ) {
            let mut world = World { issuer_ms: 1_000_000 + ahead, reading: START, boots: 1, late: Vec::new() };
            let (mut clock, mut last, mut quickest) = (IssuerClock::default(), 0, None::<u64>);
            for step in steps {
                match step {
                    Step::Pass(ms) => world.pass(ms),
                    Step::Set(wall_ms) => world.reading.wall_ms = wall_ms,
                    Step::Reboot => {
                        world.boots += 1;
                        world.reading.boot_id = [world.boots; 16];
                        world.reading.elapsed_ms = 5;
                        world.late.clear();
                        (last, quickest) = (0, None);
                    }
                    Step::Ask { out, back, held } => {
                        let sent = world.reading;
                        world.pass(out);
                        let issuer_ms = world.issuer_ms;
                        world.pass(back);
                        let heard = Heard { issuer_ms, sent, received: world.reading };
                        world.late.push((world.issuer_ms + held, heard));
                    }
                }
                for heard in world.deliver(&mut clock) {
                    let round_trip = heard.received.elapsed_ms - heard.sent.elapsed_ms;
                    quickest = Some(quickest.map_or(round_trip, |known: u64| known.min(round_trip)));
                }
                let now = clock.now(world.reading);
                match quickest {
                    None => prop_assert!(!now.trust.is_anchored()),
                    Some(error) => {
                        prop_assert!(now.trust.is_anchored() && now.issuer_ms >= last, "{now:?} after {last}");
                        prop_assert!(now.issuer_ms <= world.issuer_ms, "{now:?} ahead of {}", world.issuer_ms);
                        prop_assert!(world.issuer_ms - now.issuer_ms <= error, "{now:?} of {}", world.issuer_ms);
                        last = now.issuer_ms;
                    }
                }
            }
        }

        /// Whatever an issuer says and a host shows: nothing panics, and no time runs back while it is anchored, but to an issuer
        /// that is more than a minute behind.
        #[test]
        fn no_answers_make_time_run_back(answers in prop::collection::vec((any::<u64>(), any::<u32>(), any::<u32>()), 1..40)) {
            let (mut clock, mut reading, mut last) = (IssuerClock::default(), START, 0);
            for (issuer_ms, passed, round_trip) in answers {
                let sent = reading;
                reading.elapsed_ms += u64::from(round_trip);
                clock.hear(Heard { issuer_ms, sent, received: reading });
                reading.elapsed_ms += u64::from(passed);
                let now = clock.now(reading).issuer_ms;
                prop_assert!(now >= last || last - now > IssuerClock::LONGEST_STAND_MS);
                last = now;
            }
        }
    }

    #[test]
    fn clock_that_somebody_put_right_is_followed_at_once_and_a_little_drift_waited_for() {
        for (ahead, follows) in [(1_000, false), (60_000, false), (61_000, true), (86_400_000, true)] {
            let mut clock = IssuerClock::default();
            clock.restore(TrustedTime::anchored(9_000_000 + ahead, START));
            assert_eq!(clock.now(START).issuer_ms, 9_000_000 + ahead);
            clock.hear(Heard { issuer_ms: 9_000_000, sent: START, received: START });
            assert_eq!(clock.now(START).issuer_ms, if follows { 9_000_000 } else { 9_000_000 + ahead }, "{ahead}");
        }
    }

    #[test]
    fn delayed_answer_does_not_set_the_time_back() {
        let mut clock = IssuerClock::default();
        clock.hear(Heard { issuer_ms: 9_000_000, sent: START, received: at(1_000_020, 520) });
        // Asked at the same moment, answered at once, and 20 s on its way.
        let late = Heard { issuer_ms: 9_000_000, sent: START, received: at(1_020_000, 20_500) };
        clock.hear(late);
        let now = clock.now(at(1_020_000, 20_500));
        assert_eq!(now, IssuerTime { issuer_ms: 9_019_980, trust: Trust::Full });
    }

    #[test]
    fn wall_clock_that_was_put_right_is_believed_again_after_the_next_answer() {
        let mut clock = IssuerClock::default();
        clock.hear(Heard { issuer_ms: 9_000_000, sent: START, received: START });
        let right = at(9_000_010, 510);
        assert_eq!(clock.now(right).trust, Trust::WallDisagrees);
        clock.hear(Heard { issuer_ms: 9_000_005, sent: right, received: right });
        assert_eq!(clock.now(right), IssuerTime { issuer_ms: 9_000_010, trust: Trust::Full });
    }

    #[test]
    fn clock_that_runs_fast_stands_until_the_issuer_has_caught_up() {
        let mut clock = IssuerClock::default();
        clock.hear(Heard { issuer_ms: 9_000_000, sent: START, received: START });
        let later = at(1_100_000, 100_500);
        assert_eq!(clock.now(later).issuer_ms, 9_100_000);
        clock.hear(Heard { issuer_ms: 9_099_000, sent: later, received: later });
        assert_eq!(clock.now(later).issuer_ms, 9_100_000);
        assert_eq!(clock.now(at(1_100_999, 101_499)).issuer_ms, 9_100_000);
        assert_eq!(clock.now(at(1_101_001, 101_501)).issuer_ms, 9_100_001);
    }

    #[test]
    fn never_heard_says_so_and_what_was_kept_is_gone_on_from() {
        let mut clock = IssuerClock::default();
        assert_eq!(clock.now(START), IssuerTime { issuer_ms: 1_000_000, trust: Trust::Unanchored });
        let kept = TrustedTime::anchored(9_000_000, START);
        clock.restore(kept);
        assert_eq!(clock.now(at(1_000_500, 1_000)), IssuerTime { issuer_ms: 9_000_500, trust: Trust::Full });
        let (issuer_ms, reading) = kept.parts();
        assert_eq!(TrustedTime::anchored(issuer_ms, reading), kept);
        clock.restore(TrustedTime::anchored(1, START));
        assert_eq!(clock.anchor(), Some(kept), "heard or restored once, it stands");
    }

    #[test]
    fn reading_taken_a_moment_before_the_anchor_is_of_the_same_boot() {
        let time = TrustedTime::anchored(9_000_000, at(1_000_010, 510));
        assert_eq!(time.now(START), IssuerTime { issuer_ms: 9_000_000, trust: Trust::Full });
    }
}
