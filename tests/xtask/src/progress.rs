//! What is said on stderr while something runs: what, for how long, how it ended. On a terminal one line is redrawn; elsewhere a
//! line now and then shows that it lives.

use std::cell::{Cell, RefCell};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const REDRAW: Duration = Duration::from_millis(250);
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// The progress of one piece of work after the other.
pub(crate) struct Progress {
    terminal: bool,
    label: RefCell<String>,
    begun: Cell<Instant>,
    spoke: Cell<Instant>,
}

impl Progress {
    /// Of what is called `label`, until something else starts.
    pub(crate) fn new(label: &str) -> Self {
        let (terminal, now) = (std::io::stderr().is_terminal(), Instant::now());
        Self { terminal, label: RefCell::new(label.to_owned()), begun: Cell::new(now), spoke: Cell::new(now) }
    }

    /// Something begins.
    pub(crate) fn start(&self, label: &str) {
        self.label.replace(label.to_owned());
        self.begun.set(Instant::now());
        self.spoke.set(Instant::now());
        self.say(&format!("{label} …{}", self.end_of_line()));
    }

    /// It still runs; called often.
    pub(crate) fn tick(&self) {
        if self.spoke.get().elapsed() >= if self.terminal { REDRAW } else { SIGN_OF_LIFE } {
            self.spoke.set(Instant::now());
            let seconds = self.begun.get().elapsed().as_secs();
            self.say(&format!("{} … {seconds} s{}", self.label.borrow(), self.end_of_line()));
        }
    }

    /// It ended.
    pub(crate) fn done(&self, how: &str) {
        let seconds = self.begun.get().elapsed().as_secs_f32();
        self.note(&format!("{}: {how} ({seconds:.1} s)", self.label.borrow()));
    }

    /// A line of its own, which stays.
    pub(crate) fn note(&self, text: &str) {
        self.say(&format!("{text}\n"));
    }

    fn end_of_line(&self) -> &str {
        if self.terminal { "" } else { "\n" }
    }

    fn say(&self, text: &str) {
        let erase = if self.terminal { "\r\x1b[2K" } else { "" };
        let mut stderr = std::io::stderr().lock();
        // A closed stderr must not stop the checks.
        let _ = write!(stderr, "{erase}{text}").and_then(|()| stderr.flush());
    }
}
