//! The link against an issuer that plays a script: whom it believes, how long it waits, and how often it signs.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests fail loudly")]

mod deadlines;
mod scripted;
mod sessions;
mod time;
mod trust;
