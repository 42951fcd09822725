//! Faults over real sockets: what the asker sees, and whether it was done.

use std::time::{Duration, Instant};

use data_encoding::BASE64;
use saifu_crypto::PublicKey;
use saifu_rig::{Issuer, client, control};
use saifu_wire::messages::{Event, EventBody, HistoryPage, Home, ServiceDocument, SignedDocument};
use saifu_wire::{Operation, signed};
use serde_json::{Value, json};

fn add(scene: &Issuer, fault: Value) {
    scene.control("POST", "/faults", fault);
}

async fn service(scene: &Issuer) -> reqwest::Result<reqwest::Response> {
    let info = &scene.info;
    let request = client(info).get(format!("{}/service.json", info.service_url));
    request.timeout(Duration::from_secs(5)).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_connection_gives_no_answer_and_the_next_one_does() {
    let scene = Issuer::start().await;
    for act in ["drop-request", "drop-answer"] {
        add(&scene, json!({"on": "service-document", "do": act, "times": 1}));
        let lost = service(&scene).await.unwrap_err();
        assert!(!lost.is_connect() && !lost.is_timeout(), "{act}: {lost:?}");
        assert_eq!(service(&scene).await.unwrap().status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_comes_bare_and_delays_take_their_time() {
    let scene = Issuer::start().await;
    add(&scene, json!({"on": "service-document", "do": "status:502", "times": 1}));
    add(&scene, json!({"on": "service-document", "do": "delay:300", "times": 1}));
    let refused = service(&scene).await.unwrap();
    assert_eq!(refused.status(), 502);
    assert_eq!(refused.bytes().await.unwrap().len(), 0);
    let started = Instant::now();
    assert_eq!(service(&scene).await.unwrap().status(), 200);
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_that_makes_no_sense_has_the_issuers_status_and_media_type() {
    let scene = Issuer::start().await;
    add(&scene, json!({"on": "service-document", "do": "garbage", "times": 1}));
    add(&scene, json!({"on": "service-document", "do": "nonsense", "times": 1}));
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let answer = service(&scene).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"application/json".parse().unwrap())
        );
        bodies.push(answer.bytes().await.unwrap());
    }
    assert!(serde_json::from_slice::<Value>(&bodies[0]).is_err(), "{:?}", bodies[0]);
    assert!(serde_json::from_slice::<Value>(&bodies[1]).is_ok(), "{:?}", bodies[1]);
    let is_document = |body: &[u8]| serde_json::from_slice::<saifu_wire::messages::SignedDocument>(body).is_ok();
    assert_eq!(bodies.iter().map(|body| is_document(body)).collect::<Vec<_>>(), [false, false, true]);
}

/// What a later version may write is read by this one; what is known of it is right.
#[tokio::test(flavor = "multi_thread")]
async fn issuer_of_tomorrow_is_read_by_a_caller_of_today() {
    let (scene, phone) = Issuer::with_balance("090-5000-0001", 5_000).await;
    for on in ["home", "history", "code", "service-document", "events"] {
        add(&scene, json!({"on": on, "do": "newer"}));
    }
    let (home, text) = {
        let answer = phone.get(Operation::Home).await;
        (answer.ok::<Home>(), answer.text)
    };
    assert!(text.contains("of_tomorrow"), "{text}");
    assert_eq!((home.balance_yen.0, home.standing.as_str()), (5_000, "starter-of-tomorrow"));
    assert!(home.notices.iter().all(|notice| notice.kind.known().is_none()), "{home:?}");
    let page: HistoryPage = phone.get(Operation::History).await.ok();
    let [line] = page.entries.as_slice() else { panic!("{page:?}") };
    assert_eq!(
        (line.kind.as_str(), line.state.as_str(), line.yen.0),
        ("top-up-of-tomorrow", "done-of-tomorrow", 5_000)
    );

    let refusal = phone.ask(Operation::Code, &json!({"purpose": "unheard-of"})).await.problem();
    assert_eq!((refusal.code.as_str(), refusal.status), ("invalid-request-of-tomorrow", 400));
    assert_eq!(refusal.kind, "urn:saifu:problem:invalid-request-of-tomorrow");

    let signed: SignedDocument = service(&scene).await.unwrap().json().await.unwrap();
    let key = PublicKey::from_spki(&BASE64.decode(scene.info.service_key.as_bytes()).unwrap()).unwrap();
    key.verify_der(&signed::service_document(signed.document.as_bytes()), &signed.signature.0).unwrap();
    let document: ServiceDocument = serde_json::from_str(&signed.document).unwrap();
    assert_eq!(document.qr.as_str(), "digits-of-tomorrow");
    assert!(document.features.switches.iter().all(|it| it.on && it.switch.known().is_none()), "{document:?}");

    let mut stream = phone.peer.stream(phone.peer.build(Operation::Events, b"", &phone.with())).await;
    let chunk = stream.chunk().await.unwrap().unwrap();
    let told = std::str::from_utf8(&chunk).unwrap().lines().filter_map(|line| line.strip_prefix("data: "));
    let told: Vec<Event> = told.map(|data| serde_json::from_str(data).unwrap()).collect();
    let numbers: Vec<u64> = told.iter().map(|event| event.number).collect();
    assert_eq!(numbers, (1..=home.last_event).collect::<Vec<_>>());
    assert!(told.iter().all(|event| (event.body == EventBody::Other) != event.number.is_multiple_of(2)), "{told:?}");
    assert_eq!(told.last().unwrap().balance_yen, home.balance_yen);
}

#[tokio::test(flavor = "multi_thread")]
async fn reordered_request_is_answered_after_the_next_one() {
    let scene = Issuer::start().await;
    add(&scene, json!({"on": "service-document", "do": "reorder", "times": 1}));
    let held = async { service(&scene).await.unwrap().status() };
    let next = async {
        while scene.control("GET", "/faults", None)["held"] != 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        service(&scene).await.unwrap().status()
    };
    let started = Instant::now();
    let (held, next) = tokio::join!(held, next);
    assert_eq!((held.as_u16(), next.as_u16()), (200, 200));
    assert!(started.elapsed() < Duration::from_millis(saifu_sandbox::faults::REORDER_MS), "it waited for its bound");
    let list = scene.control("GET", "/faults", None);
    assert_eq!((&list["held"], &list["faults"][0]["struck"]), (&json!(0), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_request_ends_with_the_issuer() {
    let scene = Issuer::start().await;
    add(&scene, json!({"on": "service-document", "do": "hang"}));
    let info = scene.info.clone();
    let asking =
        tokio::spawn(async move { client(&info).get(format!("{}/service.json", info.service_url)).send().await });
    while scene.control("GET", "/faults", None)["held"] != 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    scene.stop().await;
    assert!(asking.await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_listed_refused_and_cleared() {
    let scene = Issuer::start().await;
    let answer = control::ask(&scene.info, "POST", "/faults", json!({"on": "settle", "do": "kill-issuer"})).unwrap();
    assert_eq!((answer.status, answer.problem().code.as_str()), (400, "invalid-request"));
    assert!(answer.text.contains("saifu sandbox"), "{}", answer.text);
    for bad in [json!({"on": "pay", "do": "hang"}), json!({"on": "settle", "do": "x"}), json!({"on": "settle"})] {
        assert_eq!(control::ask(&scene.info, "POST", "/faults", bad).unwrap().status, 400);
    }
    add(&scene, json!({"on": "settle", "do": "duplicate", "from": "register-1", "times": 2, "chance": 0.5}));
    let list = scene.control("GET", "/faults", None);
    let expected =
        json!({"on": "settle", "from": "register-1", "do": "duplicate", "times": 2, "chance": 0.5, "struck": 0});
    assert_eq!(list, json!({"faults": [expected], "held": 0}));
    let cleared = scene.control("DELETE", "/faults", None);
    assert_eq!(cleared, json!({"faults": [], "held": 0}));
}
