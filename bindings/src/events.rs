//! Events, told as they happen. Each subscription has one task that takes events from the wallet's bounded channel and tells
//! the observer one after the other; an observer that is slow delays only itself.

use std::sync::Arc;

use saifu::{Error, Events, Update};
use tokio_util::sync::CancellationToken;

use crate::error::{HostError, WalletError};
use crate::live::{SUBSCRIPTIONS, Token};
use crate::records::WalletEvent;
use crate::runtime::runtime;
use crate::screens::Following;
use crate::shell::Shell;

/// Hears what happens. Calls come one after the other, on threads of the library.
#[uniffi::export(with_foreign)]
pub trait Observer: Send + Sync {
    /// Something happened. What is thrown here changes nothing: the next event comes all the same.
    fn on_event(&self, event: WalletEvent) -> Result<(), HostError>;

    /// How the wallet's following stands: told once at the beginning, then with each change.
    fn on_following(&self, following: Following) -> Result<(), HostError>;

    /// No more events come: the subscription was cancelled or the wallet closed. Called once.
    fn on_end(&self) -> Result<(), HostError>;
}

/// Tells an observer until it is cancelled. Dropping the object does not cancel.
#[derive(Debug, uniffi::Object)]
pub struct Subscription {
    ended: CancellationToken,
}

#[uniffi::export]
impl Subscription {
    /// No more events, from now on but for one that is being told. Fine to repeat.
    pub fn cancel(&self) {
        self.ended.cancel();
    }

    /// Whether it was cancelled or its wallet closed.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.ended.is_cancelled()
    }
}

/// Starts telling `observer`.
pub(crate) fn subscribe(shell: &Shell, observer: Arc<dyn Observer>) -> Result<Arc<Subscription>, WalletError> {
    let wallet = shell.wallet()?;
    // In this order: what changes between the two is told twice and not never.
    let events = wallet.events();
    let first = Update::Following(wallet.following());
    let runtime = runtime().ok_or(Error::Bug("the system gives no threads"))?;
    let ended = shell.closing().child_token();
    // Not one of the wallet's own tasks: an observer may close the wallet from within a call.
    runtime.spawn(tell(first, events, observer, ended.clone(), SUBSCRIPTIONS.token()));
    Ok(Arc::new(Subscription { ended }))
}

async fn tell(first: Update, mut events: Events, observer: Arc<dyn Observer>, ended: CancellationToken, live: Token) {
    let mut update = Some(first);
    while let Some(told) = update.take().filter(|_| !ended.is_cancelled()) {
        let observer = Arc::clone(&observer);
        let tell = move || match told {
            Update::Event(event) => observer.on_event(event.into()),
            Update::Following(following) => observer.on_following(following.into()),
        };
        let told = tokio::task::spawn_blocking(tell).await;
        if !matches!(told, Ok(Ok(()))) {
            tracing::warn!(target: "saifu", "an observer failed");
        }
        update = tokio::select! {
            biased;
            () = ended.cancelled() => None,
            update = events.next() => update,
        };
    }
    ended.cancel();
    drop(events);
    let _ = tokio::task::spawn_blocking(move || observer.on_end()).await;
    drop(live);
}
