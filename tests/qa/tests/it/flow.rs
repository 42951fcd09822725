//! The whole flow over real connections: wallet, register, ATM and issuer are processes of their own. What the issuer answers to
//! what is repeated, reversed or wrong is shown by scenarios.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::common::{Home, NUMBER, zbar};

#[test]
fn sign_up_takes_two_steps_in_two_processes() {
    let home = Home::running();
    assert_eq!(home.saifu("wallet home").done()["state"], "no-account");
    let first = home.run(["wallet", "signup", "--number", NUMBER]).done();
    assert_eq!((first["state"].as_str(), &first["device_id"]), (Some("signing-up"), &Value::Null));
    assert_eq!(home.saifu("wallet home").done()["state"], "signing-up");
    assert_eq!(home.saifu("wallet pending").done()["entries"][0]["kind"], "sign-up");
    home.saifu("wallet confirm --code 12").refused(2, "invalid-input");
    let code = home.sms_code(NUMBER);
    let wrong = if code == "123456" { "654321" } else { "123456" };
    home.run(["wallet", "confirm", "--code", wrong]).refused(3, "wrong-code");
    let second = home.run(["wallet", "confirm", "--code", &code]).done();
    assert_eq!(second["state"], "ready");
    let shown = home.saifu("wallet home").done();
    assert_eq!((shown["balance_yen"].as_i64(), &shown["device_id"]), (Some(0), &second["device_id"]));
    assert_eq!((shown["standing"].as_str(), shown["frozen"].as_bool()), (Some("starter"), Some(false)));
    home.run(["wallet", "confirm", "--code", &code]).refused(2, "already-signed-up");
}

#[test]
fn cash_becomes_balance_and_a_picture_pays() {
    let home = Home::ready();
    home.top_up(5_000);
    assert_eq!(home.balance(), 5_000);

    let picture = home.file("code.png");
    let code = home.code(&format!("--out {picture}"));
    assert_eq!((code["kind"].as_str(), code["offline"].as_bool()), (Some("online-pay"), Some(false)));
    let digits = code["digits"].as_str().unwrap();
    let scanned = home.run(["tool", "scan", &picture]).done();
    let texts: Vec<&Value> = scanned["symbols"].as_array().unwrap().iter().map(|symbol| &symbol["text"]).collect();
    assert_eq!(texts, [digits, digits]);
    if let Some(lines) = zbar(picture.as_ref()) {
        assert_eq!(lines, [digits, digits]);
    }

    let paid = home.run(["register", "scan", "--image", &picture, "--yen", "1280"]).done();
    assert_eq!(
        (paid["result"].as_str(), paid["yen"].as_i64(), &paid["reason"]),
        (Some("approved"), Some(1_280), &Value::Null)
    );
    assert_eq!(home.balance(), 3_720);
    let history = home.saifu("wallet history").done();
    let entries: Vec<_> = history["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["kind"].as_str().unwrap(), e["yen"].as_i64().unwrap()))
        .collect();
    assert_eq!(entries, [("payment", -1_280), ("top-up", 5_000)]);
    assert_eq!(history["entries"][0]["id"], paid["settlement"]);
}

#[test]
fn svg_pays_like_png() {
    let home = Home::ready();
    home.top_up(1_000);
    let picture = home.file("code.svg");
    home.code(&format!("--out {picture}"));
    home.run(["register", "scan", "--image", &picture, "--yen", "1000"]).done();
    assert_eq!(home.balance(), 0);
}

#[test]
fn codes_are_refused_where_they_do_not_belong() {
    let home = Home::ready();
    home.top_up(5_000);
    let cash_in = home.code("--purpose cash-in");
    assert_eq!(cash_in["kind"], "cash-in");
    home.run(["register", "scan", "--yen", "10", "--digits", cash_in["digits"].as_str().unwrap()])
        .declined("wrong-purpose");
    home.run(["register", "scan", "--yen", "5001", "--digits", &home.digits()]).declined("insufficient-balance");
    // A guess with a fitting check digit is like any other bad code.
    let guess = saifu_code::PaymentDigits::new(saifu_code::Issuer::SANDBOX, saifu_code::Kind::OnlinePay, 7).unwrap();
    home.run(["register", "scan", "--yen", "10", "--digits", guess.as_str()]).declined("code-not-valid");
    home.saifu("register scan --yen 10 --digits 123").refused(2, "bad-input");
    assert_eq!(home.balance(), 5_000);
}

#[test]
fn robbery_with_number_and_sms_code_gets_nothing() {
    let home = Home::ready();
    home.top_up(5_000);
    home.saifu("sandbox clock +2m").done();
    home.run(["wallet", "signup", "--wallet", "thief", "--number", NUMBER]).done();
    let code = home.sms_code(NUMBER);
    home.run(["wallet", "confirm", "--wallet", "thief", "--code", &code]).refused(3, "number-taken");
    for words in ["wallet code", "wallet totp", "wallet refresh", "wallet topup atm --yen 1 --yes"] {
        home.saifu(&format!("{words} --wallet thief")).refused(2, "not-signed-up");
    }
    let owner = home.saifu("wallet refresh").done();
    assert_eq!(owner["balance_yen"], 5_000);
    assert!(owner["notices"].as_array().unwrap().iter().any(|notice| notice["kind"] == "security"), "{owner}");
    let newest = home.inbox(NUMBER).pop().unwrap();
    assert!(newest["code"].is_null() && !newest["text"].as_str().unwrap().is_empty(), "{newest}");
}

#[test]
fn balance_arrives_by_event_and_survives_a_kill_without_the_issuer() {
    let home = Home::ready();
    home.top_up(5_000);
    let digits = home.digits();
    let mut follower =
        home.command(["wallet", "events", "--follow"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut notes = BufReader::new(follower.stderr.take().unwrap()).lines();
    assert!(notes.any(|line| line.unwrap().starts_with("following")));
    // The follower holds the wallet: who only looks sees it as it last wrote itself down.
    assert_eq!(home.saifu("wallet home").done()["balance_yen"], 5_000);
    home.saifu("wallet refresh").refused(6, "in-use");
    home.run(["register", "scan", "--digits", &digits, "--yen", "1280"]).done();
    let events = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut events = events.map_while(Result::ok).map(|line| serde_json::from_str::<Value>(&line).unwrap());
    let payment = events.find(|event| event["entry"]["kind"] == "payment").unwrap();
    assert_eq!(payment["balance_yen"], 3_720);
    follower.kill().unwrap();
    follower.wait().unwrap();
    home.kill();

    let shown = home.saifu("wallet home").done();
    assert_eq!((shown["state"].as_str(), shown["balance_yen"].as_i64()), (Some("ready"), Some(3_720)));
    assert_eq!(home.saifu("wallet history").done()["entries"][0]["kind"], "payment");
    assert_eq!(home.totp().len(), 6);
    home.saifu("wallet refresh").refused(4, "stale-sandbox");
    home.saifu("wallet code --offline").refused(4, "no-code");
}

#[test]
fn wallet_finds_its_issuer_again_after_a_restart_on_other_ports() {
    let home = Home::ready();
    home.top_up(2_000);
    home.kill();
    home.start("sandbox");
    assert_eq!(home.balance(), 2_000);
    home.run(["register", "scan", "--digits", &home.digits(), "--yen", "500"]).done();
    assert_eq!(home.balance(), 1_500);
}

#[test]
fn clock_moves_issuer_and_wallet_together() {
    let home = Home::ready();
    let top_up = home.saifu("wallet topup atm --yen 1000 --yes").done();
    let before = home.saifu("sandbox clock").done()["now"].as_u64().unwrap();
    let after = home.saifu("sandbox clock +72h").done()["now"].as_u64().unwrap();
    assert!(after >= before + 72 * 3_600_000);
    // The wallet's TOTP follows, or the ATM would refuse a fresh top-up's code.
    home.balance();
    assert_eq!(home.saifu("wallet pending").done()["entries"], Value::Array(vec![]), "the old top-up ended by itself");
    let (number, totp) = (top_up["number"].as_str().unwrap(), home.totp());
    home.run(["atm", "deposit", "--number", number, "--totp", &totp, "--yen", "1000"])
        .declined("number-or-code-not-valid");
    home.top_up(1_000);
    home.saifu("sandbox clock to 2020-01-01T00:00:00Z").refused(3, "invalid-request");
}

#[test]
fn issuer_that_was_reset_puts_the_wallet_aside_and_the_way_out_is_to_sign_up_again() {
    let home = Home::ready();
    home.kill();
    home.start("sandbox --reset");
    home.saifu("wallet refresh").refused(3, "unknown-device");
    let shown = home.saifu("wallet home").done();
    assert_eq!((shown["state"].as_str(), shown["put_aside"].as_str()), (Some("put-aside"), Some("unknown-device")));
    assert!(shown["way_out"].as_str().is_some_and(|text| text.contains("Sign up again")), "{shown}");
    home.sign_up("me", NUMBER);
    let shown = home.saifu("wallet refresh").done();
    assert_eq!((shown["state"].as_str(), shown["put_aside"].as_str()), (Some("ready"), None));
    assert_eq!(home.saifu("wallet history").done()["entries"].as_array().map(Vec::len), Some(0));
}

#[test]
fn key_of_another_account_is_no_dead_end_after_a_reset() {
    let home = Home::ready();
    std::fs::remove_dir_all(home.path().join("wallets/me/vault")).unwrap();
    home.run(["wallet", "signup", "--number", "090-7777-1234"]).refused(3, "device-in-use");
    home.saifu("wallet reset").refused(2, "needs-approval");
    assert_eq!(home.saifu("wallet reset --yes").done()["state"], "no-account");
    home.sign_up("me", "090-7777-1234");
    assert_eq!(home.saifu("wallet home").done()["state"], "ready");
}

#[test]
fn wallet_that_does_not_open_can_be_deleted_if_somebody_insists() {
    let home = Home::ready();
    let journal = home.path().join("wallets/me/vault/journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    assert_eq!(home.saifu("doctor").done()["sound"], true);
    std::fs::write(&journal, &bytes).unwrap();
    home.saifu("wallet home").refused(5, "vault");
    let ran = home.saifu("doctor");
    assert_eq!((ran.code, ran.json()["sound"].as_bool()), (Some(5), Some(false)), "{ran:?}");
    home.saifu("wallet reset --yes").refused(2, "usage");
    assert_eq!(std::fs::read(&journal).unwrap(), bytes, "a refused reset touches nothing");
    home.saifu("wallet reset --yes --insist").done();
    assert_eq!(home.saifu("wallet home").done()["state"], "no-account");
}

#[test]
fn issuer_restored_to_an_earlier_state_is_noticed_and_read_again() {
    let home = Home::ready();
    // Another phone of the same issuer, whose files no restore brings back.
    let phone = Home::new();
    let file = home.file("sandbox/sandbox.json");
    let on_phone = |words: &str| phone.run(words.split(' ').chain(["--sandbox", file.as_str()]));
    on_phone("wallet signup --number 090-8888-1234").done();
    let code = home.sms_code("090-8888-1234");
    on_phone(&format!("wallet confirm --code {code}")).done();
    let kept = home.file("kept.snapshot");
    home.run(["sandbox", "snapshot", &kept]).done();
    let top_up = on_phone("wallet topup atm --yen 3000 --yes").done();
    let totp = on_phone("wallet totp").done();
    let (number, totp) = (top_up["number"].as_str().unwrap(), totp["code"].as_str().unwrap());
    home.saifu(&format!("atm deposit --number {number} --totp {totp} --yen 3000")).done();
    let before = on_phone("wallet refresh").done();
    assert_eq!((before["balance_yen"].as_i64(), before["last_event"].as_u64() > Some(0)), (Some(3_000), true));
    home.kill();
    home.run(["sandbox", "restore", &kept, "--force"]).done();
    home.start("sandbox");
    // Control: keep the newer picture whatever the era, and the wallet goes on with ¥3,000 that the issuer does not know.
    let after = on_phone("wallet refresh").done();
    assert_eq!((after["balance_yen"].as_i64(), after["history_incomplete"].as_bool()), (Some(0), Some(false)));
    assert_eq!(on_phone("wallet history").done()["entries"].as_array().map(Vec::len), Some(0));
}
