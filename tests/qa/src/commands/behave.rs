//! `--behave`: a till or an ATM that does not do as it should, and what issuer and customer saw of it.

use std::iter::repeat_n;
use std::time::Duration;

use saifu_wire::messages::{TerminalKind, VoidRequest};
use saifu_wire::{Name, Operation};
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::{Behave, Peer};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::peers::{Terminal, new_txid};
use crate::report::Report;

/// Whose key [`Behave::WrongKey`] takes: no till and no ATM.
const WRONG: &str = "operator-1";

/// One request.
#[derive(Clone)]
pub(super) struct TerminalRequest {
    operation: Operation,
    body: Value,
}

impl TerminalRequest {
    pub(super) fn new(operation: Operation, body: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_value(body).map_err(|error| LocalCode::Bug.detail(error.to_string()))?;
        Ok(Self { operation, body })
    }
}

/// Sends what `steps` makes of the transaction id, in the wrong way.
pub(super) async fn run(
    context: &Context,
    kind: TerminalKind,
    how: Behave,
    peer: Peer,
    steps: impl FnOnce(&Name) -> Result<Vec<TerminalRequest>, Failure>,
) -> Result<Report, Failure> {
    let wrong = Name::new(WRONG).map_err(|error| LocalCode::Bug.detail(error.to_string()))?;
    let named = if how == Behave::WrongKey { Some(&wrong) } else { peer.terminal.as_ref() };
    let terminal = Terminal::open(context, kind, named)?;
    let txid = peer.txid.map_or_else(|| new_txid(kind.as_str()), Ok)?;
    let steps = steps(&txid)?;
    let misbehaved = async {
        let heard = misbehave(&terminal, how, kind, &txid, steps).await?;
        let ledger = context.control()?.postings(&txid).await?;
        let customer_yen = ledger.iter().map(on_the_customer).fold(0_i64, i64::saturating_add);
        let text = format!(
            "{} answers heard, {} postings; the customer's balance changed by {customer_yen} yen ({}, {txid})",
            heard.len(),
            ledger.len(),
            terminal.name()
        );
        let document = json!({
            "txid": txid, "terminal": terminal.name(), "heard": heard, "ledger": ledger, "customer_yen": customer_yen,
        });
        Report::new(document, text)
    };
    context.did("--behave", json!({}), misbehaved).await
}

async fn misbehave(
    terminal: &Terminal,
    how: Behave,
    kind: TerminalKind,
    txid: &Name,
    steps: Vec<TerminalRequest>,
) -> Result<Vec<Value>, Failure> {
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Ok(Vec::new()) };
    if how == Behave::NoWait {
        let (one, two) = tokio::join!(send(terminal, first), send(terminal, last));
        return Ok(vec![one, two]);
    }
    let before = match (how, kind) {
        (Behave::ReverseFirst, TerminalKind::Atm) => Some(last.clone()),
        (Behave::ReverseFirst, _) => {
            Some(TerminalRequest::new(Operation::SettleVoid, &VoidRequest { txid: txid.clone() })?)
        }
        _ => None,
    };
    let times = if how == Behave::Twice { 2 } else { 1 };
    let mut all: Vec<_> = before.iter().chain(steps.iter().flat_map(|step| repeat_n(step, times))).collect();
    let last = all.pop().unwrap_or(last);
    let mut heard = Vec::new();
    for step in all {
        heard.push(send(terminal, step).await);
    }
    if let Behave::Late(ms) = how {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    let answer = send(terminal, last).await;
    // What a terminal was told that died is lost with it.
    heard.extend((how != Behave::DieAfterSend).then_some(answer));
    Ok(heard)
}

async fn send(terminal: &Terminal, step: &TerminalRequest) -> Value {
    let operation = step.operation.name();
    match terminal.ask::<Value>(step.operation, &step.body).await {
        Ok(answer) => json!({"operation": operation, "answer": answer}),
        Err(failure) => json!({"operation": operation, "error": failure.code()}),
    }
}

/// Yen that a posting moved to the customer. The issuer's own accounts have a colon in their names; a hold moves nothing yet.
fn on_the_customer(posting: &Value) -> i64 {
    let text = |field: &str| posting.get(field).and_then(Value::as_str).unwrap_or_default();
    let amount = posting.get("amount").and_then(Value::as_i64).unwrap_or_default();
    let customers = |name: &str| !name.is_empty() && !name.contains(':');
    match (text("unit"), text("phase")) {
        ("yen", "final" | "post") if customers(text("to")) => amount,
        ("yen", "final" | "post") if customers(text("from")) => amount.saturating_neg(),
        _ => 0,
    }
}
