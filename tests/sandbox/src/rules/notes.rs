//! What a rule tells beside its answer: whom it was about, what it checked with which figures, what it posted. The issuer's
//! log and `explain` are made of it, so they say what was decided and compute nothing again. Nothing secret enters.

use std::borrow::Cow;

use saifu_wire::messages::Outcome;
use saifu_wire::{AccountId, DeviceId, IntentKey, Millis, Name, Open, Problem, ProblemCode, Reason, SettlementId};
use serde::{Deserialize, Serialize};

use super::{Cx, Terminal};
use crate::ledger::Move;

/// One rule that was asked, in the order of asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Check {
    /// Its place in the policy file, or the name of a rule without a number: `account.frozen`.
    pub(crate) rule: Cow<'static, str>,
    /// Yen, a count or milliseconds; `null` for a rule without a number.
    pub(crate) limit: Option<i64>,
    /// What it saw, this request included.
    pub(crate) seen: Option<i64>,
    /// Whether it allowed.
    pub(crate) ok: bool,
}

impl Check {
    /// A rule without a number.
    pub(crate) fn plain(rule: impl Into<Cow<'static, str>>, ok: bool) -> Self {
        Self { rule: rule.into(), limit: None, seen: None, ok }
    }
}

/// A row that the rule wrote into the ledger, by the ledger's account ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Posted {
    pub(crate) phase: Cow<'static, str>,
    pub(crate) debit: i64,
    pub(crate) credit: i64,
    pub(crate) amount: i64,
}

/// A hold that ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) due_at: Millis,
    pub(crate) account: AccountId,
    pub(crate) intent: IntentKey,
    pub(crate) postings: Vec<Posted>,
}

/// All that a rule told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// The kind of try, for tries that `explain` knows.
    pub(crate) what: Option<&'static str>,
    pub(crate) account: Option<AccountId>,
    pub(crate) device: Option<DeviceId>,
    pub(crate) terminal: Option<Name>,
    pub(crate) txid: Option<Name>,
    pub(crate) intent: Option<IntentKey>,
    pub(crate) settlement: Option<SettlementId>,
    pub(crate) result: Option<Outcome>,
    pub(crate) reason: Option<Reason>,
    /// Whether an earlier answer was repeated: nothing was decided.
    pub(crate) repeat: bool,
    pub(crate) checks: Vec<Check>,
    pub(crate) postings: Vec<Posted>,
    pub(crate) ended: Vec<Ended>,
}

impl Notes {
    /// What was refused with a problem has a deciding rule too; what it wrote is gone unless it was kept.
    pub(crate) fn refused(&mut self, problem: &Problem) {
        if self.decided_by().is_none() {
            let behind = || Cow::Borrowed(problem.code.known().map_or("failure", rule_behind));
            let rule = problem.rule.clone().map_or_else(behind, Cow::Owned);
            self.checks.push(Check::plain(rule, false));
        }
    }

    /// Forgets what was undone.
    pub(crate) fn undone(&mut self) {
        self.postings.clear();
        self.ended.clear();
    }

    /// The first rule that did not allow.
    pub(crate) fn decided_by(&self) -> Option<&Check> {
        self.checks.iter().find(|check| !check.ok)
    }
}

impl Cx<'_> {
    /// Notes something.
    pub(crate) fn note(&self, write: impl FnOnce(&mut Notes)) {
        write(&mut self.notes.borrow_mut());
    }

    /// Notes a rule without a number, and gives its verdict back.
    pub(crate) fn check(&self, rule: &'static str, ok: bool) -> bool {
        self.note(|notes| notes.checks.push(Check::plain(rule, ok)));
        ok
    }

    /// Notes a rule with what it allows and saw, and gives its verdict back.
    pub(crate) fn weigh(&self, rule: &'static str, limit: i64, seen: i64, ok: bool) -> bool {
        let check = Check { rule: rule.into(), limit: Some(limit), seen: Some(seen), ok };
        self.note(|notes| notes.checks.push(check));
        ok
    }

    /// From here on it is about this transaction of a terminal.
    pub(crate) fn note_try(&self, what: &'static str, terminal: &Terminal, txid: &Name) {
        self.note(|notes| {
            notes.what = Some(what);
            notes.terminal = Some(terminal.name.clone());
            notes.txid = Some(txid.clone());
        });
    }

    /// What the terminal is told.
    pub(crate) fn note_answer(&self, result: Outcome, reason: Option<&Open<Reason>>, settlement: Option<SettlementId>) {
        self.note(|notes| {
            (notes.result, notes.reason) = (Some(result), reason.and_then(Open::known));
            notes.settlement = settlement.or(notes.settlement);
        });
    }

    /// An earlier answer is repeated.
    pub(crate) fn note_repeat(&self) {
        self.note(|notes| notes.repeat = true);
    }

    /// A row of the ledger.
    pub(crate) fn note_posting(&self, phase: &'static str, what: Move) {
        let Move { debit, credit, amount } = what;
        let posted = Posted { phase: phase.into(), debit: debit.0, credit: credit.0, amount };
        self.note(|notes| notes.postings.push(posted));
    }
}

/// The rule behind a refusal that names none itself.
pub(crate) fn rule_behind(code: ProblemCode) -> &'static str {
    match code {
        ProblemCode::InvalidRequest => "request.form",
        ProblemCode::UseDpopNonce => "proof.nonce",
        ProblemCode::InvalidDpopProof => "proof.of_this_request",
        ProblemCode::InvalidToken => "session.token",
        ProblemCode::UnknownDevice => "device.live",
        ProblemCode::UnknownTerminal => "terminal.enrolled",
        ProblemCode::InvalidSignature => "request.signature",
        ProblemCode::WrongCode => "sign_up.code",
        ProblemCode::Frozen => "account.frozen",
        ProblemCode::OverLimit => "limit",
        ProblemCode::NotFound => "request.address",
        ProblemCode::MethodNotAllowed => "request.method",
        ProblemCode::NumberTaken => "sign_up.number_free",
        ProblemCode::DeviceInUse => "device.key_free",
        ProblemCode::StaleNonce => "top_up.nonce",
        ProblemCode::KeyVoided => "intent.not_given_up",
        ProblemCode::NoActivation => "activation.pending",
        ProblemCode::SignUpExpired => "sign_up.known",
        ProblemCode::TooLarge => "request.size",
        ProblemCode::UnsupportedMediaType => "request.media_type",
        ProblemCode::KeyReused => "intent.same_request",
        ProblemCode::KeyTime => "intent.key_form",
        ProblemCode::TooManyTries => "tries",
        ProblemCode::TooSoon => "sign_up.resend",
        ProblemCode::SwitchedOff => "switch",
        ProblemCode::Overloaded => "capacity",
        ProblemCode::Internal => "failure",
    }
}
