//! How many objects of this library the host still holds, so that a leak can be seen from outside.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::values::count;

/// Counts one kind of object.
#[derive(Debug)]
pub(crate) struct Live(AtomicU64);

pub(crate) static WALLETS: Live = Live::new();
pub(crate) static APPROVALS: Live = Live::new();
pub(crate) static SUBSCRIPTIONS: Live = Live::new();
pub(crate) static CANCELS: Live = Live::new();
pub(crate) static CALLS: Live = Live::new();

impl Live {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Counts one more until the token is dropped.
    pub(crate) fn token(&'static self) -> Token {
        self.0.fetch_add(1, Ordering::Relaxed);
        Token(self)
    }

    fn count(&self) -> i64 {
        count(self.0.load(Ordering::Relaxed))
    }
}

/// Held by an object for as long as it lives.
#[derive(Debug)]
pub(crate) struct Token(&'static Live);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What of this library is alive in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Diagnostics {
    /// Wallets whose object the host holds, open or closed.
    pub wallets: i64,
    /// Approvals the host holds.
    pub approvals: i64,
    /// Subscriptions that still run.
    pub subscriptions: i64,
    /// Cancel handles the host holds.
    pub cancels: i64,
    /// Asynchronous calls whose work goes on, waited for or not.
    pub calls: i64,
}

/// Counts what is alive.
#[uniffi::export]
#[must_use]
pub fn diagnostics() -> Diagnostics {
    Diagnostics {
        wallets: WALLETS.count(),
        approvals: APPROVALS.count(),
        subscriptions: SUBSCRIPTIONS.count(),
        cancels: CANCELS.count(),
        calls: CALLS.count(),
    }
}
