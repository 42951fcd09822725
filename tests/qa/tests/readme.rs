//! The README's tour, run as it is written: what a reader types first must work.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod rig;

use std::process::{Command, Stdio};

use rig::Issuer;
use serde_json::Value;

/// The commands of the tour, comments cut off.
fn tour() -> Vec<String> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let (_, tour) = readme.split_once("## Five minutes for QA").unwrap();
    let (tour, _) = tour.split_once("\n## ").unwrap();
    let commands = tour.lines().map(|line| line.split('#').next().unwrap().trim().to_owned());
    commands.filter(|line| line.starts_with("saifu ") && line != "saifu sandbox").collect()
}

#[test]
fn tour_of_the_readme_works_as_written() {
    let issuer = Issuer::start(None);
    let (mut sms, mut number, mut totp) = (String::new(), String::new(), String::new());
    let commands = tour();
    assert!(commands.len() >= 10, "{commands:?}");
    for command in commands {
        let line = command.replace("123456", &sms).replace("NUMBER", &number).replace("CODE", &totp);
        let output = Command::new(env!("CARGO_BIN_EXE_saifu"))
            .args(line.split_whitespace().skip(1))
            .arg("--json")
            .current_dir(issuer.home.path())
            .env("SAIFU_HOME", issuer.home.path())
            .env("SAIFU_SANDBOX", issuer.info_file())
            .envs([("SAIFU_KEY_STORE", "file"), ("SAIFU_YES", "1")])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        let expected = if line.ends_with("--yen 1") { 3 } else { 0 };
        assert_eq!(output.status.code(), Some(expected), "{line}\n{stdout}\n{stderr}");
        let json: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{line}: {error}: {stdout}"));
        if let Some(messages) = json["messages"].as_array() {
            sms = messages.iter().rev().find_map(|m| m["code"].as_str()).unwrap().to_owned();
        }
        if line.contains("topup") {
            number = json["number"].as_str().unwrap().to_owned();
        }
        if line.contains("wallet totp") {
            totp = json["code"].as_str().unwrap().to_owned();
        }
        if line.contains("wallet refresh") || line.contains("wallet home") {
            assert_eq!((&json["balance_yen"], &json["points"]), (&Value::from(3_720), &Value::from(6)), "{line}");
        }
    }
}
