//! Starting, stopping, and what a data folder says about it.

use std::time::Duration;

use reqwest::Method;
use saifu_sandbox::{FolderError, InfoError, IssuerSnapshot, Options, Ports, Sandbox, SandboxInfo, StartError};
use saifu_wire::messages::HistoryPage;
use saifu_wire::{Operation, ProblemCode, headers};
use serde_json::{Value, json};

use super::support::{Phone, Scene, With, client};

#[tokio::test(flavor = "multi_thread")]
async fn restart_keeps_accounts_and_keys_and_ends_sessions() {
    let scene = Scene::start().await;
    let mut phone = scene.phone("090-4000-0001").await;
    phone.cash_in(scene.info(), 3_000).await;
    let pins = scene.info().pins.clone();
    let scene = scene.restart().await;
    assert_eq!(scene.info().pins, pins);
    let old_token = phone.session.access_token.clone();
    phone.reopen(scene.info()).await;
    assert_eq!(phone.home().await.balance_yen.0, 3_000);
    phone.session.access_token = old_token;
    assert_eq!(phone.get(Operation::Home).await.code(), ProblemCode::InvalidToken);
}

/// Its control: without `DELETE FROM era` in `Store::copy_to` a copy is taken for the original. The seed must not matter.
#[tokio::test(flavor = "multi_thread")]
async fn era_survives_a_restart_and_is_another_after_each_restore_and_reset() {
    let folder = tempfile::tempdir().unwrap();
    let options = |reset| Options { reset, seed: Some(7), ..Options::new(folder.path()) };
    let running = Sandbox::start(options(false)).await.unwrap();
    let mut phone = Phone::sign_up(running.info(), "090-4000-0009").await;
    let first = phone.home().await.era;
    let page: HistoryPage = phone.get(Operation::History).await.ok();
    assert_eq!(page.era, first);
    let with = With { token: Some(phone.token()), ..With::default() };
    let stream = phone.peer.build(Operation::Events, b"", &with).send().await.unwrap();
    assert_eq!(stream.headers()[headers::ERA].to_str().unwrap(), first.to_string());
    drop(stream);
    let info = running.info();
    let asked = client(info).get(format!("{}/snapshot", info.lever_url)).bearer_auth(&info.lever_token).send().await;
    let copy: IssuerSnapshot = asked.unwrap().json().await.unwrap();
    running.stop().await;

    let running = Sandbox::start(options(false)).await.unwrap();
    phone.reopen(running.info()).await;
    assert_eq!(phone.home().await.era, first);
    running.stop().await;

    let mut seen = vec![first];
    for _ in 0..2 {
        copy.restore(folder.path()).unwrap();
        let running = Sandbox::start(options(false)).await.unwrap();
        phone.reopen(running.info()).await;
        seen.push(phone.home().await.era);
        running.stop().await;
    }
    let running = Sandbox::start(options(true)).await.unwrap();
    seen.push(Phone::sign_up(running.info(), "090-4000-0009").await.home().await.era);
    running.stop().await;
    let different: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!(different.len(), 4, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn info_is_there_while_it_runs_and_gone_after_a_clean_stop() {
    let scene = Scene::start().await;
    let path = scene.folder.path().join("sandbox.json");
    let info = SandboxInfo::read(&path).unwrap();
    assert_eq!((info.pid, info.pins.len()), (std::process::id(), 2));
    assert!(info.started_at.ends_with('Z'), "{}", info.started_at);
    let url = format!("{}/service.json", info.service_url);
    let http = client(&info);
    http.get(&url).send().await.unwrap();
    scene.running.stop().await;
    assert!(matches!(SandboxInfo::read(&path), Err(InfoError::Missing(_))));
    assert!(client(&info).get(&url).send().await.unwrap_err().is_connect());
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_it_frees_the_folder() {
    let scene = Scene::start().await;
    drop(scene.running);
    assert!(!scene.folder.path().join("sandbox.json").exists());
    Sandbox::start(Options::new(scene.folder.path())).await.unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folder_in_use_and_ports_in_use_are_named() {
    let scene = Scene::start().await;
    let second = Sandbox::start(Options::new(scene.folder.path())).await;
    assert!(matches!(second.err(), Some(StartError::Folder(FolderError::InUse(_)))));
    assert!(SandboxInfo::read(&scene.folder.path().join("sandbox.json")).is_ok());

    let port: u16 = scene.info().customer_url.rsplit(':').next().unwrap().parse().unwrap();
    let other = tempfile::tempdir().unwrap();
    let taken = Sandbox::start(Options { ports: Ports::At(port), ..Options::new(other.path()) }).await;
    assert!(matches!(taken.err(), Some(StartError::Port { port: named, .. }) if named == port));
    let none_above = Sandbox::start(Options { ports: Ports::At(u16::MAX), ..Options::new(other.path()) }).await;
    assert!(matches!(none_above.err(), Some(StartError::Port { .. })));
    let next = Sandbox::start(Options { ports: Ports::From(port), ..Options::new(other.path()) }).await.unwrap();
    let moved: u16 = next.info().customer_url.rsplit(':').next().unwrap().parse().unwrap();
    assert!(moved > port && (moved - port).is_multiple_of(4), "{moved} instead of {port}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clock_moves_ahead_survives_a_restart_and_never_goes_back() {
    let scene = Scene::start().await;
    let before = scene.running.issuer().now();
    let moved: Value = scene.control(Method::POST, "/clock", Some(json!({ "advance_ms": 259_200_000_u64 }))).await.ok();
    assert!(moved["now"].as_u64().unwrap() >= before.0 + 259_200_000);
    assert!(moved["ran"].is_array() && moved["held"] == false);
    for body in [json!({ "to": before.0 }), json!({}), json!({ "advance_ms": -1 }), json!({ "advance_ms": 1, "to": 2 })]
    {
        let answer = scene.control(Method::POST, "/clock", Some(body)).await;
        assert_eq!(answer.code(), ProblemCode::InvalidRequest);
    }
    let scene = scene.restart().await;
    let now: Value = scene.control(Method::GET, "/clock", None).await.ok();
    assert!(now["now"].as_u64().unwrap() >= moved["now"].as_u64().unwrap());
    assert_eq!(now["offset_ms"], moved["offset_ms"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_is_sound_after_money_moved() {
    let scene = Scene::start().await;
    let phone = scene.phone("090-4000-0002").await;
    phone.cash_in(scene.info(), 3_000).await;
    let audit: Value = scene.control(Method::GET, "/audit", None).await.ok();
    assert_eq!((&audit["ok"], &audit["faults"]), (&json!(true), &json!([])));
    assert!(audit["postings"].as_u64().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_stream_does_not_hold_up_the_stop() {
    let scene = Scene::start().await;
    let phone = scene.phone("090-4000-0003").await;
    let with = super::support::With { token: Some(phone.token()), ..Default::default() };
    let stream = phone.peer.build(Operation::Events, b"", &with).send().await.unwrap();
    tokio::time::timeout(Duration::from_secs(4), scene.running.stop()).await.expect("the stop hangs");
    drop(stream);
}
