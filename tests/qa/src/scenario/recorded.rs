//! A scenario of what was done by hand. A value that one command gave and a later one used (a code, a number, a settlement) is
//! saved and named; the time between two commands is a step of the clock; a refusal is what its step expects. What a scenario
//! cannot say is named and left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use saifu_sandbox::policy::Policy;
use saifu_wire::{Millis, PhoneNumber};
use serde_json::{Map, Value, json};

use super::Persona;
use super::parse::{is_name, span, step};
use crate::failure::{LocalCode, Status};
use crate::journal::Done;
use crate::report::with;

/// What of an outcome later steps may use.
const GIVEN: [(&str, &str); 4] =
    [("wallet.code", "digits"), ("wallet.top-up", "number"), ("wallet.totp", "code"), ("register.scan", "settlement")];
/// In which arguments.
const USED: [&str; 4] = ["digits", "number", "totp", "settlement"];
/// What of an outcome is the same whenever it is played.
const EXPECTED: [&str; 3] = ["result", "reason", "balance_yen"];

/// The scenario, and the commands that are no steps of it, each with its reason.
pub(crate) fn recorded(all: Vec<Done>, name: &str, policy: &Value) -> (Value, Vec<(String, String)>) {
    let (mut recorder, mut left_out) = (Recorder::default(), Vec::new());
    for done in all {
        recorder.pass(done.began);
        let taken = recorder.take(&done);
        recorder.now = recorder.now.map(|now| now.plus(done.ended.since(done.began)));
        left_out.extend(taken.err().map(|why| (done.command, why)));
    }
    let Recorder { personas, steps, .. } = recorder;
    let personas = personas.into_iter().map(|(name, persona)| (name, json!({ "number": persona.number })));
    let personas: Map<String, Value> = personas.collect();
    let scenario = json!({ "name": name, "shows": "What was done by hand.", "personas": personas, "steps": steps });
    (with(scenario, "policy", changed(policy)), left_out)
}

#[derive(Default)]
struct Recorder {
    personas: BTreeMap<String, Persona>,
    /// Their names by their wallets' folders.
    wallets: HashMap<PathBuf, String>,
    steps: Vec<Value>,
    /// Values, with the step and the field that gave them.
    given: HashMap<String, (usize, &'static str)>,
    saved: BTreeSet<String>,
    stopped: bool,
    /// The issuer's time to which the scenario has come.
    now: Option<Millis>,
}

impl Recorder {
    /// Lets the clock go on by the whole seconds in which nothing was done.
    fn pass(&mut self, to: Millis) {
        let now = *self.now.get_or_insert(to);
        let seconds = to.since(now).div_euclid(1_000);
        if seconds > 0 && !self.steps.is_empty() {
            self.steps.push(json!({ "do": "sandbox.clock", "advance": span(seconds.saturating_mul(1_000)) }));
        }
        self.now = Some(now.plus(seconds.saturating_mul(1_000)));
    }

    /// Makes a step of it, or says why none can be made.
    fn take(&mut self, done: &Done) -> Result<(), String> {
        let mut fields = done.arguments.clone();
        fields.retain(|_, value| !value.is_null());
        let error = done.outcome.get("error").and_then(Value::as_str).map(played).transpose()?;
        let mut verb = done.verb.as_str();
        match verb {
            "sandbox.start" if self.steps.is_empty() => return Ok(()),
            "sandbox.start" if !self.stopped => verb = "sandbox.restart",
            "sandbox.clock" => {
                fields.insert("advance".into(), json!(span(done.ended.since(done.began))));
            }
            "sandbox.sms" => {
                let number = fields.remove("number");
                let mut personas = self.personas.iter().filter(|(_, one)| Some(json!(one.number)) == number);
                let (name, _) = personas.next().ok_or("nobody has signed up with this number")?;
                fields.insert("as".into(), json!(name));
            }
            "wallet.confirm" if error == Some("wrong-code") => {
                let name = self.persona(done, None)?;
                let sms = json!({ "do": "sandbox.sms", "as": name });
                fields.insert("code".into(), json!(self.saving(sms, "newest.code", true)));
                fields.insert("as".into(), json!(name));
            }
            "wallet.confirm" if error != Some("invalid-input") => {
                // The scenario's own SMS has another code, which it enters by itself.
                fields.remove("code");
                fields.insert("as".into(), json!(self.persona(done, None)?));
            }
            _ if verb.starts_with("wallet.") => {
                let name = self.persona(done, fields.remove("number"))?;
                fields.insert("as".into(), json!(name));
            }
            _ => {}
        }
        self.name_values(verb, &mut fields, &done.outcome);
        fields.insert("do".into(), json!(verb));
        fields.extend(expected(&done.outcome, error).map(|expected| ("expect".to_owned(), expected)));
        let row = Value::Object(fields);
        let saved = &mut self.saved.clone();
        step(&row, "$", &self.personas, saved).map_err(|malformed| malformed.to_string())?;
        for (_, field) in GIVEN.iter().filter(|(gives, _)| *gives == verb) {
            let value = done.outcome.get(field).and_then(Value::as_str);
            self.given.extend(value.map(|value| (value.to_owned(), (self.steps.len(), *field))));
        }
        self.stopped = verb == "sandbox.stop" || (self.stopped && verb != "sandbox.start");
        self.steps.push(row);
        Ok(())
    }

    /// Who has this wallet: whoever first asked for an SMS in it.
    fn persona(&mut self, done: &Done, number: Option<Value>) -> Result<String, String> {
        let number = number.and_then(|number| serde_json::from_value::<PhoneNumber>(number).ok());
        match (self.wallets.get(&done.wallet), number) {
            (Some(name), number) => {
                let same = |one: &Persona| number.as_ref().is_none_or(|number| *number == one.number);
                let is_same = self.personas.get(name).is_some_and(same);
                is_same.then(|| name.clone()).ok_or_else(|| "this wallet had another number before".into())
            }
            (None, None) => Err("nobody had begun to sign up in this wallet".into()),
            (None, Some(number)) => {
                let named = done.wallet.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let free = is_name(named) && !self.personas.contains_key(named);
                let name = if free { named.to_owned() } else { format!("wallet-{}", self.personas.len()) };
                self.personas.insert(name.clone(), Persona { number, signed_up: false, balance_yen: None });
                self.wallets.insert(done.wallet.clone(), name.clone());
                Ok(name)
            }
        }
    }

    /// Puts names in the place of values that earlier steps gave, and a look at the wallet in that of a TOTP code that none did.
    fn name_values(&mut self, verb: &str, fields: &mut Map<String, Value>, outcome: &Value) {
        let text = |fields: &Map<String, Value>, name: &str| Some(fields.get(name)?.as_str()?.to_owned());
        let owner = text(fields, "number").and_then(|number| self.given.get(&number)).copied();
        for name in USED {
            let Some(value) = text(fields, name) else { continue };
            if let Some((index, field)) = self.given.get(&value).copied() {
                fields.insert(name.into(), json!(self.save(index, field, false)));
            } else if let (true, Some((index, _))) = (name == "totp" && verb == "atm.deposit", owner) {
                let who = self.steps.get(index).and_then(|step| step.get("as")).cloned();
                let wrong = outcome.get("reason") == Some(&json!("number-or-code-not-valid"));
                let totp = self.saving(json!({ "do": "wallet.totp", "as": who }), "code", wrong);
                fields.insert(name.into(), json!(totp));
            }
        }
    }

    /// One more step, of which only a value is wanted.
    fn saving(&mut self, step: Value, path: &str, wrong: bool) -> String {
        self.steps.push(step);
        self.save(self.steps.len().saturating_sub(1), path, wrong)
    }

    /// Has an earlier step save a value; how later ones name it.
    fn save(&mut self, index: usize, path: &str, wrong: bool) -> String {
        let name = format!("{}-{index}", path.rsplit('.').next().unwrap_or(path));
        if let Some(fields) = self.steps.get_mut(index).and_then(Value::as_object_mut) {
            let save = fields.entry("save").or_insert_with(|| json!({})).as_object_mut();
            save.into_iter().for_each(|save| drop(save.insert(name.clone(), json!(path))));
        }
        self.saved.insert(name.clone());
        format!("${{{}{name}}}", if wrong { "wrong:" } else { "" })
    }
}

/// The error as a driver or a terminal of a scenario has it.
fn played(error: &str) -> Result<&str, String> {
    match LocalCode::ALL.iter().find(|code| code.as_str() == error) {
        Some(LocalCode::StaleSandbox | LocalCode::NoSandbox) => Ok(LocalCode::Offline.as_str()),
        // The command line asks for one second, a phone for as long as it takes.
        Some(LocalCode::NoCode) => Ok(LocalCode::NoAnswer.as_str()),
        Some(code) if code.status() != Status::Offline && *code != LocalCode::NoSignUp => {
            Err(format!("it did nothing: {error}"))
        }
        _ => Ok(error),
    }
}

fn expected(outcome: &Value, error: Option<&str>) -> Option<Value> {
    if let Some(error) = error {
        return Some(json!({ "error": error }));
    }
    let known = |field: &&str| Some(((*field).to_owned(), outcome.get(field).filter(|it| !it.is_null())?.clone()));
    let fields: Map<String, Value> = EXPECTED.iter().filter_map(known).collect();
    (!fields.is_empty()).then_some(Value::Object(fields))
}

/// The sections of the limits that are not as usual.
fn changed(policy: &Value) -> Map<String, Value> {
    let usual = json!(Policy::default());
    let sections = policy.as_object().into_iter().flatten();
    let differs = |(name, section): &(&String, &Value)| usual.get(name.as_str()) != Some(section);
    sections.filter(differs).map(|(name, section)| (name.clone(), section.clone())).collect()
}
