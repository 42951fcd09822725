//! What every host must do, as functions that any implementation can be handed to: the doubles, the desktop's, and the
//! phones' through their bindings. Each returns what it found wrong instead of panicking, so that a shell's own test
//! runner can show it.
//!
//! The keys handed in are used up: they are made anew and deleted. Never run this on a wallet somebody needs.

mod clock;
mod keys;
mod secrets;

pub use clock::check_clock;
pub use keys::{Authorize, check_authorization, check_keys};
pub use secrets::check_secrets;

/// Every broken rule, in the order found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the host breaks its contract: {}", .0.join("; "))]
pub struct Findings(pub Vec<String>);

/// Collects broken rules.
#[derive(Default)]
struct Inspection(Vec<String>);

impl Inspection {
    fn require(&mut self, holds: bool, rule: &str) {
        if !holds {
            self.0.push(rule.to_owned());
        }
    }

    /// The value of a call that must succeed.
    fn given<T, E: std::fmt::Display>(&mut self, result: Result<T, E>, call: &str) -> Option<T> {
        result.map_err(|error| self.0.push(format!("{call} failed: {error}"))).ok()
    }

    fn verdict(self) -> Result<(), Findings> {
        if self.0.is_empty() { Ok(()) } else { Err(Findings(self.0)) }
    }
}
