//! `saifu trace`: what the wallet asked is what the issuer's log says it was asked.

use serde_json::{Value, json};

use crate::support::common::{Home, bare, eventually, run};

fn requests(home: &Home) -> Vec<Value> {
    home.saifu("trace --last 500").done()["requests"].as_array().unwrap().clone()
}

/// The newest request of this operation.
fn newest(home: &Home, operation: &str) -> Value {
    let found = requests(home).into_iter().rev().find(|asked| asked["operation"] == operation);
    found.unwrap_or_else(|| panic!("nobody asked {operation}"))
}

/// What was asked and how it ended, of one tap.
fn told(lines: &[Value], trace: Option<&str>) -> Vec<[Value; 3]> {
    let of_it = lines.iter().filter(|line| trace.is_none_or(|trace| line["trace"] == trace));
    of_it.map(|line| ["operation", "status", "code"].map(|name| line[name].clone())).collect()
}

#[test]
fn trace_leads_from_the_tap_to_the_posting() {
    let home = Home::ready();
    home.saifu("wallet topup atm --yen 3000 --yes").done();

    let top_up = newest(&home, "top-up");
    assert_eq!((&top_up["status"], &top_up["class"], &top_up["lost"]), (&json!(200), &json!("intent"), &Value::Null));
    assert!(top_up["ms"].is_u64() && top_up["at"].is_u64(), "{top_up}");
    let trace = top_up["trace"].as_str().unwrap();
    let ran = home.saifu(&format!("sandbox log --trace {trace}"));
    let log: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Both sides tell the same story of this tap, and it began with asking for a nonce.
    let tap = told(&requests(&home), Some(trace));
    assert_eq!(tap, told(&log, None));
    assert!(tap.contains(&[json!("intent-nonce"), json!(200), Value::Null]), "{tap:?}");
    let posted = log.iter().find(|line| line["operation"] == "top-up").unwrap();
    assert_eq!(posted["postings"][0]["amount"], 3_000);
    let why = home.saifu(&format!("explain {trace}")).done();
    assert_eq!((&why["what"], &why["postings"][0]["amount"]), (&json!("top-up"), &json!(3_000)));

    // A refusal has its code; the newest stands last; times are the wallet's clock's.
    home.saifu("sandbox clock +2h").done();
    home.saifu("wallet topup atm --yen 9000000 --yes").refused(3, "over-limit");
    let all = requests(&home);
    let refused = all.last().unwrap();
    assert_eq!((&refused["operation"], &refused["code"]), (&json!("top-up"), &json!("over-limit")));
    assert!(refused["at"].as_u64().unwrap() >= top_up["at"].as_u64().unwrap() + 7_200_000, "{refused} {top_up}");
    assert_eq!(home.saifu("trace --last 1").done()["requests"], json!([refused]));

    assert_eq!(home.saifu("trace --wallet nobody").done(), json!({ "requests": [], "damaged": 0 }));
    assert!(!home.path().join("wallets/nobody").exists(), "looking makes nothing");
}

#[test]
fn lost_answer_and_killed_process_are_told_apart() {
    let home = Home::ready();
    home.saifu("sandbox fault add --on top-up --do drop-answer --times 1").done();
    home.saifu("wallet topup atm --yen 3000 --yes").refused(4, "no-answer");
    let lost = newest(&home, "top-up");
    assert_eq!((&lost["lost"], &lost["status"]), (&json!("no-answer"), &Value::Null));
    // The wallet heard nothing; the issuer's log says what was done.
    let trace = lost["trace"].as_str().unwrap();
    assert_eq!(home.saifu(&format!("explain {trace}")).done()["postings"][0]["amount"], 3_000);

    home.saifu("sandbox fault add --on home --do hang --times 1").done();
    let before = requests(&home).len();
    let mut refresh = home.command(["wallet", "refresh"]).spawn().unwrap();
    eventually("the wallet asks for its home screen", || {
        requests(&home).iter().skip(before).any(|asked| asked["operation"] == "home")
    });
    refresh.kill().unwrap();
    refresh.wait().unwrap();
    let killed = newest(&home, "home");
    assert_eq!((&killed["lost"], &killed["ms"]), (&json!("unfinished"), &Value::Null));
}

#[test]
fn damaged_file_is_said_and_stops_nobody() {
    let home = Home::ready();
    let file = home.path().join("wallets/me/requests.jsonl");
    std::fs::write(&file, b"\xff\xfe{\"nth\":1}\n{}\n").unwrap();
    home.saifu("wallet refresh").done();
    let told = home.saifu("trace").done();
    assert_eq!(told["damaged"], 2);
    assert_eq!(told["requests"].as_array().unwrap().last().unwrap()["operation"], "service-document");
    let words = run({
        let mut command = bare(["trace", "--home"]);
        command.arg(home.path());
        command
    });
    assert!(words.code == Some(0) && words.stdout.contains("2 damaged lines"), "{words:?}");

    // One that cannot be written at all stops no wallet either.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    home.saifu("wallet refresh").done();
    home.saifu("trace").refused(2, "file");
}
