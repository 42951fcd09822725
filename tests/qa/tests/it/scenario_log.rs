//! What the issuer's log says of played scenarios: the same seed gives the same bytes, and a rule with its figures stands
//! behind every refusal.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use saifu_sandbox::policy::Policy;
use saifu_wire::{ProblemCode, Reason};
use serde_json::{Value, json};

use crate::support::common::{Home, bare, run};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "json"));
    let mut names: Vec<String> = files.map(|file| file.file_stem().unwrap().to_str().unwrap().into()).collect();
    names.sort();
    names
}

/// Plays with a seed and gives each scenario's log as it was written.
fn logs(seed: u64, names: &[String]) -> Vec<String> {
    let home = Home::new();
    let (seed, log) = (seed.to_string(), home.path().join("logs"));
    let files: Vec<PathBuf> = names.iter().map(|name| folder().join(format!("{name}.json"))).collect();
    let mut command = bare(["--json", "--quiet", "scenario", "run", "--seed", &seed, "--log"]);
    command.arg(&log).args(files);
    let ran = run(command);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    names.iter().map(|name| std::fs::read_to_string(log.join(format!("{name}.jsonl"))).unwrap()).collect()
}

fn lines(log: &str) -> impl Iterator<Item = Value> + '_ {
    log.lines().map(|line| serde_json::from_str(line).unwrap())
}

#[test]
fn same_seed_gives_the_same_log_byte_for_byte_and_another_does_not() {
    let names = names();
    let (first, second) = (logs(7, &names), logs(7, &names));
    for ((name, first), second) in names.iter().zip(&first).zip(&second) {
        assert_eq!(first, second, "{name}");
    }
    let silent: Vec<_> = names.iter().zip(&first).filter(|(_, log)| log.is_empty()).map(|(name, _)| name).collect();
    assert_eq!(silent, ["not-signed-up"], "all others ask the issuer something");
    // The control: what is compared does depend on the seed.
    for ((name, first), other) in names.iter().zip(&first).zip(&logs(8, &names)).filter(|((_, log), _)| !log.is_empty())
    {
        assert_ne!(first, other, "{name}");
        let number = |log: &str| lines(log).map(|line| line["number"].clone()).collect::<Vec<_>>();
        assert_eq!(number(first), number(other), "{name}: another seed is another day, the same flow");
    }
}

/// Rules that have no number: somebody or something is there, or is not.
const WITHOUT_NUMBER: &[&str] = &[
    "atm.number",
    "atm.number_not_used",
    "atm.totp",
    "code.known",
    "code.not_used",
    "code.purpose",
    "proof.nonce",
    "refund.original",
    "session.token",
    "sign_up.code",
    "sign_up.number_free",
    "switch.code",
    "switch.session",
    "switch.settlement",
    "switch.sign-up",
    "switch.top-up-atm",
    "transaction.not_reversed",
    "transaction.same_request",
];

/// The runner itself asks `explain` about every refused line, and fails a scenario where no rule decided.
#[test]
fn every_refusal_of_every_scenario_names_the_rule_that_decided_with_its_figures() {
    let policy = serde_json::to_value(Policy::default()).unwrap();
    let (names, mut seen) = (names(), BTreeSet::new());
    for (name, log) in names.iter().zip(logs(7, &names)) {
        let (mut repeatable, mut told) = (BTreeSet::new(), BTreeSet::new());
        for line in lines(&log) {
            let declined = line["result"] == "declined";
            if line.get("code").is_none() && !declined {
                continue;
            }
            told.insert(line["code"].as_str().or(line["reason"].as_str()).unwrap().to_owned());
            if line["repeat"] == json!(true) {
                // Decided before: the same transaction stands in an earlier line.
                assert!(repeatable.contains(line["transaction"].as_str().unwrap()), "{name}: {line}");
                continue;
            }
            repeatable.extend(line["transaction"].as_str().map(str::to_owned));
            let by = &line["decided_by"];
            let rule = by["rule"].as_str().unwrap_or_else(|| panic!("{name}: no rule: {line}")).to_owned();
            let figures = by["limit"].is_i64() && by["seen"].is_i64();
            assert_eq!(figures, !WITHOUT_NUMBER.contains(&rule.as_str()), "{name}: figures of {rule}: {line}");
            let number = policy.pointer(&format!("/{}", rule.replace('.', "/"))).is_some_and(Value::is_number);
            assert!(figures || !number, "{name}: {rule} is a number of the policy: {line}");
            seen.insert(rule);
        }
        for code in expected(name) {
            assert!(told.contains(&code), "{name}: {code} is expected and not in the log, which has {told:?}");
        }
    }
    assert!(seen.len() > 25, "{seen:?}");
    let unused: Vec<_> = WITHOUT_NUMBER.iter().filter(|rule| !seen.contains(**rule)).collect();
    assert!(unused.is_empty(), "no scenario causes {unused:?}");
}

/// The issuer's codes and reasons that the steps of a scenario expect.
fn expected(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let issuers = |word: &str| {
        ProblemCode::ALL.iter().any(|code| code.as_str() == word)
            || Reason::ALL.iter().any(|reason| reason.as_str() == word)
    };
    let steps = file["steps"].as_array().unwrap().iter();
    let refusals = steps.filter(|step| {
        step["do"] != "wallet.next-event" && step["do"].as_str().is_some_and(|verb| !verb.starts_with("sandbox."))
    });
    refusals
        .flat_map(|step| [step["expect"]["error"].as_str(), step["expect"]["reason"].as_str()])
        .flatten()
        .filter(|word| issuers(word))
        .map(str::to_owned)
        .collect()
}

#[test]
fn outcome_of_a_terminal_names_the_rule_that_declined() {
    let home = Home::new();
    let text = std::fs::read_to_string(folder().join("over-cap.json")).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    let path = home.path().join("over-cap.json");
    let mut play = |rule: Value| {
        file["steps"][1]["expect"]["rule"] = rule;
        std::fs::write(&path, file.to_string()).unwrap();
        run(bare(["--json", "scenario", "run", path.to_str().unwrap()])).code
    };
    assert_eq!(play(json!("code.cap_yen")), Some(0));
    // The control: the rule is looked at.
    assert_eq!(play(json!("pay.day_yen")), Some(1));
}
