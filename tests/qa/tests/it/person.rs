//! Persons of the workbench: a wallet in a named state in one call.

use serde_json::{Value, json};

use crate::support::common::Home;

fn person(home: &Home, name: &str) -> Value {
    home.saifu(&format!("sandbox person {name} --wallet {name}")).done()
}

fn look(home: &Home, name: &str) -> Value {
    home.saifu(&format!("wallet home --wallet {name}")).done()
}

#[test]
fn persons_are_in_the_state_they_are_named_after() {
    let home = Home::running();
    for (name, balance) in [("new", 0), ("starter", 3_720), ("robbed", 3_720), ("offline-3-days", 3_720)] {
        let made = person(&home, name);
        assert_eq!((&made["person"], &made["wallet"]), (&json!(name), &json!(name)));
        assert_eq!((&made["state"], &made["balance_yen"]), (&json!("ready"), &json!(balance)), "{made}");
    }
    let security = |name: &str| {
        let notices = look(&home, name)["notices"].as_array().unwrap().clone();
        notices.iter().any(|notice| notice["kind"] == "security")
    };
    assert!(security("robbed") && !security("starter"));
    assert!(look(&home, "offline-3-days")["age_ms"].as_u64().unwrap() >= 3 * 86_400_000);
    home.saifu("sandbox person new --wallet new").refused(2, "already-signed-up");
}

#[test]
fn long_history_is_in_the_wallet_and_in_the_ledger_and_nothing_else() {
    let home = Home::running();
    let now = || home.saifu("sandbox clock").done()["now"].as_u64().unwrap();
    let before = now();
    let made = home.saifu("sandbox person ten-thousand-entries --entries 26").done();
    // A top-up, 13 payments, 12 refunds.
    assert_eq!((&made["state"], &made["balance_yen"]), (&json!("ready"), &json!(9_920)), "{made}");
    assert!(now() >= before + 2 * 3_600_000, "five payments an hour");
    let history = home.saifu("wallet history --limit 100").done()["entries"].as_array().unwrap().clone();
    let of = |kind: &str| history.iter().filter(|entry| entry["kind"] == kind).count();
    assert_eq!((history.len(), of("top-up"), of("payment"), of("refund")), (26, 1, 13, 12));
    assert_eq!(history.iter().map(|entry| entry["yen"].as_i64().unwrap()).sum::<i64>(), 9_920);

    home.saifu("sandbox clock +1s").done();
    let day = home.saifu("sandbox event day-end --because requested").done()["day_end"].clone();
    assert_eq!((&day["ok"], &day["postings"]), (&json!(true), &json!(26)), "{day}");
    let till = &day["terminals"][1];
    assert_eq!((&till["payments"]["count"], &till["refunds"]["count"]), (&json!(13), &json!(12)), "{day}");
    home.saifu("sandbox person starter --entries 26 --wallet other").refused(2, "bad-input");
}

#[test]
fn same_seed_makes_the_same_person_and_another_wallet_another_one() {
    let made = |wallet: &str| {
        let home = Home::new();
        home.start("sandbox --seed 7");
        let made = home.saifu(&format!("sandbox person new --wallet {wallet}")).done();
        (made["name"].clone(), made["number"].clone())
    };
    assert_eq!(made("me"), made("me"));
    assert_ne!(made("me").1, made("you").1);
}
