//! `saifu sandbox run`: an issuer and a home for one command.

use std::path::PathBuf;

use crate::support::common::{Ran, SAIFU, bare, run};

/// Runs a shell script under `saifu sandbox run`; `$1` is the command.
fn script(options: &[&str], script: &str) -> Ran {
    let shell = ["--", "sh", "-euc", script, "sh", SAIFU];
    let words = ["sandbox", "run"].iter().chain(options).chain(&shell).copied();
    run(bare(words.collect::<Vec<_>>()))
}

fn kept(ran: &Ran) -> Option<PathBuf> {
    ran.stderr.lines().find_map(|line| line.strip_prefix("kept: ")).map(PathBuf::from)
}

#[test]
fn command_gets_an_issuer_and_a_home_of_its_own_and_both_go_when_it_succeeds() {
    let ran = script(&[], "$1 wallet signup --number 090-1234-5678 --no-wait >&2; echo \"$SAIFU_HOME\"");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(kept(&ran), None);
    let home = PathBuf::from(ran.stdout.trim());
    assert!(home.is_absolute() && !home.exists(), "{}", home.display());
}

#[test]
fn exit_code_of_the_command_comes_back_and_the_folder_of_a_failed_one_stays() {
    let ran = script(&["--quiet"], "exit 42");
    assert_eq!(ran.code, Some(42), "{ran:?}");
    let folder = kept(&ran).unwrap();
    assert!(folder.join("sandbox/issuer.db").exists());
    assert!(!folder.join("sandbox/sandbox.json").exists(), "the issuer was stopped in peace");
    std::fs::remove_dir_all(folder).unwrap();

    let killed = script(&[], "kill -9 $$");
    assert_eq!(killed.code, Some(137), "{killed:?}");
    std::fs::remove_dir_all(kept(&killed).unwrap()).unwrap();

    let ran = script(&["--keep"], "true");
    assert_eq!(ran.code, Some(0));
    std::fs::remove_dir_all(kept(&ran).unwrap()).unwrap();

    let none = run(bare(["sandbox", "run", "--json", "--", "/nowhere/at-all"]));
    none.refused(2, "bad-input");
}

#[test]
fn same_seed_sends_the_same_code() {
    let code = || {
        let ran = script(
            &["--seed", "7"],
            "$1 wallet signup --number 090-1234-5678 --no-wait >&2; $1 sandbox sms --number 090-1234-5678 --json",
        );
        ran.done()["messages"][0]["code"].clone()
    };
    let first = code();
    assert!(first.is_string());
    assert_eq!(first, code());
}
