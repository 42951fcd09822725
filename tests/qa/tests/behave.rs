//! Tills and ATMs that do not do as they should: the customer's balance changes once or not at all, and wallet and ledger say
//! the same.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

mod common;

use common::Home;
use serde_json::Value;

/// Each way to misbehave, and whether the money moves all the same: at a till, at an ATM, in a refund.
const WAYS: &[(&str, bool, bool, bool)] = &[
    ("twice", true, true, true),
    ("late:50", true, true, true),
    ("die-after-send", true, true, true),
    ("reverse-first", false, true, false),
    ("wrong-key", false, false, false),
];

const WAITING: &str = include_str!("rig/no_waiting.json");

struct Shop {
    home: Home,
    _sandbox: common::Sandbox,
    balance: i64,
}

impl Shop {
    fn new() -> Self {
        let home = Home::new();
        let policy = home.file("policy.json");
        std::fs::write(&policy, WAITING).unwrap();
        let sandbox = home.sandbox_with(&format!("sandbox --policy {policy}"));
        home.sign_up("me", "090-1234-5678");
        Self { home, _sandbox: sandbox, balance: 0 }
    }

    /// Runs a command that misbehaves and holds what it tells against what the wallet sees.
    fn sees(&mut self, words: &str, expected: &[i64]) -> Value {
        let told = self.home.saifu(words).done();
        let yen = told["customer_yen"].as_i64().unwrap();
        assert!(expected.contains(&yen), "{words}: {told}");
        self.balance += yen;
        assert_eq!(self.home.balance(), self.balance, "{words}: {told}");
        told
    }

    fn top_up(&mut self, behave: &str, expected: &[i64]) {
        let top_up = self.home.saifu("wallet topup atm --yen 1000 --yes").done();
        let (number, totp) = (top_up["number"].as_str().unwrap().to_owned(), self.home.totp());
        self.sees(&format!("atm deposit --number {number} --totp {totp} --yen 1000 --behave {behave}"), expected);
        // The next one needs a TOTP code of its own.
        self.home.saifu("sandbox clock +31s").done();
    }
}

#[test]
fn misbehaving_peers_move_money_once_or_not_at_all() {
    let mut shop = Shop::new();
    shop.home.top_up(5_000);
    shop.balance = 5_000;
    shop.home.saifu("sandbox clock +31s").done();
    for (how, at_till, at_atm, refunds) in WAYS {
        let moved = |moves: &bool, yen: i64| if *moves { yen } else { 0 };
        shop.top_up(how, &[moved(at_atm, 1_000)]);
        let digits = shop.home.digits();
        let scan = format!("register scan --digits {digits} --yen 300 --behave {how}");
        shop.sees(&scan, &[moved(at_till, -300)]);
        let digits = shop.home.digits();
        let paid = shop.home.saifu(&format!("register scan --digits {digits} --yen 200")).done();
        shop.balance -= 200;
        let settlement = paid["settlement"].as_str().unwrap();
        let refund = format!("register refund --settlement {settlement} --yen 150 --behave {how}");
        shop.sees(&refund, &[moved(refunds, 150)]);
    }
    // Two requests on their way at once: one of them counts, or, at an ATM that did not wait for its approval, perhaps none.
    let digits = shop.home.digits();
    let told = shop.sees(&format!("register scan --digits {digits} --yen 300 --behave no-wait"), &[-300]);
    assert_eq!(told["heard"][0]["answer"], told["heard"][1]["answer"], "{told}");
    shop.top_up("no-wait", &[0, 1_000]);
    assert_eq!(shop.home.saifu("register scan --digits 1 --yen 1 --behave backwards").code, Some(2));
}
