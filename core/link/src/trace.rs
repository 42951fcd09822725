//! One trace id from the tap to the posting: every request that a tap causes carries the same one, session and repeats
//! included, so that the issuer's log shows them as one story. It says nothing about anybody.

use data_encoding::HEXLOWER;
use saifu_crypto::{Random as _, SystemRandom};

tokio::task_local! {
    static TRACE: String;
}

/// A fresh trace id: 16 random characters.
#[must_use]
pub fn new_trace() -> String {
    let random: [u8; 8] = SystemRandom.bytes().unwrap_or_default();
    HEXLOWER.encode(&random)
}

/// Runs something as one tap with a trace of its own; inside another tap it belongs to that one.
pub async fn traced<F: Future>(work: F) -> F::Output {
    if current().is_some() { work.await } else { traced_as(new_trace(), work).await }
}

/// Runs something as part of a tap that began earlier.
pub async fn traced_as<F: Future>(trace: String, work: F) -> F::Output {
    TRACE.scope(trace, work).await
}

/// The trace of the tap that runs here.
pub(crate) fn current() -> Option<String> {
    TRACE.try_with(Clone::clone).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everything_in_a_tap_has_its_trace_and_two_taps_differ() {
        let tap = || traced(async { (current().unwrap(), traced(async { current().unwrap() }).await) });
        let ((one, inner), (other, _)) = (tap().await, tap().await);
        assert_eq!(one, inner);
        assert_ne!(one, other);
        assert!(one.len() == 16 && saifu_wire::Name::new(one).is_ok() && current().is_none());
    }
}
