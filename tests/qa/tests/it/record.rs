//! `saifu scenario record`: what was done by hand becomes a scenario that plays, and must see the same.

use serde_json::{Value, json};

use crate::support::common::{Home, NUMBER, bare, run};

/// Plays a file; the scenario's outcome.
fn played(file: &str) -> Value {
    let ran = run(bare(["--json", "scenario", "run", file]));
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["scenarios"][0].clone()
}

/// Control: with the reason of the refusal written as another one, the file fails at that step.
#[test]
fn what_was_done_by_hand_plays_again_and_must_see_the_same() {
    let home = Home::running();
    home.run(["wallet", "signup", "--number", NUMBER]).done();
    home.saifu("wallet confirm --code 1").refused(2, "invalid-input");
    let wrong = if home.sms_code(NUMBER) == "123456" { "654321" } else { "123456" };
    home.run(["wallet", "confirm", "--code", wrong]).refused(3, "wrong-code");
    home.run(["wallet", "confirm", "--code", &home.sms_code(NUMBER)]).done();
    home.top_up(5_000);
    home.saifu("sandbox clock +61s").done();
    home.saifu("sandbox fault add --on top-up --do drop-answer").done();
    home.saifu("wallet topup atm --yen 1000 --yes").refused(4, "no-answer");
    home.saifu("sandbox fault clear").done();
    home.saifu("pay --yen 1280 --txid tea").done();
    home.saifu("register refund --settlement tea --yen 80").done();
    home.saifu("atm deposit --yen 1000 --totp 000000").declined("number-or-code-not-valid");
    let digits = home.digits();
    home.saifu("sandbox clock +6m").done();
    home.run(["register", "scan", "--digits", &digits, "--yen", "500"]).declined("code-not-valid");
    home.saifu("sandbox event sms-late --by 3m --because roaming").done();
    home.saifu("sandbox clock hold").done();
    assert_eq!(home.balance(), 3_800);

    let file = home.file("by-hand.json");
    let recorded = home.run(["scenario", "record", &file]).done();
    let left_out = recorded["left_out"].as_array().unwrap();
    assert_eq!(left_out.len(), 1, "{recorded}");
    assert!(left_out[0]["command"].as_str().unwrap().contains("sandbox clock hold"), "{recorded}");
    let outcome = played(&file);
    assert_eq!((&outcome["ok"], &outcome["steps"]), (&json!(true), &recorded["steps"]), "{outcome:#}");

    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("code-not-valid\"", "over-limit\"")).unwrap();
    let outcome = played(&file);
    assert_eq!(outcome["failure"]["expected"], "number-or-over-limit", "{outcome:#}");
    std::fs::remove_dir_all(outcome["failure"]["folder"].as_str().unwrap()).unwrap();
}

#[test]
fn only_what_was_done_since_the_accounts_began_is_recorded() {
    let home = Home::running();
    let file = home.file("nothing.json");
    home.run(["scenario", "record", &file]).refused(2, "bad-input");
    home.saifu("sandbox person starter --quiet").done();
    home.saifu("sandbox stop").done();
    home.saifu("wallet refresh").refused(4, "no-sandbox");
    home.kill();
    home.start("sandbox");
    home.saifu("pay --yen 100 --behave twice").done();
    home.saifu("pay --yen 100").done();
    let file = home.file("a-person.json");
    let recorded = home.run(["scenario", "record", &file]).done();
    assert_eq!(recorded["left_out"][0]["why"], "$.do: no verb is `--behave`", "{recorded}");
    let outcome = played(&file);
    // What was left out had moved money: the next balance is another one, and the file says so.
    assert_eq!(outcome["failure"]["path"], "balance_yen", "{outcome:#}");
    std::fs::remove_dir_all(outcome["failure"]["folder"].as_str().unwrap()).unwrap();
    home.kill();
    home.start("sandbox --reset");
    home.run(["scenario", "record", &file]).refused(2, "bad-input");
    home.run(["scenario", "record", &home.file("no-ending")]).refused(2, "bad-input");
}
