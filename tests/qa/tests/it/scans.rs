//! One code at two tills, and a till whose answer was lost.
//!
//! Control: `tests/sandbox/tests` removes the burn and the replay look-up, and sees these checks fail.

use saifu::{Purpose, Yen};
use saifu_rig::Customer;
use saifu_rig::terminal::settle;
use saifu_wire::Reason;
use saifu_wire::messages::Outcome;

use crate::support::common::{NO_WAITING, issuer};

const ROUNDS: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_shown_to_two_registers_at_once_is_approved_exactly_once() {
    let issuer = issuer(Some(NO_WAITING));
    let customer = Customer::with_balance(&issuer, "090-2000-0001", 10_000).await;
    let tills = [issuer.link("register-1"), issuer.link("register-3")];
    for round in 0..ROUNDS {
        let code = customer.wallet.next_code(Purpose::Pay).await.unwrap();
        let scans = tills.clone().map(|till| {
            let digits = code.digits().to_owned();
            tokio::spawn(async move { settle(&till, &format!("scan-{round}"), &digits, 10).await.unwrap() })
        });
        let mut approved = 0;
        for scan in scans {
            let answer = scan.await.unwrap();
            match answer.result {
                Outcome::Approved => approved += 1,
                _ => assert_eq!(answer.reason, Some(Reason::CodeNotValid.into()), "{answer:?}"),
            }
        }
        assert_eq!(approved, 1, "round {round}");
    }
    let home = customer.wallet.refresh().await.unwrap();
    assert_eq!(home.balance_yen, Some(Yen(10_000 - 1_000)));
    issuer.assert_books_balance();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transaction_repeated_after_a_lost_answer_gives_the_same_approval() {
    let mut issuer = issuer(Some(NO_WAITING));
    let customer = Customer::with_balance(&issuer, "090-2000-0002", 10_000).await;
    let code = customer.wallet.next_code(Purpose::Pay).await.unwrap();
    let first = settle(&issuer.link("register-1"), "t-1", code.digits(), 1_280).await.unwrap();
    assert_eq!(first.result, Outcome::Approved);
    for kill in [false, true] {
        if kill {
            issuer.restart();
        }
        let again = settle(&issuer.link("register-1"), "t-1", code.digits(), 1_280).await.unwrap();
        assert_eq!(again, first, "killed: {kill}");
    }
    // The same id for something else, and the same code under another id, move nothing.
    for (txid, yen, reason) in [("t-1", 1_281, Reason::TransactionReused), ("t-2", 1_280, Reason::CodeNotValid)] {
        let other = settle(&issuer.link("register-1"), txid, code.digits(), yen).await.unwrap();
        assert_eq!((other.result, other.reason), (Outcome::Declined, Some(reason.into())));
    }
    let customer = customer.reopen(&issuer).await;
    assert_eq!(customer.wallet.refresh().await.unwrap().balance_yen, Some(Yen(10_000 - 1_280)));
}
