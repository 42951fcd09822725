use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use saifu_wire::messages::Event;
use saifu_wire::signed::Binding;
use saifu_wire::{AccountId, Millis, Problem, ProblemCode};
use tokio::sync::watch;

use super::{Issuer, newer};
use crate::rules::{events, session};

/// Events in one read.
const BATCH: u32 = 100;
/// A comment keeps an idle stream alive; in real time, since proxies and phones count that.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Streams of one account.
const PER_ACCOUNT: usize = 8;
/// Streams in all.
const MAX_STREAMS: usize = 10_000;

/// Who follows which account.
#[derive(Default)]
pub(super) struct Watchers(Mutex<HashMap<AccountId, watch::Sender<()>>>);

impl Watchers {
    /// Whoever follows the account looks for news.
    pub(super) fn wake(&self, account: AccountId) {
        if let Some(sender) = self.lock().get(&account) {
            sender.send_replace(());
        }
    }

    /// Everybody looks for news.
    pub(super) fn wake_all(&self) {
        for sender in self.lock().values() {
            sender.send_replace(());
        }
    }

    /// Follows an account; `None` when there are too many streams.
    fn follow(&self, account: AccountId) -> Option<watch::Receiver<()>> {
        let mut senders = self.lock();
        senders.retain(|_, sender| sender.receiver_count() > 0);
        let all: usize = senders.values().map(watch::Sender::receiver_count).sum();
        let sender = senders.entry(account).or_insert_with(|| watch::Sender::new(()));
        let fits = all < MAX_STREAMS && sender.receiver_count() < PER_ACCOUNT;
        fits.then(|| sender.subscribe())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller's place in an account's events.
pub(crate) struct Subscription {
    binding: Binding,
    after: u64,
    ends_at: Millis,
    news: watch::Receiver<()>,
    trace: String,
    /// Whether they are written as a later version may write them.
    pub(super) newer: bool,
}

impl Issuer {
    /// Follows an account from the event after `after` until the session ends.
    pub(super) fn subscribe(
        &self,
        binding: Binding,
        after: u64,
        ends_at: Millis,
        trace: String,
    ) -> Result<Subscription, Problem> {
        let news = self.watchers.follow(binding.account);
        let news = news.ok_or_else(|| Problem::new(ProblemCode::Overloaded).retry_after(5_000))?;
        Ok(Subscription { binding, after, ends_at, news, trace, newer: false })
    }

    /// The next events as text, if there are any.
    pub(super) async fn next_events(
        &self,
        now: Millis,
        subscription: &mut Subscription,
    ) -> Result<Option<Bytes>, Problem> {
        let Subscription { binding, after, .. } = *subscription;
        // Seen before the read, so that what is written during it wakes the stream once more.
        subscription.news.borrow_and_update();
        let events = self
            .rules
            .read(now, &subscription.trace, move |cx| {
                session::check(cx, binding)?;
                events::after(cx, binding.account, after, BATCH)
            })
            .await?;
        let Some(last) = events.last() else { return Ok(None) };
        subscription.after = last.number;
        let mut text = String::new();
        for event in &events {
            text.push_str(&written(event, subscription.newer)?);
        }
        Ok(Some(text.into()))
    }

    /// Waits for the next events, or for the moment to send a sign of life. `None` ends the stream.
    async fn wait_for_events(&self, subscription: &mut Subscription) -> Option<Bytes> {
        let mut closing = self.closing.subscribe();
        loop {
            let now = self.clock.now();
            if *closing.borrow_and_update() || now >= subscription.ends_at {
                return None;
            }
            match self.next_events(now, subscription).await {
                Ok(Some(text)) => return Some(text),
                Ok(None) => {}
                Err(_) => return None,
            }
            let rest = Duration::from_millis(subscription.ends_at.since(now));
            tokio::select! {
                _ = closing.changed() => {}
                _ = subscription.news.changed() => {}
                () = tokio::time::sleep(rest.min(KEEP_ALIVE)) => {
                    if rest > KEEP_ALIVE {
                        return Some(Bytes::from_static(b":\n\n"));
                    }
                }
            }
        }
    }
}

/// The events of a subscription, one after the other, as they come.
pub(crate) fn stream(
    issuer: Arc<Issuer>,
    subscription: Subscription,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    futures_util::stream::unfold((issuer, subscription), |(issuer, mut subscription)| async move {
        let text = issuer.wait_for_events(&mut subscription).await?;
        Some((Ok(text), (issuer, subscription)))
    })
}

/// One event as HTML's server-sent events write it (§9.2.6). JSON text holds no line break.
fn written(event: &Event, newer: bool) -> Result<String, Problem> {
    let data = if newer { newer::event(event).map(|it| it.to_string()) } else { serde_json::to_string(event) };
    let data = data.map_err(|_| ProblemCode::Internal)?;
    Ok(format!("id: {}\ndata: {data}\n\n", event.number))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn one_account_cannot_take_all_streams_and_ended_ones_make_room() {
        let watchers = Watchers::default();
        let account = AccountId(Uuid::from_u128(1));
        let mut streams: Vec<_> = (0..PER_ACCOUNT).map(|_| watchers.follow(account).unwrap()).collect();
        assert!(watchers.follow(account).is_none());
        assert!(watchers.follow(AccountId(Uuid::from_u128(2))).is_some());
        streams.pop();
        assert!(watchers.follow(account).is_some());
        drop(streams);
        let _ = watchers.follow(AccountId(Uuid::from_u128(3)));
        assert_eq!(watchers.lock().len(), 1);
    }
}
