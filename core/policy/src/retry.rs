//! When a failed request is tried again: exponential back-off with jitter, the issuer's Retry-After obeyed, and one budget
//! over all requests, so that a crowd of phones adds at most a tenth to the load of an issuer that is down.

/// What a request is for; it decides how often it may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Somebody stands at a till: one quick repeat.
    Pay,
    /// Money moves by an intent: never repeated by itself; its outcome is resolved.
    Intent,
    /// A screen waits for it.
    Screen,
    /// Nobody waits.
    Background,
}

impl Class {
    /// Every class.
    pub const ALL: &[Self] = &[Self::Pay, Self::Intent, Self::Screen, Self::Background];

    /// The stable name, as logs use it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Intent => "intent",
            Self::Screen => "screen",
            Self::Background => "background",
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

    /// A try failed; `tries` have been made (≥ 1). `random` draws the jitter.
    pub fn on_failure(&mut self, class: Class, tries: u32, failure: Failure, random: u32) -> Decision {
        let most = match class {
            Class::Intent => 1,
            Class::Pay => 2,
            Class::Screen => 3,
            Class::Background => 5,
        };
        if tries >= most || self.tenths < Self::COST_TENTHS {
            return Decision::GiveUp;
        }
        let base: u64 = match class {
            Class::Pay => 100,
            Class::Intent | Class::Screen => 300,
            Class::Background => 2_000,
        };
        let ceiling = base.saturating_mul(1_u64 << tries.min(10)).min(Self::LONGEST_WAIT_MS);
        // Half fixed, half drawn: devices that failed together do not come back together.
        let jitter = ceiling.saturating_mul(u64::from(random)) >> 33;
        let wait = (ceiling / 2).saturating_add(jitter);
        let wait = match failure {
            Failure::Busy { retry_after_ms: Some(asked) } if asked > Self::LONGEST_WAIT_MS => return Decision::GiveUp,
            Failure::Busy { retry_after_ms: Some(asked) } => asked.saturating_add(jitter),
            _ => wait,
        };
        self.tenths = self.tenths.saturating_sub(Self::COST_TENTHS);
        Decision::RetryAfter(wait)
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "counters of a test")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn intents_are_never_repeated() {
        assert_eq!(RetryPolicy::default().on_failure(Class::Intent, 1, Failure::NoAnswer, 0), Decision::GiveUp);
    }

    #[test]
    fn issuer_asking_for_patience_gets_it() {
        let mut policy = RetryPolicy::default();
        let busy = |ms| Failure::Busy { retry_after_ms: Some(ms) };
        assert!(matches!(policy.on_failure(Class::Screen, 1, busy(5_000), 9), Decision::RetryAfter(5_000..)));
        assert_eq!(policy.on_failure(Class::Screen, 1, busy(60_000), 9), Decision::GiveUp);
    }

    proptest! {
        #[test]
        fn repeats_stay_within_a_tenth_of_the_requests(requests in 1_u32..3_000, random: u32) {
            let mut policy = RetryPolicy::default();
            let mut repeats = 0;
            for _ in 0..requests {
                policy.on_first_try();
                let mut tries = 1;
                while let Decision::RetryAfter(wait) =
                    policy.on_failure(Class::Background, tries, Failure::NoAnswer, random)
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
