//! The link against an issuer that plays a script: whom it believes, how long it waits, and how often it signs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod deadlines;
mod scripted;
mod sessions;
mod time;
mod trust;
