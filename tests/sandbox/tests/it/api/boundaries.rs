//! Each listener serves its own operations and nothing else.

use data_encoding::BASE64;
use reqwest::Method;
use saifu_crypto::PublicKey;
use saifu_rig::{Answer, Issuer, Peer, client, control};
use saifu_wire::messages::{ServiceDocument, SettleRequest, SignedDocument, Switch, SwitchRequest};
use saifu_wire::{Listener, Operation, ProblemCode, signed};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn operations_are_absent_from_every_listener_but_their_own() {
    let scene = Issuer::start().await;
    let (info, http) = (&scene.info, client(&scene.info));
    let origins = [
        (Some(Listener::Customer), &info.customer_url),
        (Some(Listener::Register), &info.register_url),
        (Some(Listener::Service), &info.service_url),
    ];
    for operation in Operation::ALL {
        for (listener, origin) in origins {
            let method = Method::from_bytes(operation.method().as_bytes()).unwrap();
            let request = http.request(method, format!("{origin}{}", operation.path()));
            let answer = Answer::read(request.header("content-type", "application/json").send().await.unwrap()).await;
            let absent = answer.status == 404 && answer.code() == ProblemCode::NotFound;
            assert_eq!(absent, listener != Some(operation.listener()), "{} at {listener:?}", operation.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn control_api_is_reached_by_nobody_but_their_listener_and_token() {
    let scene = Issuer::start().await;
    let (info, http) = (&scene.info, client(&scene.info));
    let control = [
        (Method::GET, "/sms?number=%2B819010000000"),
        (Method::GET, "/clock"),
        (Method::POST, "/clock"),
        (Method::GET, "/audit"),
    ];
    for (method, path) in &control {
        for origin in [&info.customer_url, &info.register_url, &info.service_url] {
            let request = http.request(method.clone(), format!("{origin}{path}")).bearer_auth(&info.lever_token);
            assert_eq!(Answer::read(request.send().await.unwrap()).await.status, 404, "{origin}{path}");
        }
        for token in [None, Some(""), Some("guess"), info.lever_token.get(1..)] {
            let mut request = http.request(method.clone(), format!("{}{path}", info.lever_url));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let answer = Answer::read(request.send().await.unwrap()).await;
            assert_eq!((answer.status, answer.code()), (401, ProblemCode::InvalidToken), "{path}");
        }
        let with_token = control::ask(info, method.as_str(), path, json!({ "advance_ms": 1 })).unwrap();
        assert_eq!(with_token.status, 200, "{path} {}", with_token.text);
    }
    let control_address: std::net::SocketAddr = info.lever_url.strip_prefix("http://").unwrap().parse().unwrap();
    assert!(control_address.ip().is_loopback());
}

#[tokio::test(flavor = "multi_thread")]
async fn terminals_are_known_by_their_key_and_do_only_what_their_kind_may() {
    let scene = Issuer::start().await;
    let settle = json!({ "txid": "t-1", "digits": "1".repeat(24), "yen": 100 });
    let authorize = json!({ "txid": "t-2", "number": "000000000000", "totp": "000000" });
    let deposit = json!({ "txid": "t-2", "yen": 100 });
    let switch = SwitchRequest { switch: Switch::Code, on: true, reason: "works".into() };
    let switch = serde_json::to_value(&switch).unwrap();
    let of_each = [
        (Operation::Settle, &settle, "register-1"),
        (Operation::AtmAuthorize, &authorize, "atm-1"),
        (Operation::AtmDeposit, &deposit, "atm-1"),
        (Operation::SwitchSet, &switch, "operator-1"),
    ];
    for name in ["register-1", "atm-1", "operator-1"] {
        let terminal = scene.terminal(name);
        for (operation, body, allowed) in of_each {
            let answer = terminal.ask(operation, body).await;
            if name == allowed {
                assert_eq!(answer.status, 200, "{name} {}", answer.text);
            } else {
                assert_eq!(answer.code(), ProblemCode::UnknownTerminal, "{name} {}", operation.name());
            }
        }
    }
    let stranger = Peer::stranger(&scene.info);
    assert_eq!(stranger.ask(Operation::Settle, &settle).await.code(), ProblemCode::UnknownTerminal);
    // Who asks is decided before what is asked.
    assert_eq!(stranger.ask(Operation::Settle, &json!({})).await.code(), ProblemCode::UnknownTerminal);
    let _: SettleRequest = serde_json::from_value(settle).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn service_document_is_signed_and_its_version_rises_with_a_switch() {
    let scene = Issuer::start().await;
    let http = client(&scene.info);
    let key = PublicKey::from_spki(&BASE64.decode(scene.info.service_key.as_bytes()).unwrap()).unwrap();
    let fetch = async |tag: Option<&str>| {
        let mut request = http.get(format!("{}/service.json", scene.info.service_url));
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        Answer::read(request.send().await.unwrap()).await
    };
    let read = |answer: &Answer| {
        let document: SignedDocument = answer.ok();
        key.verify_der(&signed::service_document(document.document.as_bytes()), &document.signature.0).unwrap();
        serde_json::from_str::<ServiceDocument>(&document.document).unwrap()
    };
    let first = fetch(None).await;
    let before = read(&first);
    let tag = first.header("etag").unwrap();
    assert_eq!(fetch(Some(tag)).await.status, 304);

    let switch = SwitchRequest { switch: Switch::TopUpAtm, on: false, reason: "ATMs rest until noon".into() };
    assert_eq!(scene.terminal("operator-1").ask(Operation::SwitchSet, &switch).await.status, 200);
    let second = fetch(Some(tag)).await;
    assert_eq!(second.status, 200);
    let after = read(&second);
    assert!(after.version > before.version);
    assert!(after.notices.contains(&"ATMs rest until noon".to_owned()), "{:?}", after.notices);
    assert!(after.features.switches.iter().any(|state| state.switch == Switch::TopUpAtm && !state.on));
}

#[tokio::test(flavor = "multi_thread")]
async fn api_document_is_public() {
    let scene = Issuer::start().await;
    let request = client(&scene.info).get(format!("{}/openapi.json", scene.info.customer_url));
    let document: Value = Answer::read(request.send().await.unwrap()).await.ok();
    assert_eq!(document, saifu_sandbox::openapi::document());
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_is_the_pinned_one_and_nothing_else_is_trusted() {
    let scene = Issuer::start().await;
    let http = client(&scene.info);
    let response = http.get(format!("{}/service.json", scene.info.service_url)).send().await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    // The control: without the sandbox's authority there is no connection.
    let other = Issuer::start().await;
    let stranger = client(&other.info).get(format!("{}/service.json", scene.info.service_url)).send().await;
    assert!(stranger.unwrap_err().is_connect());
}
