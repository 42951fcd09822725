//! This crate against vectors of others. Each module is a suite of the gate.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod hostile_input;
mod rfc_vectors;
mod wycheproof;
