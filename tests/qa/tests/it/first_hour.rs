//! What people stumble over in their first hour, each with the way it is now.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::common::{Home, bare, run};

/// Control: without `Network::Looking` the home screen is refused like the refresh.
#[test]
fn a_wallet_in_use_names_its_process_and_can_be_looked_at() {
    let home = Home::running();
    home.saifu("sandbox person starter").done();
    let words = ["wallet", "events", "--follow"];
    let mut follower = home.command(words).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut following = String::new();
    BufReader::new(follower.stderr.take().unwrap()).read_line(&mut following).unwrap();
    let told = home.saifu("wallet refresh").refused(6, "in-use");
    let detail = told["error"]["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("process {}", follower.id())), "{detail} {following}");
    assert_eq!(home.saifu("wallet home").done()["balance_yen"], 3_720);
    assert_eq!(home.saifu("wallet pending").done()["entries"], json!([]));
    assert_eq!(home.saifu("wallet totp").done()["code"].as_str().unwrap().len(), 6);
    follower.kill().unwrap();
    follower.wait().unwrap();
    assert_eq!(home.balance(), 3_720);
}

/// Control: `in_force` without the division shows the values of everybody.
#[test]
fn limits_that_are_shown_are_those_that_are_weighed() {
    let home = Home::running();
    assert_eq!(home.saifu("sandbox policy").done()["wallet"], Value::Null);
    home.saifu("sandbox person starter").done();
    let policy = home.saifu("sandbox policy").done();
    let rules = policy["rules"].as_array().unwrap();
    let rule = |name: &str| rules.iter().find(|rule| rule["rule"] == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!((&rule("pay.hour_yen")["value"], &rule("pay.hour_yen")["everybody"]), (&json!(25_000), &json!(50_000)));
    home.saifu("pay --yen 9500 --txid too-much").declined("over-limit");
    let weighed = home.saifu("explain too-much").done()["rules"].as_array().unwrap().clone();
    let weighed: Vec<&Value> =
        weighed.iter().filter(|it| !it["limit"].is_null() && it["rule"] != "code.life_ms").collect();
    assert!(weighed.len() >= 5, "{weighed:?}");
    for it in weighed {
        assert_eq!(rule(it["rule"].as_str().unwrap())["value"], it["limit"], "{it}");
    }
}

#[test]
fn a_refund_takes_the_transaction_id_of_the_scan() {
    let home = Home::running();
    home.saifu("sandbox person new --yen 3000").done();
    let paid = home.saifu("pay --yen 1280 --txid coffee").done();
    assert_eq!((&paid["balance_yen"], &paid["points"]), (&json!(1_720), &json!(6)), "{paid}");
    assert_eq!(home.saifu("explain coffee").done()["settlement"], paid["settlement"]);
    home.saifu("register refund --settlement coffee --yen 280 --txid R-1").done();
    home.saifu(&format!("register refund --settlement {} --yen 1000", paid["settlement"].as_str().unwrap())).done();
    home.saifu("register refund --settlement coffee --yen 1").declined("over-refund");
    assert_eq!(home.balance(), 3_000);
    for (wrong, terminal) in [("never", "register-1"), ("R-1", "register-1"), ("coffee", "register-2")] {
        let words = format!("register refund --settlement {wrong} --yen 1 --terminal {terminal}");
        let told = home.saifu(&words).refused(2, "bad-input");
        assert!(told["error"]["detail"].as_str().unwrap().contains(wrong), "{told}");
    }
}

#[test]
fn a_person_has_the_balance_that_is_asked_for_by_the_limits_that_there_are() {
    let home = Home::running();
    let made = home.saifu("sandbox person starter --yen 25000").done();
    assert_eq!(made["balance_yen"], 25_000, "{made}");
    let history = home.saifu("wallet history").done()["entries"].as_array().unwrap().clone();
    let top_ups: Vec<i64> =
        history.iter().filter(|it| it["kind"] == "top-up").map(|it| it["yen"].as_i64().unwrap()).collect();
    assert_eq!(top_ups, [6_280, 10_000, 10_000]);
    home.saifu("sandbox person new --wallet rich --yen 100001").refused(2, "bad-input");
}

#[test]
fn an_atm_takes_number_and_code_from_the_wallet() {
    let home = Home::running();
    home.saifu("sandbox person new").done();
    let told = home.saifu("atm deposit --yen 2000").refused(2, "bad-input");
    assert!(told["error"]["detail"].as_str().unwrap().contains("saifu wallet topup atm"), "{told}");
    home.saifu("wallet topup atm --yen 3000 --yes").done();
    assert_eq!(home.saifu("atm deposit --yen 2000").done()["result"], "approved");
    assert_eq!(home.balance(), 2_000);
}

#[test]
fn a_usage_error_says_which_flag_came_from_the_environment() {
    let wrong = |flag: bool| {
        let mut command = bare(["wallet", "home"]);
        command.env("SAIFU_KEY_STORE", "banana");
        if flag {
            command.args(["--key-store", "banana"]);
        }
        run(command)
    };
    let (environment, typed) = (wrong(false), wrong(true));
    assert_eq!((environment.code, typed.code), (Some(2), Some(2)));
    let note = "--key-store comes from SAIFU_KEY_STORE";
    assert!(environment.stderr.contains(note) && !typed.stderr.contains(note), "{environment:?} {typed:?}");
    let mut command = bare(["sandbox", "status", "--json"]);
    command.env("SAIFU_SANDBOX", "/nowhere/sandbox.json").env("HOME", "/nowhere");
    let told = run(command).refused(4, "no-sandbox");
    assert!(told["error"]["detail"].as_str().unwrap().contains("SAIFU_SANDBOX in the environment"), "{told}");
    let scan = run(bare(["register", "scan", "--yen", "1"]));
    assert!(scan.code == Some(2) && scan.stderr.contains("--image") && scan.stderr.contains("--digits"), "{scan:?}");
}

/// Control: without the phone's names in the certificate, or without its address among those that proofs may name, the
/// sign-up fails.
#[cfg(unix)]
#[test]
fn a_phone_reaches_customers_on_another_address_and_nobody_else() {
    let home = Home::new();
    home.start("sandbox --host 127.0.0.2");
    let told = home.info();
    let port = |url: &str| told[url].as_str().unwrap().rsplit(':').next().unwrap().parse::<u16>().unwrap();
    for (url, reached) in [("customer_url", true), ("service_url", true), ("register_url", false), ("lever_url", false)]
    {
        assert_eq!(TcpStream::connect(("127.0.0.2", port(url))).is_ok(), reached, "{url}");
    }
    let picture = home.file("pair.png");
    let pair = home.run(["sandbox", "pair", "--out", &picture]).done();
    let scanned = home.run(["tool", "scan", &picture]).done();
    assert_eq!(scanned["symbols"][0]["text"], pair["link"]);
    for secret in ["lever_token", "register_key", "atm_key", "operator_key"] {
        assert!(!pair.to_string().contains(told[secret].as_str().unwrap()), "{secret}");
    }
    // A wallet that knows only the phone's addresses; the lock says that the sandbox lives.
    let phone = home.path().join("phone");
    std::fs::create_dir(&phone).unwrap();
    std::os::unix::fs::symlink(home.path().join("sandbox/running"), phone.join("running")).unwrap();
    let mut known = told.clone();
    for field in ["customer_url", "service_url"] {
        known[field] = pair[field].clone();
    }
    assert!(pair["customer_url"].as_str().unwrap().starts_with("https://127.0.0.2:"), "{pair}");
    let file = phone.join("sandbox.json");
    std::fs::write(&file, known.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let words = ["wallet", "signup", "--number", "080-1234-5678", "--sandbox", file];
    home.run(words).done();
    let code = home.sms_code("080-1234-5678");
    assert_eq!(home.run(["wallet", "confirm", "--code", &code, "--sandbox", file]).done()["state"], "ready");
}
