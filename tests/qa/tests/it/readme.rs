//! The README's tour, pasted as it is written into a terminal of 80 columns and 24 rows: what a reader does first must work.
//! And the figures it quotes: each must be in the file that its measurement left.

use serde_json::Value;

use crate::support::terminal::{Terminal, plain};

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The commands of the tour, a block each.
fn tour() -> Vec<String> {
    let readme = file("README.md");
    let (_, tour) = readme.split_once("## Five minutes for QA").unwrap();
    let (tour, _) = tour.split_once("\n## ").unwrap();
    let blocks = tour.split("```sh\n").skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned());
    blocks.collect()
}

/// Six digits that stand alone.
fn sms_code(text: &str) -> String {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.rfind(|word| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit())).unwrap().to_owned()
}

/// A newcomer with nothing but the README: each block is pasted as it stands, so a prompt that nobody expects eats the next
/// line, and the tour fails.
///
/// Control: without `--yes` keeping `signup` from asking for the code, the second block never ends.
#[test]
fn tour_of_the_readme_leads_to_a_coffee_a_refund_and_an_explained_refusal() {
    let home = tempfile::tempdir().unwrap();
    let (mut issuer, mut shell) = (Terminal::open(home.path()), Terminal::open(home.path()));
    let [start, sign_up, go_on] = tour().try_into().unwrap_or_else(|blocks| panic!("three blocks: {blocks:?}"));
    let (install, sandbox) = start.split_once('\n').unwrap();
    assert!(install.starts_with("cargo install "), "what a test has already: {install}");
    issuer.paste(sandbox);
    let ready = issuer.until("Every other terminal finds it by itself.");
    assert!(ready.contains("https://127.0.0.1:"), "{ready}");

    let inbox = shell.run(&sign_up);
    let done = shell.run(&go_on.replace("123456", &sms_code(&inbox)));
    for sign in [
        "Ready to pay.",
        "approved: ¥5,000 (atm-1",
        "approved: ¥1,280 (register-1, coffee)",
        "balance ¥3,720",
        "approved: ¥280 (register-1",
        "Balance   ¥4,000",
        "declined: over-limit",
        "settle declined over-limit",
        "pay.starter_day_yen",
        "top_up.starter_day_yen",
    ] {
        assert!(done.contains(sign), "{sign}: {done}");
    }
    assert!(!done.contains("\"}"), "no JSON for people: {done}");

    let shown = issuer.until("declined: over-limit").replace('\r', "");
    let paid = shown.lines().find(|line| line.contains("settle") && line.contains("approved")).unwrap();
    assert!(paid.contains("register-1") && paid.contains("¥1,280"), "{paid}");
    assert!(!shown.contains("use-dpop-nonce") && !shown.contains("session"), "no handshakes: {shown}");
    issuer.paste("\x03");
    issuer.until("stopping");
    assert!(shell.run("saifu wallet home\n").contains("Balance   ¥4,000"));
}

#[test]
fn demo_fits_a_screen_of_80_columns_and_tells_each_step_once() {
    let home = tempfile::tempdir().unwrap();
    let shown = Terminal::open(home.path()).run("saifu\n");
    let plain = plain(&shown);
    for line in plain.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_eq!(plain.matches("sign-up, step 1").count(), 1, "{plain}");
    assert!(plain.contains("The bar code needs 94 columns") && plain.contains('█'), "{plain}");
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
            format!("{} flows", grouped(&faults["rounds"])),
            format!("{} ended in time", grouped(&all["final"])),
            format!("{} yen lost, {} doubled", grouped(&all["lost_yen"]), grouped(&all["doubled_yen"])),
            format!("{} disagreements", grouped(&all["disagreements"])),
            format!("On {} a second look was needed", grouped(&all["needed_a_person"])),
        ],
    );
}
