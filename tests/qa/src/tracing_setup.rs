//! Logging to stderr by `SAIFU_LOG`, and the crash hook of the tests: with `SAIFU_KILL_AT=STEP[:MICROS]` the process kills
//! itself when the wallet reaches that step, or so many microseconds later.

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry};

const LOG: &str = "SAIFU_LOG";
const KILL_AT: &str = "SAIFU_KILL_AT";

/// Sets up what the environment asks for; nothing by default.
pub(crate) fn install() {
    let log = std::env::var(LOG).ok().map(|filter| {
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(EnvFilter::new(filter))
    });
    let kill = std::env::var(KILL_AT).ok().map(|value| KillAt::parse(&value));
    if log.is_some() || kill.is_some() {
        Registry::default().with(log).with(kill).init();
    }
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
