//! What is malformed is refused before a rule sees it, and the refusal repeats nothing of it.

use reqwest::Method;
use saifu_rig::{Answer, Issuer, Peer, With, client};
use saifu_wire::{Operation, ProblemCode};

#[tokio::test(flavor = "multi_thread")]
async fn malformed_body_is_refused_with_the_fields_name_and_without_its_value() {
    let scene = Issuer::start().await;
    let peer = Peer::stranger(&scene.info);
    let fine = r#""request":"00000000-0000-4000-8000-000000000000","code":"271828","signature":"AA""#;
    for (body, detail) in [
        ("{".into(), "the body is not JSON"),
        ("[]".into(), "a field is not what belongs there"),
        (format!("{{{fine},\"extra\":1}}"), "`extra` does not belong here"),
        (format!("{{{fine},\"code\":\"314159\"}}"), "`code` is there twice"),
        (r#"{"code":"271828","signature":"AA"}"#.into(), "`request` is missing"),
        (fine.replace("\"271828\"", "271828"), "`code` is not what belongs there"),
        (format!("{{{fine}}} x"), "there is something after the JSON"),
    ] {
        let body = if body.starts_with('"') { format!("{{{body}}}") } else { body };
        let answer = peer.send_with(Operation::SignUpConfirm, body.as_bytes(), &With::default()).await;
        let problem = answer.problem();
        assert_eq!(problem.code, ProblemCode::InvalidRequest, "{body}");
        assert_eq!(problem.detail.as_deref(), Some(detail), "{body}");
        assert!(!answer.text.contains("271828") && !answer.text.contains("314159"), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn body_over_16_kib_is_refused_and_one_of_16_kib_is_read() {
    let scene = Issuer::start().await;
    let peer = Peer::stranger(&scene.info);
    let body = |len: usize| format!("{{}}{}", " ".repeat(len - 2)).into_bytes();
    let limit = saifu_sandbox::MAX_BODY;
    let code = peer.send_with(Operation::SignUp, &body(limit), &With::default()).await.code();
    assert_eq!(code, ProblemCode::InvalidRequest);
    for len in [limit + 1, 10 * limit] {
        let answer = peer.send_with(Operation::SignUp, &body(len), &With::default()).await;
        assert_eq!((answer.status, answer.code()), (413, ProblemCode::TooLarge));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_json_is_taken() {
    let scene = Issuer::start().await;
    let peer = Peer::stranger(&scene.info);
    peer.greet(Operation::SignUp).await;
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"] {
        let mut request = peer.build(Operation::SignUp, b"{}", &With::default());
        request.headers_mut().insert("content-type", media_type.parse().unwrap());
        let answer = peer.execute(request).await;
        assert_eq!(answer.code(), ProblemCode::UnsupportedMediaType, "{media_type}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn query_is_read_strictly_and_only_where_one_belongs() {
    let (_scene, phone) = Issuer::with_phone("090-1000-0001").await;
    for (operation, query, fine) in [
        (Operation::History, "?after=0", true),
        (Operation::History, "", true),
        (Operation::History, "?after=-1", false),
        (Operation::History, "?after=0&after=1", false),
        (Operation::History, "?since=1", false),
        (Operation::Home, "?after=0", false),
    ] {
        let with = With { query, ..phone.with() };
        let answer = phone.peer.send_with(operation, b"", &with).await;
        assert_eq!(answer.status == 200, fine, "{query} {}", answer.text);
        assert!(fine || answer.code() == ProblemCode::InvalidRequest);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn top_up_without_a_uuidv7_as_its_key_is_refused() {
    let (_scene, phone) = Issuer::with_phone("090-1000-0002").await;
    let (key, request) = phone.approve(1_000).await;
    let body = serde_json::to_vec(&request).unwrap();
    let header = |value: &str| ("idempotency-key", value.to_owned());
    let v4 = "00000000-0000-4000-8000-000000000000";
    for headers in
        [vec![], vec![header("x")], vec![header(v4)], vec![header(&key.to_string()), header(&key.to_string())]]
    {
        let with = With { headers, ..phone.with() };
        let problem = phone.peer.send_with(Operation::TopUp, &body, &with).await.problem();
        assert_eq!(problem.code, ProblemCode::InvalidRequest);
        assert_eq!(problem.detail.as_deref(), Some("`idempotency-key` is not a UUIDv7"));
    }
    assert_eq!(phone.top_up(key, &request).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_methods_are_named() {
    let scene = Issuer::start().await;
    let http = client(&scene.info);
    let ask = async |method: Method, path: &str| {
        Answer::read(http.request(method, format!("{}{path}", scene.info.customer_url)).send().await.unwrap()).await
    };
    assert_eq!(ask(Method::GET, "/v1/nothing").await.code(), ProblemCode::NotFound);
    assert_eq!(ask(Method::GET, "/v1/home/").await.code(), ProblemCode::NotFound);
    let answer = ask(Method::DELETE, "/v1/home").await;
    assert_eq!((answer.code(), answer.header("allow")), (ProblemCode::MethodNotAllowed, Some("GET")));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_time_nonce_and_trace_and_is_never_cached() {
    let (scene, phone) = Issuer::with_phone("090-1000-0003").await;
    let with = With { headers: vec![("saifu-trace", "tap-1".into())], ..phone.with() };
    for answer in [
        phone.peer.send_with(Operation::Home, b"", &with).await,
        phone.peer.send_with(Operation::Code, b"{", &with).await,
    ] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("saifu-trace"), Some("tap-1"));
        assert_eq!(answer.header("dpop-nonce").map(str::len), Some(43));
        let time: u64 = answer.header("saifu-time").unwrap().parse().unwrap();
        assert!(scene.running().issuer().now().0.abs_diff(time) < 60_000);
    }
}
