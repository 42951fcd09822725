//! When a failed request is tried again: exponential back-off with jitter, the issuer's Retry-After obeyed, and one budget
//! over all requests, so that a crowd of phones adds at most a tenth to the load of an issuer that is down.

/// What a request is for; it decides how often it may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Somebody stands at a till: one quick repeat.
    Pay,
    /// A register or an ATM asks: one quick repeat, and more time than a customer has, because what it asks is done.
    Terminal,
    /// Money moves by an intent: never repeated by itself; its outcome is resolved.
    Intent,
    /// A screen waits for it.
    Screen,
    /// Nobody waits.
    Background,
    /// A stream of events is opened. What ended is opened again by [`Reconnect`], not by itself.
    Stream,
}

impl Class {
    /// Every class.
    pub const ALL: &[Self] = &[Self::Pay, Self::Terminal, Self::Intent, Self::Screen, Self::Background, Self::Stream];

    /// The stable name, as logs use it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Terminal => "terminal",
            Self::Intent => "intent",
            Self::Screen => "screen",
            Self::Background => "background",
            Self::Stream => "stream",
        }
    }

    /// How long a call of this class may take in all, its connection, its session and its repeats included, in milliseconds.
    #[must_use]
    pub fn deadline_ms(self) -> u64 {
        match self {
            Self::Pay => 3_000,
            Self::Stream => 15_000,
            Self::Terminal | Self::Intent | Self::Screen => 20_000,
            Self::Background => 60_000,
        }
    }
}

/// How a try failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No answer arrived.
    NoAnswer,
    /// The issuer said "busy", perhaps for how long.
    Busy {
        /// Milliseconds from Retry-After.
        retry_after_ms: Option<u64>,
    },
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Tell the caller.
    GiveUp,
    /// Try again after this many milliseconds.
    RetryAfter(u64),
}

/// The budget of one wallet: every first try earns a tenth of a repeat, up to ten in hand.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    tenths: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { tenths: 30 }
    }
}

impl RetryPolicy {
    const MOST_TENTHS: u32 = 100;
    const COST_TENTHS: u32 = 10;
    const LONGEST_WAIT_MS: u64 = 30_000;

    /// A request is sent for the first time.
    pub fn on_first_try(&mut self) {
        self.tenths = self.tenths.saturating_add(1).min(Self::MOST_TENTHS);
    }

    /// A try failed; `tries` have been made (≥ 1), and another one must begin within `left_ms`. `random` draws the jitter.
    pub fn on_failure(&mut self, class: Class, tries: u32, failure: Failure, left_ms: u64, random: u32) -> Decision {
        let most = match class {
            Class::Intent | Class::Stream => 1,
            Class::Pay | Class::Terminal => 2,
            Class::Screen => 3,
            Class::Background => 5,
        };
        if tries >= most {
            return Decision::GiveUp;
        }
        let base: u64 = match class {
            Class::Pay | Class::Terminal => 100,
            Class::Intent | Class::Screen => 300,
            Class::Background | Class::Stream => 2_000,
        };
        if matches!(failure, Failure::Busy { retry_after_ms: Some(asked) } if asked > Self::LONGEST_WAIT_MS) {
            return Decision::GiveUp;
        }
        let ceiling = base.saturating_mul(1_u64 << tries.min(10)).min(Self::LONGEST_WAIT_MS);
        let pause = pause(ceiling, failure, random);
        if pause > left_ms || !self.pays() {
            return Decision::GiveUp;
        }
        Decision::RetryAfter(pause)
    }

    /// Takes a repeat out of the budget, if there is one in it.
    fn pays(&mut self) -> bool {
        let enough = self.tenths >= Self::COST_TENTHS;
        if enough {
            self.tenths = self.tenths.saturating_sub(Self::COST_TENTHS);
        }
        enough
    }
}

/// Half of the ceiling, or what the issuer asked for, and up to half of the ceiling more: devices that failed together do not
/// come back together.
fn pause(ceiling: u64, failure: Failure, random: u32) -> u64 {
    let jitter = ceiling.saturating_mul(u64::from(random)) >> 33;
    let least = match failure {
        Failure::Busy { retry_after_ms: Some(asked) } => asked,
        _ => ceiling / 2,
    };
    least.saturating_add(jitter)
}

/// When a stream that is to stay open is opened again. It never gives up: each time in a row it waits longer, and longest once
/// the budget of its wallet is empty. What the issuer asked for is waited for, however long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconnect {
    /// Times in a row that it ended or could not be opened.
    tries: u32,
    /// When it was opened, by the elapsed clock.
    opened_ms: Option<u64>,
}

impl Reconnect {
    const FIRST_MS: u64 = 1_000;
    const LONGEST_MS: u64 = 60_000;
    /// Without a budget.
    const POOR_MS: u64 = 240_000;
    /// A stream that stood so long was no failure.
    const STOOD_MS: u64 = 10_000;

    /// The stream is open; `elapsed_ms` is the host's elapsed clock.
    pub fn opened(&mut self, elapsed_ms: u64) {
        self.opened_ms = Some(elapsed_ms);
    }

    /// It ended, or could not be opened. How many milliseconds to wait before the next try; `random` draws the jitter.
    pub fn ended(&mut self, elapsed_ms: u64, budget: &mut RetryPolicy, failure: Failure, random: u32) -> u64 {
        let stood = self.opened_ms.take().is_some_and(|opened| elapsed_ms.saturating_sub(opened) >= Self::STOOD_MS);
        let paid = if stood {
            // What comes after it is no repeat.
            self.tries = 0;
            budget.on_first_try();
            true
        } else {
            budget.pays()
        };
        let grown = Self::FIRST_MS.saturating_mul(1_u64 << self.tries.min(10)).min(Self::LONGEST_MS);
        self.tries = self.tries.saturating_add(1);
        pause(if paid { grown } else { Self::POOR_MS }, failure, random)
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "counters of a test")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn intents_are_never_repeated() {
        assert_eq!(RetryPolicy::default().on_failure(Class::Intent, 1, Failure::NoAnswer, 9_000, 0), Decision::GiveUp);
    }

    #[test]
    fn issuer_asking_for_patience_gets_it() {
        let mut policy = RetryPolicy::default();
        let busy = |ms| Failure::Busy { retry_after_ms: Some(ms) };
        assert!(matches!(policy.on_failure(Class::Screen, 1, busy(5_000), 9_000, 9), Decision::RetryAfter(5_000..)));
        assert_eq!(policy.on_failure(Class::Screen, 1, busy(60_000), 90_000, 9), Decision::GiveUp);
    }

    #[test]
    fn repeat_that_would_come_too_late_is_not_made_and_costs_nothing() {
        let mut policy = RetryPolicy { tenths: RetryPolicy::COST_TENTHS };
        assert_eq!(policy.on_failure(Class::Pay, 1, Failure::NoAnswer, 99, 0), Decision::GiveUp);
        assert_eq!(policy.on_failure(Class::Pay, 1, Failure::NoAnswer, 100, 0), Decision::RetryAfter(100));
        assert_eq!(policy.on_failure(Class::Pay, 1, Failure::NoAnswer, 100, 0), Decision::GiveUp);
    }

    #[test]
    fn till_is_answered_or_refused_within_three_seconds() {
        assert_eq!(Class::Pay.deadline_ms(), 3_000);
        assert!(Class::ALL.iter().all(|class| class.deadline_ms() >= 3_000));
    }

    #[test]
    fn stream_waits_as_long_as_the_issuer_asks_and_begins_anew_once_it_stood() {
        let (mut reconnect, mut budget) = (Reconnect::default(), RetryPolicy::default());
        let busy = Failure::Busy { retry_after_ms: Some(3_600_000) };
        assert!(reconnect.ended(0, &mut budget, busy, u32::MAX) >= 3_600_000);
        let second = reconnect.ended(0, &mut budget, Failure::NoAnswer, 0);
        // One that is closed at once has not stood.
        reconnect.opened(1_000);
        let third = reconnect.ended(1_005, &mut budget, Failure::NoAnswer, 0);
        assert!(second < third, "{second} {third}");
        reconnect.opened(2_000);
        budget = RetryPolicy::default();
        assert_eq!(reconnect.ended(2_000 + Reconnect::STOOD_MS, &mut budget, Failure::NoAnswer, 0), 500);
    }

    #[test]
    fn streams_that_ended_together_do_not_come_back_together() {
        let pause = |random| Reconnect::default().ended(0, &mut RetryPolicy::default(), Failure::NoAnswer, random);
        assert_eq!((pause(0), pause(u32::MAX / 2), pause(u32::MAX)), (500, 749, 999));
    }

    proptest! {
        #[test]
        fn pauses_of_a_stream_are_bounded_and_its_reconnects_within_the_budget(
            fates in prop::collection::vec((any::<u32>(), prop::option::of(0_u64..30_000)), 1..200),
        ) {
            let (mut reconnect, mut budget, mut now) = (Reconnect::default(), RetryPolicy::default(), 0);
            let (mut quick, mut earned) = (0_u32, 30_u32);
            for (random, stood) in fates {
                let free = stood.is_some_and(|stood| stood >= Reconnect::STOOD_MS);
                if let Some(stood) = stood {
                    reconnect.opened(now);
                    now += stood;
                }
                let pause = reconnect.ended(now, &mut budget, Failure::NoAnswer, random);
                prop_assert!((Reconnect::FIRST_MS / 2..=Reconnect::POOR_MS).contains(&pause), "{pause}");
                earned += u32::from(free);
                quick += u32::from(!free && pause < Reconnect::POOR_MS / 2);
                now += pause;
            }
            prop_assert!(quick <= earned / 10, "{quick} of {earned} tenths");
        }

        #[test]
        fn repeats_stay_within_a_tenth_of_the_requests(requests in 1_u32..3_000, random: u32) {
            let mut policy = RetryPolicy::default();
            let mut repeats = 0;
            for _ in 0..requests {
                policy.on_first_try();
                let mut tries = 1;
                while let Decision::RetryAfter(wait) =
                    policy.on_failure(Class::Background, tries, Failure::NoAnswer, 60_000, random)
                {
                    prop_assert!(wait <= RetryPolicy::LONGEST_WAIT_MS);
                    tries += 1;
                    repeats += 1;
                }
            }
            prop_assert!(repeats <= 3 + requests / 10, "{repeats} for {requests}");
        }
    }
}
