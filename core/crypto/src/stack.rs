//! Overwriting the stack. ring keeps expanded keys, padded blocks and intermediate secrets in local variables and wipes
//! none; no allocator reaches them there, and a thread that waits may keep them for hours.

use std::hint::black_box;

/// More than ring leaves behind, in a debug build too: sealing, derivation, curves.
pub(crate) const DEEP: usize = 16 * 1024;
/// The same for setting up an HMAC's key, for which somebody waits.
pub(crate) const SHALLOW: usize = 2 * 1024;

/// Runs `work` below this call, then overwrites the `DEPTH` bytes of stack that it may have used.
pub(crate) fn wiped<const DEPTH: usize, T>(work: impl FnOnce() -> T) -> T {
    let done = below(work);
    overwrite::<DEPTH>();
    done
}

/// A frame of its own, so that nothing of `work` is kept in the caller's.
#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn overwrite<const DEPTH: usize>() {
    // The black box may look at it, so it must be there.
    black_box(&mut [0_u8; DEPTH]);
}
