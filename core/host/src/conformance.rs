//! What every host must do, as data that any implementation is held against: the doubles, the desktop's, and in their own
//! languages the phones'. The rules are the files in `core/host/conformance`, `FORMAT.md` beside them is their format, and
//! this is its interpreter in Rust. A check returns what it found wrong instead of panicking, so that a shell's own test
//! runner can show it.
//!
//! The keys handed in are used up: they are made anew and deleted. Never run this on a wallet somebody needs.

mod format;
mod play;

use crate::{KeyError, Platform};

/// Every broken rule, in the order found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the host breaks its contract: {}", .0.join("; "))]
pub struct Findings(pub Vec<String>);

/// One file of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// Making, finding and deleting the two keys, the device key's signatures, restarts.
    Keys,
    /// Sealing, both steps of a renewal, restarts. For a host that was never used.
    Secrets,
    /// The authorization key's signature.
    Authorization,
    /// Units and monotonicity.
    Clock,
}

/// Message in, DER signature of the authorization key out.
pub type Authorize<'a> = dyn Fn(&[u8]) -> Result<Vec<u8>, KeyError> + 'a;

/// What a suite is played against.
pub struct Subject<'a> {
    /// The host as a process that has just started sees it. Called again for every restart.
    pub open: &'a dyn Fn() -> Platform,
    /// The shell's way to the authorization key, its prompt answered with yes.
    pub authorize: &'a Authorize<'a>,
    /// Lets at least so many milliseconds pass: it sleeps, or moves a manual clock.
    pub pause: &'a dyn Fn(u64),
}

impl Suite {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Keys, Self::Secrets, Self::Authorization, Self::Clock];

    /// Plays the file against a host.
    ///
    /// # Errors
    /// [`Findings`].
    pub fn check(self, subject: &Subject<'_>) -> Result<(), Findings> {
        let found = match format::read(self.text()) {
            Ok(steps) => play::play(&steps, subject),
            Err(broken) => vec![format!("the suite is broken: {broken}")],
        };
        if found.is_empty() { Ok(()) } else { Err(Findings(found)) }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Keys => include_str!("../conformance/keys.json"),
            Self::Secrets => include_str!("../conformance/secrets.json"),
            Self::Authorization => include_str!("../conformance/authorization.json"),
            Self::Clock => include_str!("../conformance/clock.json"),
        }
    }
}
