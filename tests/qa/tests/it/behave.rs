//! Tills and ATMs that do not do as they should, each way at each of their commands: the customer's balance changes once or
//! not at all, wallet and ledger say the same, and what stays open ends by itself.
//!
//! Control, in the same file: an issuer that does not look up whether it has done a transaction is seen to move money twice.

use saifu_qa::cli::Behave;
use saifu_sandbox::policy::{Policy, Without};
use saifu_sandbox::{Options, Sandbox};
use serde_json::Value;

use crate::support::common::{Home, NO_WAITING};

/// Longer than any top-up stays open.
const ENDED: &str = "sandbox clock +16m";

/// A command that can misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Scan,
    Refund,
    Deposit,
}

impl At {
    /// What its transaction moves to the customer.
    fn yen(self) -> i64 {
        match self {
            Self::Scan => -300,
            Self::Refund => 150,
            Self::Deposit => 1_000,
        }
    }

    /// What it may come to in the end.
    fn expected(self, how: Behave) -> Vec<i64> {
        let moved = self.yen();
        match (how, self) {
            (Behave::Twice | Behave::Late(_) | Behave::DieAfterSend, _) => vec![moved],
            // Two equal requests at once: one of them counts.
            (Behave::NoWait, Self::Scan | Self::Refund) => vec![moved],
            // An ATM that posts cash before it knows whether it may: that is right or declined.
            (Behave::NoWait, Self::Deposit) => vec![0, moved],
            // What was reversed before it came is declined.
            (Behave::ReverseFirst, Self::Scan | Self::Refund) => vec![0],
            // Cash that was posted unasked is declined; then it asks, and posts.
            (Behave::ReverseFirst, Self::Deposit) => vec![moved],
            (Behave::WrongKey, _) => vec![0],
        }
    }

    /// So many requests in the right order.
    fn steps(self) -> usize {
        if self == Self::Deposit { 2 } else { 1 }
    }

    /// How many answers this way leaves.
    fn heard(self, how: Behave) -> usize {
        match how {
            Behave::Twice => 2 * self.steps(),
            Behave::NoWait => 2,
            Behave::Late(_) | Behave::WrongKey => self.steps(),
            Behave::ReverseFirst => self.steps() + 1,
            Behave::DieAfterSend => self.steps() - 1,
        }
    }
}

struct Shop {
    home: Home,
    balance: i64,
}

impl Shop {
    fn new(home: Home) -> Self {
        home.sign_up("me", "090-1234-5678");
        home.top_up(5_000);
        home.saifu("sandbox clock +31s").done();
        Self { home, balance: 5_000 }
    }

    /// Runs a command that misbehaves, and holds what it tells against what the wallet sees.
    fn misbehave(&mut self, at: At, how: Behave) -> Value {
        let form = how.form().replace("MS", "50");
        let words = match at {
            At::Scan => format!("register scan --digits {} --yen 300", self.home.digits()),
            At::Refund => {
                let scan = format!("register scan --digits {} --yen 300", self.home.digits());
                let paid = self.home.saifu(&scan).done();
                self.balance -= 300;
                format!("register refund --settlement {} --yen 150", paid["settlement"].as_str().unwrap())
            }
            At::Deposit => {
                // Each needs a TOTP code of its own.
                self.home.saifu("sandbox clock +31s").done();
                let top_up = self.home.saifu("wallet topup atm --yen 1000 --yes").done();
                let (number, totp) = (top_up["number"].as_str().unwrap(), self.home.totp());
                format!("atm deposit --number {number} --totp {totp} --yen 1000")
            }
        };
        let told = self.home.saifu(&format!("{words} --behave {form}")).done();
        self.balance += told["customer_yen"].as_i64().unwrap();
        assert_eq!(self.home.balance(), self.balance, "{at:?} {form}: {told}");
        told
    }
}

fn start(home: &Home) {
    let policy = home.file("policy.json");
    std::fs::write(&policy, NO_WAITING).unwrap();
    home.start(&format!("sandbox --policy {policy}"));
}

/// One command, every way.
fn every_way(at: At) {
    let home = Home::new();
    start(&home);
    let mut shop = Shop::new(home);
    for how in Behave::ALL {
        let told = shop.misbehave(at, *how);
        let yen = told["customer_yen"].as_i64().unwrap();
        assert!(at.expected(*how).contains(&yen), "{at:?} {}: {told}", how.form());
        let heard = told["heard"].as_array().unwrap();
        assert_eq!(heard.len(), at.heard(*how), "{at:?} {}: {told}", how.form());
        if *how == Behave::Twice || (*how == Behave::NoWait && at != At::Deposit) {
            let pairs = heard.chunks(2).all(|pair| pair[0] == pair[1] && pair[0]["answer"].is_object());
            assert!(pairs, "two answers to one request: {told}");
        }
        if *how == Behave::WrongKey {
            assert!(heard.iter().all(|answer| answer["error"] == "unknown-terminal"), "{told}");
        }
        assert_eq!(told["ledger"].as_array().unwrap().is_empty(), yen == 0, "{told}");
    }
    // Nobody has to clear anything up.
    shop.home.saifu(ENDED).done();
    assert_eq!(shop.home.balance(), shop.balance);
    let pending = shop.home.saifu("wallet pending").done();
    assert_eq!(pending["entries"], serde_json::json!([]), "{pending}");
}

#[test]
fn till_that_misbehaves_with_a_code_moves_its_amount_once_or_not_at_all() {
    every_way(At::Scan);
}

#[test]
fn till_that_misbehaves_with_a_refund_moves_its_amount_once_or_not_at_all() {
    every_way(At::Refund);
}

#[test]
fn atm_that_misbehaves_moves_its_amount_once_or_not_at_all() {
    every_way(At::Deposit);
}

#[test]
fn unknown_way_to_misbehave_is_refused_with_those_there_are() {
    let home = Home::new();
    for bad in ["backwards", "late:0", "late:MS", "late:60001"] {
        let ran = home.saifu(&format!("register scan --digits 1 --yen 1 --behave {bad}"));
        let detail = ran.refused(2, "usage")["error"]["detail"].to_string();
        assert!(Behave::ALL.iter().all(|how| detail.contains(how.form())), "{bad}: {detail}");
    }
}

/// The control. A deposit is not in it: a top-up that is done is no longer there to be posted, whatever is looked up.
#[test]
fn issuer_that_knows_no_repeats_moves_money_twice() {
    for at in [At::Scan, At::Refund] {
        for without in [false, true] {
            let home = Home::new();
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            let rules: Policy = serde_json::from_str(NO_WAITING).unwrap();
            let without_any = Without { replay_lookup: without, code_burn: without, ..Without::default() };
            let options =
                Options { policy: Policy { without: without_any, ..rules }, ..Options::new(home.file("sandbox")) };
            let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
            let mut shop = Shop::new(home);
            let told = shop.misbehave(at, Behave::Twice);
            let times = if without { 2 } else { 1 };
            assert_eq!(told["customer_yen"], times * at.yen(), "{at:?}: {told}");
            runtime.block_on(sandbox.stop());
        }
    }
}
