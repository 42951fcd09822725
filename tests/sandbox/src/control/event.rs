//! What the world does to us, as a call of the control API.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::json;

use super::{Refusal, TRACE, answered, invalid};
use crate::issuer::Shared;
use crate::rules::world::{self, Happened, Happening, Made};

#[derive(Serialize)]
struct HappenedAnswer {
    /// The events that this made.
    ids: [i64; 1],
    #[serde(flatten)]
    happened: Happened,
    #[serde(flatten)]
    made: Made,
}

/// Lets something happen.
pub(super) async fn happen(State(issuer): State<Shared>, body: Bytes) -> Result<Response, Refusal> {
    let what: Happening = serde_json::from_slice(&body).map_err(|error| invalid(&error.to_string()))?;
    let (happened, made) = issuer.write(issuer.now(), TRACE, move |cx| world::happen(cx, &what)).await?;
    answered(&HappenedAnswer { ids: [happened.id], happened, made })
}

/// What happened so far.
pub(super) async fn list(State(issuer): State<Shared>) -> Result<Response, Refusal> {
    let events = issuer.rules.read(issuer.now(), TRACE, world::all).await?;
    answered(&json!({ "events": events }))
}
