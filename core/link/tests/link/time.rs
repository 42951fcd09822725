//! The issuer's time comes with its answers, and a late one does not set it back.

use std::sync::{Arc, Mutex};

use saifu_host::doubles::ManualClock;
use saifu_policy::{Trust, TrustedTime};
use serde_json::json;

use crate::scripted::{Answer, ISSUER_MS, Issuer, NOW_MS, ask_alone, link};

#[tokio::test]
async fn answer_that_was_long_on_its_way_does_not_set_the_time_back() {
    // The second answer is given at once and arrives 20 s later.
    let clock: Arc<Mutex<Option<Arc<ManualClock>>>> = Arc::default();
    let moved = Arc::clone(&clock);
    let issuer = Issuer::start((2026, 2027), move |asked| {
        if asked.nth == 2 {
            moved.lock().unwrap().as_ref().unwrap().advance(20_000);
        }
        async move { Answer::At(ISSUER_MS, json!({})) }
    })
    .await;
    let (link, manual) = link(issuer.config(), NOW_MS);
    assert_eq!((link.time().trust, link.anchor()), (Trust::Unanchored, None));
    *clock.lock().unwrap() = Some(manual);
    ask_alone(&link).await.unwrap();
    assert_eq!((link.time().issuer_ms, link.time().trust), (ISSUER_MS, Trust::Full));
    ask_alone(&link).await.unwrap();
    assert_eq!(link.time().issuer_ms, ISSUER_MS + 20_000);
}

#[tokio::test]
async fn anchor_that_was_kept_is_gone_on_from_after_a_restart() {
    let issuer = Issuer::start((2026, 2027), |_| async { Answer::Never }).await;
    let (link, clock) = link(issuer.config(), NOW_MS);
    let reading = saifu_host::Clock::read(&*clock);
    link.restore_anchor(TrustedTime::anchored(ISSUER_MS, reading));
    clock.advance(7);
    assert_eq!((link.time().issuer_ms, link.time().trust), (ISSUER_MS + 7, Trust::Full));
    clock.reboot([9; 16]);
    assert_eq!(link.time().trust, Trust::Rebooted);
}
