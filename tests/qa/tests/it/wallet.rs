//! The wallet against a real issuer: its history beside events and after a loss, and what it refuses to open. What it knows
//! without a network, after a kill and behind a lock is shown by scenarios.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use saifu::{Config, Error, OpenError, PhoneNumber, Wallet, Yen};
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
async fn garbage_signature_is_caught_before_anything_is_recorded_or_sent() {
    let issuer = issuer(None);
    let customer = Customer::new(&issuer, "090-4000-0004").await;
    let (approval, _) = customer.approve(1_000).await;
    let error = approval.confirm(vec![0x30, 0x06, 2, 1, 1, 2, 1, 1]).await.unwrap_err();
    assert!(matches!(error, Error::Key(KeyError::Temporary)), "{error:?}");
    assert!(customer.wallet.pending().is_empty());
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
