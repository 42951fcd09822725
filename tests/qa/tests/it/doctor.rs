//! What `saifu doctor` finds, and that it finds it in time.

use std::fs;

use crate::support::common::{Home, Ran, bare, run};

#[test]
fn the_doctor_finds_what_a_person_would_look_for() {
    let home = Home::running();
    home.saifu("sandbox person starter").done();
    let doctor = || home.saifu("doctor");
    let check = |ran: &Ran, what: &str| -> (String, String) {
        let document = ran.json();
        let checks = document["checks"].as_array().unwrap().clone();
        let found = checks.iter().find(|check| check["what"].as_str().unwrap().contains(what)).unwrap().clone();
        (found["health"].as_str().unwrap().to_owned(), found["detail"].as_str().unwrap().to_owned())
    };
    assert_eq!(doctor().done()["sound"], true);
    home.kill();
    let ran = doctor();
    assert!(check(&ran, "sandbox").1.contains("is gone"), "{ran:?}");
    let wallets = home.path().join("wallets");
    fs::write(wallets.join("Thumbs.db"), "").unwrap();
    fs::create_dir(wallets.join("half")).unwrap();
    fs::write(wallets.join("half/keys.json"), "").unwrap();
    fs::set_permissions(wallets.join("half"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let ran = doctor();
    assert_eq!((ran.code, check(&ran, "Thumbs.db").0.as_str()), (Some(5), "missing"));
    assert_eq!(check(&ran, "wallet half").0, "broken");
    fs::remove_dir_all(wallets.join("half")).unwrap();
    assert_eq!(doctor().code, Some(0));
    for (path, mode, back) in
        [("wallets/me", 0o755, 0o700), (".", 0o777, 0o700), ("sandbox/sandbox.json", 0o644, 0o600)]
    {
        let at = home.path().join(path);
        let set = |mode| fs::set_permissions(&at, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        set(mode);
        let ran = doctor();
        assert_eq!(ran.code, Some(5), "{path}: {ran:?}");
        set(back);
    }
    // A cache that was lost or damaged is said, by the doctor and by the history.
    fs::remove_dir_all(wallets.join("me/vault/cache")).unwrap();
    let ran = doctor();
    assert_eq!((ran.code, check(&ran, "wallet me").0.as_str()), (Some(5), "broken"), "{ran:?}");
    assert_eq!(home.saifu("wallet history").done()["incomplete"], true);
    let mut words = bare(["wallet", "history", "--home"]);
    words.arg(home.path());
    assert!(run(words).stdout.contains("Entries are missing on this device"));

    let file = home.file("no-folder");
    fs::write(&file, "").unwrap();
    let ran = run(bare(["doctor", "--json", "--home", &file]));
    assert_eq!((ran.code, check(&ran, "home").0.as_str()), (Some(5), "broken"), "{ran:?}");
}

/// A bus that accepts and never answers. Control: with the wallet's keyring asked all the same, this takes a minute.
#[test]
fn the_doctor_does_not_wait_for_a_bus_that_hangs() {
    let home = Home::ready();
    let settings = home.path().join("wallets/me/settings.json");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.replace("\"file\"", "\"keyring\"")).unwrap();
    let bus = home.path().join("bus");
    let _listener = std::os::unix::net::UnixListener::bind(&bus).unwrap();
    let mut command = bare(["doctor", "--json", "--home"]);
    command.arg(home.path()).env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", bus.display()));
    let started = std::time::Instant::now();
    let ran = run(command);
    assert!(started.elapsed() < std::time::Duration::from_secs(30), "{:?}", started.elapsed());
    assert!(ran.stdout.contains("in the keyring, which does not answer"), "{ran:?}");
}
