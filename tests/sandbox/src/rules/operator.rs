//! What an operator decides: who is a terminal, what is stopped, which account is frozen.

use rusqlite::params;
use saifu_wire::messages::{
    EnrolRequest, EnrolledAnswer, NoticeKind, Switch, SwitchRequest, SwitchState, TerminalKind,
};
use saifu_wire::{AccountId, Problem, ProblemCode};

use super::{Cx, Refused, Terminal, account, events, terminal};

const REASON_MAX: usize = 200;

/// Enrols a register or an ATM. A repeat changes nothing.
///
/// # Errors
/// `unknown-terminal` unless an operator asks; `invalid-request` when the key is none, when name or key belong to another
/// terminal, or for an operator's key.
pub fn enrol(cx: &Cx<'_>, operator: &Terminal, request: &EnrolRequest) -> Result<EnrolledAnswer, Refused> {
    operator.require(TerminalKind::Operator)?;
    if request.kind == TerminalKind::Operator {
        return Err(Problem::new(ProblemCode::InvalidRequest).detail("kind: register or atm").into());
    }
    let enrolled = terminal::enrol_first(cx, &request.terminal, request.kind, &request.merchant, &request.spki.0)?;
    Ok(EnrolledAnswer { terminal: enrolled.name })
}

/// Stops or restarts a service.
///
/// # Errors
/// `unknown-terminal` unless an operator asks; `invalid-request` for a reason over 200 characters.
pub fn set_switch(cx: &Cx<'_>, operator: &Terminal, request: &SwitchRequest) -> Result<SwitchState, Refused> {
    operator.require(TerminalKind::Operator)?;
    if request.reason.chars().count() > REASON_MAX {
        return Err(Problem::new(ProblemCode::InvalidRequest).detail("reason: at most 200 characters").into());
    }
    let state = SwitchState { switch: request.switch.into(), on: request.on, reason: request.reason.clone() };
    if self::state(cx, request.switch)? != state {
        cx.run(
            "INSERT OR REPLACE INTO switch (name, is_on, reason, at, version)
                 VALUES (?, ?, ?, ?, (SELECT ifnull(max(version), 1) + 1 FROM switch))",
            params![request.switch.as_str(), request.on, request.reason, cx.ms()],
        )?;
    }
    Ok(state)
}

/// Every switch as it stands. Reads only.
///
/// # Errors
/// `internal` when a row cannot be read.
pub fn switches(cx: &Cx<'_>) -> Result<Vec<SwitchState>, Refused> {
    Switch::ALL.iter().map(|switch| state(cx, *switch)).collect()
}

/// The service document's version: 1 on a new issuer, higher after each change of a switch. Reads only.
///
/// # Errors
/// `internal` when it cannot be read.
pub fn document_version(cx: &Cx<'_>) -> Result<u64, Refused> {
    let version: i64 = cx.row("SELECT ifnull(max(version), 1) FROM switch", [], |row| row.get(0))?;
    Ok(version.unsigned_abs())
}

/// Freezes an account, as staff may; nobody at the issuer can lift it here. The owner is told.
///
/// # Errors
/// `unknown-terminal` unless an operator asks; `not-found`.
pub fn freeze(cx: &Cx<'_>, operator: &Terminal, account: AccountId) -> Result<(), Refused> {
    operator.require(TerminalKind::Operator)?;
    let customer = account::customer(cx, account)?.ok_or(ProblemCode::NotFound)?;
    if customer.frozen {
        return Ok(());
    }
    cx.run("UPDATE account SET frozen_at = ? WHERE id = ?", params![cx.ms(), account.as_bytes()])?;
    let text = format!(
        "Your account was frozen by support on {}. Nothing can be paid or topped up. Call support if you did not ask.",
        events::spoken_time(cx)
    );
    events::tell(cx, &customer, NoticeKind::Security, text, true)
}

fn state(cx: &Cx<'_>, switch: Switch) -> Result<SwitchState, Refused> {
    let found: Option<(bool, String)> =
        cx.find("SELECT is_on, reason FROM switch WHERE name = ?", [switch.as_str()], |row| row.try_into())?;
    let (on, reason) = found.unwrap_or((true, String::new()));
    Ok(SwitchState { switch: switch.into(), on, reason })
}

/// Whether a service runs.
pub(crate) fn runs(cx: &Cx<'_>, switch: Switch) -> Result<bool, Refused> {
    Ok(cx.check(rule_of(switch), state(cx, switch)?.on))
}

/// How `explain` names a switch.
fn rule_of(switch: Switch) -> &'static str {
    match switch {
        Switch::SignUp => "switch.sign-up",
        Switch::Session => "switch.session",
        Switch::TopUpAtm => "switch.top-up-atm",
        Switch::Code => "switch.code",
        Switch::Settlement => "switch.settlement",
    }
}

/// Refuses with the operator's reason when a service is stopped.
pub(crate) fn require(cx: &Cx<'_>, switch: Switch) -> Result<(), Refused> {
    let state = state(cx, switch)?;
    if cx.check(rule_of(switch), state.on) {
        return Ok(());
    }
    Err(Problem::new(ProblemCode::SwitchedOff).detail(state.reason).into())
}
