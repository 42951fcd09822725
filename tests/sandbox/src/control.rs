//! The control API, for quality assurance: SMS inbox, clock, audit. A listener of its own on loopback, behind a token; nothing of
//! it can be reached through the other three.
//!
//! | Call | Answer |
//! | --- | --- |
//! | `GET /sms?number=+81…&holder=` | `{messages: [{at, arrived_at, number, text, code}]}`, in the order of arrival |
//! | `GET /clock` | `{now, offset_ms, held, others_behind_ms, wallets_ahead_ms}` |
//! | `POST /clock` with `{advance_ms}` or `{to}`, and perhaps `only` | the same and `ran: [{at, what}]`, when everything due has run |
//! | `POST /clock` with `{held}` | the same: time stands still, or goes on |
//! | `GET /faults` | `{faults: [{on, from, do, times, chance, struck}], held}`; `held` requests are held by one now |
//! | `POST /faults` with `{on, do}` and perhaps `from`, `times`, `chance` | the same, with it as the last |
//! | `DELETE /faults` | the same, empty |
//! | `POST /events` with `{event, because}` and perhaps `number`, `by_ms`, `times` | `{ids, event, because, at, …, day_end}` |
//! | `GET /events` | `{events: [{id, event, because, at, number, by_ms, times, left}]}`, oldest first |
//! | `GET /policy?device=` | the limits, as in a policy file; as they apply to that device, if one is named |
//! | `GET /audit` | the ledger, recomputed: `{ok, postings, accounts, faults}` |
//! | `GET /log?after=&account=&device=&terminal=&trace=&refused=` | `{lines: [{number, at, trace, operation, …}]}`, at most 1,000 |
//! | `GET /explain?of=ID`, also `/explain/ID` | `{what, at, decided_by, rules, postings, trace, earlier}` of a transaction id, an intent, a settlement or a trace |
//! | `GET /person?label=…` | `{name, number}`: somebody without an account, the same for the same seed and label |
//! | `GET /snapshot` | `{format, files: {NAME: base64}}`: everything that a stopped sandbox would find in its folder |
//!
//! Refusals are problem documents, as everywhere.

mod clock;
mod event;
mod faults;
mod person;
mod told;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use saifu_crypto::{constant_time_eq, sha256};
use saifu_wire::{DeviceId, PhoneNumber, Problem, ProblemCode, headers};
use serde::Serialize;
use serde_json::json;

use crate::issuer::Shared;
use crate::ledger;
use crate::rules::{account, limits, sms};

/// The trace of what the control API does.
const TRACE: &str = "control";

/// The control API's routes. `token_hash` is SHA-256 of the token.
pub(crate) fn router(issuer: Shared, token_hash: [u8; 32]) -> Router {
    Router::new()
        .route("/sms", get(inbox))
        .route("/clock", get(clock::show).post(clock::change))
        .route("/events", get(event::list).post(event::happen))
        .route("/audit", get(audit))
        .route("/policy", get(policy))
        .route("/person", get(person::invent))
        .route("/snapshot", get(snapshot))
        .route("/log", get(told::log))
        .route("/explain", get(told::explain_named))
        .route("/explain/{of}", get(told::explain))
        .route("/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .fallback(async || Refusal(ProblemCode::NotFound.into()))
        .method_not_allowed_fallback(async || Refusal(ProblemCode::MethodNotAllowed.into()))
        .layer(middleware::from_fn(move |request: Request, next: Next| admit(token_hash, request, next)))
        .with_state(issuer)
}

/// A refusal on its way out.
struct Refusal(Problem);

impl<T: Into<Problem>> From<T> for Refusal {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let text = serde_json::to_vec(&self.0).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, headers::PROBLEM_JSON)], text).into_response()
    }
}

fn answered<T: Serialize>(value: &T) -> Result<Response, Refusal> {
    let text = serde_json::to_vec(value).map_err(|_| ProblemCode::Internal)?;
    Ok(([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], text).into_response())
}

async fn admit(token_hash: [u8; 32], request: Request, next: Next) -> Response {
    let brought = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = brought.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if constant_time_eq(&sha256(token.as_bytes()), &token_hash) {
        return next.run(request).await;
    }
    let mut response = Refusal(ProblemCode::InvalidToken.into()).into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"));
    response
}

fn invalid(detail: &str) -> Refusal {
    Refusal(Problem::new(ProblemCode::InvalidRequest).detail(detail))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct InboxQuery {
    number: String,
    holder: Option<usize>,
}

async fn inbox(State(issuer): State<Shared>, Query(query): Query<InboxQuery>) -> Result<Response, Refusal> {
    let number = PhoneNumber::parse(&query.number).map_err(|error| invalid(&error.to_string()))?;
    let messages = issuer.rules.read(issuer.now(), TRACE, move |cx| sms::inbox_of(cx, &number, query.holder)).await?;
    answered(&json!({ "messages": messages }))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyQuery {
    device: Option<DeviceId>,
}

async fn policy(State(issuer): State<Shared>, Query(query): Query<PolicyQuery>) -> Result<Response, Refusal> {
    let policy = issuer.rules.read(issuer.now(), TRACE, move |cx| {
        let Some(device) = query.device else { return Ok(cx.policy.clone()) };
        let customer = account::of_device(cx, device)?.ok_or(ProblemCode::UnknownDevice)?;
        Ok(limits::in_force(cx, &customer))
    });
    answered(&policy.await?)
}

async fn snapshot(State(issuer): State<Shared>) -> Result<Response, Refusal> {
    answered(&issuer.snapshot().await?)
}

async fn audit(State(issuer): State<Shared>) -> Result<Response, Refusal> {
    let audit = issuer.rules.read(issuer.now(), TRACE, |cx| Ok(ledger::audit(cx.conn)?)).await?;
    let ledger::Audit { postings, accounts, faults } = audit;
    answered(&json!({ "ok": faults.is_empty(), "postings": postings, "accounts": accounts, "faults": faults }))
}
