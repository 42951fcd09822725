//! Names and numbers for persons that quality assurance makes up. A seeded sandbox gives the same ones again.

use axum::extract::{Query, State};
use axum::response::Response;
use rusqlite::OptionalExtension as _;
use saifu_crypto::{Random as _, SystemRandom, sha256};
use saifu_wire::{PhoneNumber, ProblemCode};
use serde::{Deserialize, Serialize};

use super::{Refusal, TRACE, answered};
use crate::issuer::Shared;

/// Nobody that exists; the commonest names.
const FAMILY: [&str; 8] = ["Sato", "Suzuki", "Takahashi", "Tanaka", "Ito", "Watanabe", "Yamamoto", "Nakamura"];
const GIVEN: [&str; 8] = ["Haruka", "Ren", "Yui", "Sota", "Aoi", "Daiki", "Sakura", "Kenji"];
/// Numbers that are tried until one has no account.
const TRIES: u64 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Whatever tells this person from the others.
    label: String,
}

#[derive(Serialize)]
struct Invented {
    name: String,
    number: PhoneNumber,
}

/// A person without an account, the same one for the same seed, label and accounts.
pub(super) async fn invent(State(issuer): State<Shared>, Query(wanted): Query<Wanted>) -> Result<Response, Refusal> {
    let seed = match issuer.folder.current_seed().map_err(|_| ProblemCode::Internal)? {
        Some(seed) => seed.to_be_bytes(),
        None => SystemRandom.bytes().map_err(|_| ProblemCode::Internal)?,
    };
    let found = issuer.rules.read(issuer.now(), TRACE, move |cx| {
        for attempt in 0..TRIES {
            let drawn = sha256(&[&seed, &attempt.to_be_bytes()[..], wanted.label.as_bytes()].concat());
            let Some(answer) = drawn.first_chunk().and_then(|bytes| person(u128::from_be_bytes(*bytes))) else {
                continue;
            };
            let hmac = cx.secrets.phone(answer.number.as_str());
            let mut taken = cx.conn.prepare_cached("SELECT 1 FROM account WHERE number_hmac = ?")?;
            if taken.query_row([hmac], |_| Ok(())).optional()?.is_none() {
                return Ok(answer);
            }
        }
        Err(ProblemCode::Internal.into())
    });
    answered(&found.await?)
}

/// Eight digits of which the first is not 0 make a mobile number.
fn person(drawn: u128) -> Option<Invented> {
    let pick = |names: &[&'static str; 8], by: u128| names.get(usize::try_from(by % 8).unwrap_or(0)).copied();
    let name = format!("{} {}", pick(&FAMILY, drawn)?, pick(&GIVEN, drawn >> 8)?);
    let digits = (drawn >> 16) % 90_000_000;
    let number = PhoneNumber::parse(&format!("090{}", digits.saturating_add(10_000_000))).ok()?;
    Some(Invented { name, number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_draw_is_a_person_with_a_mobile_number() {
        for drawn in [0, 1, 12_345, u128::from(u64::MAX), u128::MAX] {
            let answer = person(drawn).unwrap();
            assert!(answer.number.as_str().starts_with("+8190") && answer.name.contains(' '), "{drawn}");
        }
    }
}
