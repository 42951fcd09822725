//! The library's log for the host: off by default, in batches, and redacted. Only our own lines are told, only known fields of
//! them, and runs of digits that could be a number or a code are blanked. Written by hand because the usual subscriber crates
//! bring formatting and filtering that would be a tenth of the library's size.

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::error::HostError;

/// Lines that wait for the host; more are counted and lost.
const KEPT: usize = 1_024;
/// Lines handed over at once.
const BATCH: usize = 64;
/// How long a line waits for others.
const PAUSE: Duration = Duration::from_millis(200);
/// Fields that are told. Anything else could hold what should not leave.
const FIELDS: &[&str] = &["message", "operation", "status", "code", "lost", "step", "error", "ms", "call", "trace"];

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What should not happen.
    Error,
    /// What was got over.
    Warn,
    /// What is worth knowing.
    Info,
    /// Every request.
    Debug,
}

/// Takes lines, one batch after the other, on a thread of the library.
#[uniffi::export(with_foreign)]
pub trait LogSink: Send + Sync {
    /// Some lines, oldest first: level, target, text. What is thrown here changes nothing.
    fn on_lines(&self, lines: Vec<String>) -> Result<(), HostError>;
}

struct Desk {
    /// 0 off, 1 error … 4 debug.
    level: AtomicU8,
    sink: RwLock<Option<Arc<dyn LogSink>>>,
    lines: SyncSender<String>,
    lost: AtomicU64,
}

/// Tells `sink` the library's log from this level on, in place of whoever was told before. None or `Off` ends it.
#[uniffi::export]
pub fn set_log(level: LogLevel, sink: Option<Arc<dyn LogSink>>) {
    static DESK: OnceLock<Option<Arc<Desk>>> = OnceLock::new();
    // Nothing runs for a host that never asked for a log.
    if DESK.get().is_none() && (sink.is_none() || level == LogLevel::Off) {
        return;
    }
    let Some(desk) = DESK.get_or_init(start) else { return };
    let level = if sink.is_none() { LogLevel::Off } else { level };
    *desk.sink.write().unwrap_or_else(PoisonError::into_inner) = sink.filter(|_| level != LogLevel::Off);
    desk.level.store(rank(level), Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
}

fn rank(level: LogLevel) -> u8 {
    match level {
        LogLevel::Off => 0,
        LogLevel::Error => 1,
        LogLevel::Warn => 2,
        LogLevel::Info => 3,
        LogLevel::Debug => 4,
    }
}

fn start() -> Option<Arc<Desk>> {
    let (lines, waiting) = sync_channel(KEPT);
    let desk = Arc::new(Desk { level: AtomicU8::new(0), sink: RwLock::new(None), lines, lost: AtomicU64::new(0) });
    let told = Arc::clone(&desk);
    std::thread::Builder::new().name("saifu-log".into()).spawn(move || tell(&told, &waiting)).ok()?;
    // Another library of the process may have taken this place; then its subscriber hears our lines.
    tracing::subscriber::set_global_default(Teller(Arc::clone(&desk))).ok()?;
    Some(desk)
}

fn tell(desk: &Desk, waiting: &Receiver<String>) {
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(line) = waiting.recv_timeout(PAUSE)
        {
            batch.push(line);
        }
        let lost = desk.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            batch.push(format!("WARN saifu: {lost} lines were lost, the host was too slow"));
        }
        let sink = desk.sink.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(sink) = sink {
            // A host that cannot write its log is not told so through the log.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sink.on_lines(batch)));
        }
    }
}

/// Turns our events into lines.
struct Teller(Arc<Desk>);

impl Subscriber for Teller {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let level = match *metadata.level() {
            Level::ERROR => 1,
            Level::WARN => 2,
            Level::INFO => 3,
            Level::DEBUG => 4,
            _ => u8::MAX,
        };
        metadata.is_event() && is_ours(metadata.target()) && level <= self.0.level.load(Ordering::Relaxed)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = Line(format!("{} {}:", metadata.level(), metadata.target()));
        event.record(&mut line);
        if self.0.lines.try_send(line.0).is_err() {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn is_ours(target: &str) -> bool {
    target == "saifu" || target.starts_with("saifu::")
}

struct Line(String);

impl Line {
    fn add(&mut self, field: &Field, value: &str) {
        let name = field.name();
        if !FIELDS.contains(&name) {
            return;
        }
        let value = if name == "trace" { value.to_owned() } else { saifu::redacted(value) };
        // Writing to a String cannot fail.
        let _ = if name == "message" { write!(self.0, " {value}") } else { write!(self.0, " {name}={value}") };
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_targets_are_told() {
        assert!(is_ours("saifu") && is_ours("saifu::link"));
        assert!(!is_ours("saifuu") && !is_ours("h2::client") && !is_ours("rustls"));
    }
}
