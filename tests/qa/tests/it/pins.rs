//! A wallet talks to the issuer whose key it has pinned, and to nobody else, whatever certificate they show.

use std::sync::Arc;

use saifu_host::desktop::DesktopClock;
use saifu_link::{Auth, IssuerConfig, Link, LinkError, Request, Roots};
use saifu_policy::Class;
use saifu_wire::messages::{TokenAnswer, TokenRequest};
use saifu_wire::{Operation, ProblemCode, Sensitive};

use crate::support::common::issuer;

/// Any question to which this issuer, and only an issuer, has an answer.
async fn ask(config: IssuerConfig) -> LinkError {
    let link = Link::new(config, Arc::new(DesktopClock::new()), "rig").unwrap();
    let body = TokenRequest { session: Sensitive::new("nothing") };
    let answer = link.call::<_, TokenAnswer>(Request::new(Operation::Token, Auth::Proof, Class::Intent), &body).await;
    answer.unwrap_err()
}

#[tokio::test]
async fn pinned_issuer_is_talked_to_and_the_same_issuer_with_another_pin_is_not() {
    let issuer = issuer(None);
    let good = issuer.config();
    // The control: with the right pin the connection stands and the issuer refuses for a reason of its own.
    assert_eq!(ask(good.clone()).await.code(), Some(ProblemCode::InvalidToken));
    let wrong = IssuerConfig { pins: vec![[7; 32]], ..good.clone() };
    let error = ask(wrong).await;
    assert!(matches!(error, LinkError::Untrusted(_)), "{error:?}");
    assert!(!error.certain(), "whoever answered may have acted");
    let none = IssuerConfig { pins: Vec::new(), ..good.clone() };
    assert!(matches!(ask(none).await, LinkError::Untrusted(_)));
    // A pin does not replace the certificate authority.
    let public = IssuerConfig { roots: Roots::WebPki, ..good };
    assert!(matches!(ask(public).await, LinkError::Untrusted(_)));
}

#[tokio::test]
async fn spare_pin_alone_does_not_let_the_present_key_in() {
    let issuer = issuer(None);
    let config = issuer.config();
    assert_eq!(config.pins.len(), 2, "the key in use and its spare");
    let mut accepted = 0;
    for pin in config.pins.clone() {
        let one = IssuerConfig { pins: vec![pin], ..config.clone() };
        accepted += usize::from(ask(one).await.code() == Some(ProblemCode::InvalidToken));
    }
    assert_eq!(accepted, 1);
}

#[tokio::test]
async fn nobody_there_is_offline_and_certain() {
    let mut issuer = issuer(None);
    let config = issuer.config();
    issuer.kill();
    let error = ask(config).await;
    assert!(matches!(error, LinkError::Offline) && error.certain(), "{error:?}");
}
