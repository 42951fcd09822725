//! The world for a runner in another language: one request a line, one answer a line. `saifu scenario world` carries them
//! between its stdin and stdout; `docs/scenarios.md` is what the other side follows.
//!
//! *Invariants.* Every line gets exactly one answer, whatever stands in it, and a line that makes no sense changes nothing.
//! There is one world at a time; it goes with its folder when it is told to end, or when this is dropped after `end`.

use saifu_sandbox::policy::Policy;
use saifu_wire::PhoneNumber;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::STEP_BOUND;
use super::halt::Halt;
use super::parse::{actor, arguments, only};
use super::perform::perform;
use super::verbs::{self, Actor, Kind, REFUSAL, VERBS, Verb};
use super::world::{World, temporary_folder};

/// What a line asks.
#[derive(Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
enum Ask {
    /// The table of verbs.
    Verbs {},
    /// A world of its own for one scenario.
    Begin {
        #[serde(default)]
        policy: Box<Policy>,
    },
    /// One step.
    Do {
        verb: String,
        #[serde(default, rename = "as")]
        who: Option<String>,
        /// The persona's, where one does it.
        #[serde(default)]
        number: Option<String>,
        #[serde(default)]
        arguments: Map<String, Value>,
    },
    /// The books, and the end of that world.
    End {
        #[serde(default)]
        keep: bool,
    },
}

/// One side of the conversation, with the world that it is about.
#[derive(Default)]
pub(crate) struct Talk {
    now: Option<(World, TempDir)>,
}

impl Talk {
    /// The answer to a line.
    pub(crate) async fn answer(&mut self, line: &[u8]) -> Value {
        let answer = match serde_json::from_slice(line) {
            Ok(ask) => tokio::time::timeout(STEP_BOUND, self.ask(ask)).await,
            Err(error) => return json!({ "broken": format!("this is no request: {error}") }),
        };
        match answer {
            Ok(Ok(outcome)) => json!({ "ok": outcome }),
            Ok(Err(Halt::Refused(refusal))) => json!({ "refused": refusal }),
            Ok(Err(Halt::Broken(why))) => json!({ "broken": why }),
            Err(_) => json!({ "broken": format!("no end within {} s", STEP_BOUND.as_secs()) }),
        }
    }

    /// Ends the world, if there is one, and removes its folder.
    pub(crate) async fn end(&mut self) {
        if let Some((world, folder)) = self.now.take() {
            world.close().await;
            drop(folder);
        }
    }

    async fn ask(&mut self, ask: Ask) -> Result<Value, Halt> {
        match ask {
            Ask::Verbs {} => Ok(json!({ "verbs": VERBS.iter().map(row).collect::<Vec<_>>(), "refusal": REFUSAL })),
            Ask::Begin { policy } => self.begin(&policy).await,
            Ask::Do { verb, who, number, arguments } => self.perform(&verb, who, number, arguments).await,
            Ask::End { keep } => self.books(keep).await,
        }
    }

    async fn begin(&mut self, policy: &Policy) -> Result<Value, Halt> {
        if self.now.is_some() {
            return Err(Halt::Broken("a world has begun already; end it first".into()));
        }
        let folder = temporary_folder()?;
        let world = World::new(folder.path(), policy, None).await?;
        let (info, _) = world.info()?;
        // As in `sandbox.json`; whoever starts an issuer on this machine talks to a sandbox.
        let issuer = json!({
            "customer_url": info.customer_url, "service_url": info.service_url, "ca_pem": info.ca_pem,
            "pins": info.pins, "service_pins": info.service_pins, "service_key": info.service_key, "sandbox": true,
        });
        let clock = world.levers().clock().await?;
        let begun = json!({ "issuer": issuer, "folder": folder.path(), "offset_ms": clock.get("offset_ms") });
        self.now = Some((world, folder));
        Ok(begun)
    }

    async fn perform(
        &mut self,
        name: &str,
        who: Option<String>,
        number: Option<String>,
        given: Map<String, Value>,
    ) -> Result<Value, Halt> {
        let broken = |what: &str| Halt::Broken(what.into());
        let verb = verbs::find(name).ok_or_else(|| Halt::Broken(format!("no verb is `{name}`")))?;
        if verb.is_of_a_wallet() {
            return Err(Halt::Broken(format!("`{name}` is done by the runner's own wallets")));
        }
        let named: Map<String, Value> = who.into_iter().map(|who| ("as".to_owned(), json!(who))).collect();
        let malformed = |malformed: super::Malformed| Halt::Broken(malformed.to_string());
        let who = actor(verb, &named, "$", |_| true).map_err(malformed)?.unwrap_or_default();
        let number = number.map(|number| PhoneNumber::parse(&number)).transpose();
        let number = number.map_err(|error| Halt::Broken(format!("$.number: {error}")))?;
        if verb.actor == Actor::Persona && number.is_none() {
            return Err(broken("$.number: the persona's number is missing"));
        }
        let known: Vec<&str> = verb.arguments.iter().map(|argument| argument.name).collect();
        only(&given, &known, "$.arguments").map_err(malformed)?;
        let given = arguments(verb, &as_texts(verb, given), "$.arguments").map_err(malformed)?;
        let (world, _) = self.now.as_mut().ok_or_else(|| broken("no world has begun"))?;
        perform(world, verb.name, &who, number.as_ref(), &given).await
    }

    async fn books(&mut self, keep: bool) -> Result<Value, Halt> {
        let (world, mut folder) = self.now.take().ok_or_else(|| Halt::Broken("no world has begun".into()))?;
        let audit = world.audit().await;
        world.close().await;
        folder.disable_cleanup(keep);
        Ok(json!({ "audit": audit? }))
    }
}

/// A saved number in the place of a text reads as its digits, as in every scenario.
fn as_texts(verb: &Verb, mut given: Map<String, Value>) -> Map<String, Value> {
    for argument in verb.arguments.iter().filter(|argument| argument.kind == Kind::Text) {
        if let Some(value) = given.get_mut(argument.name).filter(|value| value.is_number()) {
            *value = json!(value.to_string());
        }
    }
    given
}

fn row(verb: &Verb) -> Value {
    let (actor, default) = match verb.actor {
        Actor::Persona => ("persona", None),
        Actor::Terminal(default) => ("terminal", Some(default)),
        Actor::Nobody => ("nobody", None),
    };
    let arguments: Vec<Value> = verb
        .arguments
        .iter()
        .map(|argument| {
            let values = if let Kind::OneOf(words) = argument.kind { Some(words) } else { None };
            json!({
                "name": argument.name, "kind": argument.kind.name(), "values": values, "required": argument.required,
            })
        })
        .collect();
    json!({
        "name": verb.name, "actor": actor, "default": default, "arguments": arguments, "gives": verb.gives,
        "reads": verb.reads,
    })
}
