//! Logging to stderr by `SAIFU_LOG`; the log of a wallet's requests; and the crash hook of the tests: with
//! `SAIFU_KILL_AT=STEP[:MICROS]` the process kills itself when the wallet reaches that step, or so many microseconds later.

mod requests;

pub(crate) use requests::Recording;

use saifu_link::REQUEST_TARGET;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry};

const LOG: &str = "SAIFU_LOG";
const KILL_AT: &str = "SAIFU_KILL_AT";

/// Sets up what the environment asks for, and the log of requests. What nobody listens to costs nothing.
pub(crate) fn install() {
    let only = |target, level| Targets::new().with_target(target, level);
    let recorder = requests::Recorder::default().with_filter(only(REQUEST_TARGET, Level::DEBUG));
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = vec![recorder.boxed()];
    if let Ok(filter) = std::env::var(LOG) {
        let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        layers.push(log.with_filter(EnvFilter::new(filter)).boxed());
    }
    if let Ok(value) = std::env::var(KILL_AT) {
        layers.push(KillAt::parse(&value).with_filter(only(saifu::STEP_TARGET, Level::TRACE)).boxed());
    }
    Registry::default().with(layers).init();
}

struct KillAt {
    step: String,
    after: std::time::Duration,
}

impl KillAt {
    fn parse(value: &str) -> Self {
        let (step, micros) = value.split_once(':').unwrap_or((value, "0"));
        Self { step: step.to_owned(), after: std::time::Duration::from_micros(micros.parse().unwrap_or(0)) }
    }
}

impl<S: Subscriber> Layer<S> for KillAt {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != saifu::STEP_TARGET {
            return;
        }
        let mut found = IsStep { step: &self.step, yes: false };
        event.record(&mut found);
        match (found.yes, self.after) {
            (false, _) => {}
            (true, after) if after.is_zero() => kill_self(),
            (true, after) => drop(std::thread::spawn(move || {
                std::thread::sleep(after);
                kill_self();
            })),
        }
    }
}

struct IsStep<'a> {
    step: &'a str,
    yes: bool,
}

impl Visit for IsStep<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.yes |= field.name() == "step" && value == self.step;
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// As a power cut would: no destructor runs, nothing is flushed.
#[cfg(unix)]
pub(crate) fn kill_self() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

#[cfg(not(unix))]
pub(crate) fn kill_self() {
    std::process::abort();
}
