//! Fifty approved top-ups at once: the limits decide how many post, whatever the interleaving, also when the issuer is killed
//! with SIGKILL in the middle. And one intent sent fifty times is one intent.
//!
//! Control: `tests/sandbox/tests` shows the replay look-up and the limits removed one by one, and the checks failing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use saifu::{Error, ProblemCode, Yen};
use saifu_rig::terminal::deposit;
use saifu_rig::{Customer, Issuer};
use saifu_wire::messages::Outcome;
use serde_json::Value;

use crate::support::common::issuer;

const AT_ONCE: usize = 50;
const EACH_YEN: i64 = 1_000;
/// Interval and hourly count off; the starter's ¥10,000 a day decides.
const YEN_CAP_DECIDES: &str = r#"{"top_up":{"interval_ms":null,"an_hour":null}}"#;

/// Approves fifty top-ups, confirms all at once, perhaps kills the issuer once so many are answered, goes on until a limit
/// says no; then every number that the wallet shows takes cash. Gives how many posted, and how many got no answer.
async fn fifty_at_once(policy: Option<&str>, kill_after: Option<usize>) -> (i64, usize) {
    let mut issuer = issuer(policy);
    let mut customer = Customer::new(&issuer, "090-1000-0001").await;
    let mut approvals = Vec::new();
    for _ in 0..AT_ONCE {
        approvals.push(customer.approve(EACH_YEN).await);
    }
    let keys: BTreeSet<_> = approvals.iter().map(|(approval, _)| approval.key()).collect();
    assert_eq!(keys.len(), AT_ONCE, "distinct keys");
    let answered = Arc::new(AtomicUsize::new(0));
    let confirming: Vec<_> = approvals
        .into_iter()
        .map(|(approval, signature)| {
            let answered = Arc::clone(&answered);
            tokio::spawn(async move {
                let confirmed = approval.confirm(signature).await;
                answered.fetch_add(1, Ordering::SeqCst);
                confirmed
            })
        })
        .collect();
    if let Some(after) = kill_after {
        while answered.load(Ordering::SeqCst) < after {
            tokio::task::yield_now().await;
        }
        issuer.restart();
    }
    let mut cut_off = 0_usize;
    for confirmed in confirming {
        match confirmed.await.unwrap() {
            Ok(_) => {}
            Err(Error::Offline | Error::NoAnswer) => cut_off += 1,
            Err(error) => assert_eq!(error.problem(), Some(ProblemCode::OverLimit), "{error:?}"),
        }
    }
    assert!(cut_off == 0 || kill_after.is_some());
    customer = customer.reopen(&issuer).await;
    customer.wallet.refresh().await.unwrap();
    // Whatever the kill cut off is voided by now; the limits still have room for exactly the rest.
    loop {
        match customer.request(EACH_YEN).await {
            Ok(_) => {}
            Err(error) if error.problem() == Some(ProblemCode::OverLimit) => break,
            Err(error) => panic!("{error:?}"),
        }
    }
    let posted = deposit_everything(&issuer, &customer).await;
    let home = customer.wallet.refresh().await.unwrap();
    assert_eq!(home.balance_yen, Some(Yen(posted * EACH_YEN)));
    assert!(customer.wallet.pending().is_empty());
    issuer.assert_books_balance();
    (posted, cut_off)
}

/// Types every number that the wallet shows at the ATM; each must take its cash.
async fn deposit_everything(issuer: &Issuer, customer: &Customer) -> i64 {
    let atm = issuer.link("atm-1");
    let mut posted = 0;
    for pending in customer.wallet.pending() {
        // Each TOTP step serves once.
        issuer.advance(31_000);
        customer.wallet.refresh().await.unwrap();
        let number = pending.what.number().cloned().unwrap_or_else(|| panic!("{:?} has no number", pending.id));
        let answer = deposit(&atm, &pending.id, &number, &customer.totp(), EACH_YEN).await.unwrap();
        assert_eq!(answer.result, Outcome::Approved, "{answer:?}");
        posted += 1;
    }
    posted
}

/// The same with a kill after none, one, a few and a dozen answers. The issuer may be through with all fifty by then; so it is
/// repeated until a kill has come in the middle, and every run has to hold.
async fn fifty_at_once_with_kills(policy: Option<&str>, expected: i64) {
    let mut in_the_middle = 0;
    for answered in [0, 1, 5, 12, 0, 1, 5, 12, 0, 1, 5, 12] {
        let (posted, cut_off) = fifty_at_once(policy, Some(answered)).await;
        assert_eq!(posted, expected, "killed after {answered} answers, {cut_off} cut off");
        in_the_middle += usize::from((1..AT_ONCE).contains(&cut_off));
        if in_the_middle >= 2 {
            return;
        }
    }
    panic!("no kill came in the middle");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_top_ups_at_once_post_one_under_the_default_rules() {
    assert_eq!(fifty_at_once(None, None).await, (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_top_ups_at_once_post_one_when_the_issuer_is_killed_in_the_middle() {
    fifty_at_once_with_kills(None, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_top_ups_at_once_fill_the_yen_cap_exactly() {
    assert_eq!(fifty_at_once(Some(YEN_CAP_DECIDES), None).await, (10, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_top_ups_at_once_fill_the_yen_cap_exactly_when_the_issuer_is_killed_in_the_middle() {
    fifty_at_once_with_kills(Some(YEN_CAP_DECIDES), 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_intent_sent_fifty_times_posts_once_and_answers_the_same() {
    let issuer = issuer(None);
    // A phone without a wallet, to send the same bytes.
    let phone = Arc::new(issuer.phone("090-1000-0002").await);
    let (key, request) = phone.approve(5_000).await;
    let sending: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (phone, request) = (Arc::clone(&phone), request.clone());
            tokio::spawn(async move { phone.top_up(key, &request).await.ok::<Value>() })
        })
        .collect();
    let mut answers = BTreeSet::new();
    for sent in sending {
        answers.insert(sent.await.unwrap().to_string());
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    let postings = issuer.database().query_row("SELECT count(*) FROM posting", [], |row| row.get::<_, i64>(0));
    assert_eq!(postings.unwrap(), 1);
}
