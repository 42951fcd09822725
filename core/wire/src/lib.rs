//! The issuer's API as types: every message, header, signed byte string and error code of `/v1`, defined once and used by
//! both ends. The wallet builds what the issuer checks from the same functions, and frozen vectors keep the bytes.
//!
//! | To find | Look in |
//! | --- | --- |
//! | which operations there are, their paths and who may call them | [`Operation`] |
//! | bodies | [`messages`] |
//! | what a key signs | [`signed`] |
//! | proof of possession (RFC 9449) | [`dpop`] |
//! | why something was refused | [`ProblemCode`], [`Problem`] (RFC 9457), [`Reason`] (a till's or ATM's answer) |
//! | header names | [`headers`] |
//! | what people type: numbers, codes, amounts | [`PhoneNumber::parse`], [`sms_code`], [`amount`] |
//!
//! *Invariants.* No I/O, no clock, no policy. Requests are strict: an unknown or duplicate field, a string, fraction or
//! exponent where an integer belongs, or an amount out of range is an error.
//!
//! *What may change within `/v1`.* Fields are added anywhere; words are added wherever an answer or event has an [`Open`] word;
//! optional fields may come in another form, and are absent then. So a wallet of today reads the issuer of tomorrow, and says
//! what it knows: `tests/fixtures/tomorrow` holds such answers. An event counts whatever it is. What is required stays required:
//! an amount that cannot be read is an error, never 0 and never left out.
//!
//! ```
//! use saifu_wire::{messages::TopUpRequest, Amount};
//!
//! assert_eq!(Amount::new(5_000).map(Amount::get), Some(5_000));
//! assert!(serde_json::from_str::<Amount>("5e3").is_err());
//! assert!(serde_json::from_str::<TopUpRequest>(r#"{"channel":"atm","yen":5000,"surprise":1}"#).is_err());
//! ```

pub mod dpop;
pub mod headers;
mod ids;
pub mod messages;
mod money;
mod open;
mod operation;
mod phone;
mod problem;
mod reason;
mod redact;
pub mod signed;
mod text;
mod time;
mod typed;

pub use ids::{AccountId, DeviceId, IntentKey, RequestId, SettlementId};
pub use money::{Amount, Points, Yen};
pub use open::{Open, Word};
pub use operation::{Listener, Operation};
pub use phone::{PhoneError, PhoneNumber};
pub use problem::{Problem, ProblemCode};
pub use reason::Reason;
pub use redact::redacted;
pub use text::{Bytes, Era, Name, NameError, Sensitive};
pub use time::Millis;
pub use typed::{AmountError, amount, joined, sms_code};
