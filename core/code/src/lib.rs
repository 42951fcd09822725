//! Payment codes and time-based one-time passwords, from the digits to the black and white modules: what a wallet
//! shows, a register reads and an issuer checks. [`PaymentDigits`] is the code; [`code128`] and [`qr`] draw it;
//! [`form`] writes it the way each register expects and reads it back; [`offline`] makes and checks codes without a
//! network; [`totp`] serves cash machines and authenticators.
//!
//! ```
//! use saifu_code::{code128, form, qr, Format, Issuer, Kind, PaymentDigits};
//! use saifu_crypto::SystemRandom;
//!
//! let code = PaymentDigits::from_random(Issuer::SANDBOX, Kind::OnlinePay, &SystemRandom)?;
//! let bars = code128::encode(code.as_str())?;
//! assert_eq!((bars.width(), bars.quiet_zone()), (167, 10));
//!
//! let text = form::qr_text(&code, Format::EmvCo);
//! assert_eq!(qr::encode(&text)?.quiet_zone(), 4);
//! assert_eq!(form::read_digits(&text)?, code);
//! assert_eq!(form::read_digits(code.as_str())?, code);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! *Invariants.* Everything here is a function of its arguments: no clock, no file, no network, no state, and chance
//! only through [`saifu_crypto::Random`]. No input makes a parser panic. A code that could be spent, and a secret,
//! never shows in `Debug`; whether a code was used before is for the caller to store and to pass in. Drawing pixels is
//! somebody else's work, and so is `fast_qr`: no type of it leaves this crate.

pub mod base32;
pub mod code128;
pub mod cpm;
mod digits;
pub mod form;
mod matrix;
pub mod offline;
pub mod qr;
pub mod tlv;
pub mod totp;

pub use digits::{BODY_LEN, CODE_LEN, DigitsError, Issuer, Kind, PaymentDigits, luhn};
pub use form::{Format, ReadError, qr_text, read_digits};
pub use matrix::Matrix;
pub use offline::{Alias, OFFLINE_STEP_MS, OfflineRefusal, offline_digits, offline_step, verify_offline};
pub use totp::{Totp, TotpError};
