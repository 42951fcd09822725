//! Starting, stopping, and what a data folder says about it.

use std::time::Duration;

use saifu_rig::{Issuer, Phone, client, control};
use saifu_sandbox::{FolderError, InfoError, IssuerSnapshot, Options, Ports, Sandbox, SandboxInfo, StartError};
use saifu_wire::messages::HistoryPage;
use saifu_wire::{Operation, ProblemCode, headers};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn restart_keeps_accounts_and_keys_and_ends_sessions() {
    let (scene, mut phone) = Issuer::with_balance("090-4000-0001", 3_000).await;
    let pins = scene.info.pins.clone();
    let scene = scene.restarted().await;
    assert_eq!(scene.info.pins, pins);
    let old_token = phone.session.access_token.clone();
    phone.reopen(&scene.info).await;
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
    let stream = phone.peer.stream(phone.peer.build(Operation::Events, b"", &phone.with())).await;
    assert_eq!(stream.headers()[headers::ERA].to_str().unwrap(), first.to_string());
    drop(stream);
    let copy: IssuerSnapshot = control::ask(running.info(), "GET", "/snapshot", None).unwrap().ok();
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
    let scene = Issuer::start().await;
    let path = scene.info_file();
    let info = SandboxInfo::read(&path).unwrap();
    assert_eq!((info.pid, info.pins.len()), (std::process::id(), 2));
    assert!(info.started_at.ends_with('Z'), "{}", info.started_at);
    let url = format!("{}/service.json", info.service_url);
    let http = client(&info);
    http.get(&url).send().await.unwrap();
    scene.stop().await;
    assert!(matches!(SandboxInfo::read(&path), Err(InfoError::Missing(_))));
    assert!(client(&info).get(&url).send().await.unwrap_err().is_connect());
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_it_frees_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    drop(Sandbox::start(Options::new(folder.path())).await.unwrap());
    assert!(!folder.path().join("sandbox.json").exists());
    Sandbox::start(Options::new(folder.path())).await.unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folder_in_use_and_ports_in_use_are_named() {
    let scene = Issuer::start().await;
    let second = Sandbox::start(Options::new(scene.data())).await;
    assert!(matches!(second.err(), Some(StartError::Folder(FolderError::InUse(_)))));
    assert!(SandboxInfo::read(&scene.info_file()).is_ok());

    let port: u16 = scene.info.customer_url.rsplit(':').next().unwrap().parse().unwrap();
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
    let scene = Issuer::start().await;
    let before = scene.running().issuer().now();
    let moved = scene.advance(259_200_000);
    assert!(moved["now"].as_u64().unwrap() >= before.0 + 259_200_000);
    assert!(moved["ran"].is_array() && moved["held"] == false);
    for body in [json!({ "to": before.0 }), json!({}), json!({ "advance_ms": -1 }), json!({ "advance_ms": 1, "to": 2 })]
    {
        let answer = control::ask(&scene.info, "POST", "/clock", body).unwrap();
        assert_eq!(answer.code(), ProblemCode::InvalidRequest);
    }
    let scene = scene.restarted().await;
    let now = scene.control("GET", "/clock", None);
    assert!(now["now"].as_u64().unwrap() >= moved["now"].as_u64().unwrap());
    assert_eq!(now["offset_ms"], moved["offset_ms"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_is_sound_after_money_moved() {
    let (scene, _phone) = Issuer::with_balance("090-4000-0002", 3_000).await;
    scene.assert_books_balance();
}

#[tokio::test(flavor = "multi_thread")]
async fn open_stream_does_not_hold_up_the_stop() {
    let (scene, phone) = Issuer::with_phone("090-4000-0003").await;
    let stream = phone.peer.stream(phone.peer.build(Operation::Events, b"", &phone.with())).await;
    tokio::time::timeout(Duration::from_secs(4), scene.stop()).await.expect("the stop hangs");
    drop(stream);
}
