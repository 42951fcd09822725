//! What the API was and will be. Each module is a suite of the gate.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod tomorrow;
mod vectors;
