//! What happens to the account, told as it happens: one background task follows the issuer's stream, keeps the journal and
//! the history current, and passes each event on. A lost event is found at the next connection, because the stream resumes
//! after the last number that is on disk.

use std::sync::{Arc, Weak};
use std::time::Duration;

use saifu_wire::messages::{Event, EventBody, Notice};
use tokio::sync::broadcast;

use crate::state::State;
use crate::wallet::Inner;
use crate::{Error, Wallet};

/// The events of an account. Dropping it unsubscribes.
pub struct Events(broadcast::Receiver<Event>);

impl Events {
    /// The next event; `None` once the wallet is closed. A subscriber that falls 256 behind skips the oldest; what they
    /// changed is in [`Wallet::home`] and [`Wallet::history`].
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.0.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

impl Wallet {
    /// Subscribes to events; they come while [`follow`](Self::follow) runs.
    #[must_use]
    pub fn events(&self) -> Events {
        Events(self.0.events.subscribe())
    }

    /// Follows the issuer's stream from now on, until [`close`](Self::close), [`lock`](Self::lock) or the last handle is
    /// dropped. Returns once the first connection stands and everything missed so far has been caught up.
    ///
    /// # Errors
    /// Of the first connection only; later ones are repeated with growing pauses.
    pub async fn follow(&self) -> Result<(), Error> {
        self.refresh().await?;
        let after = self.0.last_event();
        let stream = self.0.link.events(after).await?;
        let weak = Arc::downgrade(&self.0);
        let task = self.0.runtime.spawn(run(weak, stream, after));
        self.0.set_follower(Some(task));
        Ok(())
    }
}

/// `after` is the last event that went through here. It is not what the home picture knows: a refresh meanwhile may know
/// more, and its events are still told and still belong into the history.
async fn run(wallet: Weak<Inner>, stream: saifu_link::EventStream, mut after: u64) {
    let mut stream = Some(stream);
    let mut pause = Duration::from_millis(500);
    loop {
        if let Some(open) = &mut stream
            && let Ok(Some(event)) = open.next().await
        {
            pause = Duration::from_millis(500);
            let Some(inner) = wallet.upgrade() else { return };
            if event.number <= after {
                continue;
            }
            let before = std::mem::replace(&mut after, event.number);
            if inner.accept(event, before).await.is_err() {
                return;
            }
            continue;
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(Duration::from_secs(30));
        let Some(inner) = wallet.upgrade() else { return };
        stream = inner.link.events(after).await.ok();
    }
}

impl Inner {
    pub(crate) fn last_event(&self) -> u64 {
        self.read(|state| state.home.as_ref().map_or(0, |home| home.last_event)).unwrap_or_default()
    }

    /// Records an event that follows directly on `before`, then tells the subscribers.
    async fn accept(self: &Arc<Self>, event: Event, before: u64) -> Result<(), Error> {
        let entries = match &event.body {
            EventBody::Entry { entry } => Some(vec![entry.clone()]),
            // It may be a line of the history: the gap stays and the next refresh asks.
            EventBody::Other => None,
            EventBody::Declined { .. } | EventBody::TopUpExpired { .. } | EventBody::Notice { .. } => Some(Vec::new()),
        };
        // The cache may fail: what it lacks is fetched again. Money and identity are in the journal.
        if let Some(entries) = entries
            && let Err(error) = self.cache_entries(entries, before, event.number).await
        {
            tracing::warn!(target: "saifu", %error, "an event did not reach the history cache");
        }
        let told = event.clone();
        self.commit(move |state| apply(state, &event)).await?;
        // Nobody listening is fine.
        let _ = self.events.send(told);
        Ok(())
    }
}

fn apply(state: &mut State, event: &Event) {
    if let Some(home) = state.home.as_mut().filter(|home| home.last_event < event.number) {
        home.balance_yen = event.balance_yen;
        home.points = event.points;
        home.as_of = event.at.max(home.as_of);
        home.last_event = event.number;
        if let EventBody::Notice { notice, text } = &event.body {
            home.notices
                .insert(0, Notice { number: event.number, at: event.at, kind: notice.clone(), text: text.clone() });
            home.notices.truncate(20);
        }
    }
    match &event.body {
        EventBody::Entry { entry } => {
            if let Some(intent) = entry.intent {
                state.top_ups.retain(|open| open.intent != intent);
                state.intents.retain(|open| open.key != intent);
            }
        }
        EventBody::TopUpExpired { intent } => {
            state.top_ups.retain(|open| open.intent != *intent);
            state.intents.retain(|open| open.key != *intent);
        }
        EventBody::Declined { .. } | EventBody::Notice { .. } | EventBody::Other => {}
    }
}
