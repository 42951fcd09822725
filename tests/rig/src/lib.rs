//! Whoever tests or measures an issuer plays its neighbours with this: the issuer itself, customers, tills and ATMs, and the
//! control API. Nothing of it ships, and nothing of it decides what is right: it asks, and gives back what was answered.
//!
//! | Module | What it plays |
//! | --- | --- |
//! | [`Issuer`] | an issuer with a folder of its own, in this process or as one that can be killed |
//! | [`control`] | quality assurance, by the control API |
//! | [`Peer`], [`Phone`] | whoever holds a key and speaks the API without the core: over TLS, or beside the issuer without a socket |
//! | [`Keys`], [`Agreement`] | what a phone signs and agrees on |
//! | [`Customer`] | a customer with a real wallet |
//! | [`terminal`] | a till or an ATM by the core's own link |
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a rig fails by panicking, as the tests do that it is part of"
)]

pub mod control;
mod customer;
mod issuer;
mod peer;
mod phone;
pub mod terminal;

pub use customer::Customer;
pub use issuer::{Issuer, Launch, free_ports};
pub use peer::{Answer, Peer, With, client};
pub use phone::{Agreement, Keys, Phone};
