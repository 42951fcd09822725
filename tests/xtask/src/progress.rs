//! What the runner says on stderr while it works: which suite runs, for how long, how it ended.
//!
//! On a terminal one line is redrawn; elsewhere a line is written now and then, so that a log of continuous
//! integration shows life without filling up.

use std::cell::{Cell, RefCell};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const REDRAW: Duration = Duration::from_millis(250);
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// The progress of one run of suites.
pub(crate) struct Progress {
    live: bool,
    silent: bool,
    label: RefCell<String>,
    started: Cell<Instant>,
    spoke: Cell<Instant>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            live: std::io::stderr().is_terminal(),
            silent: false,
            label: RefCell::default(),
            started: Cell::new(now),
            spoke: Cell::new(now),
        }
    }

    /// Says nothing: for tests.
    #[cfg(test)]
    pub(crate) fn quiet() -> Self {
        Self { silent: true, ..Self::new() }
    }

    /// A suite begins.
    pub(crate) fn start(&self, label: &str) {
        *self.label.borrow_mut() = label.to_owned();
        self.started.set(Instant::now());
        self.spoke.set(Instant::now());
        self.say(&if self.live { label.to_owned() } else { format!("{label} …\n") });
    }

    /// It still runs; called often.
    pub(crate) fn tick(&self) {
        let every = if self.live { REDRAW } else { SIGN_OF_LIFE };
        if self.spoke.get().elapsed() < every {
            return;
        }
        self.spoke.set(Instant::now());
        let (label, seconds) = (self.label.borrow(), self.started.get().elapsed().as_secs());
        self.say(&if self.live { format!("{label} … {seconds} s") } else { format!("{label} … {seconds} s\n") });
    }

    /// A line of its own, which stays.
    pub(crate) fn note(&self, text: &str) {
        self.say(&format!("{text}\n"));
    }

    /// The suite ended.
    pub(crate) fn done(&self, how: &str) {
        let seconds = self.started.get().elapsed().as_secs_f32();
        self.say(&format!("{}: {how} ({seconds:.1} s)\n", self.label.borrow()));
    }

    fn say(&self, text: &str) {
        if self.silent {
            return;
        }
        let erase = if self.live { "\r\x1b[2K" } else { "" };
        let mut stderr = std::io::stderr().lock();
        // A closed stderr must not stop the checks.
        let _ = write!(stderr, "{erase}{text}").and_then(|()| stderr.flush());
    }
}
