//! Listens to the link's debug events and writes each request into the log of the wallet that is played now.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use clap::ValueEnum as _;
use saifu_host::Clock;
use saifu_wire::{Millis, Name, ProblemCode};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::home::WalletFolder;
use crate::request_log::{LoggedRequest, Lost, RequestLog};

/// Requests that wait for their end at once. One whose caller has stopped waiting never has one.
const OPEN_AT_MOST: usize = 64;

/// One wallet at a time is played by a process; the subscriber is the process's too.
static PLAYED: Mutex<Option<Arc<Played>>> = Mutex::new(None);

struct Played {
    log: RequestLog,
    clock: Arc<dyn Clock>,
}

fn played() -> MutexGuard<'static, Option<Arc<Played>>> {
    PLAYED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While this lives, the process's requests go into a wallet's log.
pub(crate) struct Recording(());

impl Recording {
    /// Into the log of the wallet in this folder, with the times of its clock.
    pub(crate) fn of(wallet: &WalletFolder, clock: Arc<dyn Clock>) -> Self {
        *played() = Some(Arc::new(Played { log: RequestLog::new(wallet.path()), clock }));
        Self(())
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        *played() = None;
    }
}

struct Open {
    asked: LoggedRequest,
    since: Instant,
    of: Arc<Played>,
}

#[derive(Default)]
pub(super) struct Recorder(Mutex<OpenRequests>);

#[derive(Default)]
struct OpenRequests {
    count: u64,
    open: Vec<Open>,
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut told = RequestEvent::default();
        event.record(&mut told);
        let (Some(operation), Some(trace)) = (told.operation.take(), told.trace.take()) else { return };
        let line = match told.class.take() {
            Some(class) => self.sent(operation, trace, class),
            None => self.ended(&operation, &trace, &told),
        };
        if let Some((of, asked)) = line {
            // A log that cannot be written must not stop a wallet.
            let _ = of.log.append(&asked);
        }
    }
}

impl Recorder {
    fn state(&self) -> MutexGuard<'_, OpenRequests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sent(&self, operation: Name, trace: Name, class: Name) -> Option<(Arc<Played>, LoggedRequest)> {
        let of = played().clone()?;
        let at = Millis(of.clock.read().wall_ms);
        let mut state = self.state();
        state.count = state.count.saturating_add(1);
        let (nth, lost) = (state.count, Some(Lost::Unfinished));
        let asked = LoggedRequest { nth, at, operation, trace, class, status: None, code: None, lost, ms: None };
        if state.open.len() >= OPEN_AT_MOST {
            state.open.remove(0);
        }
        state.open.push(Open { asked: asked.clone(), since: Instant::now(), of: of.clone() });
        Some((of, asked))
    }

    /// The newest of this operation and trace: an older one that is still open has been given up.
    fn ended(&self, operation: &Name, trace: &Name, told: &RequestEvent) -> Option<(Arc<Played>, LoggedRequest)> {
        let mut state = self.state();
        let is_it = |open: &Open| open.asked.operation == *operation && open.asked.trace == *trace;
        let place = state.open.iter().rposition(is_it)?;
        let Open { asked, since, of } = state.open.remove(place);
        let ms = u64::try_from(since.elapsed().as_millis()).ok();
        let RequestEvent { status, code, lost, .. } = *told;
        Some((of, LoggedRequest { status, code, lost, ms, ..asked }))
    }
}

/// What an event says, as far as it is ours.
#[derive(Default)]
struct RequestEvent {
    operation: Option<Name>,
    trace: Option<Name>,
    class: Option<Name>,
    status: Option<u16>,
    code: Option<ProblemCode>,
    lost: Option<Lost>,
}

impl Visit for RequestEvent {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "operation" => self.operation = Name::new(value).ok(),
            "trace" => self.trace = Name::new(value).ok(),
            "class" => self.class = Name::new(value).ok(),
            "code" => self.code = ProblemCode::ALL.iter().copied().find(|code| code.as_str() == value),
            "lost" => self.lost = Lost::from_str(value, false).ok(),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "status" {
            self.status = u16::try_from(value).ok();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
