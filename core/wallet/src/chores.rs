//! Work that nobody waits for: what became of unknown intents, the rest of the activation, the history's gaps, the service
//! document. Each chore runs at most once at a time, tries again by itself while the issuer cannot be reached, and ends when
//! it is done, when the wallet is locked, or when trying is of no use.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use saifu_crypto::{Random as _, SystemRandom};
use saifu_policy::Reconnect;
use tokio::sync::{Notify, watch};

use crate::Error;
use crate::events::lost;
use crate::follower::Lost;
use crate::store::Turn;
use crate::wallet::{Inner, Wallet};

/// Whether a chore runs, and whether it was asked for again meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Progress {
    #[default]
    Idle,
    Running(Turn),
    /// It runs, and is to run once more.
    Again(Turn),
    /// It failed and waits for its next try.
    Waiting(Turn),
}

#[derive(Default)]
pub(crate) struct Chore {
    progress: Mutex<Progress>,
    /// Cuts the waiting short.
    rouse: Arc<Notify>,
    /// Counts its steps.
    changed: watch::Sender<u64>,
}

impl Chore {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `true`: the caller runs it. Else it runs already, and will run once more. One of an earlier turn is over, whether it
    /// knows already or not.
    fn begin(&self, turn: Turn) -> bool {
        let mut progress = self.progress();
        match *progress {
            Progress::Running(runs) | Progress::Again(runs) if runs == turn => *progress = Progress::Again(turn),
            Progress::Waiting(waits) if waits == turn => {
                *progress = Progress::Running(turn);
                self.rouse.notify_one();
            }
            _ => {
                *progress = Progress::Running(turn);
                return true;
            }
        }
        false
    }

    /// Goes from one state of a turn to another, unless a later turn has taken over.
    fn step(&self, turn: Turn, next: impl FnOnce(Progress) -> Progress) -> Progress {
        let mut progress = self.progress();
        let (Progress::Running(runs) | Progress::Again(runs) | Progress::Waiting(runs)) = *progress else {
            return Progress::Idle;
        };
        if runs != turn {
            return Progress::Idle;
        }
        *progress = next(*progress);
        let now = *progress;
        drop(progress);
        self.changed.send_modify(|changes| *changes = changes.wrapping_add(1));
        now
    }

    /// `true`: that was all. Else it was asked for again.
    fn end(&self, turn: Turn) -> bool {
        let again =
            |progress| if matches!(progress, Progress::Again(_)) { Progress::Running(turn) } else { Progress::Idle };
        self.step(turn, again) == Progress::Idle
    }

    /// Returns once it does not run, be it that it is done or that it waits for its next try.
    pub(crate) async fn rests(&self) {
        let mut changed = self.changed.subscribe();
        while matches!(*self.progress(), Progress::Running(_) | Progress::Again(_)) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }
}

/// A chore that runs. However it ends, it ends.
struct Run {
    wallet: Weak<Inner>,
    chore: fn(&Inner) -> &Chore,
    turn: Turn,
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(inner) = self.wallet.upgrade() {
            (self.chore)(&inner).step(self.turn, |_| Progress::Idle);
        }
    }
}

impl Inner {
    /// Starts a chore, unless it runs already.
    pub(crate) fn start<F>(self: &Arc<Self>, turn: Turn, chore: fn(&Self) -> &Chore, work: fn(Arc<Self>, Turn) -> F)
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        if !chore(self).begin(turn) {
            return;
        }
        let run = Run { wallet: Arc::downgrade(self), chore, turn };
        self.beside(async move {
            let mut pauses = Reconnect::default();
            loop {
                let Some(inner) = run.wallet.upgrade() else { return };
                let Err(error) = work(Arc::clone(&inner), turn).await else {
                    if chore(&inner).end(turn) {
                        return;
                    }
                    continue;
                };
                let Lost::ForNow { failure, why } = lost(&error) else { return };
                if !inner.store.runs(turn) {
                    return;
                }
                tracing::info!(target: "saifu", why, "a chore is tried again later");
                let random = u32::from_be_bytes(SystemRandom.bytes().unwrap_or_default());
                let elapsed_ms = inner.platform.clock.read().elapsed_ms;
                let ms = inner.link.with_budget(|budget| pauses.ended(elapsed_ms, budget, failure, random));
                chore(&inner).step(turn, |_| Progress::Waiting(turn));
                // A wallet that everybody has let go of ends here, however long the pause.
                let rouse = Arc::clone(&chore(&inner).rouse);
                drop(inner);
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(ms)) => {}
                    () = rouse.notified() => {}
                }
                let Some(inner) = run.wallet.upgrade() else { return };
                chore(&inner).step(turn, |_| Progress::Running(turn));
            }
        });
    }
}

impl Wallet {
    /// Returns once nothing goes on beside the callers: the history is filled, unknown outcomes are asked about, as far as the
    /// issuer can be reached. For tools that end; an app has no need of it.
    pub async fn settled(&self) {
        self.0.filling.rests().await;
        self.0.asking.rests().await;
        self.0.reading.rests().await;
    }
}
