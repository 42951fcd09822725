//! What a wallet does when it is locked, double-tapped, put aside, or meets an issuer that is not there: the account machine,
//! the follower and the lock, in one process with a real wallet against a real issuer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use saifu::{Error, Following, PendingWhat, Purpose, Refusal, Update, WalletState, Yen};
use saifu_host::desktop::DesktopClock;
use saifu_rig::terminal::settle;
use saifu_rig::{Customer, Issuer, Launch, free_ports};
use saifu_wire::messages::Outcome;
use serde_json::json;

use crate::support::common::{NO_WAITING, issuer, launch};

/// How long something may take that comes by itself: a wallet whose budget for retries is spent, by an issuer that was slow to come
/// back, waits up to four minutes.
const BOUND: Duration = Duration::from_secs(300);

fn fault(issuer: &Issuer, on: &str, act: &str, times: u32) {
    issuer.control("POST", "/faults", json!({ "on": on, "do": act, "times": times }));
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let reached = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(BOUND, reached).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Control: let `resolve_intents` ask about keys that are being sent, and the approved top-up is voided.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refresh_beside_a_top_up_on_its_way_does_not_void_it() {
    let issuer = issuer(Some(NO_WAITING));
    let customer = Customer::new(&issuer, "090-4100-0001").await;
    let (approval, signature) = customer.approve(1_000).await;
    fault(&issuer, "top-up", "delay:1500", 1);
    let wallet = customer.wallet.clone();
    let beside = async {
        until("it is on its way", async || wallet.pending().iter().any(|p| matches!(p.what, PendingWhat::Unknown(_))))
            .await;
        wallet.refresh().await.unwrap();
    };
    let (top_up, ()) = tokio::join!(approval.confirm(signature), beside);
    assert_eq!(top_up.unwrap().yen, Yen(1_000));
    let pending = customer.wallet.pending();
    assert!(matches!(pending[0].what, PendingWhat::Accepted(_)) && pending[0].what.number().is_some(), "{pending:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn intent_whose_answer_is_lost_says_so_and_ends_by_itself() {
    let issuer = issuer(Some(NO_WAITING));
    let customer = Customer::new(&issuer, "090-4100-0002").await;
    customer.follow().await;
    for (act, arrives) in [("drop-answer", true), ("drop-request", false), ("status:503", false)] {
        let (approval, signature) = customer.approve(1_000).await;
        let key = approval.key().to_string();
        fault(&issuer, "top-up", act, 1);
        let error = approval.confirm(signature).await.unwrap_err();
        assert!(matches!(error, Error::NoAnswer), "{act}: {error:?}");
        // Nobody refreshes: whoever follows is told by itself.
        let wallet = customer.wallet.clone();
        until(act, async || {
            let pending = wallet.pending();
            let known = pending.iter().find(|pending| pending.id == key).map(|pending| &pending.what);
            if arrives { matches!(known, Some(PendingWhat::Accepted(_))) } else { known.is_none() }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn double_tapped_confirmation_makes_one_account_and_keeps_what_came_after() {
    let issuer = issuer(Some(NO_WAITING));
    let customer = Customer::stranger(&issuer, "090-4100-0003", Arc::new(DesktopClock::new()));
    let first = customer.wallet.sign_up(customer.number.clone()).await.unwrap();
    let second = customer.wallet.sign_up_in_progress().unwrap();
    let code = issuer.sms_code(&customer.number);
    let (one, two) = tokio::join!(first.confirm(&code), second.confirm(&code));
    assert_eq!(one.unwrap(), two.unwrap());
    customer.top_up(&issuer, 1_000).await;
    customer.request(1_000).await.unwrap();
    // A third answer, much later.
    assert_eq!(first.confirm(&code).await.ok(), second.confirm(&code).await.ok());
    assert_eq!(customer.wallet.pending().len(), 1);
    assert!(customer.wallet.totp().is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn following_is_a_wish_that_survives_a_start_without_network_and_is_tried_again_by_itself() {
    let mut issuer = Issuer::launch(Launch { port: Some(free_ports()), ..launch(Some(NO_WAITING)) });
    let customer = Customer::new(&issuer, "090-4100-0004").await;
    issuer.kill();
    let mut updates = customer.wallet.events();
    customer.wallet.follow().unwrap();
    until("it says that it waits", async || {
        matches!(customer.wallet.following(), Following::Waiting { why: "offline", .. })
    })
    .await;
    assert!(matches!(customer.wallet.home().following, Following::Waiting { .. }));
    issuer.restart();
    // Nobody asks again.
    tokio::time::timeout(BOUND, customer.wallet.followed()).await.unwrap().unwrap();
    let mut stood = Vec::new();
    while let Ok(Some(update)) = tokio::time::timeout(Duration::from_millis(100), updates.next()).await {
        if let Update::Following(following) = update {
            stood.push(following.as_str());
        }
    }
    assert!(stood.contains(&"waiting") && stood.last() == Some(&"connected"), "{stood:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn second_follow_tells_no_event_twice_and_a_lock_only_interrupts() {
    let issuer = issuer(Some(NO_WAITING));
    let customer = Customer::with_balance(&issuer, "090-4100-0005", 5_000).await;
    let wallet = &customer.wallet;
    let mut events = wallet.events();
    for _ in 0..3 {
        wallet.follow().unwrap();
    }
    tokio::time::timeout(BOUND, wallet.followed()).await.unwrap().unwrap();
    wallet.follow().unwrap();
    let till = issuer.link("register-1");
    let pay = async |txid: &str| assert_eq!(customer.pay(&till, txid, 10).await.result, Outcome::Approved);
    pay("f-1").await;
    let code = wallet.next_code(Purpose::Pay).await.unwrap();
    let first = tokio::time::timeout(BOUND, events.next_event()).await.unwrap().unwrap();
    wallet.lock();
    assert!(matches!(wallet.following(), Following::Off) && matches!(wallet.follow(), Err(Error::Locked)));
    // Something happens while the wallet is locked: it is told after the unlocking, which nobody follows up.
    assert_eq!(settle(&till, "f-2", code.digits(), 10).await.unwrap().result, Outcome::Approved);
    wallet.unlock().unwrap();
    let second = tokio::time::timeout(BOUND, events.next_event()).await.unwrap().unwrap();
    assert_eq!(second.number, first.number + 1);
    pay("f-3").await;
    let third = tokio::time::timeout(BOUND, events.next_event()).await.unwrap().unwrap();
    assert_eq!(third.number, first.number + 2, "no event twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scan_ends_the_code_that_is_shown() {
    let issuer = issuer(Some(NO_WAITING));
    let customer = Customer::with_balance(&issuer, "090-4100-0006", 1_000).await;
    customer.follow().await;
    let mut events = customer.wallet.events();
    let till = issuer.link("register-1");
    // Paid, then declined for want of balance: both burn the code.
    for (txid, yen) in [("b-1", 400), ("b-2", 5_000)] {
        let code = customer.wallet.next_code(Purpose::Pay).await.unwrap();
        assert!(customer.wallet.payment_code(Purpose::Pay).is_ok());
        settle(&till, txid, code.digits(), yen).await.unwrap();
        tokio::time::timeout(BOUND, events.next_event()).await.unwrap().unwrap();
        assert_eq!(customer.wallet.payment_code(Purpose::Pay).err(), Some(Refusal::NoCodeInHand), "{txid}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn call_that_a_lock_overtakes_says_locked_and_leaves_nothing_behind() {
    let issuer = issuer(Some(NO_WAITING));
    let customer = Customer::new(&issuer, "090-4100-0007").await;
    fault(&issuer, "code", "delay:700", 1);
    let wallet = customer.wallet.clone();
    let asked = tokio::spawn(async move { wallet.next_code(Purpose::Pay).await.map(drop) });
    until("it is held", async || issuer.control("GET", "/faults", None)["held"].as_u64() > Some(0)).await;
    customer.wallet.lock();
    let error = asked.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Locked), "{error:?}");
    customer.wallet.unlock().unwrap();
    assert_eq!(customer.wallet.payment_code(Purpose::Pay).err(), Some(Refusal::NoCodeInHand));
    assert_eq!(customer.wallet.home().state, WalletState::Ready);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reset_is_refused_while_money_is_unknown_and_then_leaves_nothing() {
    let mut issuer = issuer(Some(NO_WAITING));
    let customer = Customer::new(&issuer, "090-4100-0008").await;
    let (approval, signature) = customer.approve(1_000).await;
    fault(&issuer, "top-up", "drop-answer", 1);
    fault(&issuer, "intent-resolve", "drop-request", 1_000);
    assert!(matches!(approval.confirm(signature).await, Err(Error::NoAnswer)));
    issuer.kill();
    let error = customer.wallet.reset(false).await.unwrap_err();
    assert!(matches!(error, Error::InvalidInput(_)), "{error:?}");
    assert_eq!((customer.wallet.home().state, customer.wallet.pending().len()), (WalletState::Ready, 1));
    customer.wallet.reset(true).await.unwrap();
    assert_eq!((customer.wallet.home().state, customer.wallet.pending().len()), (WalletState::NoAccount, 0));
    assert!(matches!(customer.wallet.refresh().await, Err(Error::NotSignedUp)));
    // And in the next process.
    let customer = customer.reopen(&issuer).await;
    assert_eq!(customer.wallet.home().state, WalletState::NoAccount);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_that_makes_no_sense_costs_no_balance_and_says_that_it_is_incomplete() {
    let issuer = issuer(Some(NO_WAITING));
    let customer = Customer::with_balance(&issuer, "090-4100-0009", 1_000).await;
    for act in ["nonsense", "status:503"] {
        fault(&issuer, "history", act, 1_000);
        // Control: fetch the history within the refresh, as it once was, and this is an error.
        let home = customer.wallet.refresh().await.unwrap();
        assert_eq!((home.balance_yen, home.history_incomplete), (Some(Yen(1_000)), true), "{act}");
        let history = customer.wallet.history(9).await.unwrap();
        assert_eq!((history.entries.len(), history.incomplete), (0, true), "{act}");
        issuer.control("DELETE", "/faults", None);
    }
    until("it is complete", async || {
        customer.wallet.refresh().await.unwrap();
        !customer.wallet.home().history_incomplete
    })
    .await;
    assert_eq!(customer.wallet.history(9).await.unwrap().entries.len(), 1);
}

/// Control: read the tail after the cache instead of within it, and lines on their way from one to the other are in neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_misses_no_line_while_the_tail_goes_into_the_cache() {
    let issuer = issuer(Some(NO_WAITING));
    let customer = Customer::with_balance(&issuer, "090-4100-0010", 5_000).await;
    let wallet = &customer.wallet;
    customer.follow().await;
    wallet.settled().await;
    let mut events = wallet.events();
    let till = issuer.link("register-1");
    let known = Arc::new(AtomicUsize::new(1));
    // Who reads is on a busy thread: milliseconds pass until he goes on with what the disk said.
    let reader = std::thread::spawn({
        let (wallet, known) = (wallet.clone(), Arc::clone(&known));
        move || {
            let busy = async || loop {
                std::thread::sleep(Duration::from_millis(5));
                tokio::task::yield_now().await;
            };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let mut before = 1;
                while before != usize::MAX {
                    let lines =
                        tokio::select! { history = wallet.history(usize::MAX) => history, () = busy() => return };
                    // Locked in between: nothing is said.
                    let lines = lines.map_or(usize::MAX, |history| history.entries.len());
                    assert!(lines >= before, "{lines} lines, and {before} had been told");
                    before = known.load(Ordering::Acquire);
                }
            });
        }
    });
    for payments in 1..=30 {
        assert_eq!(customer.pay(&till, &format!("h-{payments}"), 10).await.result, Outcome::Approved);
        tokio::time::timeout(BOUND, events.next_event()).await.unwrap().unwrap();
        known.store(payments + 1, Ordering::Release);
        // The line rests in the journal; the next connection takes it into the cache.
        wallet.lock();
        wallet.unlock().unwrap();
        tokio::time::timeout(BOUND, wallet.followed()).await.unwrap().unwrap();
        wallet.settled().await;
    }
    known.store(usize::MAX, Ordering::Release);
    reader.join().unwrap();
}

/// A disk on which opening a file does not return until this is dropped: a pipe stands in its place.
struct Hanging {
    file: std::path::PathBuf,
    content: Vec<u8>,
}

impl Hanging {
    fn instead_of(file: &std::path::Path) -> Self {
        let content = std::fs::read(file).unwrap();
        std::fs::remove_file(file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(file).status().unwrap().success());
        Self { file: file.to_path_buf(), content }
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        let pipe = self.file.with_extension("pipe");
        std::fs::rename(&self.file, &pipe).unwrap();
        std::fs::write(&self.file, &self.content).unwrap();
        // Who waits at the pipe reads what he would have read.
        let waiting = rustix::fs::open(
            &pipe,
            rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK,
            rustix::fs::Mode::empty(),
        );
        if let Ok(pipe) = waiting {
            // He may have given up meanwhile.
            let _ = rustix::io::write(pipe, &self.content);
        }
    }
}

/// Control: let `refresh` or the follower wait for the history without a bound, and this ends at [`BOUND`].
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cache_that_hangs_delays_neither_refresh_nor_follow() {
    let issuer = issuer(Some(NO_WAITING));
    let customer = Customer::with_balance(&issuer, "090-4100-0011", 1_000).await;
    customer.wallet.refresh().await.unwrap();
    customer.wallet.settled().await;
    assert!(!customer.wallet.home().history_incomplete);
    customer.wallet.close().await;
    let database = std::fs::read_dir(customer.cache_folder()).unwrap().map(|entry| entry.unwrap().path());
    let file = database.map(|folder| folder.join("conf")).find(|file| file.is_file()).unwrap();
    let hanging = Hanging::instead_of(&file);
    let customer = customer.reopen(&issuer).await;
    let hung = tokio::spawn({
        let wallet = customer.wallet.clone();
        async move { wallet.history(9).await.map(|history| history.entries.len()) }
    });
    let home = tokio::time::timeout(BOUND, customer.wallet.refresh()).await.unwrap().unwrap();
    assert_eq!(home.balance_yen, Some(Yen(1_000)));
    customer.wallet.follow().unwrap();
    tokio::time::timeout(BOUND, customer.wallet.followed()).await.unwrap().unwrap();
    let mut events = customer.wallet.events();
    customer.pay(&issuer.link("register-1"), "hung", 100).await;
    let event = tokio::time::timeout(BOUND, events.next_event()).await.unwrap().unwrap();
    assert_eq!(event.balance_yen, Yen(900));
    assert!(!hung.is_finished(), "the disk hangs indeed");
    drop(hanging);
    let _ = tokio::time::timeout(BOUND, hung).await.unwrap().unwrap();
    until("the history is there", async || {
        customer.wallet.history(9).await.is_ok_and(|history| history.entries.len() == 2 && !history.incomplete)
    })
    .await;
}
