//! `saifu sandbox event …`: what the world does to us, seen from the command line. What the rules make of it is tested beside
//! them, and shown by scenarios.

use serde_json::{Value, json};

use crate::support::common::{Home, NUMBER, bare, run};

fn count(home: &Home) -> usize {
    home.inbox(NUMBER).len()
}

#[test]
fn late_message_in_the_middle_of_a_snapshot_arrives_after_the_restore() {
    let home = Home::new();
    home.start("sandbox --seed 7");
    home.saifu("sandbox clock hold").done();
    let event = home.saifu("sandbox event sms-late --by 3m --times 2 --because roaming").done();
    assert_eq!((&event["ids"], &event["left"], &event["number"]), (&json!([1]), &json!(2), &Value::Null), "{event}");
    home.run(["wallet", "signup", "--number", NUMBER]).done();
    home.saifu("sandbox clock +2m").done();
    let file = home.file("snapshot.json");
    home.run(["sandbox", "snapshot", &file]).done();
    home.kill();

    let other = Home::new();
    other.run(["sandbox", "restore", &file]).done();
    other.start("sandbox");
    let events = other.saifu("sandbox event").done()["events"].clone();
    assert_eq!((&events[0]["event"], &events[0]["left"]), (&json!("sms-late"), &json!(1)), "{events}");
    assert_eq!(count(&other), 0);
    other.saifu("sandbox clock +59s").done();
    assert_eq!(count(&other), 0);
    other.saifu("sandbox clock +1s").done();
    let message = other.inbox(NUMBER).pop().unwrap();
    assert_eq!(message["arrived_at"].as_u64().unwrap() - message["at"].as_u64().unwrap(), 180_000, "{message}");
    let code = message["code"].as_str().unwrap();
    assert_eq!(other.saifu(&format!("wallet confirm --code {code}")).done()["state"], "ready");
}

#[test]
fn next_holder_of_a_number_is_told_that_it_is_taken_and_reads_no_old_message() {
    let home = Home::ready();
    home.top_up(5_000);
    home.saifu("sandbox clock +2m").done();
    let old = home.inbox(NUMBER);
    assert!(!old.is_empty());
    let event = home.run(["sandbox", "event", "number-recycled", "--number", NUMBER, "--because", "unpaid"]).done();
    assert_eq!((&event["holder"], &event["number"]), (&json!(2), &json!("+819012345678")), "{event}");
    assert_eq!(count(&home), 0);

    home.run(["wallet", "signup", "--wallet", "next", "--number", NUMBER]).done();
    let code = home.sms_code(NUMBER);
    home.saifu(&format!("wallet confirm --wallet next --code {code}")).refused(3, "number-taken");
    let next = home.saifu("wallet home --wallet next").done();
    assert_eq!((&next["state"], &next["balance_yen"]), (&json!("no-account"), &Value::Null), "{next}");
    let mine = home.saifu("wallet refresh").done();
    assert_eq!((&mine["balance_yen"], &mine["notices"][0]["kind"]), (&json!(5_000), &json!("security")), "{mine}");
    let inbox = home.run(["sandbox", "sms", "--number", NUMBER, "--holder", "1"]).done();
    assert_eq!(inbox["messages"].as_array(), Some(&old));
    home.run(["sandbox", "sms", "--number", NUMBER, "--holder", "3"]).refused(3, "invalid-request");
}

#[test]
fn day_end_tells_of_every_terminal_that_had_to_do_and_agrees_with_the_ledger() {
    let home = Home::ready();
    home.top_up(5_000);
    home.saifu(&format!("register scan --digits {} --yen 1280", home.digits())).done();
    home.saifu("sandbox clock +1s").done();
    let day = home.saifu("sandbox event day-end --because scheduled").done()["day_end"].clone();
    assert_eq!((&day["ok"], &day["postings"], &day["from"]), (&json!(true), &json!(2), &Value::Null), "{day}");
    let terminal = |at: usize| (&day["terminals"][at]["terminal"], &day["terminals"][at]["ledger_yen"]);
    assert_eq!(terminal(0), (&json!("atm-1"), &json!(5_000)));
    assert_eq!(terminal(1), (&json!("register-1"), &json!(-1_280)));

    let mut again = bare(["sandbox", "event", "day-end", "--because", "requested", "--home"]);
    again.arg(home.path());
    let again = run(again);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.stdout.contains("0 postings, the terminals and the ledger agree"), "{again:?}");
}

#[test]
fn senseless_events_end_with_exit_2_and_nothing_has_happened() {
    let home = Home::running();
    let why = home.saifu("sandbox event sms-late --by 5m --because filtered").refused(2, "bad-input");
    assert!(why["error"]["detail"].as_str().unwrap().contains("roaming"), "the reasons there are: {why}");
    for words in
        ["sms-late --because roaming", "sms-lost --because filtered --by 1m", "number-recycled --because unpaid"]
    {
        home.saifu(&format!("sandbox event {words}")).refused(2, "bad-input");
    }
    for words in ["sms-lost", "--because roaming", "phone-lost --because roaming", "sms-lost --because bored"] {
        let ran = home.saifu(&format!("sandbox event {words}"));
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
    assert_eq!(home.saifu("sandbox event").done(), json!({ "events": [] }));
}
