//! The process's one tokio runtime. It lives as long as the process: dropping a runtime inside a callback would panic.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// Workers: the core computes little and waits much.
const WORKERS: usize = 2;
/// Threads for the host's calls and for files, which block. Idle ones end by themselves. `host` takes a part of them at most.
pub(crate) const MAX_BLOCKING: usize = 64;

/// The runtime, started at the first call. `None`: the system gives no threads.
pub(crate) fn runtime() -> Option<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let build = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(WORKERS).max_blocking_threads(MAX_BLOCKING).thread_name("saifu").enable_all();
        builder.build().ok()
    };
    RUNTIME.get_or_init(build).as_ref()
}
