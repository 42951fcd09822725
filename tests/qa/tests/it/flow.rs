//! The whole flow over real connections: wallet, register, ATM and issuer are processes of their own.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::common::{Home, Sandbox, eventually, run, zbar};

const OWNER: &str = "090-1234-5678";

fn ready() -> (Home, Sandbox) {
    let home = Home::new();
    let sandbox = home.sandbox();
    home.sign_up("me", OWNER);
    (home, sandbox)
}

#[test]
fn sign_up_takes_two_steps_in_two_processes() {
    let home = Home::new();
    let _sandbox = home.sandbox();
    assert_eq!(home.saifu("wallet home").done()["state"], "no-account");
    let first = home.run(["wallet", "signup", "--number", OWNER]).done();
    assert_eq!((first["state"].as_str(), &first["device_id"]), (Some("signing-up"), &Value::Null));
    assert_eq!(home.saifu("wallet home").done()["state"], "signing-up");
    assert_eq!(home.saifu("wallet pending").done()["entries"][0]["kind"], "sign-up");
    home.saifu("wallet confirm --code 12").refused(2, "invalid-input");
    let code = home.sms_code(OWNER);
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
    let (home, _sandbox) = ready();
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
    let (home, _sandbox) = ready();
    home.top_up(1_000);
    let picture = home.file("code.svg");
    home.code(&format!("--out {picture}"));
    home.run(["register", "scan", "--image", &picture, "--yen", "1000"]).done();
    assert_eq!(home.balance(), 0);
}

#[test]
fn register_repeats_its_answer_and_a_code_pays_once() {
    let (home, _sandbox) = ready();
    home.top_up(5_000);
    let digits = home.digits();
    let scan =
        |txid: &str, yen: &str| home.run(["register", "scan", "--digits", &digits, "--yen", yen, "--txid", txid]);
    let first = scan("T-1", "1280").done();
    assert_eq!(scan("T-1", "1280").done(), first);
    scan("T-2", "1280").declined("code-not-valid");
    scan("T-1", "1281").declined("transaction-reused");
    assert_eq!(home.balance(), 3_720);
}

#[test]
fn codes_are_refused_where_they_do_not_belong() {
    let (home, _sandbox) = ready();
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
fn void_and_refund_give_money_back_once() {
    let (home, _sandbox) = ready();
    home.top_up(5_000);
    let paid = home.run(["register", "scan", "--digits", &home.digits(), "--yen", "1280", "--txid", "T-1"]).done();
    assert_eq!(home.saifu("register void --txid T-1").done()["result"], "voided");
    home.saifu("register void --txid T-1").done();
    assert_eq!(home.balance(), 5_000);
    // A reversal that overtakes its payment.
    home.saifu("register void --txid T-2").done();
    home.run(["register", "scan", "--digits", &home.digits(), "--yen", "100", "--txid", "T-2"]).declined("voided");

    let settlement = paid["settlement"].as_str().unwrap();
    home.run(["register", "refund", "--settlement", settlement, "--yen", "1"]).declined("over-refund");
    let paid = home.run(["register", "scan", "--digits", &home.digits(), "--yen", "1000"]).done();
    let settlement = paid["settlement"].as_str().unwrap();
    let refund = |yen: &str, txid: &str| {
        home.run(["register", "refund", "--settlement", settlement, "--yen", yen, "--txid", txid])
    };
    let first = refund("400", "R-1").done();
    assert_eq!(refund("400", "R-1").done(), first);
    refund("601", "R-2").declined("over-refund");
    refund("600", "R-3").done();
    assert_eq!(home.balance(), 5_000);
}

#[test]
fn atm_repeats_its_answer_and_refuses_a_wrong_totp() {
    let (home, _sandbox) = ready();
    let top_up = home.saifu("wallet topup atm --yen 3000 --yes").done();
    let number = top_up["number"].as_str().unwrap();
    let deposit = |totp: &str, txid: &str| {
        home.run(["atm", "deposit", "--number", number, "--totp", totp, "--yen", "3000", "--txid", txid])
    };
    let totp = home.totp();
    let wrong = if totp == "000000" { "111111" } else { "000000" };
    deposit(wrong, "A-1").declined("number-or-code-not-valid");
    assert_eq!(home.balance(), 0);
    assert_eq!(home.saifu("wallet pending").done()["entries"][0]["number"], number);
    let first = deposit(&totp, "A-2").done();
    assert_eq!(deposit(&totp, "A-2").done(), first);
    assert_eq!(home.balance(), 3_000);
    deposit(&totp, "A-3").declined("number-or-code-not-valid");
    assert_eq!(home.saifu("wallet pending").done()["entries"], Value::Array(vec![]));
}

#[test]
fn top_up_that_nobody_approves_is_not_sent() {
    let (home, _sandbox) = ready();
    home.saifu("wallet topup atm --yen 1000").refused(2, "needs-approval");
    assert_eq!(home.saifu("wallet pending").done()["entries"], Value::Array(vec![]));
}

#[test]
fn robbery_with_number_and_sms_code_gets_nothing() {
    let (home, _sandbox) = ready();
    home.top_up(5_000);
    home.saifu("sandbox clock +2m").done();
    home.run(["wallet", "signup", "--wallet", "thief", "--number", OWNER]).done();
    let code = home.sms_code(OWNER);
    home.run(["wallet", "confirm", "--wallet", "thief", "--code", &code]).refused(3, "number-taken");
    for words in ["wallet code", "wallet totp", "wallet refresh", "wallet topup atm --yen 1 --yes"] {
        home.saifu(&format!("{words} --wallet thief")).refused(2, "not-signed-up");
    }
    let owner = home.saifu("wallet refresh").done();
    assert_eq!(owner["balance_yen"], 5_000);
    assert!(owner["notices"].as_array().unwrap().iter().any(|notice| notice["kind"] == "security"), "{owner}");
    let newest = home.inbox(OWNER).pop().unwrap();
    assert!(newest["code"].is_null() && !newest["text"].as_str().unwrap().is_empty(), "{newest}");
}

#[test]
fn balance_arrives_by_event_and_survives_a_kill_without_the_issuer() {
    let (home, mut sandbox) = ready();
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
    sandbox.kill();

    let shown = home.saifu("wallet home").done();
    assert_eq!((shown["state"].as_str(), shown["balance_yen"].as_i64()), (Some("ready"), Some(3_720)));
    assert_eq!(home.saifu("wallet history").done()["entries"][0]["kind"], "payment");
    assert_eq!(home.totp().len(), 6);
    home.saifu("wallet refresh").refused(4, "stale-sandbox");
    home.saifu("wallet code --offline").refused(4, "no-code");
}

#[test]
fn wallet_finds_its_issuer_again_after_a_restart_on_other_ports() {
    let (home, mut sandbox) = ready();
    home.top_up(2_000);
    sandbox.kill();
    let _again = home.sandbox();
    assert_eq!(home.balance(), 2_000);
    home.run(["register", "scan", "--digits", &home.digits(), "--yen", "500"]).done();
    assert_eq!(home.balance(), 1_500);
}

#[test]
fn clock_moves_issuer_and_wallet_together() {
    let (home, _sandbox) = ready();
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
fn killed_at_any_step_of_a_top_up_the_wallet_finds_out_what_became_of_it() {
    let (home, _sandbox) = ready();
    for step in saifu::STEPS {
        let mut command = home.command(["wallet", "topup", "atm", "--yen", "1000", "--yes"]);
        command.env("SAIFU_KILL_AT", step);
        let ran = run(command);
        assert_eq!((ran.code, ran.stdout.as_str()), (None, ""), "killed at {step}: {ran:?}");
        eventually("the dead process let go of the wallet", || home.saifu("wallet home").code == Some(0));
        home.saifu("wallet refresh").done();
        let pending = home.saifu("wallet pending").done();
        let open = pending["entries"].as_array().unwrap();
        assert!(open.iter().all(|entry| entry["kind"] == "top-up"), "nothing stays unknown after {step}: {pending}");
        // Whatever it was ends by itself, so the next round begins with nothing open.
        home.saifu("sandbox clock +24h").done();
        home.saifu("wallet refresh").done();
        assert_eq!(home.saifu("wallet pending").done()["entries"], Value::Array(vec![]), "after {step}");
    }
    assert_eq!(home.balance(), 0);
}

#[test]
fn issuer_that_was_reset_puts_the_wallet_aside_and_the_way_out_is_to_sign_up_again() {
    let (home, mut sandbox) = ready();
    sandbox.kill();
    let _sandbox = home.sandbox_with("sandbox --reset");
    home.saifu("wallet refresh").refused(3, "unknown-device");
    let shown = home.saifu("wallet home").done();
    assert_eq!((shown["state"].as_str(), shown["put_aside"].as_str()), (Some("put-aside"), Some("unknown-device")));
    assert!(shown["way_out"].as_str().is_some_and(|text| text.contains("Sign up again")), "{shown}");
    home.sign_up("me", OWNER);
    let shown = home.saifu("wallet refresh").done();
    assert_eq!((shown["state"].as_str(), shown["put_aside"].as_str()), (Some("ready"), None));
    assert_eq!(home.saifu("wallet history").done()["entries"].as_array().map(Vec::len), Some(0));
}

#[test]
fn key_of_another_account_is_no_dead_end_after_a_reset() {
    let (home, _sandbox) = ready();
    std::fs::remove_dir_all(home.path().join("wallets/me/vault")).unwrap();
    home.run(["wallet", "signup", "--number", "090-7777-1234"]).refused(3, "device-in-use");
    home.saifu("wallet reset").refused(2, "needs-approval");
    assert_eq!(home.saifu("wallet reset --yes").done()["state"], "no-account");
    home.sign_up("me", "090-7777-1234");
    assert_eq!(home.saifu("wallet home").done()["state"], "ready");
}

#[test]
fn wallet_that_does_not_open_can_be_deleted_if_somebody_insists() {
    let (home, _sandbox) = ready();
    let journal = home.path().join("wallets/me/vault/journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&journal, &bytes).unwrap();
    home.saifu("wallet home").refused(5, "vault");
    home.saifu("wallet reset --yes").refused(2, "usage");
    assert_eq!(std::fs::read(&journal).unwrap(), bytes, "a refused reset touches nothing");
    home.saifu("wallet reset --yes --insist").done();
    assert_eq!(home.saifu("wallet home").done()["state"], "no-account");
}

#[test]
fn issuer_restored_to_an_earlier_state_is_noticed_and_read_again() {
    let (home, mut sandbox) = ready();
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
    sandbox.kill();
    home.run(["sandbox", "restore", &kept, "--force"]).done();
    let _sandbox = home.sandbox();
    // Control: keep the newer picture whatever the era, and the wallet goes on with ¥3,000 that the issuer does not know.
    let after = on_phone("wallet refresh").done();
    assert_eq!((after["balance_yen"].as_i64(), after["history_incomplete"].as_bool()), (Some(0), Some(false)));
    assert_eq!(on_phone("wallet history").done()["entries"].as_array().map(Vec::len), Some(0));
}
