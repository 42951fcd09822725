//! What happens to the account, told as it happens: one background task does what the [`Follower`](crate::follower::Follower)
//! says, records each event in one write, and passes it on. A lost event is found at the next connection, because the stream
//! resumes after the last number that was told.

use std::pin::pin;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use saifu_crypto::{Random as _, SystemRandom};
use saifu_host::KeyError;
use saifu_link::EventStream;
use saifu_policy::Failure;
use saifu_wire::ProblemCode;
use saifu_wire::messages::{EntryKind, Event, EventBody, Notice};
use tokio::sync::{Notify, broadcast};

use crate::account::Call;
use crate::follower::{Connection, Do, Following, Lost, Told, Verdict};
use crate::state::State;
use crate::store::Turn;
use crate::wallet::Inner;
use crate::{Error, Wallet};

/// The newest notices that the home screen has.
const NOTICES: usize = 20;

/// What a subscriber hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// Something happened to the account.
    Event(Event),
    /// The wallet's following stands differently from now on.
    Following(Following),
}

/// What happens to an account. Dropping it unsubscribes.
pub struct Events(broadcast::Receiver<Update>);

impl Events {
    /// The next one; `None` once the wallet is gone. A subscriber that falls 256 behind skips the oldest; what they
    /// changed is in [`Wallet::home`] and [`Wallet::history`].
    pub async fn next(&mut self) -> Option<Update> {
        loop {
            match self.0.recv().await {
                Ok(update) => return Some(update),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// The next event, whatever the following does.
    pub async fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Update::Event(event) = self.next().await? {
                return Some(event);
            }
        }
    }
}

impl Wallet {
    /// Subscribes; events come while [`follow`](Self::follow) is wanted and the issuer can be reached.
    #[must_use]
    pub fn events(&self) -> Events {
        Events(self.0.updates.subscribe())
    }

    /// Wants the issuer's events from now on, told once each. It returns at once and needs no network: the wish stays, through
    /// lost connections and locks, until [`close`](Self::close), [`reset`](Self::reset), or the issuer no longer knows this
    /// device. How it stands is [`following`](Self::following), on the home screen, and told as [`Update::Following`]. Asked
    /// for again, it is tried at once.
    ///
    /// # Errors
    /// [`Error::NotSignedUp`], [`Error::Locked`].
    pub fn follow(&self) -> Result<(), Error> {
        self.0.may(Call::Use)?;
        self.0.follower().want();
        let mut task = self.0.follower_task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(tokio::task::JoinHandle::is_finished) {
            *task = Some(self.0.runtime.spawn(run(Arc::downgrade(&self.0), Arc::clone(&self.0.wake))));
        }
        drop(task);
        self.0.wake.notify_one();
        self.0.announce();
        Ok(())
    }

    /// How the following stands.
    #[must_use]
    pub fn following(&self) -> Following {
        self.0.follower().standing()
    }

    /// Returns once events come as they happen; waits for as long as that takes.
    ///
    /// # Errors
    /// [`Error::Refused`] with `unknown-device`, or [`Error::Key`] with `gone`, when it has ended; [`Error::InvalidInput`] when
    /// nobody wants to follow.
    pub async fn followed(&self) -> Result<(), Error> {
        let mut standing = self.0.following.subscribe();
        loop {
            match *standing.borrow_and_update() {
                Following::Connected { .. } => return Ok(()),
                Following::Connecting | Following::Waiting { .. } => {}
                Following::Ended { why } if why == KeyError::Gone.as_str() => return Err(KeyError::Gone.into()),
                Following::Ended { .. } => return Err(Error::Refused(Box::new(ProblemCode::UnknownDevice.into()))),
                Following::Off => return Err(Error::InvalidInput("Nobody follows the events.")),
            }
            if standing.changed().await.is_err() {
                return Err(Error::Locked);
            }
        }
    }
}

/// Does what the follower says, one thing after the other, so that there is never more than one connection.
async fn run(wallet: Weak<Inner>, wake: Arc<Notify>) {
    let mut stream: Option<(Connection, Turn, EventStream)> = None;
    loop {
        let Some(inner) = wallet.upgrade() else { return };
        let next = inner.follower().next();
        inner.announce();
        match next {
            Do::Rest => {
                stream = None;
                drop(inner);
                wake.notified().await;
            }
            Do::Connect(connection) => {
                stream = None;
                let mut opening = pin!(inner.open_stream(connection));
                let opened = loop {
                    tokio::select! {
                        opened = &mut opening => break Some(opened),
                        () = wake.notified() => if !inner.follower().is_current(connection) { break None },
                    }
                };
                match opened {
                    Some(Ok((turn, open))) => {
                        inner.follower().opened(connection, inner.now(), inner.elapsed_ms());
                        stream = Some((connection, turn, open));
                    }
                    Some(Err(error)) => inner.lost(connection, &error),
                    None => {}
                }
            }
            Do::Listen(connection) => {
                let Some((_, turn, open)) = stream.as_mut().filter(|(opened, ..)| *opened == connection) else {
                    inner.lost(connection, &Error::NoAnswer);
                    continue;
                };
                let turn = *turn;
                drop(inner);
                let heard = tokio::select! {
                    heard = open.next() => heard,
                    () = wake.notified() => continue,
                };
                let Some(inner) = wallet.upgrade() else { return };
                let done = match heard {
                    Ok(Some(event)) => inner.accept(connection, turn, event).await,
                    Ok(None) => Err(Error::NoAnswer),
                    Err(error) => Err(error.into()),
                };
                if let Err(error) = done {
                    inner.lost(connection, &error);
                }
            }
            Do::Wait(connection, ms) => {
                drop(inner);
                let mut pause = pin!(tokio::time::sleep(Duration::from_millis(ms)));
                loop {
                    tokio::select! {
                        () = &mut pause => {
                            let Some(inner) = wallet.upgrade() else { return };
                            inner.follower().waited(connection);
                            break;
                        }
                        () = wake.notified() => {
                            let Some(inner) = wallet.upgrade() else { return };
                            let unchanged = inner.follower().next() == Do::Wait(connection, ms);
                            if !unchanged {
                                break;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What a failure means for those who try by themselves.
pub(crate) fn lost(error: &Error) -> Lost {
    match error {
        Error::Refused(problem) if problem.code == ProblemCode::UnknownDevice => {
            Lost::ForGood { why: ProblemCode::UnknownDevice.as_str() }
        }
        Error::Key(KeyError::Gone) => Lost::ForGood { why: KeyError::Gone.as_str() },
        Error::Refused(problem) => {
            let failure = Failure::Busy { retry_after_ms: problem.retry_after_ms };
            Lost::ForNow { why: problem.code.known().map_or("refused", ProblemCode::as_str), failure }
        }
        other => Lost::ForNow { why: other.name(), failure: Failure::NoAnswer },
    }
}

impl Inner {
    fn elapsed_ms(&self) -> u64 {
        self.platform.clock.read().elapsed_ms
    }

    /// Tells how the following stands, if that has changed.
    pub(crate) fn announce(&self) {
        // Held to the end, so that of two who tell, the later one speaks last; nobody is called here.
        let follower = self.follower();
        let now = follower.standing();
        let changed = self.following.send_if_modified(|before| {
            let changed = *before != now;
            before.clone_from(&now);
            changed
        });
        if changed {
            // Nobody listening is fine.
            let _ = self.updates.send(Update::Following(now));
        }
        drop(follower);
    }

    fn lost(&self, connection: Connection, error: &Error) {
        tracing::info!(target: "saifu", %error, "the event stream is over");
        let random = u32::from_be_bytes(SystemRandom.bytes().unwrap_or_default());
        let at = (self.now(), self.elapsed_ms());
        self.link.with_budget(|budget| self.follower().lost(connection, lost(error), at, budget, random));
    }

    /// Opens a stream after the last event told. At the first connection, and when the issuer began a new era, that is the
    /// last one of a fresh picture.
    async fn open_stream(self: &Arc<Self>, connection: Connection) -> Result<(Turn, EventStream), Error> {
        let turn = self.store.turn()?;
        self.ask_what_is_unknown(turn);
        let told = self.follower().told().cloned();
        let told = match told {
            Some(told) => told,
            None => self.begin_with_picture(connection, turn).await?,
        };
        let mut stream = self.stream_after(turn, told.number).await?;
        // Numbers of another era say nothing about this one.
        if stream.era().is_some_and(|era| told.era.as_ref().is_some_and(|known| known != era)) {
            let told = self.begin_with_picture(connection, turn).await?;
            stream = self.stream_after(turn, told.number).await?;
        }
        self.fill(turn);
        self.read_service_document(turn);
        Ok((turn, stream))
    }

    async fn begin_with_picture(self: &Arc<Self>, connection: Connection, turn: Turn) -> Result<Told, Error> {
        self.refresh_home(turn).await?;
        let told = self.store.read(|state| Told { era: state.era.clone(), number: state.last_event() });
        let told = told.ok_or(Error::Locked)?;
        self.follower().begin_after(connection, told.clone());
        Ok(told)
    }

    async fn stream_after(self: &Arc<Self>, turn: Turn, after: u64) -> Result<EventStream, Error> {
        let binding = self.binding()?;
        let opened = self.link.events(after).await;
        self.heard_of_device(turn, binding, opened.as_ref().err()).await?;
        self.told(turn, opened)
    }

    /// Records an event, then tells it.
    async fn accept(self: &Arc<Self>, connection: Connection, turn: Turn, event: Event) -> Result<(), Error> {
        if self.follower().event(connection, event.number) == Verdict::Skip {
            return Ok(());
        }
        if burns_codes(&event.body) {
            self.codes().burnt(event.number);
        }
        let recorded = event.clone();
        self.commit(turn, move |state| state.apply(&recorded)).await?;
        // Begun before anybody is told, so that whoever is told can wait for it.
        if self.tail_is_long() || self.store.read(State::history_is_complete) == Some(false) {
            self.fill(turn);
        }
        if self.follower().was_recorded(connection, event.number) {
            // Nobody listening is fine.
            let _ = self.updates.send(Update::Event(event));
        }
        Ok(())
    }
}

/// A till has scanned a code of this account: whichever it was, it is spent.
fn burns_codes(body: &EventBody) -> bool {
    match body {
        EventBody::Entry { entry } => entry.kind == EntryKind::Payment || entry.kind.known().is_none(),
        EventBody::Declined { .. } | EventBody::Other => true,
        EventBody::TopUpExpired { .. } | EventBody::Notice { .. } => false,
    }
}

impl State {
    /// Records an event: the picture, the history, and intents that it ends.
    pub(crate) fn apply(&mut self, event: &Event) {
        if let Some(picture) = self.picture.as_mut().filter(|picture| picture.last_event < event.number) {
            picture.balance_yen = event.balance_yen;
            picture.points = event.points;
            picture.as_of = event.at.max(picture.as_of);
            picture.last_event = event.number;
            if let EventBody::Notice { notice, text } = &event.body {
                let (number, at, kind, text) = (event.number, event.at, notice.clone(), text.clone());
                picture.notices.insert(0, Notice { number, at, kind, text });
                picture.notices.truncate(NOTICES);
            }
        }
        self.keep_line(event);
        let ended = match &event.body {
            EventBody::Entry { entry } => entry.intent,
            EventBody::TopUpExpired { intent } => Some(*intent),
            EventBody::Declined { .. } | EventBody::Notice { .. } | EventBody::Other => None,
        };
        if let Some(ended) = ended {
            self.intents.retain(|intent| intent.key != ended);
        }
    }
}
