use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::{Refusal, answered, invalid};
use crate::faults::Fault;
use crate::issuer::Shared;

/// All of them, and how many requests they hold now.
fn all(issuer: &Shared) -> Result<Response, Refusal> {
    answered(&json!({ "faults": issuer.faults.list(), "held": issuer.faults.held() }))
}

pub(super) async fn list(State(issuer): State<Shared>) -> Result<Response, Refusal> {
    all(&issuer)
}

pub(super) async fn add(State(issuer): State<Shared>, body: Bytes) -> Result<Response, Refusal> {
    let fault: Fault = serde_json::from_slice(&body).map_err(|error| invalid(&error.to_string()))?;
    issuer.faults.add(fault).map_err(|what| invalid(&what))?;
    all(&issuer)
}

pub(super) async fn clear(State(issuer): State<Shared>) -> Result<Response, Refusal> {
    issuer.faults.clear();
    all(&issuer)
}
