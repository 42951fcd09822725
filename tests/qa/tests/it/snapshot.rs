//! The issuer and its wallets in one file, and back in another folder.

use serde_json::{Value, json};

use crate::support::common::{Home, NUMBER, run};

/// A home with a wallet killed in the middle of a top-up, at this step, and its snapshot.
fn interrupted(step: &str) -> (Home, String) {
    let home = Home::new();
    home.start("sandbox --seed 7");
    home.sign_up("me", NUMBER);
    home.top_up(5_000);
    home.saifu("sandbox clock +10m").done();
    let mut topup = home.command(["wallet", "topup", "atm", "--yen", "2000", "--yes"]);
    topup.env("SAIFU_KILL_AT", step);
    let killed = run(topup);
    assert_eq!(killed.code, None, "{killed:?}");
    let file = home.file("snapshot.json");
    let taken = home.run(["sandbox", "snapshot", &file]).done();
    assert_eq!(taken["wallets"], json!(["me"]));
    home.kill();
    (home, file)
}

/// What becomes of it: the entry that is open, then its end.
fn end(home: &Home) -> (Value, Value) {
    home.start("sandbox");
    home.saifu("wallet refresh").done();
    let pending = home.saifu("wallet pending").done()["entries"].clone();
    if let Some(number) = pending[0]["number"].as_str() {
        let totp = home.totp();
        home.saifu(&format!("atm deposit --number {number} --totp {totp} --yen 2000")).done();
    }
    home.saifu("wallet refresh").done();
    (pending, home.saifu("wallet home").done()["balance_yen"].clone())
}

#[test]
fn snapshot_in_the_middle_of_a_top_up_goes_on_to_the_same_end_in_another_folder() {
    for (step, balance) in [("journaled", 5_000), ("answered", 7_000)] {
        let (original, file) = interrupted(step);
        let other = Home::new();
        let restored = other.run(["sandbox", "restore", &file]).done();
        assert_eq!(restored["wallets"], json!(["me"]));
        let (there, here) = (end(&other), end(&original));
        assert_eq!(there.0, here.0, "{step}");
        assert_eq!((&there.1, &here.1), (&json!(balance), &json!(balance)), "{step}");
    }
}

#[test]
fn restore_wants_a_stopped_sandbox_an_empty_folder_and_a_file_of_its_format() {
    let home = Home::ready();
    let file = home.file("snapshot.json");
    home.run(["sandbox", "snapshot", &file]).done();
    home.run(["sandbox", "restore", &file, "--force"]).refused(6, "in-use");
    home.kill();
    let why = home.run(["sandbox", "restore", &file]).refused(2, "bad-input");
    assert!(why["error"]["detail"].as_str().unwrap().contains("--force"), "{why}");
    home.run(["sandbox", "restore", &file, "--force"]).done();
    assert_eq!(home.saifu("wallet home").done()["state"], "ready");

    let text = std::fs::read_to_string(&file).unwrap();
    let other = Home::new();
    let bad = [
        (text.replacen("\"format\":1", "\"format\":2", 1), "format 2"),
        (text.replacen("\"settings.json\":", "\"../settings.json\":", 1), "settings"),
        (text.replacen("\"keys.json\":", "\"../../keys.json\":", 1), "../../keys.json"),
        (text.replacen("\"me\":", "\"../me\":", 1), "../me"),
        (text.get(..text.len() / 2).unwrap().to_owned(), "no snapshot"),
    ];
    for (text, names) in bad {
        std::fs::write(&file, text).unwrap();
        let why = other.run(["sandbox", "restore", &file]).refused(2, "bad-input");
        assert!(why["error"]["detail"].as_str().unwrap().contains(names), "{why}");
        assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0, "nothing was written");
    }
}

#[test]
fn wallet_whose_keys_are_in_the_keyring_is_named_and_refused() {
    let home = Home::ready();
    let settings = home.path().join("wallets/me/settings.json");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("\"file\"", "\"keyring\"")).unwrap();
    let file = home.file("snapshot.json");
    let why = home.run(["sandbox", "snapshot", &file]).refused(2, "bad-input");
    assert!(why["error"]["detail"].as_str().unwrap().contains("`me`"), "{why}");
    assert!(!std::path::Path::new(&file).exists());
}
