//! Faults on demand, for the tests of the Kotlin and Swift packages: with feature `drills`, the environment names one in
//! `SAIFU_DRILL`. It is read each time, so that one process can try many. A library that ships is built without.
//!
//! | `SAIFU_DRILL` | |
//! | --- | --- |
//! | `panic:NAME` | the call of this name panics |
//! | `abandon` | an asynchronous call that is given up takes its work with it, wherever that stands |

use tokio::task::JoinHandle;

#[cfg(feature = "drills")]
fn wanted(drill: &str) -> bool {
    std::env::var("SAIFU_DRILL").is_ok_and(|wanted| wanted == drill)
}

/// Panics if the environment asks for it.
#[cfg(feature = "drills")]
pub(crate) fn drill(call: &'static str) {
    assert!(!wanted(&format!("panic:{call}")), "a drill");
}

/// Nothing, in a library that ships.
#[cfg(not(feature = "drills"))]
pub(crate) fn drill(_: &'static str) {}

/// Held while a call waits for its work. With the drill `abandon`, work that is no longer waited for ends there and then:
/// the defence that `run` is, taken away.
pub(crate) struct Waiting {
    #[cfg(feature = "drills")]
    work: tokio::task::AbortHandle,
}

impl Waiting {
    #[cfg(feature = "drills")]
    pub(crate) fn on<T>(work: &JoinHandle<T>) -> Self {
        Self { work: work.abort_handle() }
    }

    #[cfg(not(feature = "drills"))]
    pub(crate) fn on<T>(_: &JoinHandle<T>) -> Self {
        Self {}
    }
}

#[cfg(feature = "drills")]
impl Drop for Waiting {
    fn drop(&mut self) {
        if wanted("abandon") {
            self.work.abort();
        }
    }
}
