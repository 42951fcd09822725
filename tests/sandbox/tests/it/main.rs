//! The tests of the issuer, one program: it is linked once. Each module is a suite of the gate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod api;
mod ledger;
mod openapi;
mod rules;
