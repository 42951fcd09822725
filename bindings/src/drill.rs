//! Panics on demand, for the tests of the Kotlin and Swift packages: with feature `drills`, a call whose name stands in the
//! environment as `SAIFU_DRILL=panic:NAME` panics. A library that ships is built without.

/// Panics if the environment asks for it. The environment is read each time, so that one process can try many calls.
#[cfg(feature = "drills")]
pub(crate) fn drill(call: &'static str) {
    let wanted = std::env::var("SAIFU_DRILL");
    assert!(wanted.as_deref().ok().and_then(|drill| drill.strip_prefix("panic:")) != Some(call), "a drill");
}

/// Nothing, in a library that ships.
#[cfg(not(feature = "drills"))]
pub(crate) fn drill(_: &'static str) {}
