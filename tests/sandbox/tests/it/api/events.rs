//! The event stream: woken by what happens, never polled.

use std::time::{Duration, Instant};

use reqwest::Response;
use saifu_rig::terminal::scan;
use saifu_rig::{Issuer, Phone, With};
use saifu_wire::messages::{Event, EventBody, Outcome, SettleAnswer};
use saifu_wire::{Operation, ProblemCode};

async fn follow(phone: &Phone, after: u64) -> Response {
    let headers = vec![("last-event-id", after.to_string())];
    let with = With { headers, ..phone.with() };
    let response = phone.peer.stream(phone.peer.build(Operation::Events, b"", &with)).await;
    assert_eq!(response.headers().get("content-type").unwrap(), "text/event-stream");
    response
}

/// The next event, without its comments; `None` when the stream ends.
async fn next(response: &mut Response) -> Option<(u64, Event)> {
    let chunk =
        tokio::time::timeout(Duration::from_secs(10), response.chunk()).await.expect("no event came").unwrap()?;
    if chunk.is_empty() {
        // The frame that ends an HTTP/2 stream.
        return None;
    }
    let text = std::str::from_utf8(&chunk).unwrap();
    let (id, data) = text.strip_prefix("id: ").unwrap().split_once('\n').unwrap();
    let data = data.strip_prefix("data: ").unwrap().split('\n').next().unwrap();
    Some((id.parse().unwrap(), serde_json::from_str(data).unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn settlement_wakes_the_stream() {
    let (scene, phone) = Issuer::with_balance("090-3000-0001", 5_000).await;
    let code = phone.code().await;
    let mut stream = follow(&phone, phone.home().await.last_event).await;
    // Nothing comes by itself: what comes below comes from the settlement.
    let quiet = tokio::time::timeout(Duration::from_millis(300), stream.chunk()).await;
    assert!(quiet.is_err(), "{quiet:?}");

    let settled: SettleAnswer =
        scene.terminal("register-1").ask(Operation::Settle, &scan("sale-1", &code.digits, 1_200)).await.ok();
    assert_eq!(settled.result, Outcome::Approved);
    let since = Instant::now();
    let (id, event) = next(&mut stream).await.unwrap();
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    assert_eq!(id, event.number);
    assert_eq!(event.balance_yen.0, 3_800);
    let EventBody::Entry { entry } = event.body else { panic!("{event:?}") };
    assert_eq!(entry.yen.0, -1_200);
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_goes_on_after_the_last_event_seen() {
    let (_scene, phone) = Issuer::with_balance("090-3000-0002", 2_000).await;
    let last = phone.home().await.last_event;
    assert!(last > 0);
    let mut stream = follow(&phone, last - 1).await;
    assert_eq!(next(&mut stream).await.unwrap().0, last);
    let with = With { headers: vec![("last-event-id", "x".into())], ..phone.with() };
    assert_eq!(phone.peer.send_with(Operation::Events, b"", &with).await.code(), ProblemCode::InvalidRequest);
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_ends_with_its_session() {
    let (scene, phone) = Issuer::with_phone("090-3000-0003").await;
    let mut stream = follow(&phone, phone.home().await.last_event).await;
    scene.advance(3_500_000);
    let early = tokio::time::timeout(Duration::from_millis(300), next(&mut stream)).await;
    assert!(early.is_err(), "{early:?}");
    scene.advance(100_000);
    assert!(next(&mut stream).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_has_a_bounded_number_of_streams() {
    let (_scene, phone) = Issuer::with_phone("090-3000-0004").await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(follow(&phone, 0).await);
    }
    let answer = phone.get(Operation::Events).await;
    assert_eq!((answer.code(), answer.header("retry-after")), (ProblemCode::Overloaded, Some("5")));
}
