//! What the command says in words where a test of JSON does not look, and what it does not wait for.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::common::{Home, Ran, bare, run};

const NUMBER: &str = "090-1234-5678";

/// The same without `--json`.
fn said(home: &Home, words: &str) -> Ran {
    let mut command = bare(words.split(' '));
    command.args(["--key-store", "file", "--home"]).arg(home.path());
    run(command)
}

#[test]
fn events_log_and_ports_are_told_in_words() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:8940");
    let mut command = bare(["sandbox", "--home"]);
    let mut sandbox = command.arg(home.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(sandbox.stdout.take().unwrap()).lines().map(Result::unwrap);
    let text: Vec<String> = lines.by_ref().take_while(|line| !line.contains("paste this first")).collect();
    assert!(text.iter().any(|line| line.starts_with("Port 8940 or one of the three above it is taken")), "{text:?}");
    drop(taken);
    home.sign_up("me", NUMBER);
    home.top_up(5_000);
    home.run(["register", "scan", "--digits", &home.digits(), "--yen", "1280"]).done();
    home.run(["register", "scan", "--digits", &home.digits(), "--yen", "9000", "--txid", "dear"])
        .declined("over-limit");
    home.balance();
    let events = said(&home, "wallet events").stdout;
    let of = |what: &str| events.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {events}"));
    assert!(of("top-up: ¥5,000 at bank-1").contains("JST  "), "{events}");
    assert!(of("payment: -¥1,280 at shop-1").contains("JST  ") && !events.contains('{'), "{events}");
    let refused = said(&home, "sandbox log --refused").stdout;
    let refused: Vec<&str> = refused.lines().collect();
    assert_eq!(refused.len(), 1, "only the decline, no handshake: {refused:?}");
    assert!(
        refused[0].contains("settle") && refused[0].contains("declined: over-limit (pay.starter_day_yen)"),
        "{refused:?}"
    );
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
}

#[test]
fn quiet_demo_says_the_balance_and_nothing_else() {
    let ran = run(bare(["demo", "--quiet"]));
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "The balance is ¥3,720.\n", ""));
}

#[test]
fn watched_scenario_is_played_again_when_it_is_saved() {
    let home = Home::new();
    let file = home.file("watched.json");
    let save = |held: u64| {
        let steps = json!([{"do": "sandbox.held", "expect": {"held": held}}]);
        let scenario = json!({"name": "watched", "shows": "It is watched.", "personas": {}, "steps": steps});
        std::fs::write(&file, scenario.to_string()).unwrap();
    };
    save(1);
    let mut command = bare(["scenario", "run", "--watch", "--json", &file]);
    let mut watching = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut rounds = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut round = || serde_json::from_str::<Value>(&rounds.next().unwrap().unwrap()).unwrap()["scenarios"][0].clone();
    let failed = round();
    assert_eq!((&failed["ok"], &failed["failure"]["seen"]), (&json!(false), &json!(0)));
    std::fs::remove_dir_all(failed["failure"]["folder"].as_str().unwrap()).unwrap();
    save(0);
    assert_eq!(round()["ok"], json!(true));
    let pid = rustix::process::Pid::from_raw(watching.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(watching.wait().unwrap().code(), Some(0));
}

/// Control: read without looking what it is, a pipe that nobody writes to is waited for until the end of the test.
#[test]
fn pipe_in_the_place_of_a_clock_or_of_keys_is_refused() {
    let home = Home::ready();
    for (file, exit, code) in [("sandbox/clock.json", 2, "file"), ("wallets/me/keys.json", 5, "key-store")] {
        let path = home.path().join(file);
        let kept = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let why = home.saifu("wallet refresh").refused(exit, code);
        assert!(why["error"]["detail"].as_str().unwrap().contains("no plain file"), "{why}");
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, kept).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        home.saifu("wallet refresh").done();
    }
}
