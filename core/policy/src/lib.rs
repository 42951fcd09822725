//! Decisions without I/O: when to try again, and what time it is. State machines take `now` as an argument and answer with
//! what to do, so the app, the tests and a simulated crowd run the same code.
//!
//! *Invariants.* No clock is read here, no randomness drawn, nothing sent: all three come in as arguments. The only thing
//! taken from the host is the shape of a clock [`Reading`](saifu_host::Reading).
//!
//! ```
//! use saifu_host::Reading;
//! use saifu_policy::{Trust, TrustedTime};
//!
//! let at_contact = Reading { wall_ms: 5_000_000, elapsed_ms: 100, boot_id: [1; 16] };
//! let time = TrustedTime::anchored(1_000_000, at_contact);
//! // The owner sets the wall clock back a second later; the issuer's time still runs on.
//! let later = Reading { wall_ms: 0, elapsed_ms: 1_100, boot_id: [1; 16] };
//! assert_eq!(time.now(later).trust, Trust::WallDisagrees);
//! assert_eq!(time.now(later).issuer_ms, 1_001_000);
//! ```

mod retry;
mod time;

pub use retry::{Class, Decision, Failure, Reconnect, RetryPolicy};
pub use time::{Heard, IssuerClock, IssuerTime, Trust, TrustedTime};
