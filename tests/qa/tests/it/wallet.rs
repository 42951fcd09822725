//! The wallet against a real issuer: what it knows without a network, after a kill, after a loss, and behind a lock.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use saifu::{
    Amount, Channel, Config, Error, EventBody, OpenError, PendingWhat, PhoneNumber, ProblemCode, Purpose, Refusal,
    Wallet, WalletState, Yen,
};
use saifu_host::KeyError;
use saifu_host::desktop::DesktopClock;
use saifu_host::doubles::MemoryHost;
use saifu_rig::{Customer, Issuer};
use saifu_vault::VaultError;
use saifu_wire::messages::Outcome;
use tokio::runtime::Handle;

use crate::support::common::{NO_WAITING, issuer};

fn open_at(host: &MemoryHost, folder: &Path, issuer: &Issuer) -> Result<Wallet, OpenError> {
    let config = Config { folder: folder.to_path_buf(), issuer: issuer.config(), app_version: "rig".into() };
    Wallet::open(host.platform(Arc::new(DesktopClock::new())), config, Handle::current())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_up_goes_on_in_a_new_process_and_a_repeated_confirmation_gives_the_same_device() {
    let issuer = issuer(None);
    let (host, folder) = (MemoryHost::new(), tempfile::tempdir().unwrap());
    let number = PhoneNumber::parse("090-4000-0001").unwrap();
    let wallet = open_at(&host, folder.path(), &issuer).unwrap();
    assert_eq!(wallet.home().state, WalletState::NoAccount);
    drop(wallet.sign_up(number.clone()).await.unwrap());
    // A copy of the files from before the confirmation: a phone killed after the issuer had said yes.
    wallet.close().await;
    drop(wallet);
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).filter(|f| f.path().is_file()) {
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let wallet = open_at(&host, folder.path(), &issuer).unwrap();
    assert_eq!(wallet.home().state, WalletState::SigningUp);
    assert!(wallet.pending().iter().any(|pending| pending.what == PendingWhat::SignUp));
    let code = issuer.sms_code(&number);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let error = wallet.sign_up_in_progress().unwrap().confirm(wrong).await.unwrap_err();
    assert_eq!(error.problem(), Some(ProblemCode::WrongCode));
    let ready = wallet.sign_up_in_progress().unwrap().confirm(&code).await.unwrap();
    assert_eq!(wallet.home().balance_yen, Some(Yen(0)));
    let killed = open_at(&host, copy.path(), &issuer).unwrap();
    let again = killed.sign_up_in_progress().unwrap().confirm(&code).await.unwrap();
    assert_eq!(again, ready);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settlement_reaches_the_wallet_by_event_within_a_second_and_stays_without_a_network() {
    let mut issuer = issuer(None);
    let customer = Customer::with_balance(&issuer, "090-4000-0002", 5_000).await;
    customer.follow().await;
    let mut events = customer.wallet.events();
    let answer = customer.pay(&issuer.link("register-1"), "t-1", 1_280).await;
    let settled = Instant::now();
    assert_eq!(answer.result, Outcome::Approved);
    let event = tokio::time::timeout(Duration::from_secs(20), events.next_event()).await.unwrap().unwrap();
    tracing::info!(ms = settled.elapsed().as_millis(), "event");
    let EventBody::Entry { entry } = &event.body else { panic!("{event:?}") };
    assert_eq!((entry.yen, event.balance_yen), (Yen(-1_280), Yen(3_720)));
    customer.wallet.settled().await;
    issuer.kill();
    // The home picture and the history are on disk; no network is there to ask.
    let customer = customer.reopen(&issuer).await;
    let home = customer.wallet.home();
    assert_eq!((home.balance_yen, home.points.map(|p| p.0)), (Some(Yen(3_720)), Some(6)));
    let history = customer.wallet.history(10).await.unwrap();
    assert!(!history.incomplete);
    assert_eq!(history.entries.iter().map(|entry| entry.yen.0).collect::<Vec<_>>(), [-1_280, 5_000]);
    assert_eq!(customer.wallet.payment_code(Purpose::Pay).err(), Some(Refusal::NoCodeInHand));
    assert!(customer.wallet.totp().is_ok());
    assert!(matches!(customer.wallet.refresh().await, Err(Error::Offline)));
    assert_eq!(customer.wallet.home().balance_yen, Some(Yen(3_720)), "a failed refresh changes nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refresh_beside_the_stream_hides_no_event_and_leaves_no_gap_in_the_history() {
    let issuer = issuer(Some(NO_WAITING));
    let customer = Customer::with_balance(&issuer, "090-4000-0008", 5_000).await;
    customer.follow().await;
    let mut events = customer.wallet.events();
    let till = issuer.link("register-1");
    for payment in 0..20 {
        let answer = customer.pay(&till, &format!("t-{payment}"), 10).await;
        assert_eq!(answer.result, Outcome::Approved);
        // The refresh may learn of the payment before the stream tells it.
        customer.wallet.refresh().await.unwrap();
    }
    for payment in 1..=20_i64 {
        let event = tokio::time::timeout(Duration::from_secs(20), events.next_event()).await.unwrap().unwrap();
        assert_eq!(event.balance_yen, Yen(5_000 - payment * 10));
    }
    customer.wallet.settled().await;
    let history = customer.wallet.history(100).await.unwrap();
    assert_eq!((history.entries.len(), history.incomplete), (21, false));
    assert_eq!(customer.wallet.home().balance_yen, Some(Yen(4_800)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_set_aside_is_filled_again_without_a_gap() {
    let issuer = issuer(Some(NO_WAITING));
    let customer = Customer::with_balance(&issuer, "090-4000-0009", 5_000).await;
    customer.wallet.refresh().await.unwrap();
    customer.wallet.settled().await;
    let history = customer.wallet.history(100).await.unwrap();
    assert_eq!((history.entries.len(), history.incomplete), (1, false));
    customer.wallet.close().await;
    std::fs::remove_dir_all(customer.cache_folder()).unwrap();
    let customer = customer.reopen(&issuer).await;
    // Offline the history is empty and says so; nothing about money is.
    let history = customer.wallet.history(100).await.unwrap();
    assert_eq!((history.entries.len(), history.incomplete), (0, true));
    assert!(customer.wallet.home().history_incomplete);
    assert_eq!(customer.wallet.home().balance_yen, Some(Yen(5_000)));
    customer.wallet.refresh().await.unwrap();
    customer.wallet.settled().await;
    let history = customer.wallet.history(100).await.unwrap();
    assert_eq!((history.entries.len(), history.incomplete), (1, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn intent_that_never_arrived_is_voided_by_asking_and_never_sent_again() {
    let mut issuer = issuer(None);
    let customer = Customer::new(&issuer, "090-4000-0003").await;
    let (approval, signature) = customer.approve(1_000).await;
    // Recorded, but the wallet dies before anything is sent: no host answers any more.
    let key = approval.key().to_string();
    issuer.kill();
    let error = approval.confirm(signature).await.unwrap_err();
    assert!(matches!(error, Error::Offline | Error::NoAnswer), "{error:?}");
    issuer.restart();
    let customer = customer.reopen(&issuer).await;
    customer.wallet.refresh().await.unwrap();
    assert!(customer.wallet.pending().iter().all(|pending| pending.id != key));
    assert_eq!(customer.wallet.refresh().await.unwrap().balance_yen, Some(Yen(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_signature_is_caught_before_anything_is_recorded_or_sent() {
    let issuer = issuer(None);
    let customer = Customer::new(&issuer, "090-4000-0004").await;
    let approval = customer.wallet.top_up(Channel::Atm, Amount::new(1_000).unwrap()).await.unwrap();
    let error = approval.confirm(vec![0x30, 0x06, 2, 1, 1, 2, 1, 1]).await.unwrap_err();
    assert!(matches!(error, Error::Key(KeyError::Temporary)), "{error:?}");
    assert!(customer.wallet.pending().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locked_wallet_tells_and_does_nothing_until_unlocked() {
    let issuer = issuer(None);
    let customer = Customer::new(&issuer, "090-4000-0005").await;
    customer.wallet.lock();
    customer.wallet.lock();
    assert!(matches!(customer.wallet.totp(), Err(Error::Locked)));
    assert!(matches!(customer.wallet.refresh().await, Err(Error::Locked)));
    assert_eq!(customer.wallet.payment_code(Purpose::Pay).err(), Some(Refusal::Locked));
    assert_eq!(customer.wallet.home().balance_yen, None);
    customer.wallet.unlock().unwrap();
    customer.wallet.refresh().await.unwrap();
    assert_eq!(customer.wallet.home().balance_yen, Some(Yen(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn second_device_with_the_number_and_the_sms_code_gets_nothing_and_the_owner_is_told() {
    let issuer = issuer(None);
    let owner = Customer::new(&issuer, "090-4000-0006").await;
    issuer.advance(61_000);
    let (host, folder) = (MemoryHost::new(), tempfile::tempdir().unwrap());
    let thief = open_at(&host, folder.path(), &issuer).unwrap();
    let sign_up = thief.sign_up(owner.number.clone()).await.unwrap();
    let error = sign_up.confirm(&issuer.sms_code(&owner.number)).await.unwrap_err();
    assert_eq!(error.problem(), Some(ProblemCode::NumberTaken));
    assert!(matches!(thief.top_up(Channel::Atm, Amount::new(1_000).unwrap()).await, Err(Error::NotSignedUp)));
    assert!(matches!(thief.next_code(Purpose::Pay).await, Err(Error::NotSignedUp)));
    let home = owner.wallet.refresh().await.unwrap();
    assert_eq!(home.notices.len(), 1, "{:?}", home.notices);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_damaged_and_busy_folders_give_typed_errors_that_say_what_to_do() {
    let issuer = issuer(None);
    let (host, folder) = (MemoryHost::new(), tempfile::tempdir().unwrap());
    let wallet = open_at(&host, folder.path(), &issuer).unwrap();
    drop(wallet.sign_up(PhoneNumber::parse("090-4000-0007").unwrap()).await.unwrap());
    let busy = open_at(&host, folder.path(), &issuer).err().unwrap();
    assert!(matches!(busy, OpenError::Vault(VaultError::InUse)), "{busy:?}");
    wallet.close().await;
    drop(wallet);
    // Another phone: its own sealing key.
    let other = MemoryHost::new();
    drop(open_at(&other, tempfile::tempdir().unwrap().path(), &issuer).unwrap());
    let foreign = open_at(&other, folder.path(), &issuer).err().unwrap();
    assert!(matches!(foreign, OpenError::Vault(VaultError::Foreign)), "{foreign:?}");
    let journal = folder.path().join(saifu_vault::JOURNAL_FILE);
    let mut bytes = std::fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    *bytes.get_mut(middle).unwrap() ^= 1;
    std::fs::write(&journal, &bytes).unwrap();
    let damaged = open_at(&host, folder.path(), &issuer).err().unwrap();
    assert!(matches!(damaged, OpenError::Vault(VaultError::Corrupt { .. })), "{damaged:?}");
    assert_eq!(std::fs::read(&journal).unwrap(), bytes, "a refused file is left as it was");
    for error in [busy, foreign, damaged] {
        assert!(error.to_string().contains(';'), "says what to do: {error}");
    }
}
