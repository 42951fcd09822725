//! Each call ends within the time of its class. Time is real until the network is dead, and tokio's own from then on: nothing
//! here depends on how fast a machine is.

use std::sync::Arc;
use std::time::Duration;

use saifu_link::LinkError;
use saifu_policy::Class;
use saifu_wire::Operation;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::{Instant, pause};

use crate::scripted::{Answer, Issuer, NOW_MS, ask, ask_alone, device, link, silent_peer, usual};

/// What a deadline may be overrun by: the time before the network died, and a tick.
const SLACK: Duration = Duration::from_millis(900);

/// A network that takes a connection and says nothing.
async fn dead() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    (listener, url)
}

/// An issuer that falls silent at its first request of this operation, and tells when it does.
async fn silent_at(operation: Operation) -> (Issuer, Arc<Notify>) {
    let fell = Arc::new(Notify::new());
    let tell = Arc::clone(&fell);
    let issuer = Issuer::start((2026, 2027), move |asked| {
        let answer = if asked.operation == Some(operation) {
            tell.notify_one();
            Answer::Never
        } else {
            usual(&asked)
        };
        async move { answer }
    })
    .await;
    (issuer, fell)
}

#[tokio::test]
async fn till_on_a_dead_network_is_refused_within_three_seconds_and_nothing_was_sent() {
    let (issuer, _) = silent_at(Operation::Code).await;
    let (_listener, url) = dead().await;
    let config = saifu_link::IssuerConfig { api: url.parse().unwrap(), ..issuer.config() };
    let (link, _) = link(config, NOW_MS);
    link.set_credentials(Some(crate::scripted::Counting::new().credentials()));
    pause();
    let begun = Instant::now();
    // Callers that come one after another, and ten at a time: none waits for the others' time as well.
    for crowd in [1, 10] {
        let began = Instant::now();
        let calls: Vec<_> = (0..crowd)
            .map(|_| {
                let link = Arc::clone(&link);
                tokio::spawn(async move { ask(&link, Operation::Code, Class::Pay).await })
            })
            .collect();
        for call in calls {
            let error = call.await.unwrap().unwrap_err();
            assert!(matches!(error, LinkError::Offline) && error.certain(), "{error:?}");
        }
        assert!(began.elapsed() <= Duration::from_secs(3), "{:?}", began.elapsed());
    }
    assert!(begun.elapsed() >= Duration::from_secs(1), "it was tried");
}

#[tokio::test]
async fn till_whose_network_dies_under_a_request_does_not_wait_longer_and_knows_that_it_was_sent() {
    let (issuer, fell) = silent_at(Operation::Code).await;
    let (link, _, _) = device(&issuer);
    let begun = Instant::now();
    let call = tokio::spawn(async move { ask(&link, Operation::Code, Class::Pay).await });
    fell.notified().await;
    pause();
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, LinkError::NoAnswer), "{error:?}");
    assert!(begun.elapsed() <= Duration::from_secs(3) + SLACK, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn till_does_not_wait_for_a_session_that_hangs_and_an_intent_then_knows_that_it_was_not_sent() {
    for (class, limit) in [(Class::Pay, 3), (Class::Intent, 6)] {
        let (issuer, fell) = silent_at(Operation::Session).await;
        let (link, _, keys) = device(&issuer);
        let begun = Instant::now();
        let asking = Arc::clone(&link);
        let call = tokio::spawn(async move { ask(&asking, Operation::TopUp, class).await });
        fell.notified().await;
        pause();
        let error = call.await.unwrap().unwrap_err();
        assert!(matches!(error, LinkError::Offline) && error.certain(), "{error:?}");
        assert!(begun.elapsed() <= Duration::from_secs(limit) + SLACK, "{class:?} {:?}", begun.elapsed());
        assert_eq!((keys.signed(), issuer.count(Operation::TopUp)), (0, 0));
        tokio::time::resume();
    }
}

#[tokio::test]
async fn stream_that_does_not_open_and_a_dead_service_origin_end_and_hold_nobody_up() {
    let (issuer, fell) = silent_at(Operation::Events).await;
    let (_listener, url) = dead().await;
    let config = saifu_link::IssuerConfig { service: url.parse().unwrap(), ..issuer.config() };
    let (link, _) = link(config, NOW_MS);
    link.set_credentials(Some(crate::scripted::Counting::new().credentials()));
    let spawn = |link: &Arc<saifu_link::Link>| {
        let (stream, document) = (Arc::clone(link), Arc::clone(link));
        let stream = tokio::spawn(async move { stream.events(0).await.map(|_| ()) });
        (stream, tokio::spawn(async move { document.service_document(0).await.map(|_| ()) }))
    };
    let (stream, document) = spawn(&link);
    fell.notified().await;
    // Both hang: a code comes all the same.
    ask(&link, Operation::Code, Class::Pay).await.unwrap();
    assert!(!stream.is_finished() && !document.is_finished());
    pause();
    let begun = Instant::now();
    assert!(matches!(document.await.unwrap(), Err(LinkError::Offline | LinkError::NoAnswer)));
    assert!(matches!(stream.await.unwrap(), Err(LinkError::NoAnswer)));
    assert!(begun.elapsed() <= Duration::from_millis(Class::Stream.deadline_ms()), "{:?}", begun.elapsed());
}

/// A connection that died without a word must not take the next request with it as well.
#[tokio::test]
async fn http_1_1_is_offered_and_a_connection_that_died_is_left_behind() {
    let (issuer, came) = (silent_at(Operation::Code).await.0, Arc::new(Notify::new()));
    let (link, _) = link(silent_peer(&issuer, Arc::clone(&came)).await, NOW_MS);
    for _ in 0..2 {
        let asking = Arc::clone(&link);
        let call = tokio::spawn(async move { ask_alone(&asking).await });
        // A new connection each time; the control waits here in vain.
        tokio::time::timeout(Duration::from_secs(15), came.notified()).await.unwrap();
        pause();
        assert!(matches!(call.await.unwrap(), Err(LinkError::NoAnswer)));
        tokio::time::resume();
    }
}
