//! How a call of the shell is run: panics stay here, work goes to the runtime, and waiting can be given up.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use saifu::Error;
use tokio_util::sync::CancellationToken;

use crate::drill::{Waiting, drill};
use crate::error::WalletError;
use crate::live::{CALLS, CANCELS, Token};
use crate::runtime::runtime;
use crate::shell::Shell;

/// Gives up calls. Handed to an asynchronous call, [`cancel`](Self::cancel) makes that call end with
/// [`WalletError::Cancelled`] at once; work that had begun goes on to its recorded end. One handle can serve many calls.
#[derive(Debug, uniffi::Object)]
pub struct Cancel {
    token: CancellationToken,
    _live: Token,
}

#[uniffi::export]
impl Cancel {
    /// A handle that nothing has cancelled yet.
    #[uniffi::constructor]
    #[expect(clippy::new_without_default, reason = "a foreign constructor")]
    #[must_use]
    pub fn new() -> Self {
        Self { token: CancellationToken::new(), _live: CANCELS.token() }
    }

    /// Gives up every call that has this handle, now and later. Fine to repeat.
    pub fn cancel(&self) {
        self.token.cancel();
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }
}

/// Runs something that does not wait. A panic becomes [`WalletError::Bug`].
pub(crate) fn guarded<T>(call: &'static str, work: impl FnOnce() -> Result<T, WalletError>) -> Result<T, WalletError> {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        drill(call);
        work()
    }));
    caught.unwrap_or_else(|_| Err(panicked(call)))
}

/// Runs `work` on the runtime and waits for it, or until `cancel` gives up waiting. Dropping the returned future gives up
/// waiting too; neither stops the work.
pub(crate) async fn run<T, F, W>(
    call: &'static str,
    shell: &Arc<Shell>,
    cancel: Option<Arc<Cancel>>,
    work: W,
) -> Result<T, WalletError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, WalletError>> + Send + 'static,
    W: FnOnce(saifu::Wallet) -> F + Send + 'static,
{
    let token = cancel.map(|cancel| cancel.token.clone()).unwrap_or_default();
    if token.is_cancelled() {
        return Err(WalletError::cancelled());
    }
    let runtime = runtime().ok_or(Error::Bug("the system gives no threads"))?;
    let wallet = shell.wallet()?;
    let counted = CALLS.token();
    let task = async move {
        drill(call);
        let done = work(wallet).await;
        drop(counted);
        done
    };
    let task = shell.tasks().spawn_on(task, runtime.handle());
    let _waiting = Waiting::on(&task);
    tokio::select! {
        // Work that has ended is told, also when the call was cancelled meanwhile.
        biased;
        done = task => done.unwrap_or_else(|failed| {
            Err(if failed.is_panic() { panicked(call) } else { Error::Bug("a task was lost").into() })
        }),
        () = token.cancelled() => Err(WalletError::cancelled()),
    }
}

/// What a panic says may hold anything, so only the call's name is told.
fn panicked(call: &'static str) -> WalletError {
    tracing::error!(target: "saifu", call, "a call panicked");
    Error::Bug("a call panicked").into()
}
