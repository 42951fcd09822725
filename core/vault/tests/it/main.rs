//! What rests on the device, tested as files on a disk. Each module is a suite of the gate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod cache;
mod crash;
mod fixtures;
mod journal;
mod wipe;
