//! Playing one scenario: its personas first, then its steps in order until one fails, then the ledger's check of itself.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use saifu_crypto::sha256;
use serde_json::{Map, Value, json};

use super::expect::{self, Expectation, Saved};
use super::halt::Halt;
use super::record::Record;
use super::stage::Stage;
use super::world::temporary_folder;
use super::{Persona, STEP_BOUND, Scenario, Step};
use crate::failure::{Failure, LocalCode, at};

/// `within` moves the clock in so many pieces, of whole seconds: other runners' clocks know no others.
const PIECES: u64 = 20;
const SECOND_MS: u64 = 1_000;
/// After a persona has topped up: its TOTP code and the pause between two top-ups are over.
const AFTER_TOP_UP_MS: u64 = 61_000;

/// The limits of a scenario, in its folder.
pub(crate) const POLICY: &str = "policy.json";

/// How scenarios are played.
#[derive(Debug, Default)]
pub(crate) struct Playing<'a> {
    /// Whether the temporary folder stays.
    pub(crate) keep: bool,
    /// What the issuer draws from, and the moment at which time is held; else both are the machine's.
    pub(crate) seed: Option<u64>,
    /// The folder for the issuer's logs.
    pub(crate) log: Option<&'a Path>,
    /// The command line that starts a driver; else this command is one.
    pub(crate) driver: Option<&'a str>,
}

/// How a scenario went.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Played {
    pub(crate) name: String,
    /// Steps that did what was expected.
    pub(crate) steps: usize,
    pub(crate) ok: bool,
    pub(crate) failure: Option<FailedStep>,
}

/// What was not as expected.
#[derive(Debug, serde::Serialize)]
pub(crate) struct FailedStep {
    pub(crate) code: &'static str,
    /// Counted from 0; null when it happened before or after the steps.
    pub(crate) step: Option<usize>,
    #[serde(rename = "do")]
    pub(crate) verb: Option<&'static str>,
    /// Who did it.
    #[serde(rename = "as")]
    pub(crate) who: Option<String>,
    /// Where it stands in the file, and in which round.
    pub(crate) place: Option<String>,
    /// Where in the outcome.
    pub(crate) path: Option<String>,
    pub(crate) expected: Value,
    pub(crate) seen: Value,
    /// The issuer's and the wallets' files.
    pub(crate) folder: PathBuf,
}

/// What does not fit: path, expected, seen.
type Misfit = (Option<String>, Value, Value);

/// Plays it in a temporary folder, which stays if it failed or is to be kept. `told` hears of each step.
pub(crate) async fn play(scenario: &Scenario, playing: &Playing<'_>, told: impl Fn(&str)) -> Result<Played, Failure> {
    let mut folder = temporary_folder()?;
    let mut steps = 0;
    let mut ended = None;
    let outcome = match Stage::new(folder.path(), &scenario.policy, playing.seed, playing.driver).await {
        Ok(mut stage) => {
            let outcome = all(&mut stage, scenario, &mut steps, &told).await;
            let explained = explained(&mut stage).await.map_err(|misfit| (None, misfit));
            ended = Some(stage);
            outcome.and(explained)
        }
        Err(halt) => Err((None, broken("the issuer starts", halt))),
    };
    if let Some(stage) = ended {
        let record = stage.world.record();
        let written = playing.log.map_or(Ok(()), |log| record.write(log, &scenario.name));
        // What somebody wants who looks into the folder.
        let left = if outcome.is_err() || playing.keep { leave(folder.path(), scenario, record) } else { Ok(()) };
        stage.close().await;
        written.and(left)?;
    }
    let failed = |step: Option<usize>| step.and_then(|step| scenario.steps.get(step));
    let failure = outcome.err().map(|(step, (path, expected, seen))| FailedStep {
        code: LocalCode::ScenarioFailed.as_str(),
        step,
        verb: failed(step).map(|step| step.verb.name),
        who: failed(step).and_then(|step| step.actor.clone()),
        place: failed(step).map(|step| step.place.clone()),
        path,
        expected,
        seen,
        folder: folder.path().to_owned(),
    });
    folder.disable_cleanup(playing.keep || failure.is_some());
    if playing.keep {
        told(&format!("  kept: {}", folder.path().display()));
    }
    Ok(Played { name: scenario.name.clone(), steps, ok: failure.is_none(), failure })
}

/// Puts the issuer's log and its limits into a folder that stays: `saifu --home FOLDER` opens the rest.
fn leave(folder: &Path, scenario: &Scenario, record: &Record) -> Result<(), Failure> {
    record.write(folder, "log")?;
    let file = folder.join(POLICY);
    let text =
        serde_json::to_string_pretty(&scenario.policy).map_err(|error| LocalCode::Bug.detail(error.to_string()))?;
    std::fs::write(&file, text).map_err(at(&file))
}

/// SHA-256 over the sorted canonical texts, a line each: equal in every language that ran the same.
pub(crate) fn hash(scenarios: &[Scenario]) -> String {
    let mut texts: Vec<&str> = scenarios.iter().map(|scenario| scenario.canonical.as_str()).collect();
    texts.sort_unstable();
    HEXLOWER.encode(&sha256(texts.join("\n").as_bytes()))
}

async fn all(
    stage: &mut Stage<'_>,
    scenario: &Scenario,
    done: &mut usize,
    told: &impl Fn(&str),
) -> Result<(), (Option<usize>, Misfit)> {
    for (name, persona) in &scenario.personas {
        begin(stage, name, persona).await.map_err(|halt| (None, broken(&format!("{name} begins"), halt)))?;
    }
    let mut saved = Saved::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        let who = step.actor.as_deref().map(|who| format!(" as {who}")).unwrap_or_default();
        let outcome = tokio::time::timeout(STEP_BOUND, one(stage, step, &mut saved)).await;
        let outcome = outcome
            .unwrap_or_else(|_| Err((None, json!("an end"), json!(format!("none within {} s", STEP_BOUND.as_secs())))));
        let mark = if outcome.is_ok() { "ok    " } else { "FAILED" };
        let round = step.place.split_once(", ").map(|(_, round)| format!(" ({round})")).unwrap_or_default();
        told(&format!("  {mark} {index:>2}  {}{who}{round}", step.verb.name));
        outcome.map_err(|misfit| (Some(index), misfit))?;
        *done = index.saturating_add(1);
    }
    let audit = stage.world.audit().await.map_err(|halt| (None, broken("the books", halt)))?;
    if let Some(audit) = audit.filter(|audit| audit.get("ok") != Some(&Value::Bool(true))) {
        return Err((None, (None, json!("books that balance"), audit)));
    }
    Ok(())
}

/// Takes the issuer's log; a rule must stand behind every refusal in it.
async fn explained(stage: &mut Stage<'_>) -> Result<(), Misfit> {
    stage.world.gather().await.map_err(|halt| broken("the issuer's log", halt))?;
    match stage.world.record().unexplained() {
        [] => Ok(()),
        some => Err((None, json!("a rule behind every refusal"), json!(some))),
    }
}

/// Brings a persona to where it starts, by the same verbs that a scenario has.
async fn begin(stage: &mut Stage<'_>, name: &str, persona: &Persona) -> Result<(), Halt> {
    stage.add(name, &persona.number).await?;
    if !persona.signed_up {
        return Ok(());
    }
    let nothing = Map::new();
    stage.perform("wallet.sign-up", name, &nothing).await?;
    stage.perform("wallet.confirm", name, &nothing).await?;
    let Some(yen) = persona.balance_yen else {
        stage.perform("wallet.refresh", name, &nothing).await?;
        return Ok(());
    };
    let with = |fields: Value| fields.as_object().cloned().unwrap_or_default();
    let top_up = stage.perform("wallet.top-up", name, &with(json!({ "yen": yen }))).await?;
    let totp = stage.perform("wallet.totp", name, &nothing).await?;
    let cash = json!({ "number": top_up.get("number"), "totp": totp.get("code"), "yen": yen });
    let answer = stage.perform("atm.deposit", "atm-1", &with(cash)).await?;
    if answer.get("result") != Some(&json!("approved")) {
        return Err(Halt::Refused(answer));
    }
    stage.advance(AFTER_TOP_UP_MS).await?;
    stage.perform("wallet.refresh", name, &nothing).await?;
    Ok(())
}

fn broken(what: &str, halt: Halt) -> Misfit {
    let seen = match halt {
        Halt::Refused(document) => document,
        Halt::Broken(why) => json!(why),
    };
    (None, json!(what), seen)
}

/// One step, repeated while time passes if it has a `within`.
async fn one(stage: &mut Stage<'_>, step: &Step, saved: &mut Saved) -> Result<(), Misfit> {
    let arguments: Map<String, Value> =
        step.arguments.iter().map(|(name, value)| (name.clone(), expect::substitute(value, saved))).collect();
    let expected: Vec<(&str, Expectation)> =
        step.expect.iter().map(|(path, expected)| (path.as_str(), expected.filled(saved))).collect();
    let mut left = step.within_ms.unwrap_or(0);
    let piece = left.div_euclid(PIECES * SECOND_MS).max(1).saturating_mul(SECOND_MS);
    loop {
        let who = step.actor.as_deref().unwrap_or_default();
        let outcome = match stage.perform(step.verb.name, who, &arguments).await {
            Ok(outcome) | Err(Halt::Refused(outcome)) => outcome,
            Err(Halt::Broken(why)) => return Err((None, json!("a step that can be done"), json!(why))),
        };
        let Err(misfit) = fits(&outcome, &expected) else {
            return keep(step, &outcome, saved);
        };
        if left == 0 {
            return Err(misfit);
        }
        let by = piece.min(left);
        stage.advance(by).await.map_err(|halt| broken("time passes", halt))?;
        left = left.saturating_sub(by);
    }
}

fn fits(outcome: &Value, expected: &[(&str, Expectation)]) -> Result<(), Misfit> {
    for (path, expectation) in expected {
        let seen = expect::at(outcome, path);
        if !expectation.met(seen) {
            let seen = seen.cloned().unwrap_or_else(|| json!({ "absent": true, "outcome": outcome }));
            return Err((Some((*path).to_owned()), expectation.to_json(), seen));
        }
    }
    let asked = |field: &str| expected.iter().any(|(path, _)| *path == field);
    if outcome.get("error").is_some() && !asked("error") {
        return Err((None, json!("no refusal"), outcome.clone()));
    }
    let declined = outcome.get("result") == Some(&json!("declined"));
    if declined && !asked("result") && !asked("reason") {
        return Err((None, json!("no decline"), outcome.clone()));
    }
    Ok(())
}

fn keep(step: &Step, outcome: &Value, saved: &mut Saved) -> Result<(), Misfit> {
    for (name, path) in &step.save {
        match expect::at(outcome, path) {
            Some(value) if value.is_string() || value.is_number() || value.is_boolean() => {
                saved.insert(name.clone(), value.clone());
            }
            other => return Err((Some(path.clone()), json!("a text, number or flag to save"), json!(other))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_that_nobody_expected_does_not_fit() {
        let expect = |path: &'static str, value: Value| (path, Expectation::read(&value).unwrap());
        let refused = json!({"error": "wrong-code", "detail": null});
        assert!(fits(&refused, &[]).is_err());
        assert!(fits(&refused, &[expect("detail", json!({"null": true}))]).is_err());
        assert!(fits(&refused, &[expect("error", json!("wrong-code"))]).is_ok());
        let declined = json!({"result": "declined", "reason": "over-cap", "yen": 0});
        assert!(fits(&declined, &[expect("yen", json!(0))]).is_err());
        assert!(fits(&declined, &[expect("reason", json!("over-cap"))]).is_ok());
        let (path, expected, seen) = fits(&declined, &[expect("reason", json!("stopped"))]).unwrap_err();
        assert_eq!((path.as_deref(), expected, seen), (Some("reason"), json!("stopped"), json!("over-cap")));
    }
}
