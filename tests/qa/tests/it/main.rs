//! The tests of the command and of whole flows, one program: it is linked once. A suite of the gate is a file beside this one:
//! `cargo xtask test --only saifu-qa::clock`, or `cargo test -p saifu-qa --test it clock::`. What they share is in `support`, which
//! is no suite.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says on stdout when it is skipped"
)]

mod behave;
mod bundle;
mod cli;
mod clock;
mod demo;
mod doctor;
mod event;
mod examples;
mod fault_control;
mod faults;
mod first_hour;
mod flow;
mod guide;
mod interface;
mod kills;
mod kinds;
#[cfg(target_os = "linux")]
mod memory;
mod person;
mod pictures;
mod pins;
mod readme;
mod record;
mod results;
mod sandbox_run;
mod scans;
mod scenario_errors;
mod scenario_log;
mod scenarios;
mod snapshot;
mod states;
mod told;
mod topups;
mod trace;
mod wallet;
mod words;

mod support {
    pub(crate) mod common;
    pub(crate) mod terminal;
}
