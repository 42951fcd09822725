//! The clock's calls.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use saifu_wire::{Millis, Name, ProblemCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refusal, answered, invalid};
use crate::clock::{ClockError, ClockFile, Target, Whose};
use crate::issuer::{Issuer, Shared};

/// How the clocks stand: whether time stands still, how far wallets, registers and ATMs stay behind the issuer, and how far single
/// wallets are ahead of the others.
fn answer(issuer: &Issuer, now: Millis) -> Value {
    let ClockFile { offset_ms, held_at, others_behind_ms, wallets_ahead_ms } = issuer.clock.file();
    json!({
        "now": now, "offset_ms": offset_ms, "held": held_at.is_some(), "others_behind_ms": others_behind_ms,
        "wallets_ahead_ms": wallets_ahead_ms,
    })
}

pub(super) async fn show(State(issuer): State<Shared>) -> Result<Response, Refusal> {
    answered(&answer(&issuer, issuer.now()))
}

/// What the body asks for: one of the first three.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Milliseconds ahead.
    advance_ms: Option<u64>,
    /// To this time.
    to: Option<Millis>,
    /// Time stands still, or goes on.
    held: Option<bool>,
    /// `issuer` or `wallet:NAME`; a move of everybody if it is absent.
    only: Option<String>,
}

enum Change {
    Go(Whose, Target),
    Hold(bool),
}

impl Wanted {
    fn read(self) -> Option<Change> {
        let whose = match self.only.as_deref() {
            None => Whose::Everybody,
            Some("issuer") => Whose::Issuer,
            Some(other) => Whose::Wallet(Name::new(other.strip_prefix("wallet:")?).ok()?),
        };
        match (self.advance_ms, self.to, self.held, whose) {
            (Some(ms), None, None, whose) => Some(Change::Go(whose, Target::By(ms))),
            (None, Some(time), None, whose) => Some(Change::Go(whose, Target::To(time))),
            (None, None, Some(held), Whose::Everybody) => Some(Change::Hold(held)),
            _ => None,
        }
    }
}

/// Changes the clock; the answer comes when everything that is due by then has run.
pub(super) async fn change(State(issuer): State<Shared>, body: Bytes) -> Result<Response, Refusal> {
    let wanted: Option<Change> = serde_json::from_slice::<Wanted>(&body).ok().and_then(Wanted::read);
    let wanted = wanted.ok_or_else(|| {
        invalid(
            "give `advance_ms` or `to` in whole milliseconds, with `only` being `issuer` or `wallet:NAME` if at all; or \
             `held`, true or false",
        )
    })?;
    let changed = match wanted {
        Change::Go(whose, target) => issuer.clock.go(whose, target),
        Change::Hold(held) => issuer.clock.hold(held),
    };
    let now = changed.map_err(|error| match error {
        ClockError::Back | ClockError::TooFar => invalid(&error.to_string()),
        ClockError::File(error) => {
            tracing::error!(%error, "the clock could not be kept");
            ProblemCode::Internal.into()
        }
    })?;
    let ran = issuer.run_due(now).await?;
    issuer.wake_all();
    let mut answer = answer(&issuer, now);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("ran".into(), json!(ran));
    }
    answered(&answer)
}
