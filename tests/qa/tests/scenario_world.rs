//! `saifu scenario world` as a process: what a runner in another language sees through the pipes. The wallet here is the
//! command's own, standing for wallets that the world knows nothing of.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, ExitStatus, Stdio};

use common::{Home, bare};
use saifu_qa::scenario::verbs::VERBS;
use serde_json::{Value, json};

const NUMBER: &str = "090-1234-5678";

struct World {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl World {
    fn start() -> Self {
        let mut command = bare(["scenario", "world"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (ask, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, ask, answers }
    }

    /// The answer to a line, whatever it is.
    fn line(&mut self, line: &[u8]) -> Value {
        self.ask.write_all(line).unwrap();
        self.ask.write_all(b"\n").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer:?}"));
        assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
        answer
    }

    #[track_caller]
    fn ok(&mut self, request: &Value) -> Value {
        let answer = self.line(request.to_string().as_bytes());
        answer.get("ok").unwrap_or_else(|| panic!("{request}: {answer}")).clone()
    }

    /// A step without an actor of its own, or of the first terminal.
    #[track_caller]
    fn step(&mut self, verb: &str, arguments: &Value) -> Value {
        self.ok(&json!({"ask": "do", "verb": verb, "arguments": arguments}))
    }

    #[track_caller]
    fn broken(&mut self, line: &[u8]) -> String {
        let answer = self.line(line);
        answer["broken"].as_str().unwrap_or_else(|| panic!("{line:?}: {answer}")).to_owned()
    }

    /// Begins, and gives the folder and the issuer.
    fn begin(&mut self, policy: &Value) -> (PathBuf, Value) {
        let begun = self.ok(&json!({"ask": "begin", "policy": policy}));
        (begun["folder"].as_str().unwrap().into(), begun["issuer"].clone())
    }

    /// What it says until it ends, and how it ends.
    fn rest(mut self) -> (String, ExitStatus) {
        drop(self.ask);
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.answers, &mut rest).unwrap();
        (rest, self.child.wait().unwrap())
    }
}

/// Whether somebody listens at the issuer's address.
fn answers(issuer: &Value) -> bool {
    let url = url::Url::parse(issuer["customer_url"].as_str().unwrap()).unwrap();
    TcpStream::connect(url.socket_addrs(|| None).unwrap().as_slice()).is_ok()
}

#[test]
fn wallet_of_somebody_else_plays_a_whole_scenario_in_the_world() {
    let (home, mut world) = (Home::new(), World::start());
    let (folder, issuer) = world.begin(&json!({"code": {"cap_yen": 1000}}));
    let sandbox = folder.join("sandbox/sandbox.json");
    let wallet = |words: &str| {
        let words = words.split(' ').chain(["--sandbox", sandbox.to_str().unwrap()]);
        home.run(words).done()
    };
    assert!(issuer["customer_url"].as_str().unwrap().starts_with("https://") && issuer["sandbox"] == json!(true));
    assert_eq!(issuer["pins"].as_array().unwrap().len(), 2);
    assert_eq!(issuer["service_pins"].as_array().unwrap().len(), 2);

    wallet(&format!("wallet signup --number {NUMBER}"));
    let sms = world.ok(&json!({"ask": "do", "verb": "sandbox.sms", "as": "taro", "number": NUMBER}));
    wallet(&format!("wallet confirm --code {}", sms["newest"]["code"].as_str().unwrap()));
    let top_up = wallet("wallet topup atm --yen 5000 --yes");
    let totp = wallet("wallet totp")["code"].clone();
    // A saved number in the place of a text reads as its digits.
    let cash = json!({"number": top_up["number"], "totp": totp, "yen": 5000, "txid": 42});
    let deposit = world.step("atm.deposit", &cash);
    assert_eq!((&deposit["result"], &deposit["txid"]), (&json!("approved"), &json!("42")));
    assert_eq!(world.step("sandbox.clock", &json!({"advance": "2m"}))["offset_ms"], json!(120_000));
    let digits = wallet("wallet code")["digits"].clone();
    let scan = world.step("register.scan", &json!({"digits": digits, "yen": 1001}));
    assert_eq!((&scan["result"], &scan["reason"]), (&json!("declined"), &json!("over-cap")));

    let audit = world.ok(&json!({"ask": "end"}))["audit"].clone();
    assert!(audit["ok"] == json!(true) && audit["postings"].as_u64() >= Some(1), "{audit}");
    assert!(!folder.exists() && !answers(&issuer));
    // The next one begins from nothing; a stopped issuer has no books to show, and `keep` leaves the folder.
    let (folder, issuer) = world.begin(&json!({}));
    assert_eq!(world.step("sandbox.clock", &json!({}))["offset_ms"], json!(0));
    assert_eq!(world.step("sandbox.stop", &json!({}))["running"], json!(false));
    assert!(!answers(&issuer));
    assert_eq!(world.ok(&json!({"ask": "end", "keep": true}))["audit"], Value::Null);
    assert!(folder.join("sandbox").exists());
    std::fs::remove_dir_all(folder).unwrap();
    let (rest, ended) = world.rest();
    assert!(rest.is_empty() && ended.success(), "{rest}");
}

#[test]
fn line_that_makes_no_sense_gets_one_broken_answer_and_changes_nothing() {
    let mut world = World::start();
    for line in [&b""[..], b"begin", b"[]", b"{}", b"\xff\xfe", br#"{"ask":"begn"}"#, br#"{"ask":"verbs","more":1}"#] {
        assert!(world.broken(line).starts_with("this is no request"), "{line:?}");
    }
    assert_eq!(world.broken(br#"{"ask":"end"}"#), "no world has begun");
    assert_eq!(world.broken(br#"{"ask":"do","verb":"sandbox.clock"}"#), "no world has begun");
    assert!(world.broken(br#"{"ask":"begin","policy":{"pay":{"daily":1}}}"#).contains("daily"));
    let (folder, _) = world.begin(&json!({}));
    assert!(world.broken(br#"{"ask":"begin"}"#).contains("begun already"));
    for (verb, more, why) in [
        ("register.shout", json!({}), "no verb"),
        ("wallet.home", json!({"as": "taro"}), "the runner's own"),
        ("register.scan", json!({"arguments": {"digits": "1"}}), "$.arguments.yen"),
        ("register.scan", json!({"arguments": {"digits": "1", "yen": 1, "note": 1}}), "$.arguments.note"),
        ("register.scan", json!({"as": "atm-1", "arguments": {"digits": "1", "yen": 1}}), "is no register"),
        ("sandbox.clock", json!({"as": "taro"}), "nobody does"),
        ("sandbox.clock", json!({"arguments": {"advance": "1 h"}}), "time span"),
        ("sandbox.sms", json!({"number": NUMBER}), "the persona is missing"),
        ("sandbox.sms", json!({"as": "taro"}), "number is missing"),
        ("sandbox.sms", json!({"as": "taro", "number": "1"}), "$.number"),
        ("sandbox.start", json!({}), "is running"),
    ] {
        let mut request = json!({"ask": "do", "verb": verb});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let said = world.broken(request.to_string().as_bytes());
        assert!(said.contains(why), "{request}: {said}");
    }
    assert_eq!(world.step("sandbox.clock", &json!({}))["offset_ms"], json!(0));
    assert_eq!(world.ok(&json!({"ask": "end"}))["audit"]["ok"], json!(true));
    assert!(!folder.exists());
}

#[test]
fn refusal_is_told_apart_from_what_is_broken() {
    let mut world = World::start();
    world.begin(&json!({}));
    assert_eq!(world.step("sandbox.held", &json!({})), json!({"held": 0}));
    world.step("sandbox.fault", &json!({"on": "settle", "act": "drop-answer", "times": 2}));
    let scan = json!({"ask": "do", "verb": "register.scan", "arguments": {"digits": "123456789012", "yen": 1}});
    assert_eq!(world.line(scan.to_string().as_bytes())["refused"]["error"], "no-answer");
    for (act, error) in [("garbage", "untrusted"), ("nonsense", "untrusted"), ("status:404", "untrusted")] {
        world.step("sandbox.fault", &json!({"on": "settle", "act": act}));
        assert_eq!(world.line(scan.to_string().as_bytes())["refused"]["error"], error, "{act}");
    }
    // The control: with the faults used up the same question is answered.
    assert_eq!(world.ok(&scan)["reason"], "code-not-valid");
}

#[test]
fn verbs_are_the_table_of_the_runner_here() {
    let mut world = World::start();
    let told = world.ok(&json!({"ask": "verbs"}));
    let names: Vec<&str> = told["verbs"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, VERBS.iter().map(|verb| verb.name).collect::<Vec<_>>());
    let find = |name: &str| told["verbs"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    assert_eq!(
        find("sandbox.clock"),
        json!({
            "name": "sandbox.clock", "actor": "nobody", "default": null, "gives": ["now", "offset_ms", "held", "ran"],
            "arguments": [{"name": "advance", "kind": "span", "values": null, "required": false}], "reads": false,
        })
    );
    assert_eq!(find("register.void")["default"], "register-1");
    assert_eq!(find("wallet.code")["arguments"][0]["values"], json!(["pay", "cash-in"]));
    assert_eq!(told["refusal"][0], "error");
}

#[test]
fn end_of_input_stops_the_issuer_and_removes_the_folder() {
    let mut world = World::start();
    let (folder, issuer) = world.begin(&json!({}));
    assert!(folder.exists() && answers(&issuer));
    let (rest, ended) = world.rest();
    assert!(rest.is_empty() && ended.success(), "{rest}");
    assert!(!folder.exists() && !answers(&issuer));
}

#[cfg(unix)]
#[test]
fn polite_kill_stops_the_issuer_and_removes_the_folder() {
    let mut world = World::start();
    let (folder, issuer) = world.begin(&json!({}));
    let pid = rustix::process::Pid::from_child(&world.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(world.child.wait().unwrap().success());
    assert!(!folder.exists() && !answers(&issuer));
}
