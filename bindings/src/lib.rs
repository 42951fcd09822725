//! The wallet for Kotlin and Swift: everything a shell calls, exported through [UniFFI](https://mozilla.github.io/uniffi-rs/).
//! It is thin: it turns types into ones that cross the FFI boundary, keeps panics and the host's exceptions on their own side, and
//! decides nothing. `bindings/kotlin` and `bindings/swift` are the packages made from it.
//!
//! | To find | Look in |
//! | --- | --- |
//! | the wallet and its parts | [`Wallet`], [`Account`], [`TopUps`], [`Codes`], [`History`] |
//! | what the shell implements | [`Keys`], [`Secrets`], [`Clock`], [`Observer`], [`LogSink`] |
//! | what a screen shows | [`HomeScreen`] and the other records |
//! | what can go wrong | [`WalletError`], [`ErrorInfo`], [`HostError`] |
//!
//! *Threads.* One runtime of two workers serves the process (`runtime`). Every asynchronous call starts its work there at
//! once and only waits for it, so that a call that is given up (a cancelled coroutine, a [`Cancel`]) never leaves a payment
//! half recorded: what has begun goes on to its recorded end. Callbacks come on threads of this library, never while a lock
//! is held, and may call the wallet back.
//!
//! *Times* are the languages' own moments, by the issuer's clock; *spans* their own durations, *counts* signed, *amounts* whole
//! yen. A figure that is not known is absent, never zero. What opens something is [`Sensitive`], which does not print itself.

#![expect(clippy::result_large_err, reason = "errors cross the FFI boundary by value, with all that is known of them")]

mod account;
mod call;
mod codes;
mod drill;
mod error;
mod events;
mod history;
mod host;
mod live;
mod log;
mod records;
mod runtime;
mod screens;
mod shell;
mod top_ups;
mod values;
mod wallet;

pub use account::Account;
pub use call::Cancel;
pub use codes::Codes;
pub use error::{CANCELLED, ErrorInfo, HostError, WalletError};
pub use events::{Observer, Subscription};
pub use history::History;
pub use host::{Clock, ClockReading, HostKey, Keys, Role, SealName, Secrets};
pub use live::{Diagnostics, diagnostics};
pub use log::{LogLevel, LogSink, set_log};
pub use records::{
    Channel, EntryKind, EntryState, HistoryEntry, Notice, NoticeKind, Purpose, Standing, Symbol, TopUp, TopUpState,
    WalletEvent,
};
pub use screens::{
    Following, HistoryScreen, HomeScreen, IntentDetail, PaymentCode, PendingEntry, PendingWhat, SignUpScreen,
    TimeTrust, TotpCode, WalletState,
};
pub use top_ups::{Approval, TopUps};
pub use values::{Sensitive, SensitiveBytes};
pub use wallet::{Config, Wallet};

uniffi::setup_scaffolding!();

/// Wipes what is freed: buffers that grew, what others' crates kept of secrets. docs/decisions/012.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// The library's version.
#[uniffi::export]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt as _;

    /// Control: take the allocator away; then the bytes are still there, but for the few that the system's own writes over.
    #[test]
    fn what_is_freed_is_wiped() {
        let mut bytes = vec![0xa5_u8; 5_000];
        bytes.extend_from_slice(&[0x5a; 5_000]);
        let address = u64::try_from(bytes.as_ptr().addr()).unwrap();
        drop(bytes);
        let mut found = [0; 10_000];
        File::open("/proc/self/mem").unwrap().read_exact_at(&mut found, address).unwrap();
        let kept = found.iter().filter(|byte| [0xa5, 0x5a].contains(*byte)).count();
        assert!(kept < 100, "{kept} bytes");
    }
}
