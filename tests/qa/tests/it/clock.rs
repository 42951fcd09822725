//! The workbench's clock: everybody's time moved, held, or moved for one alone, and what goes on working then.

use serde_json::Value;

use crate::support::common::{Home, NUMBER, eventually};

const HOUR: u64 = 3_600_000;

fn pay(home: &Home, yen: u32) -> Value {
    let digits = home.digits();
    home.saifu(&format!("register scan --digits {digits} --yen {yen}")).done()
}

fn clock(home: &Home, words: &str) -> Value {
    home.saifu(format!("sandbox clock {words}").trim()).done()
}

fn now(home: &Home) -> u64 {
    clock(home, "")["now"].as_u64().unwrap()
}

#[test]
fn tokens_tls_and_proofs_work_after_any_move() {
    let home = Home::ready();
    home.top_up(5_000);
    assert_eq!(pay(&home, 1_000)["result"], "approved");
    for step in ["+72h", "+400d"] {
        let before = now(&home);
        let moved = clock(&home, step);
        assert!(moved["now"].as_u64().unwrap() >= before + 72 * HOUR, "{moved}");
        assert_eq!(pay(&home, 1_000)["result"], "approved", "after {step}");
    }
    assert_eq!(home.balance(), 2_000);
}

#[test]
fn what_came_due_meanwhile_has_run_in_its_order_when_the_clock_answers() {
    let home = Home::running();
    for (wallet, number) in [("me", NUMBER), ("you", "090-8765-4321")] {
        home.sign_up(wallet, number);
        home.saifu(&format!("wallet topup atm --yen 1000 --yes --wallet {wallet}")).done();
        clock(&home, "+1m");
    }
    let ran = clock(&home, "+72h")["ran"].as_array().unwrap().clone();
    let due: Vec<u64> = ran.iter().map(|done| done["at"].as_u64().unwrap()).collect();
    assert_eq!(due.len(), 2, "{ran:?}");
    assert!(due[0] < due[1], "{ran:?}");
    home.saifu("wallet refresh").done();
    assert_eq!(home.saifu("wallet pending").done()["entries"].as_array().unwrap().len(), 0);
}

#[test]
fn held_time_stands_still_for_issuer_and_wallet_and_the_flow_goes_on() {
    let home = Home::running();
    let held = clock(&home, "hold");
    assert_eq!(held["held"], true);
    home.sign_up("me", NUMBER);
    home.top_up(2_000);
    let totp = home.saifu("wallet totp").done();
    std::thread::sleep(std::time::Duration::from_millis(30));
    assert_eq!(home.saifu("wallet totp").done(), totp);
    assert_eq!(now(&home), held["now"].as_u64().unwrap());

    let moved = clock(&home, "+3h");
    assert_eq!(moved["now"].as_u64().unwrap(), held["now"].as_u64().unwrap() + 3 * HOUR);
    assert_eq!(pay(&home, 500)["result"], "approved");
    home.kill();
    home.start("sandbox");
    assert_eq!(now(&home), moved["now"].as_u64().unwrap(), "a restart does not let time go on");

    assert_eq!(clock(&home, "run")["held"], false);
    eventually("time goes on", || now(&home) > moved["now"].as_u64().unwrap());
    assert!(now(&home) < moved["now"].as_u64().unwrap() + HOUR, "from where it stood");
    assert_eq!(pay(&home, 500)["result"], "approved");
}

/// Three hours ahead and three behind: the wallet follows what the issuer says, so nobody notices.
#[test]
fn wallet_with_a_wrong_clock_signs_up_tops_up_and_pays() {
    for only in ["wallet:me", "issuer"] {
        let home = Home::running();
        let before = now(&home);
        let skewed = clock(&home, &format!("+3h --only {only}"));
        let ahead = skewed["now"].as_u64().unwrap() - before;
        assert_eq!(only == "issuer", ahead >= 3 * HOUR, "{skewed}");
        home.sign_up("me", NUMBER);
        home.top_up(3_000);
        assert_eq!(pay(&home, 1_000)["result"], "approved", "{only}");
        // And one that was right when it last heard of the issuer.
        clock(&home, &format!("+3h --only {only}"));
        clock(&home, "+2m");
        home.top_up(1_000);
        assert_eq!(pay(&home, 1_000)["result"], "approved", "{only}");
        assert_eq!(home.balance(), 2_000);
    }
}

#[test]
fn bad_moves_are_refused_with_what_to_write_instead() {
    let home = Home::running();
    for words in ["sideways", "hold --only issuer", "--only issuer", "+1h --only me"] {
        let ran = home.saifu(&format!("sandbox clock {words}"));
        assert_eq!(ran.code, Some(2), "{words}: {ran:?}");
    }
    home.saifu("sandbox clock to 2020-01-01T00:00:00Z --only wallet:me").refused(3, "invalid-request");
}
