//! The issuer's log for quality assurance: one line for each request and for each thing that ended by itself, with the rule
//! that decided, its figures and what was posted. It lives in memory, for as long as the sandbox runs; the control API reads it.
//!
//! *Invariants.* A line holds no secret and nothing personal. Whatever is drawn at random (accounts, devices, keys of
//! intents, transaction ids, traces) appears under a name by order of appearance: `account-1`, `trace-7`. So the same
//! commands against the same seed and a held clock give the same log, byte for byte.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use saifu_wire::messages::Outcome;
use saifu_wire::{Millis, ProblemCode, Reason};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::rules::notes::{Check, Ended, Notes, Posted};
use crate::words::words;

/// Lines that are kept, the newest ones.
const LINES: usize = 20_000;

words! {
    /// What an id names.
    pub(crate) Kind {
        Account = "account",
        Device = "device",
        Intent = "intent",
        Settlement = "settlement",
        Transaction = "transaction",
        Trace = "trace",
    }
}

/// An id under its name of this log. The id itself is for looking up and never shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Named {
    /// Whether somebody who says this means it.
    fn is(&self, said: &str) -> bool {
        self.name == said || self.id == said
    }
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

/// One line.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    pub(crate) number: u64,
    pub(crate) at: Millis,
    pub(crate) trace: Named,
    pub(crate) operation: &'static str,
    pub(crate) account: Option<Named>,
    /// Which one of this account, from 1.
    pub(crate) of_account: Option<u64>,
    pub(crate) device: Option<Named>,
    pub(crate) terminal: Option<String>,
    pub(crate) transaction: Option<Named>,
    pub(crate) intent: Option<Named>,
    pub(crate) settlement: Option<Named>,
    #[serde(flatten)]
    pub(crate) outcome: Said,
    /// Whether the store keeps what was decided, for longer than the log does.
    #[serde(skip)]
    pub(crate) kept: bool,
    /// When it was due, for what ended by itself.
    pub(crate) due_at: Option<Millis>,
    #[serde(skip)]
    pub(crate) checks: Vec<Check>,
    #[serde(skip)]
    pub(crate) postings: Vec<Posted>,
}

impl Line {
    /// The first rule that did not allow.
    pub(crate) fn decided_by(&self) -> Option<&Check> {
        self.checks.iter().find(|check| !check.ok)
    }

    /// Whether somebody was told no. To be given a nonce first is how every conversation begins.
    pub(crate) fn refused(&self) -> bool {
        self.outcome.code.is_some_and(|code| code != ProblemCode::UseDpopNonce)
            || self.outcome.result == Some(Outcome::Declined)
    }
}

/// How the caller was answered.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Said {
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<ProblemCode>,
    pub(crate) result: Option<Outcome>,
    pub(crate) reason: Option<Reason>,
    pub(crate) repeat: bool,
}

/// A request as it goes into the log.
pub(crate) struct LoggedRequest<'a> {
    pub(crate) at: Millis,
    pub(crate) trace: &'a str,
    pub(crate) operation: &'static str,
    pub(crate) status: u16,
    pub(crate) code: Option<ProblemCode>,
    pub(crate) notes: Notes,
}

/// Which lines are wanted. What is left out does not matter.
#[derive(Debug, Default, Clone, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Filter {
    /// Only later ones than this number.
    pub(crate) after: u64,
    /// By name or id.
    pub(crate) account: Option<String>,
    /// By name or id.
    pub(crate) device: Option<String>,
    pub(crate) terminal: Option<String>,
    /// By name or id.
    pub(crate) trace: Option<String>,
    /// Only where somebody was told no.
    pub(crate) refused: bool,
}

impl Filter {
    fn lets(&self, line: &Line) -> bool {
        let is = |wanted: &Option<String>, found: &Option<Named>| {
            wanted.as_deref().is_none_or(|said| found.as_ref().is_some_and(|named| named.is(said)))
        };
        line.number > self.after
            && is(&self.account, &line.account)
            && is(&self.device, &line.device)
            && self.terminal.as_ref().is_none_or(|wanted| line.terminal.as_ref() == Some(wanted))
            && self.trace.as_deref().is_none_or(|said| line.trace.is(said))
            && (!self.refused || line.refused())
    }
}

#[derive(Default)]
struct LogState {
    lines: VecDeque<Line>,
    number: u64,
    names: HashMap<(Kind, String), Name>,
    named: HashMap<Kind, u64>,
    of_account: HashMap<String, u64>,
}

struct Name {
    name: String,
    /// The last line it stands in.
    last: u64,
}

/// The log.
#[derive(Default)]
pub(crate) struct Log(Mutex<LogState>);

impl Log {
    fn state(&self) -> MutexGuard<'_, LogState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request.
    pub(crate) fn asked(&self, asked: LoggedRequest<'_>) {
        let LoggedRequest { at, trace, operation, status, code, mut notes } = asked;
        let said =
            Said { status: Some(status), code, result: notes.result, reason: notes.reason, repeat: notes.repeat };
        let (checks, postings) = (std::mem::take(&mut notes.checks), std::mem::take(&mut notes.postings));
        self.state().add(at, trace, operation, &notes, said, None, checks, postings);
    }

    /// Adds what ended by itself at this time.
    pub(crate) fn ended(&self, at: Millis, trace: &str, ended: &[Ended]) {
        let mut state = self.state();
        for hold in ended {
            let about = Notes { account: Some(hold.account), intent: Some(hold.intent), ..Notes::default() };
            let postings = hold.postings.clone();
            state.add(at, trace, "top-up-expired", &about, Said::default(), Some(hold.due_at), Vec::new(), postings);
        }
    }

    /// At most `most` lines, oldest first.
    pub(crate) fn lines(&self, filter: &Filter, most: usize) -> Vec<Line> {
        self.state().lines.iter().filter(|line| filter.lets(line)).take(most).cloned().collect()
    }

    /// The id that a name of this log stands for.
    pub(crate) fn id_of(&self, name: &str) -> Option<String> {
        self.state().names.iter().find(|(_, known)| known.name == name).map(|((_, id), _)| id.clone())
    }

    /// The name of an id, if it has one.
    pub(crate) fn name_of(&self, kind: Kind, id: &str) -> Option<String> {
        self.state().names.get(&(kind, id.to_owned())).map(|known| known.name.clone())
    }
}

impl LogState {
    #[expect(clippy::too_many_arguments, reason = "a line has many parts, and one place makes it")]
    fn add(
        &mut self,
        at: Millis,
        trace: &str,
        operation: &'static str,
        about: &Notes,
        outcome: Said,
        due_at: Option<Millis>,
        checks: Vec<Check>,
        postings: Vec<Posted>,
    ) {
        self.number = self.number.saturating_add(1);
        let account = about.account.map(|id| self.name(Kind::Account, id.to_string()));
        let of_account = account.as_ref().map(|account| {
            let count = self.of_account.entry(account.id.clone()).or_default();
            *count = count.saturating_add(1);
            *count
        });
        let device = about.device.map(|id| self.name(Kind::Device, id.to_string()));
        let intent = about.intent.map(|id| self.name(Kind::Intent, id.to_string()));
        let transaction = about.txid.as_ref().map(|id| self.name(Kind::Transaction, id.to_string()));
        let settlement = about.settlement.map(|id| self.name(Kind::Settlement, id.to_string()));
        let trace = self.name(Kind::Trace, trace.to_owned());
        let terminal = about.terminal.as_ref().map(ToString::to_string);
        let number = self.number;
        self.lines.push_back(Line {
            number,
            at,
            trace,
            operation,
            account,
            of_account,
            device,
            terminal,
            transaction,
            intent,
            settlement,
            kept: about.what.is_some() && !outcome.repeat,
            outcome,
            due_at,
            checks,
            postings,
        });
        if self.lines.len() > LINES {
            self.lines.pop_front();
            self.forget();
        }
    }

    /// Names of short-lived things go with the last line they stood in. Looking for them now and then is enough.
    fn forget(&mut self) {
        if !self.number.is_multiple_of(LINES as u64) {
            return;
        }
        let first = self.lines.front().map_or(0, |line| line.number);
        self.names.retain(|(kind, _), known| matches!(kind, Kind::Account | Kind::Device) || known.last >= first);
    }

    fn name(&mut self, kind: Kind, id: String) -> Named {
        let line = self.number;
        if let Some(known) = self.names.get_mut(&(kind, id.clone())) {
            known.last = line;
            return Named { id, name: known.name.clone() };
        }
        let count = self.named.entry(kind).or_default();
        *count = count.saturating_add(1);
        let name = format!("{}-{count}", kind.as_str());
        self.names.insert((kind, id.clone()), Name { name: name.clone(), last: line });
        Named { id, name }
    }
}

/// A row of the ledger as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ShownPosting {
    pub(crate) phase: Cow<'static, str>,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) amount: i64,
    pub(crate) unit: String,
}

/// A line as it is shown, with the rows of the ledger under their accounts' names. What it does not have is left out.
pub(crate) fn shown(line: &Line, postings: &[ShownPosting]) -> Value {
    let mut shown = json!(line);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("decided_by".into(), json!(line.decided_by()));
        fields.insert("postings".into(), json!(postings));
        fields.retain(|_, value| !(value.is_null() || *value == json!(false) || *value == json!([])));
    }
    shown
}
