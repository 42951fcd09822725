//! The README's tour, run as it is written: what a reader types first must work. And the figures it quotes: each must be in the
//! file that its measurement left.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod rig;

use std::process::{Command, Stdio};

use rig::Issuer;
use serde_json::Value;

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The commands of the tour, comments cut off.
fn tour() -> Vec<String> {
    let readme = file("README.md");
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

/// What the README says of a measurement, and what that came to.
fn measured(name: &str) -> (String, Value) {
    let command = format!("`cargo xtask full {name}`");
    let row = file("README.md").lines().find(|line| line.contains(&command)).map(str::to_owned);
    let row = row.unwrap_or_else(|| panic!("no row of README.md has {command}"));
    (row, serde_json::from_str(&file(&format!("results/{name}.json"))).unwrap())
}

/// `20412` as `20,412`.
fn grouped(figure: &Value) -> String {
    let figure = format!("{:.0}", figure.as_f64().unwrap());
    let groups: Vec<&str> = figure.as_bytes().rchunks(3).rev().map(|it| std::str::from_utf8(it).unwrap()).collect();
    groups.join(",")
}

#[track_caller]
fn says(row: &str, quotes: &[String]) {
    let missing: Vec<&String> = quotes.iter().filter(|quote| !row.contains(*quote)).collect();
    assert!(missing.is_empty(), "the results say {missing:?}, the README: {row}");
}

#[test]
fn figures_of_the_readme_are_those_of_the_results() {
    let (row, kills) = measured("kills");
    let hits = kills["figures"]["hits"].as_object().unwrap();
    let least = hits.values().min_by_key(|hits| hits.as_u64()).unwrap();
    let failures = kills["failures"].as_array().unwrap().len();
    says(
        &row,
        &[
            format!("{} rounds", grouped(&kills["rounds"])),
            format!("{failures} failures"),
            format!("{} times or more", grouped(least)),
        ],
    );
    let (row, settlements) = measured("settlements");
    let figures = &settlements["figures"];
    says(
        &row,
        &[
            format!(
                "{} in process (p99 {} ms)",
                grouped(&figures["settlements_a_second"]),
                grouped(&figures["p99_ms"])
            ),
            format!("{} over TLS", grouped(&figures["over_tls"]["settlements_a_second"])),
            format!("{} bare rows", grouped(&figures["floor"]["inserts_a_second"])),
        ],
    );
    let (row, faults) = measured("faults");
    let all = &faults["figures"]["all"];
    says(
        &row,
        &[
            format!("{} roads", grouped(&faults["rounds"])),
            format!("{} ended in time", grouped(&all["final"])),
            format!("{} yen lost, {} doubled", grouped(&all["lost_yen"]), grouped(&all["doubled_yen"])),
            format!("{} disagreements", grouped(&all["disagreements"])),
            format!("{} needed a person", grouped(&all["needed_a_person"])),
        ],
    );
}
