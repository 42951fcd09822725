//! What the issuer tells quality assurance of itself: its log, and why one try ended as it did.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use saifu_wire::messages::Outcome;
use saifu_wire::{Millis, Name, ProblemCode, Reason};
use serde::Serialize;
use serde_json::json;

use super::{Refusal, TRACE, answered};
use crate::issuer::Shared;
use crate::log::{Filter, Kind, Line, ShownPosting};
use crate::rules::decision;
use crate::rules::notes::{Check, Posted};

/// Lines of one answer; the caller asks for the rest.
const LINES: usize = 1_000;

pub(super) async fn log(State(issuer): State<Shared>, Query(filter): Query<Filter>) -> Result<Response, Refusal> {
    let mut lines = Vec::new();
    for line in issuer.log.lines(&filter, LINES) {
        let postings = named(&issuer, line.postings.clone()).await?;
        lines.push(crate::log::shown(&line, &postings));
    }
    answered(&json!({ "lines": lines }))
}

/// The rows with their accounts' names; a customer's account is named as the log names it.
async fn named(issuer: &Shared, postings: Vec<Posted>) -> Result<Vec<ShownPosting>, Refusal> {
    if postings.is_empty() {
        return Ok(Vec::new());
    }
    let rows = issuer.rules.read(issuer.now(), TRACE, move |cx| {
        let mut rows = Vec::new();
        for posted in postings {
            let (from, unit) = decision::ledger_name(cx.conn, posted.debit)?;
            let (to, _) = decision::ledger_name(cx.conn, posted.credit)?;
            rows.push(ShownPosting { phase: posted.phase, from, to, amount: posted.amount, unit });
        }
        Ok(rows)
    });
    let mut rows = rows.await?;
    for row in &mut rows {
        row.from = ledger_name(issuer, &row.from);
        row.to = ledger_name(issuer, &row.to);
    }
    Ok(rows)
}

fn ledger_name(issuer: &Shared, name: &str) -> String {
    match name.strip_prefix("customer:").and_then(|rest| rest.split_once(':')) {
        Some((id, _)) => issuer.log.name_of(Kind::Account, id).unwrap_or_else(|| "customer".into()),
        None => name.to_owned(),
    }
}

/// Why one try ended as it did.
#[derive(Serialize)]
struct Explanation {
    what: String,
    at: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ProblemCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    decided_by: Option<String>,
    rules: Vec<Check>,
    postings: Vec<ShownPosting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement: Option<String>,
    trace: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainQuery {
    of: String,
}

/// Any name can stand in a query; `.` and `..` cannot stand in a path.
pub(super) async fn explain_named(
    issuer: State<Shared>,
    Query(asked): Query<ExplainQuery>,
) -> Result<Response, Refusal> {
    explain(issuer, Path(asked.of)).await
}

pub(super) async fn explain(State(issuer): State<Shared>, Path(asked): Path<String>) -> Result<Response, Refusal> {
    let asked = Name::new(asked).map_err(|_| ProblemCode::NotFound)?;
    let id = issuer.log.id_of(asked.as_str()).unwrap_or_else(|| asked.as_str().to_owned());
    let wanted = id.clone();
    let found = issuer.rules.read(issuer.now(), TRACE, move |cx| decision::of(cx, &wanted)).await?;
    let mut told = Vec::new();
    for kept in found {
        told.push(of_decision(&issuer, kept).await?);
    }
    let of_trace = Filter { trace: Some(id), ..Filter::default() };
    for line in issuer.log.lines(&of_trace, LINES).into_iter().rev().filter(|line| !line.kept) {
        told.push(match repeated(&issuer, &line).await? {
            Some(first) => first,
            None => of_line(&issuer, line).await?,
        });
    }
    told.sort_by_key(|it| std::cmp::Reverse(it.at));
    let mut told = told.into_iter();
    let newest = told.next().ok_or(ProblemCode::NotFound)?;
    let mut answer = json!(newest);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("earlier".into(), told.map(|it| json!(it)).collect());
    }
    answered(&answer)
}

async fn of_decision(issuer: &Shared, kept: decision::Found) -> Result<Explanation, Refusal> {
    let decision::Decision { result, reason, code, rules, postings } = kept.decision;
    Ok(Explanation {
        what: kept.what,
        at: kept.at,
        code,
        result,
        reason,
        decided_by: decided(&rules),
        rules,
        postings: named(issuer, postings).await?,
        terminal: kept.terminal,
        settlement: kept.settlement.map(|id| id.to_string()),
        trace: kept.trace,
    })
}

/// Why the answer that a repeat repeated was given, at the time and in the trace of the repeat. It moved nothing.
async fn repeated(issuer: &Shared, line: &Line) -> Result<Option<Explanation>, Refusal> {
    let Some(id) = line.transaction.as_ref().or(line.intent.as_ref()).filter(|_| line.outcome.repeat) else {
        return Ok(None);
    };
    let (id, said) = (id.id.clone(), line.outcome.result);
    let found = issuer.rules.read(issuer.now(), TRACE, move |cx| decision::of(cx, &id)).await?;
    let Some(first) = found.into_iter().find(|kept| kept.decision.result == said) else { return Ok(None) };
    let first = of_decision(issuer, first).await?;
    Ok(Some(Explanation { at: line.at, trace: line.trace.id.clone(), postings: Vec::new(), ..first }))
}

/// A request that is no try of moving money: what the log knows of it.
async fn of_line(issuer: &Shared, line: Line) -> Result<Explanation, Refusal> {
    Ok(Explanation {
        what: line.operation.into(),
        at: line.at,
        code: line.outcome.code,
        result: line.outcome.result,
        reason: line.outcome.reason,
        decided_by: decided(&line.checks),
        postings: named(issuer, line.postings).await?,
        rules: line.checks,
        terminal: line.terminal,
        settlement: line.settlement.map(|named| named.id),
        trace: line.trace.id,
    })
}

fn decided(rules: &[Check]) -> Option<String> {
    rules.iter().find(|check| !check.ok).map(|check| check.rule.clone().into_owned())
}
