//! Scenarios: small JSON files, each showing one thing that the system does, played by real wallets, registers and ATMs
//! against an issuer started for it alone. `docs/scenarios.md` says what a file means; other runners follow it too.
//!
//! | To find | Look in |
//! | --- | --- |
//! | what a step can do, its arguments, what it gives | [`verbs`], the one table |
//! | reading a file, and refusing what is not in the table | `parse` |
//! | what was done by hand, made into a file | `recorded` |
//! | the schema for editors, made from the table | `schema` |
//! | what `expect` means | `expect` |
//! | the issuer, its terminals and control API, without wallets | `world`, and `perform` for each of its verbs |
//! | the wallets as the runner has them: processes that it asks, and kills | `stage`, `phone`; their lines are `line` |
//! | the driver of Rust, such a process | `driver`, its keys `host`, and `wallet` for each verb |
//! | the order of it all, `within`, the report | `play` |
//!
//! *Invariants.* A scenario runs whole or has failed: nothing is skipped, and a word that is not known is refused before
//! anything starts. Time passes by the control API's clock; the runner never sleeps. An answer that refuses or declines without
//! the step expecting it fails the step.

mod arguments;
mod driver;
mod expect;
mod halt;
mod host;
mod line;
mod parse;
mod perform;
mod phone;
mod play;
mod record;
mod recorded;
mod schema;
mod stage;
pub mod verbs;
mod wallet;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use saifu_sandbox::policy::Policy;
use saifu_wire::PhoneNumber;
use serde_json::{Map, Value};

pub(crate) use driver::drive;
pub(crate) use parse::span;
pub use parse::{Malformed, parse};
pub(crate) use play::{FailedStep, POLICY, Played, Playing, hash, play};
pub(crate) use recorded::recorded;
pub use schema::schema;

use expect::Expectation;
use verbs::Verb;

/// How long a step may take on the machine's clock. None comes near it; a machine that hangs does.
const STEP_BOUND: Duration = Duration::from_secs(60);

/// A scenario that can be played.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name, which is its file's too.
    pub name: String,
    /// What it shows, one sentence.
    pub shows: String,
    pub(crate) personas: BTreeMap<String, Persona>,
    pub(crate) policy: Policy,
    pub(crate) steps: Vec<Step>,
    /// The whole file, keys sorted, no blanks: what its hash is made of.
    pub(crate) canonical: String,
}

impl Scenario {
    /// How many steps it has, round by round.
    #[must_use]
    pub fn step_count(&self) -> usize {
        self.steps.len()
    }
}

/// A named wallet.
#[derive(Debug, Clone)]
pub(crate) struct Persona {
    pub(crate) number: PhoneNumber,
    /// Whether it has signed up before the first step.
    pub(crate) signed_up: bool,
    /// What it has topped up before the first step.
    pub(crate) balance_yen: Option<i64>,
}

/// One step.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// Where it stands in the file: `$.steps[2]`, and in which round of a `repeat`.
    pub(crate) place: String,
    pub(crate) verb: &'static Verb,
    pub(crate) actor: Option<String>,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) expect: Vec<(String, Expectation)>,
    /// Name to path.
    pub(crate) save: BTreeMap<String, String>,
    pub(crate) within_ms: Option<u64>,
}
