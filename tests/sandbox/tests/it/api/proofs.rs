//! Proof of possession over the wire. Each defence alone, with its control, is tested beside it; here they meet sockets.

use saifu_crypto::{KeyPair, Random as _};
use saifu_rig::{Issuer, Peer, With};
use saifu_wire::dpop::{self, Claims};
use saifu_wire::messages::{CodeRequest, Purpose, TokenAnswer, TokenRequest};
use saifu_wire::{Operation, ProblemCode};

#[tokio::test(flavor = "multi_thread")]
async fn recorded_request_is_refused_when_sent_again() {
    let (_scene, phone) = Issuer::with_phone("090-2000-0001").await;
    let with = phone.with();
    let body = serde_json::to_vec(&CodeRequest { purpose: Purpose::Pay }).unwrap();
    let recorded = phone.peer.build(Operation::Code, &body, &with);
    let again = recorded.clone();
    assert_eq!(phone.peer.execute(recorded).await.status, 200);
    let answer = phone.peer.execute(again).await;
    assert_eq!(answer.code(), ProblemCode::InvalidDpopProof);
    assert!(answer.header("www-authenticate").unwrap().contains("invalid_dpop_proof"));
    // The control: the same request with a proof of its own passes.
    assert_eq!(phone.peer.send_with(Operation::Code, &body, &with).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nonce_dies_with_the_issuers_clock_and_the_answer_brings_the_next() {
    let (scene, phone) = Issuer::with_phone("090-2000-0002").await;
    let with = phone.with();
    let stale = phone.peer.build(Operation::Home, b"", &with);
    scene.advance(120_000);
    let answer = phone.peer.execute(stale).await;
    assert_eq!(answer.code(), ProblemCode::UseDpopNonce);
    assert!(answer.header("www-authenticate").unwrap().contains("use_dpop_nonce"));
    assert_ne!(answer.header("dpop-nonce").map(Into::into), phone.peer.nonce());
    assert_eq!(phone.peer.send_with(Operation::Home, b"", &with).await.code(), ProblemCode::UseDpopNonce);
    assert_eq!(phone.get(Operation::Home).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn stolen_token_is_worth_nothing_without_its_key() {
    let (_scene, phone) = Issuer::with_phone("090-2000-0003").await;
    let thief = KeyPair::generate().unwrap();
    let stolen = With { key: Some(&thief), ..phone.with() };
    assert_eq!(phone.peer.send_with(Operation::Home, b"", &stolen).await.code(), ProblemCode::InvalidToken);
    for scheme in ["Bearer", "Basic"] {
        let mut request = phone.peer.build(Operation::Home, b"", &phone.with());
        request.headers_mut().insert("authorization", format!("{scheme} {}", phone.token()).parse().unwrap());
        let answer = phone.peer.execute(request).await;
        assert_eq!(answer.code(), ProblemCode::InvalidToken, "{scheme}");
    }
    assert_eq!(phone.get(Operation::Home).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn proof_for_another_address_or_body_is_refused() {
    let (_scene, phone) = Issuer::with_phone("090-2000-0004").await;
    let honest = phone.peer.url(Operation::Code);
    let body = br#"{"purpose":"pay"}"#.as_slice();
    for (uri, about) in [
        (honest.replace("127.0.0.1", "localhost"), body),
        (honest.replace("https", "http"), body),
        (format!("{honest}?x=1"), body),
        (honest.clone(), br#"{"purpose":"cash-in"}"#.as_slice()),
        (honest.clone(), b"".as_slice()),
        (honest.clone(), body),
    ] {
        let nonce = phone.peer.nonce();
        let claims = Claims {
            method: "POST",
            uri: &uri,
            body: about,
            nonce: nonce.as_deref(),
            access_token: Some(phone.token()),
        };
        let jti = saifu_crypto::SystemRandom.bytes().unwrap();
        let proof = dpop::build(&phone.peer.key, &claims, jti, 1).unwrap();
        let mut request = phone.peer.build(Operation::Code, body, &phone.with());
        request.headers_mut().insert("dpop", proof.parse().unwrap());
        let answer = phone.peer.execute(request).await;
        if uri == honest && about == body {
            assert_eq!(answer.status, 200, "{}", answer.text);
        } else {
            assert_eq!(answer.code(), ProblemCode::InvalidDpopProof, "{uri}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn session_gives_tokens_to_its_own_key_until_it_ends() {
    let (scene, phone) = Issuer::with_phone("090-2000-0005").await;
    let request = TokenRequest { session: phone.session.session.clone() };
    let renewed: TokenAnswer = phone.peer.ask(Operation::Token, &request).await.ok();
    let with = With { token: Some(renewed.access_token.expose()), ..With::default() };
    assert_eq!(phone.peer.send_with(Operation::Home, b"", &with).await.status, 200);

    let thief = Peer::stranger(&scene.info);
    assert_eq!(thief.ask(Operation::Token, &request).await.code(), ProblemCode::InvalidToken);

    scene.advance(300_000);
    phone.peer.greet(Operation::Session).await;
    assert_eq!(phone.get(Operation::Home).await.code(), ProblemCode::InvalidToken);
    assert_eq!(phone.peer.ask(Operation::Token, &request).await.status, 200);

    scene.advance(3_600_000);
    phone.peer.greet(Operation::Session).await;
    assert_eq!(phone.peer.ask(Operation::Token, &request).await.code(), ProblemCode::InvalidToken);
    assert_eq!(phone.open_session().await.status, 200);
}
