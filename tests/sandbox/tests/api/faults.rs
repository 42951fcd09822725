//! Faults over real sockets: what the asker sees, and whether it was done.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Scene, client};

async fn add(scene: &Scene, fault: Value) {
    let answer = scene.lever(Method::POST, "/faults", Some(fault)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

async fn service(scene: &Scene) -> reqwest::Result<reqwest::Response> {
    let info = scene.info();
    let request = client(info).get(format!("{}/service.json", info.service_url));
    request.timeout(Duration::from_secs(5)).send().await
}

#[tokio::test]
async fn dropped_connection_gives_no_answer_and_the_next_one_does() {
    let scene = Scene::start().await;
    for act in ["drop-request", "drop-answer"] {
        add(&scene, json!({"on": "service-document", "do": act, "times": 1})).await;
        let lost = service(&scene).await.unwrap_err();
        assert!(!lost.is_connect() && !lost.is_timeout(), "{act}: {lost:?}");
        assert_eq!(service(&scene).await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn status_comes_bare_and_delays_take_their_time() {
    let scene = Scene::start().await;
    add(&scene, json!({"on": "service-document", "do": "status:502", "times": 1})).await;
    add(&scene, json!({"on": "service-document", "do": "delay:300", "times": 1})).await;
    let refused = service(&scene).await.unwrap();
    assert_eq!(refused.status(), 502);
    assert_eq!(refused.bytes().await.unwrap().len(), 0);
    let started = Instant::now();
    assert_eq!(service(&scene).await.unwrap().status(), 200);
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn answer_that_makes_no_sense_has_the_issuers_status_and_media_type() {
    let scene = Scene::start().await;
    add(&scene, json!({"on": "service-document", "do": "garbage", "times": 1})).await;
    add(&scene, json!({"on": "service-document", "do": "nonsense", "times": 1})).await;
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

#[tokio::test]
async fn reordered_request_is_answered_after_the_next_one() {
    let scene = Scene::start().await;
    add(&scene, json!({"on": "service-document", "do": "reorder", "times": 1})).await;
    let held = async { service(&scene).await.unwrap().status() };
    let next = async {
        while scene.lever(Method::GET, "/faults", None).await.json::<Value>()["held"] != 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        service(&scene).await.unwrap().status()
    };
    let started = Instant::now();
    let (held, next) = tokio::join!(held, next);
    assert_eq!((held.as_u16(), next.as_u16()), (200, 200));
    assert!(started.elapsed() < Duration::from_millis(saifu_sandbox::faults::REORDER_MS), "it waited for its bound");
    let list: Value = scene.lever(Method::GET, "/faults", None).await.json();
    assert_eq!((&list["held"], &list["faults"][0]["struck"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn hanging_request_ends_with_the_issuer() {
    let scene = Scene::start().await;
    add(&scene, json!({"on": "service-document", "do": "hang"})).await;
    let info = scene.info().clone();
    let asking =
        tokio::spawn(async move { client(&info).get(format!("{}/service.json", info.service_url)).send().await });
    while scene.lever(Method::GET, "/faults", None).await.json::<Value>()["held"] != 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    scene.running.stop().await;
    assert!(asking.await.unwrap().is_err());
}

#[tokio::test]
async fn faults_are_listed_refused_and_cleared() {
    let scene = Scene::start().await;
    let answer = scene.lever(Method::POST, "/faults", Some(json!({"on": "settle", "do": "kill-issuer"}))).await;
    assert_eq!((answer.status, answer.problem().code.as_str()), (400, "invalid-request"));
    assert!(answer.text.contains("saifu sandbox"), "{}", answer.text);
    for bad in [json!({"on": "pay", "do": "hang"}), json!({"on": "settle", "do": "x"}), json!({"on": "settle"})] {
        assert_eq!(scene.lever(Method::POST, "/faults", Some(bad)).await.status, 400);
    }
    add(&scene, json!({"on": "settle", "do": "duplicate", "from": "register-1", "times": 2, "chance": 0.5})).await;
    let list: Value = scene.lever(Method::GET, "/faults", None).await.json();
    let expected =
        json!({"on": "settle", "from": "register-1", "do": "duplicate", "times": 2, "chance": 0.5, "struck": 0});
    assert_eq!(list, json!({"faults": [expected], "held": 0}));
    let cleared: Value = scene.lever(Method::DELETE, "/faults", None).await.json();
    assert_eq!(cleared, json!({"faults": [], "held": 0}));
}
