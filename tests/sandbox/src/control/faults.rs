use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::{Refusal, invalid, json};
use crate::faults::{Fault, Struck};
use crate::issuer::Shared;

#[derive(Serialize)]
struct FaultsAnswer {
    faults: Vec<Struck>,
    /// Requests that a fault holds now.
    held: usize,
}

fn all(issuer: &Shared) -> Result<Response, Refusal> {
    json(&FaultsAnswer { faults: issuer.faults.list(), held: issuer.faults.held() })
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
