use std::time::Duration;

use http::StatusCode;
use saifu_wire::{Listener, Millis, Operation, Problem, ProblemCode};

use crate::rules::Notes;

/// What the log says about a request: one line, and nothing of its body or headers in it.
pub(super) struct Record {
    listener: Listener,
    /// Which operation, once it is known.
    pub(super) operation: Option<Operation>,
    /// Which check failed, where the answer does not say.
    pub(super) why: Option<&'static str>,
    /// The method that the path would take.
    pub(super) allow: Option<&'static str>,
    /// What the rule told.
    pub(super) notes: Notes,
    /// Until when a fault held it.
    pub(super) held_until: Option<Millis>,
    /// Whether it is answered as a later version may answer.
    pub(super) newer: bool,
}

impl Record {
    pub(super) fn new(listener: Listener) -> Self {
        Self {
            listener,
            operation: None,
            why: None,
            allow: None,
            notes: Notes::default(),
            held_until: None,
            newer: false,
        }
    }

    /// Takes what a rule told; who asked stays known.
    pub(super) fn told(&mut self, notes: Notes) {
        let Notes { account, device, .. } = self.notes;
        self.notes = notes;
        self.notes.account = self.notes.account.or(account);
        self.notes.device = self.notes.device.or(device);
    }

    /// What goes into the issuer's log, whoever refused.
    pub(super) fn notes(&mut self, refused: Option<&Problem>) -> Notes {
        let mut notes = std::mem::take(&mut self.notes);
        if let Some(problem) = refused {
            notes.refused(problem);
        }
        notes
    }

    /// Writes the line.
    pub(super) fn write(
        &self,
        trace: &str,
        notes: &Notes,
        status: StatusCode,
        code: Option<ProblemCode>,
        took: Duration,
    ) {
        // The terminal or the account, once it is known.
        let who = notes.terminal.as_ref().map(ToString::to_string);
        let who = who.or_else(|| notes.account.map(|account| account.to_string()));
        tracing::info!(
            trace,
            listener = ?self.listener,
            operation = self.operation.map_or("none", Operation::name),
            who,
            status = status.as_u16(),
            code = code.map(ProblemCode::as_str),
            why = self.why,
            ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
    }
}
