//! The follower as a state machine without I/O. It holds the *wish* to follow: once wanted, it stays wanted through lost
//! networks, locks and restarts of the issuer, until it is given up or the issuer says that it is of no use. What it is told
//! are facts (opened, lost, an event came); what it answers is the one thing to do next. [`events`](crate::events) does it.
//!
//! *What holds*, whatever comes in which order (a property test below plays it):
//! - at most one connection at a time: each has a number, and news of an earlier one are dropped;
//! - no event is told twice and none is left out, but for a new era of the issuer, which is told as such;
//! - a wish is never forgotten: if it is wanted and possible, something is under way or a time is set.

use saifu_policy::{Failure, Reconnect, RetryPolicy};
use saifu_wire::{Era, Millis};

/// Names a connection.
pub(crate) type Connection = u64;

/// How the wallet's following stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Following {
    /// Nobody asked for it, or it waits for the wallet to be unlocked.
    #[default]
    Off,
    /// A connection is being made.
    Connecting,
    /// Events come as they happen.
    Connected {
        /// Since when, by the issuer's clock.
        since: Millis,
    },
    /// It was lost and is tried again by itself.
    Waiting {
        /// The stable name of what went wrong.
        why: &'static str,
        /// The next try, by the issuer's clock.
        next_try_at: Millis,
    },
    /// It is of no use to try again: the issuer does not know this device any more.
    Ended {
        /// The stable name of why.
        why: &'static str,
    },
}

impl Following {
    /// The stable name.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Connecting => "connecting",
            Self::Connected { .. } => "connected",
            Self::Waiting { .. } => "waiting",
            Self::Ended { .. } => "ended",
        }
    }
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Do {
    /// Nothing, until something is told.
    Rest,
    /// Open a stream.
    Connect(Connection),
    /// Read the next event.
    Listen(Connection),
    /// Let this many milliseconds pass, then say so.
    Wait(Connection, u64),
}

/// What to do with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is next: record it, then tell it.
    Next,
    /// It was told already, or comes from a connection that is over.
    Skip,
}

/// Why a connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Another try may go well.
    ForNow { why: &'static str, failure: Failure },
    /// The issuer does not know this device.
    ForGood { why: &'static str },
}

/// The last event that went through here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// Of which of the issuer's eras; `None` if it did not say.
    pub(crate) era: Option<Era>,
    pub(crate) number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Connecting,
    Connected { since: Millis },
    Waiting { ms: u64, why: &'static str, next_try_at: Millis },
    Ended { why: &'static str },
}

pub(crate) struct Follower {
    wanted: bool,
    /// The wallet is unlocked and has an account.
    possible: bool,
    phase: Phase,
    connection: Connection,
    /// It is not what the home picture knows: a refresh meanwhile may know more, and its events are still told.
    told: Option<Told>,
    reconnect: Reconnect,
}

impl Default for Follower {
    fn default() -> Self {
        Self {
            wanted: false,
            possible: false,
            phase: Phase::Idle,
            connection: 0,
            told: None,
            reconnect: Reconnect::default(),
        }
    }
}

impl Follower {
    /// Somebody wants to follow. A wish that waits for its next try is tried at once.
    pub(crate) fn want(&mut self) {
        self.wanted = true;
        if matches!(self.phase, Phase::Waiting { .. } | Phase::Ended { .. }) {
            self.drop_connection();
        }
    }

    /// Nobody wants to follow any more, and what was told is forgotten: the wallet closes, or becomes another account's.
    pub(crate) fn give_up(&mut self) {
        *self = Self { connection: self.connection, possible: self.possible, ..Self::default() };
        self.drop_connection();
    }

    /// Whether the wallet is unlocked and has an account. A wish outlives the time in which it is not.
    pub(crate) fn set_possible(&mut self, possible: bool) {
        if self.possible != possible {
            self.possible = possible;
            self.drop_connection();
        }
    }

    /// The one thing to do next.
    pub(crate) fn next(&mut self) -> Do {
        if !self.wanted || !self.possible {
            return Do::Rest;
        }
        match self.phase {
            Phase::Idle => {
                self.connection = self.connection.wrapping_add(1);
                self.phase = Phase::Connecting;
                Do::Connect(self.connection)
            }
            Phase::Connecting => Do::Connect(self.connection),
            Phase::Connected { .. } => Do::Listen(self.connection),
            Phase::Waiting { ms, .. } => Do::Wait(self.connection, ms),
            Phase::Ended { .. } => Do::Rest,
        }
    }

    /// Whether news of this connection still count.
    pub(crate) fn is_current(&self, connection: Connection) -> bool {
        self.connection == connection && self.wanted && self.possible
    }

    /// Whether somebody wants to follow.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// The last event told; `None` before anything was.
    pub(crate) fn told(&self) -> Option<&Told> {
        self.told.as_ref()
    }

    /// Everything up to this event is known by another way: what comes after it is told. At the first connection, and when
    /// the issuer began a new era.
    pub(crate) fn begin_after(&mut self, connection: Connection, told: Told) {
        if self.is_current(connection) {
            self.told = Some(told);
        }
    }

    /// The stream is open.
    pub(crate) fn opened(&mut self, connection: Connection, now: Millis, elapsed_ms: u64) {
        if self.is_current(connection) && self.phase == Phase::Connecting {
            self.phase = Phase::Connected { since: now };
            self.reconnect.opened(elapsed_ms);
        }
    }

    /// An event came. If it is [`Verdict::Next`], it is recorded, and then [`told`](Self::was_told).
    pub(crate) fn event(&self, connection: Connection, number: u64) -> Verdict {
        let new = self.told.as_ref().is_none_or(|told| number > told.number);
        if new && self.is_current(connection) { Verdict::Next } else { Verdict::Skip }
    }

    /// An event is recorded; `true` if it is to be told now, which is once for each.
    pub(crate) fn was_recorded(&mut self, connection: Connection, number: u64) -> bool {
        let next = self.event(connection, number) == Verdict::Next;
        if let Some(told) = self.told.as_mut().filter(|_| next) {
            told.number = number;
        }
        next
    }

    /// The connection is over, or was never made. `random` draws the pause before the next try.
    pub(crate) fn lost(
        &mut self,
        connection: Connection,
        lost: Lost,
        (now, elapsed_ms): (Millis, u64),
        budget: &mut RetryPolicy,
        random: u32,
    ) {
        if !self.is_current(connection) || !matches!(self.phase, Phase::Connecting | Phase::Connected { .. }) {
            return;
        }
        self.phase = match lost {
            Lost::ForNow { why, failure } => {
                let ms = self.reconnect.ended(elapsed_ms, budget, failure, random);
                Phase::Waiting { ms, why, next_try_at: now.plus(ms) }
            }
            Lost::ForGood { why } => {
                self.wanted = false;
                Phase::Ended { why }
            }
        };
    }

    /// The pause has passed.
    pub(crate) fn waited(&mut self, connection: Connection) {
        if self.is_current(connection) && matches!(self.phase, Phase::Waiting { .. }) {
            self.phase = Phase::Idle;
        }
    }

    /// How it stands.
    pub(crate) fn standing(&self) -> Following {
        match self.phase {
            Phase::Ended { why } => Following::Ended { why },
            _ if !self.wanted || !self.possible => Following::Off,
            Phase::Idle | Phase::Connecting => Following::Connecting,
            Phase::Connected { since } => Following::Connected { since },
            Phase::Waiting { why, next_try_at, .. } => Following::Waiting { why, next_try_at },
        }
    }

    fn drop_connection(&mut self) {
        self.phase = Phase::Idle;
        self.connection = self.connection.wrapping_add(1);
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "counters of a test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AT: (Millis, u64) = (Millis(1_000), 1_000);
    const NET: Lost = Lost::ForNow { why: "offline", failure: Failure::NoAnswer };

    /// A wallet's driver and an issuer in few lines: what the driver has open, what the issuer has to tell, what was told.
    #[derive(Default)]
    struct World {
        follower: Follower,
        budget: RetryPolicy,
        /// The stream that is open, and the next event it will tell.
        open: Option<(Connection, u64)>,
        /// The issuer's newest event, and its era.
        newest: u64,
        era: u32,
        known_era: u32,
        told: Vec<(u32, u64)>,
        /// An event that is being recorded.
        recording: Option<(Connection, u64)>,
        now: u64,
    }

    #[derive(Debug, Clone)]
    enum Step {
        Want,
        Possible(bool),
        Happens,
        /// The driver does the next thing, and it goes well or not.
        Go(bool),
        /// The recorded event's commit ends, well or not.
        Recorded(bool),
        Lost,
        /// The issuer says what it said before.
        Repeats,
        /// News of a connection that is over.
        Late(u8),
        Restored,
        Time(u32),
    }

    impl World {
        fn at(&self) -> (Millis, u64) {
            (Millis(self.now), self.now)
        }

        fn lose(&mut self, connection: Connection) {
            let at = self.at();
            self.follower.lost(connection, NET, at, &mut self.budget, 7);
            if self.open.is_some_and(|(open, _)| open == connection) {
                self.open = None;
            }
        }

        fn go(&mut self, well: bool) {
            let next = self.follower.next();
            // One connection: whatever is not this one is closed by the driver first.
            if !matches!(next, Do::Listen(connection) if self.open.is_some_and(|(open, _)| open == connection)) {
                self.open = None;
            }
            match next {
                Do::Rest => {}
                Do::Wait(connection, ms) => {
                    self.now += ms;
                    self.follower.waited(connection);
                }
                Do::Connect(connection) if !well => self.lose(connection),
                Do::Connect(connection) => {
                    let era = Era(saifu_wire::Name::new(self.era.to_string()).unwrap());
                    if self.follower.told().is_none_or(|told| told.era.as_ref() != Some(&era)) {
                        self.known_era = self.era;
                        self.follower.begin_after(connection, Told { era: Some(era), number: self.newest });
                    }
                    self.follower.opened(connection, Millis(self.now), self.now);
                    let after = self.follower.told().unwrap().number;
                    self.open = Some((connection, after + 1));
                }
                Do::Listen(connection) => {
                    let Some((_, next)) = self.open else { return self.lose(connection) };
                    if !well {
                        return self.lose(connection);
                    }
                    if next <= self.newest && self.recording.is_none() {
                        if self.follower.event(connection, next) == Verdict::Next {
                            self.recording = Some((connection, next));
                        }
                        self.open = Some((connection, next + 1));
                    }
                }
            }
        }

        fn recorded(&mut self, well: bool) {
            let Some((connection, number)) = self.recording.take() else { return };
            if !well {
                return self.lose(connection);
            }
            if self.follower.was_recorded(connection, number) {
                self.told.push((self.known_era, number));
            }
        }

        fn step(&mut self, step: &Step) {
            match *step {
                Step::Want => self.follower.want(),
                Step::Possible(possible) => self.follower.set_possible(possible),
                Step::Happens => self.newest += 1,
                Step::Go(well) => self.go(well),
                Step::Recorded(well) => self.recorded(well),
                Step::Lost => {
                    if let Some((connection, _)) = self.open {
                        self.lose(connection);
                    }
                }
                Step::Repeats => {
                    if let Some((_, next)) = &mut self.open {
                        *next = next.saturating_sub(2).max(1);
                    }
                }
                Step::Late(age) => {
                    let old = self.follower.connection.wrapping_sub(u64::from(age) + 1);
                    self.follower.opened(old, Millis(self.now), self.now);
                    self.follower.waited(old);
                    let at = self.at();
                    self.follower.lost(old, Lost::ForGood { why: "unknown-device" }, at, &mut self.budget, 7);
                    assert!(!self.follower.was_recorded(old, u64::MAX));
                }
                Step::Restored => {
                    self.newest /= 2;
                    self.era += 1;
                    self.open = None;
                    // The issuer's restart ends its streams; what was being recorded came before it.
                    self.recorded(true);
                    let connection = self.follower.connection;
                    self.lose(connection);
                }
                Step::Time(ms) => self.now += u64::from(ms),
            }
        }

        fn holds(&self) {
            for pair in self.told.windows(2) {
                let [(era, one), (next_era, next)] = [pair[0], pair[1]];
                assert!(era < next_era || (era == next_era && one + 1 == next), "{pair:?}");
            }
        }

        /// All is well from now on: what is wanted comes, up to the last event.
        fn settles(&mut self) {
            self.follower.set_possible(true);
            self.recorded(true);
            for _ in 0..self.newest + 10 {
                self.go(true);
                self.recorded(true);
            }
            self.holds();
            assert!(matches!(self.follower.standing(), Following::Connected { .. }), "{:?}", self.follower.standing());
            assert_eq!(self.follower.told().map(|told| told.number), Some(self.newest));
        }
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            1 => Just(Step::Want),
            1 => any::<bool>().prop_map(Step::Possible),
            4 => Just(Step::Happens),
            8 => prop::bool::weighted(0.8).prop_map(Step::Go),
            4 => prop::bool::weighted(0.9).prop_map(Step::Recorded),
            1 => Just(Step::Lost),
            1 => Just(Step::Repeats),
            1 => (0..4_u8).prop_map(Step::Late),
            1 => Just(Step::Restored),
            1 => (0..100_000_u32).prop_map(Step::Time),
        ]
    }

    proptest! {
        // 100,000 steps and more, in a second.
        #![proptest_config(ProptestConfig::with_cases(1_024))]

        #[test]
        fn no_event_twice_no_gap_and_no_wish_forgotten(steps in prop::collection::vec(any_step(), 1..200)) {
            let mut world = World::default();
            world.follower.want();
            for step in &steps {
                world.step(step);
                world.holds();
            }
            world.settles();
        }
    }

    fn connected() -> (Follower, Connection) {
        let mut follower = Follower::default();
        follower.want();
        follower.set_possible(true);
        let Do::Connect(connection) = follower.next() else { panic!("it does not connect") };
        follower.begin_after(connection, Told { era: None, number: 5 });
        follower.opened(connection, AT.0, AT.1);
        (follower, connection)
    }

    #[test]
    fn second_wish_makes_no_second_connection() {
        let (mut follower, connection) = connected();
        follower.want();
        assert_eq!(follower.next(), Do::Listen(connection));
    }

    #[test]
    fn lock_ends_the_connection_and_not_the_wish() {
        let (mut follower, connection) = connected();
        follower.set_possible(false);
        assert_eq!((follower.next(), follower.standing()), (Do::Rest, Following::Off));
        // What the old connection still says changes nothing: it cannot be installed behind the lock.
        follower.opened(connection, AT.0, AT.1);
        assert!(!follower.was_recorded(connection, 6));
        follower.set_possible(true);
        let Do::Connect(next) = follower.next() else { panic!("the wish is forgotten") };
        assert!(next != connection && follower.told().is_some_and(|told| told.number == 5));
    }

    #[test]
    fn device_that_is_not_known_ends_it_and_says_so_until_somebody_wants_it_again() {
        let (mut follower, connection) = connected();
        follower.lost(connection, Lost::ForGood { why: "unknown-device" }, AT, &mut RetryPolicy::default(), 0);
        assert_eq!(follower.standing(), Following::Ended { why: "unknown-device" });
        assert_eq!(follower.next(), Do::Rest);
        follower.want();
        assert!(matches!(follower.next(), Do::Connect(_)));
    }

    #[test]
    fn issuer_that_asks_for_patience_gets_it_and_somebody_who_wants_it_now_does_not_wait() {
        let (mut follower, connection) = connected();
        let busy = Lost::ForNow { why: "overloaded", failure: Failure::Busy { retry_after_ms: Some(90_000) } };
        follower.lost(connection, busy, AT, &mut RetryPolicy::default(), 0);
        let Do::Wait(_, ms) = follower.next() else { panic!("it does not wait") };
        assert!(ms >= 90_000);
        let next_try_at = AT.0.plus(ms);
        assert_eq!(follower.standing(), Following::Waiting { why: "overloaded", next_try_at });
        follower.want();
        assert!(matches!(follower.next(), Do::Connect(_)));
    }
}
