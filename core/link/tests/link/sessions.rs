//! Sessions are opened once for everybody, with one signature, and only who lost one gives it up.

use std::sync::Arc;

use saifu_link::LinkError;
use saifu_policy::Class;
use saifu_wire::{Operation, ProblemCode};
use serde_json::json;
use tokio::sync::{Notify, Semaphore};

use crate::scripted::{Answer, Issuer, ask, device, session, usual};

#[tokio::test]
async fn first_session_is_signed_once_by_the_device() {
    let issuer = Issuer::start((2026, 2027), |asked| async move { usual(&asked) }).await;
    let (link, _, keys) = device(&issuer);
    ask(&link, Operation::Home, Class::Screen).await.unwrap();
    assert_eq!((keys.signed(), issuer.count(Operation::Session)), (1, 2), "a nonce first, then the one signature");
    ask(&link, Operation::Home, Class::Screen).await.unwrap();
    assert_eq!((keys.signed(), issuer.count(Operation::Session)), (1, 2));
}

#[tokio::test]
async fn nonce_that_is_too_old_is_renewed_before_the_device_signs() {
    // It takes the nonce of a minute ago from nobody.
    let issuer = Issuer::start((2026, 2027), |asked| async move {
        match asked.operation {
            Some(Operation::Session) if asked.nth % 2 == 1 => Answer::Refused(ProblemCode::UseDpopNonce),
            Some(Operation::Session) => Answer::Ok(session(asked.nth)),
            _ => Answer::Ok(json!({})),
        }
    })
    .await;
    let (link, clock, keys) = device(&issuer);
    ask(&link, Operation::Home, Class::Screen).await.unwrap();
    link.set_credentials(Some(keys.credentials()));
    clock.advance(120_000);
    ask(&link, Operation::Home, Class::Screen).await.unwrap();
    assert_eq!((keys.signed(), issuer.count(Operation::Session)), (2, 4));
}

#[tokio::test]
async fn everybody_who_waits_for_an_opening_gets_its_outcome_good_or_bad() {
    for good in [true, false] {
        let (gate, came) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
        let (held, tell) = (Arc::clone(&gate), Arc::clone(&came));
        let issuer = Issuer::start((2026, 2027), move |asked| {
            let (held, tell) = (Arc::clone(&held), Arc::clone(&tell));
            async move {
                if asked.operation == Some(Operation::Session) && asked.nth == 2 {
                    tell.notify_one();
                    held.acquire().await.unwrap().forget();
                    if !good {
                        return Answer::Refused(ProblemCode::SwitchedOff);
                    }
                }
                usual(&asked)
            }
        })
        .await;
        let (link, _, keys) = device(&issuer);
        let calls: Vec<_> = (0..10)
            .map(|_| {
                let link = Arc::clone(&link);
                tokio::spawn(async move { ask(&link, Operation::Home, Class::Screen).await })
            })
            .collect();
        came.notified().await;
        // All ten have come as far as they can.
        tokio::task::yield_now().await;
        gate.add_permits(1);
        for call in calls {
            let outcome = call.await.unwrap().map_err(|error| error.code());
            assert!(if good { outcome.is_ok() } else { outcome == Err(Some(ProblemCode::SwitchedOff)) }, "{outcome:?}");
        }
        assert_eq!((keys.signed(), issuer.count(Operation::Session)), (1, 2), "good: {good}");
    }
}

/// Two tasks hold the same token when the issuer forgets it. The second learns that late, when the first has a new one.
#[tokio::test]
async fn invalid_token_of_one_task_leaves_the_session_that_another_has_opened() {
    let (late, came) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
    let (held, tell) = (Arc::clone(&late), Arc::clone(&came));
    let issuer = Issuer::start((2026, 2027), move |asked| {
        let (held, tell) = (Arc::clone(&held), Arc::clone(&tell));
        async move {
            let forgotten = asked.token.as_deref() == Some("token-2");
            match asked.operation {
                Some(Operation::History) if forgotten => {
                    tell.notify_one();
                    held.acquire().await.unwrap().forget();
                    Answer::Refused(ProblemCode::InvalidToken)
                }
                Some(Operation::Home) if forgotten && asked.nth > 1 => Answer::Refused(ProblemCode::InvalidToken),
                _ => usual(&asked),
            }
        }
    })
    .await;
    let (link, _, keys) = device(&issuer);
    ask(&link, Operation::Home, Class::Screen).await.unwrap();
    let slow = Arc::clone(&link);
    let slow = tokio::spawn(async move { ask(&slow, Operation::History, Class::Screen).await });
    came.notified().await;
    ask(&link, Operation::Home, Class::Screen).await.unwrap();
    assert_eq!(keys.signed(), 2, "the first task has opened another");
    late.add_permits(1);
    slow.await.unwrap().unwrap();
    assert_eq!((keys.signed(), issuer.count(Operation::Session)), (2, 3), "the second task uses it");
}

#[tokio::test]
async fn session_that_comes_after_its_device_was_forgotten_is_not_kept() {
    let (late, came) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
    let (held, tell) = (Arc::clone(&late), Arc::clone(&came));
    let issuer = Issuer::start((2026, 2027), move |asked| {
        let (held, tell) = (Arc::clone(&held), Arc::clone(&tell));
        async move {
            if asked.operation == Some(Operation::Session) && asked.nth == 2 {
                tell.notify_one();
                held.acquire().await.unwrap().forget();
            }
            usual(&asked)
        }
    })
    .await;
    let (link, _, keys) = device(&issuer);
    let asking = Arc::clone(&link);
    let call = tokio::spawn(async move { ask(&asking, Operation::Home, Class::Screen).await });
    came.notified().await;
    link.set_credentials(None);
    assert!(matches!(ask(&link, Operation::Home, Class::Screen).await, Err(LinkError::NoCredentials)));
    late.add_permits(1);
    assert!(matches!(call.await.unwrap(), Err(LinkError::NoCredentials)));
    assert_eq!(issuer.count(Operation::Home), 0);
    // Neither serves the next device.
    link.set_credentials(Some(keys.credentials()));
    ask(&link, Operation::Home, Class::Screen).await.unwrap();
    assert_eq!((keys.signed(), issuer.count(Operation::Session)), (2, 3));
}

#[tokio::test]
async fn renewal_that_is_not_answered_is_not_followed_by_an_opening() {
    let issuer = Issuer::start((2026, 2027), |asked| async move {
        if asked.operation == Some(Operation::Token) { Answer::Cut } else { usual(&asked) }
    })
    .await;
    let (link, clock, keys) = device(&issuer);
    ask(&link, Operation::Home, Class::Screen).await.unwrap();
    // The token is over, its session is not.
    clock.advance(290_000);
    assert!(matches!(ask(&link, Operation::Home, Class::Intent).await, Err(LinkError::Offline)));
    assert_eq!((keys.signed(), issuer.count(Operation::Token)), (1, 1));
}
