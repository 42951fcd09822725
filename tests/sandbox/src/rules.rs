//! The issuer's rules: everything that decides about accounts, devices and money, as plain functions of a context and a
//! request. The listeners call them through [`Rules`]; nothing here knows HTTP, a file or a clock of its own.
//!
//! *Invariants.* A rule runs inside one transaction of the [`Store`](crate::store::Store) and checks its caller's device
//! or terminal itself. A refusal leaves nothing behind unless it says so ([`Refused::Keep`]): a try counter, a burnt code.
//! The issuer's time never goes back between two writes.

pub mod account;
pub mod activation;
pub mod atm;
pub mod code;
mod context;
pub mod day_end;
pub(crate) mod decision;
pub mod due;
pub mod events;
pub(crate) mod limits;
pub(crate) mod notes;
pub mod operator;
mod secrets;
pub mod session;
pub mod settle;
pub mod sign_up;
pub mod sms;
pub mod terminal;
pub mod top_up;
mod transaction;
pub mod world;

pub use context::{Answered, Cx, Refused, Rules};
pub use notes::Notes;
pub use saifu_wire::signed::Binding;
pub use secrets::{Secrets, SecretsError};
pub use terminal::Terminal;
