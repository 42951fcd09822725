//! The issuer's log and the reasons of a try, as the command shows them.

use serde_json::Value;

use crate::support::common::Home;

fn log(home: &Home, words: &str) -> Vec<Value> {
    let ran = home.saifu(format!("sandbox log {words}").trim());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn tap_has_one_trace_and_a_decline_says_which_rule() {
    let home = Home::ready();
    home.top_up(1_000);
    let digits = home.digits();
    home.saifu(&format!("register scan --digits {digits} --yen 1001 --txid T-1")).declined("insufficient-balance");

    let refused = log(&home, "--refused --terminal register-1");
    let declined = refused.iter().find(|line| line["operation"] == "settle" && line["result"] == "declined").unwrap();
    assert_eq!(declined["decided_by"]["rule"], "account.balance_yen");
    let why = home.saifu("explain T-1").done();
    assert_eq!((&why["decided_by"], &why["what"]), (&"account.balance_yen".into(), &"settle".into()));
    assert_eq!(home.saifu(&format!("explain {}", declined["transaction"].as_str().unwrap())).done(), why);

    // From asking for a nonce to the hold: one tap, one trace, and only this wallet's lines.
    let mine = log(&home, "--wallet me");
    let top_up = mine.iter().find(|line| line["operation"] == "top-up").unwrap();
    assert_eq!(top_up["postings"][0]["amount"], 1_000);
    let tap = log(&home, &format!("--trace {}", top_up["trace"].as_str().unwrap()));
    assert!(tap.iter().any(|line| line["operation"] == "intent-nonce"), "{tap:?}");
    assert!(mine.iter().all(|line| line["device"] == "device-1"), "{mine:?}");

    home.saifu("explain no-such-try").refused(2, "bad-input");
    home.saifu("sandbox log --wallet nobody").refused(2, "not-signed-up");
}
