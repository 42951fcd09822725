//! The wallet a shell holds: [`Wallet::open`] gives the home screen and a TOTP from one small sealed file, without a network;
//! everything else is a call on it.
//!
//! | To do | Call |
//! | --- | --- |
//! | show the home screen | [`Wallet::home`], [`Wallet::refresh`] |
//! | sign up | [`Wallet::sign_up`], then [`SignUp::confirm`] |
//! | top up | [`Wallet::top_up`], show [`Approval::text`], sign [`Approval::message`], [`Approval::confirm`] |
//! | see what is not finished | [`Wallet::pending`] |
//! | pay | [`Wallet::payment_code`], [`Wallet::next_code`] |
//! | prove this phone at an ATM | [`Wallet::totp`] |
//! | hear what happens | [`Wallet::follow`], [`Wallet::events`] |
//! | begin anew | [`Wallet::reset`] |
//!
//! *Invariants.* The wallet decides nothing about money: it mirrors what the issuer says and explains it. Whatever money or
//! identity depends on is in the journal, on disk, before it is sent; the cache can be lost at any time. An intent with an
//! unknown outcome is resolved by asking, never guessed and never signed twice. No foreign call is made while a lock is held, but for
//! the sealing key of the first commit, which the journal asks for; nobody waits for that in order to lock.
//!
//! ```no_run
//! # async fn example(platform: saifu_host::Platform, config: saifu::Config) -> Result<(), Box<dyn std::error::Error>> {
//! use saifu::{PhoneNumber, Purpose, Wallet};
//!
//! let wallet = Wallet::open(platform, config, tokio::runtime::Handle::current())?;
//! let sign_up = wallet.sign_up(PhoneNumber::parse("090-1234-5678")?).await?;
//! sign_up.confirm("123456").await?;
//! let code = wallet.next_code(Purpose::Pay).await?;
//! assert_eq!(code.digits().len(), 24);
//! # Ok(()) }
//! ```

mod account;
mod activation;
mod chores;
mod code;
mod error;
mod events;
mod follower;
mod history;
mod home;
mod intents;
mod offer;
mod reset;
mod sending;
mod sign_up;
mod state;
mod step;
mod store;
mod stored;
mod top_up;
mod wallet;

pub use account::WalletState;
pub use code::{PaymentCode, Refusal, TotpCode};
pub use error::{Error, OpenError};
pub use events::{Events, Update};
pub use follower::Following;
pub use history::History;
pub use home::Home;
pub use intents::{IntentDetail, Pending, PendingWhat};
pub use offer::{Offer, Offers};
pub use sign_up::{Ready, SignUp};
pub use step::{STEP_TARGET, STEPS};
pub use top_up::Approval;
pub use wallet::{Config, Wallet};

pub use saifu_code::Matrix;
pub use saifu_link::{IssuerConfig, Roots};
pub use saifu_policy::Trust;
pub use saifu_vault::VaultError;
pub use saifu_wire::messages::{
    Channel, EntryKind, EntryState, Event, EventBody, HistoryEntry, Notice, NoticeKind, Purpose, Standing, TopUp,
    TopUpState,
};
pub use saifu_wire::{
    Amount, DeviceId, IntentKey, Millis, Open, PhoneError, PhoneNumber, Points, ProblemCode, Reason, Yen, redacted,
};
