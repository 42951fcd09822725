//! Every scenario does what it shows; the schema and the runner refuse the same mistakes; `docs/scenarios.md` lists the
//! verbs that there are.
//!
//! After a wanted change of the verbs: `SAIFU_UPDATE_DOCS=1 cargo test -p saifu-qa --test it scenarios`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use saifu_qa::scenario::verbs::{self, Actor, Argument, DRIVER, Kind, VERBS};
use saifu_qa::scenario::{parse, schema};
use serde_json::{Value, json};

use crate::support::common::{Home, bare, hold, run};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scenarios.md");

fn folder() -> PathBuf {
    Path::new(ROOT).join("tests/scenarios")
}

/// Every file on disk: name without `.json`, and text.
fn files() -> Vec<(String, String)> {
    files_of(&folder())
}

fn files_of(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<(String, String)> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().into(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn every_scenario_on_disk_runs_and_does_what_it_shows() {
    let ran = run(bare(["--json", "scenario", "run", "--all", "--folder", folder().to_str().unwrap()]));
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let played = report["scenarios"].as_array().unwrap();
    let failed: Vec<&Value> = played.iter().filter(|played| played["ok"] != json!(true)).collect();
    assert!(failed.is_empty(), "{}", serde_json::to_string_pretty(&failed).unwrap());
    assert_eq!(ran.code, Some(0));
    let names: Vec<&str> = played.iter().map(|played| played["name"].as_str().unwrap()).collect();
    let on_disk = files();
    assert_eq!(names, on_disk.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
    assert!(names.len() > 20 && report["count"] == json!(names.len()));
    assert_eq!(report["hash"].as_str().unwrap().len(), 64);
    for (played, (name, text)) in played.iter().zip(&on_disk) {
        assert_eq!(played["steps"], json!(parse(text).unwrap().step_count()), "{name}");
    }
}

/// One for each kind of expectation that is not met. The suites of Kotlin and Swift play the same files with their drivers.
/// Control: without the last step every one of them does what it shows.
#[test]
fn every_wrong_scenario_fails_at_its_last_step_and_does_well_without_it() {
    let (home, on_disk) = (Home::new(), files_of(&folder().join("wrong")));
    let play = |folder: &Path| {
        let ran = run(bare(["--json", "scenario", "run", "--all", "--folder", folder.to_str().unwrap()]));
        (ran.code, serde_json::from_str::<Value>(&ran.stdout).unwrap()["scenarios"].as_array().unwrap().clone())
    };
    let (code, played) = play(&folder().join("wrong"));
    assert_eq!((code, played.len()), (Some(1), on_disk.len()));
    for (played, (name, text)) in played.iter().zip(&on_disk) {
        let mut file: Value = serde_json::from_str(text).unwrap();
        let steps = file["steps"].as_array_mut().unwrap();
        let last = steps.pop().unwrap();
        let failure = &played["failure"];
        assert_eq!((&played["name"], &failure["step"]), (&json!(name), &json!(steps.len())), "{played}");
        assert_eq!(failure["do"], last["do"], "{played}");
        std::fs::remove_dir_all(failure["folder"].as_str().unwrap()).unwrap();
        if !steps.is_empty() {
            std::fs::write(home.path().join(format!("{name}.json")), file.to_string()).unwrap();
        }
    }
    let (code, played) = play(home.path());
    assert_eq!(code, Some(0), "{played:?}");
}

/// The scenario with one field changed, in a file of its own.
fn changed(home: &Home, pointer: &str, value: Value) -> PathBuf {
    let mut file: Value =
        serde_json::from_str(&std::fs::read_to_string(folder().join("over-cap.json")).unwrap()).unwrap();
    *file.pointer_mut(pointer).unwrap() = value;
    let path = home.path().join("over-cap.json");
    std::fs::write(&path, file.to_string()).unwrap();
    path
}

#[test]
fn failed_scenario_says_where_what_was_expected_and_what_was_seen() {
    let home = Home::new();
    let file = changed(&home, "/steps/1/expect/reason", json!("over-limit"));
    let ran = run(bare(["--json", "scenario", "run", file.to_str().unwrap()]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let failure = &report["scenarios"][0]["failure"];
    assert_eq!(failure["code"], "scenario-failed");
    assert_eq!((&failure["step"], &failure["do"]), (&json!(1), &json!("register.scan")));
    assert_eq!((&failure["path"], &failure["expected"]), (&json!("reason"), &json!("over-limit")));
    assert_eq!((&failure["seen"], &report["scenarios"][0]["steps"]), (&json!("over-cap"), &json!(1)));
    let kept = PathBuf::from(failure["folder"].as_str().unwrap());
    assert!(kept.join("sandbox/issuer.db").exists() && kept.join("wallets/taro/vault").exists());
    // It opens as any other home folder, though its issuer is not running; and its log is there.
    let looked = run(bare(["--json", "--home", kept.to_str().unwrap(), "wallet", "home", "--wallet", "taro"]));
    assert_eq!(serde_json::from_str::<Value>(&looked.stdout).unwrap()["balance_yen"], 5000, "{looked:?}");
    assert!(std::fs::read_to_string(kept.join("log.jsonl")).unwrap().contains("over-cap"));
    std::fs::remove_dir_all(kept).unwrap();
    // The control: the same file with the right reason.
    let file = changed(&home, "/steps/1/expect/reason", json!("over-cap"));
    assert_eq!(run(bare(["--json", "scenario", "run", file.to_str().unwrap()])).code, Some(0));
}

/// What the step of a scenario that failed saw. Its folder goes.
fn seen_by_the_last(home: &Home, steps: &Value) -> String {
    let personas = json!({"taro": {"number": "090-1234-5678", "state": "starter"}});
    let path = home.path().join("tried.json");
    let file = json!({"name": "tried", "shows": "It is tried.", "personas": personas, "steps": steps});
    std::fs::write(&path, file.to_string()).unwrap();
    let report = run(bare(["--json", "scenario", "run", path.to_str().unwrap()])).stdout;
    let played = serde_json::from_str::<Value>(&report).unwrap()["scenarios"][0].clone();
    let failure = &played["failure"];
    assert_eq!(failure["step"], json!(steps.as_array().unwrap().len() - 1), "{played}");
    std::fs::remove_dir_all(failure["folder"].as_str().unwrap()).unwrap();
    failure["seen"].as_str().map_or_else(|| failure["seen"].to_string(), str::to_owned)
}

#[test]
fn verbs_that_break_a_wallet_break_it_as_often_as_they_say() {
    let home = Home::new();
    let top_up = json!({"do": "wallet.top-up", "as": "taro", "yen": 1000, "killed": true});
    let damage = json!({"do": "wallet.damage", "as": "taro"});
    // That they fail elsewhere is in `wrong`. A request that is held, and a wallet that is killed then; two signatures fail and the third does not.
    let fails = json!({"do": "wallet.key-fails", "as": "taro", "how": "gone", "times": 2});
    let refused = json!({"do": "wallet.refresh", "as": "taro", "expect": {"error": "key", "detail": "gone"}});
    let reopen = json!({"do": "wallet.reopen", "as": "taro"});
    let hang = json!({"do": "sandbox.fault", "on": "top-up", "act": "hang"});
    let held = json!({"do": "sandbox.held", "expect": {"held": 1}});
    let steps = json!([hang, top_up, held, damage, damage, reopen, fails, refused, refused, refused]);
    assert!(seen_by_the_last(&home, &steps).contains("balance_yen"));
}

#[test]
fn malformed_scenario_is_refused_with_file_and_place_before_any_is_played() {
    let home = Home::new();
    let file = changed(&home, "/steps/1/do", json!("register.shout"));
    let good = folder().join("flow.json");
    let ran = run(bare(["--json", "scenario", "run", good.to_str().unwrap(), file.to_str().unwrap()]));
    let detail = ran.refused(2, "bad-input")["error"]["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("over-cap.json: $.steps[1].do: no verb is `register.shout`"), "{detail}");
    assert!(!ran.stderr.contains("wallet.sign-up"), "{ran:?}");
    let file = changed(&home, "/name", json!("other"));
    run(bare(["--json", "scenario", "run", file.to_str().unwrap()])).refused(2, "bad-input");
    run(bare(["--json", "scenario", "list", "--folder", "/does/not/exist"])).refused(2, "file");
}

#[test]
fn list_names_every_file_and_what_it_shows() {
    let ran = run(bare(["--json", "scenario", "list", "--folder", folder().to_str().unwrap()]));
    let listed: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(listed["count"], json!(files().len()));
    assert!(listed["scenarios"].as_array().unwrap().iter().all(|row| row["shows"].as_str().unwrap().ends_with('.')));
}

#[test]
fn scenarios_use_every_verb() {
    let texts: String = files().into_iter().map(|(_, text)| text).collect();
    let unused: Vec<&str> =
        VERBS.iter().map(|verb| verb.name).filter(|verb| !texts.contains(&format!("\"do\": \"{verb}\""))).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn committed_schema_is_the_one_of_the_verbs() {
    let path = Path::new(ROOT).join("docs/scenario.schema.json");
    let mut text = serde_json::to_string_pretty(&schema()).unwrap();
    text.push('\n');
    if std::env::var_os("SAIFU_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}

fn compiled() -> (Schemas, SchemaIndex) {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let text = std::fs::read_to_string(Path::new(ROOT).join("docs/scenario.schema.json")).unwrap();
    compiler.add_resource("scenario.json", serde_json::from_str(&text).unwrap()).unwrap();
    let index = compiler.compile("scenario.json", &mut schemas).unwrap();
    (schemas, index)
}

#[test]
fn every_scenario_fits_the_schema() {
    let (schemas, index) = compiled();
    for (name, text) in files() {
        let value: Value = serde_json::from_str(&text).unwrap();
        schemas.validate(&value, index).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// The file with a field set, at a JSON pointer that may be new.
fn with(file: &Value, pointer: &str, value: Value) -> Value {
    let mut file = file.clone();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    file.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(field.into(), value);
    file
}

#[test]
fn what_the_runner_refuses_the_schema_refuses_too() {
    let (schemas, index) = compiled();
    let mut tried = BTreeSet::new();
    for (name, text) in files() {
        let file: Value = serde_json::from_str(&text).unwrap();
        let persona = format!("/personas/{}", file["personas"].as_object().unwrap().keys().next().unwrap());
        let mut wrong = vec![
            ("unknown field", with(&file, "/skipped", json!(true))),
            ("no steps", with(&file, "/steps", json!([]))),
            ("unknown rule", with(&file, "/policy", json!({"pay": {"daily": 1}}))),
            ("wrong type of a rule", with(&file, "/policy", json!({"pay": {"each_yen": "1"}}))),
            ("wrong number", with(&file, &format!("{persona}/number"), json!("03-1234-5678"))),
            ("unknown state", with(&file, &format!("{persona}/state"), json!("rich"))),
            ("balance of nobody", with(&file, &persona, json!({"number": "090-1234-5678", "balance_yen": 1}))),
            ("no text", with(&file, "/shows", json!(1))),
        ];
        for (at, step) in file["steps"].as_array().unwrap().iter().enumerate() {
            let at = format!("/steps/{at}");
            wrong.push(("unknown verb", with(&file, &format!("{at}/do"), json!("wallet.fly"))));
            wrong.push(("unknown argument", with(&file, &format!("{at}/skip"), json!(true))));
            wrong.push(("unknown expectation", with(&file, &format!("{at}/expect"), json!({"error": {"gt": 1}}))));
            wrong.push(("unknown outcome", with(&file, &format!("{at}/expect"), json!({"balanse": 1}))));
            wrong.push(("wrong save", with(&file, &format!("{at}/save"), json!({"x": 1}))));
            wrong.push(("wrong span", with(&file, &format!("{at}/within"), json!(60))));
            let arguments = "yen digits number totp on act times advance switch txid settlement ms how killed";
            for argument in arguments.split(' ') {
                if step.get(argument).is_some() {
                    wrong.push((argument, with(&file, &format!("{at}/{argument}"), json!([1]))));
                }
            }
        }
        for (what, file) in wrong {
            assert!(parse(&file.to_string()).is_err(), "the runner takes {name} with {what}: {file}");
            assert!(schemas.validate(&file, index).is_err(), "the schema takes {name} with {what}: {file}");
            tried.insert(what);
        }
    }
    assert!(tried.len() > 20, "{tried:?}");
}

fn argument(argument: &Argument) -> String {
    let Argument { name, kind, required } = argument;
    let kind = match kind {
        Kind::Text => "text".to_owned(),
        Kind::Number => "whole number".to_owned(),
        Kind::Flag => "flag".to_owned(),
        Kind::Span => "span".to_owned(),
        Kind::OneOf(words) => words.join(" or "),
    };
    format!("`{name}` ({kind}{})", if *required { "" } else { ", optional" })
}

#[test]
fn document_lists_the_verbs_that_there_are() {
    let rows = VERBS.iter().map(|verb| {
        let who = match verb.actor {
            Actor::Persona => "persona".to_owned(),
            Actor::Terminal(default) => format!("`{default}`"),
            Actor::Nobody => String::new(),
        };
        let arguments: Vec<String> = verb.arguments.iter().map(argument).collect();
        let within = if verb.reads { " It reads." } else { "" };
        let gives: Vec<String> = verb.gives.iter().map(|field| format!("`{field}`")).collect();
        format!("| `{}` | {who} | {} | {} | {}{within} |", verb.name, arguments.join(", "), gives.join(" "), verb.does)
    });
    let head = "| Verb | As | Arguments | Gives | |\n| --- | --- | --- | --- | --- |\n";
    hold(DOCUMENT, "from the code: verbs", &format!("{head}{}\n", rows.collect::<Vec<_>>().join("\n")));
}

#[test]
fn document_lists_what_a_driver_is_asked() {
    let rows = DRIVER.iter().map(|verb| {
        let told = verbs::find(verb.name);
        let gives = told.map_or(verb.gives, |told| told.gives);
        // A killed wallet's state is the runner's to tell.
        let killed = told.is_some_and(|told| told.arguments.iter().any(|argument| argument.name == "killed"));
        let gives: Vec<String> =
            gives.iter().filter(|field| !(killed && **field == "state")).map(|field| format!("`{field}`")).collect();
        let does = if verb.does.is_empty() { told.unwrap().does } else { verb.does };
        format!("| `{}` | {} | {} | {does} |", verb.name, verb.arguments, gives.join(" "))
    });
    let head = "| Verb | Arguments | Gives | |\n| --- | --- | --- | --- |\n";
    hold(DOCUMENT, "from the code: driver", &format!("{head}{}\n", rows.collect::<Vec<_>>().join("\n")));
}
