//! Talking to the issuer: one [`Link`] keeps a pinned TLS connection, an in-memory session key with its access token, the
//! issuer's nonce and clock, and repeats what may be repeated. The wallet uses it with a device's [`Credentials`]; registers
//! and ATMs of the command line use it with a key of their own.
//!
//! *Invariants.* Nothing here writes a file or knows a screen. The session key never leaves memory; a lost session is
//! reopened silently with one signature of the device key, by one task whoever waits for it, and its outcome is everybody's.
//! An intent is sent once: whether it is sent again is the wallet's decision, never the link's. Each call ends within the time
//! of its class, whatever the network does. Foreign calls (the host's keys) run off the async workers and never under a lock.
//!
//! Every failure says whether the issuer may have acted: [`LinkError::certain`].

mod answer;
mod config;
mod connections;
mod error;
mod exchange;
mod link;
mod pins;
mod service;
mod session;
mod sse;
mod trace;

pub use config::{IssuerConfig, Roots};
pub use error::LinkError;
pub use exchange::REQUEST_TARGET;
pub use link::{Auth, Link, Request};
pub use session::Credentials;
pub use sse::EventStream;
pub use trace::{new_trace, traced, traced_as};
