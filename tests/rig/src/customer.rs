//! A customer with a real wallet in this process and keys in memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use saifu::{Amount, Approval, Channel, Config, Error, PhoneNumber, Purpose, TopUp, Wallet};
use saifu_host::Clock;
use saifu_host::desktop::DesktopClock;
use saifu_host::doubles::MemoryHost;
use saifu_link::Link;
use saifu_wire::Sensitive;
use saifu_wire::messages::{Outcome, SettleAnswer};
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::Issuer;
use crate::terminal::{deposit, settle};

/// Wallet, keys, and the folder that it lies in.
pub struct Customer {
    /// The wallet.
    pub wallet: Wallet,
    /// Signs for its owner.
    pub host: MemoryHost,
    /// Whose it is.
    pub number: PhoneNumber,
    folder: TempDir,
}

impl Customer {
    /// With an account.
    pub async fn new(issuer: &Issuer, number: &str) -> Self {
        let customer = Self::stranger(issuer, number, Arc::new(DesktopClock::new()));
        let sign_up = customer.wallet.sign_up(customer.number.clone()).await.unwrap();
        sign_up.confirm(&issuer.sms_code(&customer.number)).await.unwrap();
        customer
    }

    /// With this balance.
    pub async fn with_balance(issuer: &Issuer, number: &str, yen: i64) -> Self {
        let customer = Self::new(issuer, number).await;
        customer.top_up(issuer, yen).await;
        customer
    }

    /// Without one.
    pub fn stranger(issuer: &Issuer, number: &str, clock: Arc<dyn Clock>) -> Self {
        let (host, folder) = (MemoryHost::new(), tempfile::tempdir().unwrap());
        let wallet = open(&host, folder.path(), issuer, clock);
        Self { wallet, host, number: PhoneNumber::parse(number).unwrap(), folder }
    }

    /// Opens the same wallet again, perhaps for an issuer on new ports.
    pub async fn reopen(self, issuer: &Issuer) -> Self {
        let Self { wallet, host, number, folder } = self;
        wallet.close().await;
        drop(wallet);
        let wallet = open(&host, folder.path(), issuer, Arc::new(DesktopClock::new()));
        Self { wallet, host, number, folder }
    }

    /// Where its history lies, which may be lost at any time.
    pub fn cache_folder(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// The code that its app shows now.
    pub fn totp(&self) -> Sensitive {
        self.wallet.totp().unwrap().code
    }

    /// Events come from here on.
    pub async fn follow(&self) {
        self.wallet.follow().unwrap();
        self.wallet.followed().await.unwrap();
    }

    /// Pays at this till with a fresh code.
    pub async fn pay(&self, till: &Link, txid: &str, yen: i64) -> SettleAnswer {
        let code = self.wallet.next_code(Purpose::Pay).await.unwrap();
        settle(till, txid, code.digits(), yen).await.unwrap()
    }

    /// A top-up at an ATM that its owner has signed and nobody has sent.
    pub async fn approve(&self, yen: i64) -> (Approval, Vec<u8>) {
        let approval = self.wallet.top_up(Channel::Atm, Amount::new(yen).unwrap()).await.unwrap();
        let signature = self.host.authorize(approval.message()).unwrap();
        (approval, signature)
    }

    /// The same, sent.
    pub async fn request(&self, yen: i64) -> Result<TopUp, Error> {
        let (approval, signature) = self.approve(yen).await;
        approval.confirm(signature).await
    }

    /// Tops up at an ATM, all the way.
    pub async fn top_up(&self, issuer: &Issuer, yen: i64) {
        let top_up = self.request(yen).await.unwrap();
        let (atm, txid) = (issuer.link("atm-1"), format!("fill-{}", top_up.intent));
        let answer = deposit(&atm, &txid, &top_up.number.unwrap(), &self.totp(), yen).await.unwrap();
        assert_eq!(answer.result, Outcome::Approved, "{answer:?}");
    }
}

fn open(host: &MemoryHost, folder: &Path, issuer: &Issuer, clock: Arc<dyn Clock>) -> Wallet {
    let config = Config { folder: folder.to_path_buf(), issuer: issuer.config(), app_version: "rig".into() };
    Wallet::open(host.platform(clock), config, Handle::current()).unwrap()
}
