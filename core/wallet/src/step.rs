//! Marks between two steps of a top-up. Tests kill the process at each of them; nothing else listens.

/// Target of the tracing events that mark steps; their field `step` is one of [`STEPS`].
pub const STEP_TARGET: &str = "saifu::step";

/// Every step of a top-up, in order.
pub const STEPS: &[&str] = &["asked", "prepared", "approved", "journaled", "sending", "answered", "recorded"];

pub(crate) fn step(name: &'static str) {
    debug_assert!(STEPS.contains(&name));
    tracing::trace!(target: STEP_TARGET, step = name);
}
