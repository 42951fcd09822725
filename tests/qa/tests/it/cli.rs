//! The command as scripts meet it: exit codes, one JSON document on stdout, errors that say what is wrong and where, and
//! nothing that waits for a person who is not there.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::common::{Home, Ran, bare, run};

fn saifu(words: &[&str]) -> Ran {
    run(bare(words))
}

#[test]
fn errors_are_one_document_on_stdout_and_words_on_stderr() {
    let home = Home::new();
    let ran = home.saifu("wallet totp");
    let document = ran.refused(2, "not-signed-up");
    let fields: Vec<&String> = document["error"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["code", "detail", "next", "title"]);
    assert!(ran.stderr.starts_with("error: This wallet has no account yet.\n  next: "), "{ran:?}");
}

#[test]
fn usage_errors_speak_json_too_when_asked() {
    for words in
        [&["wallet", "signup", "--json"][..], &["--json", "fly"], &["--json", "wallet", "code", "--purpose", "x"]]
    {
        let document = saifu(words).refused(2, "usage");
        assert!(document["error"]["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{document}");
    }
    let plain = saifu(&["fly"]);
    assert_eq!((plain.code, plain.stdout.as_str()), (Some(2), ""));
    assert!(plain.stderr.contains("unrecognized subcommand 'fly'"), "{plain:?}");
}

#[test]
fn bad_input_of_every_tool_says_what_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let out = folder.path().join("out.png").to_str().unwrap().to_owned();
    let (no_png, no_svg, jpg) = (file("a.png", b"no"), file("b.svg", b"<svg"), file("c.jpg", b"x"));
    let cases: &[(&[&str], &str)] = &[
        (&["totp", "--secret", "ABC1"], "--secret: character 3"),
        (&["totp", "--secret", ""], "--secret: the secret is empty"),
        (&["totp", "--secret", "ABCDEFGH", "--digits", "9"], "--digits"),
        (&["totp", "--secret", "ABCDEFGH", "--period", "0"], "--period"),
        (&["barcode", "123", "--out", &out], "DIGITS: an even number"),
        (&["barcode", "12a4", "--out", &out], "DIGITS: character 2"),
        (&["barcode", "12", "--out", "x.gif"], "x.gif"),
        (&["qr", "", "--out", &out], "TEXT: there is nothing"),
        (&["scan", &no_png], "a.png"),
        (&["scan", &no_svg], "b.svg"),
        (&["scan", &jpg], "c.jpg"),
        (&["cpm", "decode", "hQVD!"], "BASE64: the payload is not Base64 (at 4)"),
        (&["cpm", "decode", "AAAA"], "BASE64: there is no valid tag here (at 0)"),
    ];
    for (words, expected) in cases {
        let words: Vec<&str> = [&["tool", "--json"], *words].concat();
        let document = saifu(&words).refused(2, "bad-input");
        let detail = document["error"]["detail"].as_str().unwrap();
        assert!(detail.contains(expected), "{words:?}: {detail}");
    }
    saifu(&["tool", "--json", "scan", "/does/not/exist.png"]).refused(2, "file");
    let image = folder.path().join("white.png");
    std::fs::write(&image, saifu_qa::picture::Grey::plain(64, 64, 255).to_png().unwrap()).unwrap();
    saifu(&["tool", "--json", "scan", image.to_str().unwrap()]).refused(2, "no-symbol");
}

#[test]
fn tools_give_their_documents() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.png");
    let out = out.to_str().unwrap();
    // RFC 6238 appendix B.
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    let totp = saifu(&["tool", "totp", "--json", "--secret", secret, "--digits", "8", "--time", "59"]).done();
    assert_eq!(totp["code"], "94287082");
    let bars = saifu(&["tool", "barcode", "900000020123456789012345", "--out", out, "--json"]).done();
    assert_eq!((bars["modules"].as_u64(), bars["quiet_zone"].as_u64()), (Some(167), Some(10)));
    let scanned = saifu(&["tool", "scan", out, "--json"]).done();
    assert_eq!(scanned["symbols"], serde_json::json!([{"kind": "code-128", "text": "900000020123456789012345"}]));
    let qr = saifu(&["tool", "qr", "財布", "--out", out, "--json"]).done();
    assert_eq!((qr["modules"].as_u64(), qr["version"].as_u64()), (Some(21), Some(1)));
    assert_eq!(saifu(&["tool", "scan", out, "--json"]).done()["symbols"][0]["text"], "財布");
    let cpm = saifu(&["tool", "cpm", "decode", "--json", "hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8="]).done();
    assert_eq!(cpm["format"], "CPV01");
    let template = &cpm["templates"][0];
    assert_eq!(
        (&template["tag"], &template["pan"], &template["expiry"], &template["adf"]),
        (&"61".into(), &"1234567890123458".into(), &"1912".into(), &"A0000000555555".into())
    );
}

#[test]
fn global_flags_are_accepted_before_and_after_the_command() {
    let home = Home::new();
    let path = home.path().to_str().unwrap();
    for words in [["--json", "--home", path, "wallet", "home"], ["wallet", "--home", path, "home", "--json"]] {
        assert_eq!(saifu(&words).done()["state"], "no-account");
    }
    let mut by_environment = bare(["wallet", "home", "--json"]);
    by_environment.env("SAIFU_HOME", path);
    assert_eq!(run(by_environment).done()["balance_yen"], Value::Null);
    assert_eq!(std::fs::read_dir(path).unwrap().count(), 0, "looking makes nothing");
}

#[test]
fn without_any_sandbox_commands_that_need_one_end_with_4() {
    let home = Home::new();
    let code = saifu_code::PaymentDigits::new(saifu_code::Issuer::SANDBOX, saifu_code::Kind::OnlinePay, 7).unwrap();
    let scan = format!("register scan --yen 1 --digits {}", code.as_str());
    for words in ["wallet signup --number 09012345678", "sandbox clock", &scan] {
        let ran = home.saifu(words);
        assert_eq!(ran.code, Some(4), "{words}: {ran:?}");
        assert_eq!(ran.json()["error"]["code"], "no-sandbox");
    }
}

#[test]
fn stale_sandbox_is_named() {
    let home = Home::running();
    let pid = home.info()["pid"].clone();
    home.kill();
    let document = home.saifu("sandbox clock").refused(4, "stale-sandbox");
    assert!(document["error"]["detail"].as_str().unwrap().contains(&pid.to_string()), "{document}");
}

#[test]
fn second_sandbox_in_one_folder_is_refused() {
    let home = Home::running();
    home.saifu("sandbox").refused(6, "in-use");
}

#[test]
fn sandbox_refuses_a_bad_policy_and_says_where() {
    let home = Home::new();
    let policy = home.file("policy.json");
    std::fs::write(&policy, "{\"top_up\":{\"a_day\":1}}").unwrap();
    let document = home.run(["sandbox", "--policy", &policy]).refused(2, "bad-input");
    assert!(document["error"]["detail"].as_str().unwrap().contains("a_day"), "{document}");
}

#[test]
fn yes_is_refused_for_an_issuer_on_another_machine() {
    let home = Home::ready();
    // The same file with another address, in a folder that the running sandbox holds.
    let (mut info, other) = (home.info(), home.file("sandbox/real.json"));
    info["customer_url"] = "https://pay.example.com".into();
    std::fs::write(&other, info.to_string()).unwrap();
    home.run(["wallet", "topup", "atm", "--yen", "1", "--yes", "--sandbox", &other]).refused(2, "yes-refused");
}

#[test]
fn wallets_are_apart_and_a_key_store_stays_as_chosen() {
    let home = Home::running();
    home.sign_up("one", "090-1111-1111");
    home.sign_up("two", "090-2222-2222");
    let device = |name: &str| home.run(["wallet", "home", "--wallet", name]).done()["device_id"].clone();
    assert_ne!(device("one"), device("two"));
    let mut other = bare(["wallet", "home", "--wallet", "one", "--json", "--key-store", "keyring", "--home"]);
    other.arg(home.path());
    run(other).refused(2, "key-store-fixed");
    for bad in ["..", ".hidden", "a/b", ""] {
        assert_eq!(home.run(["wallet", "home", "--wallet", bad]).code, Some(2), "{bad:?}");
    }
}

#[test]
fn without_a_keyring_and_a_choice_sign_up_says_how() {
    let home = Home::running();
    let mut command = bare(["wallet", "signup", "--number", "090-1234-5678", "--json", "--home"]);
    command.arg(home.path()).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere").env_remove("XDG_RUNTIME_DIR");
    let document = run(command).refused(2, "needs-key-store");
    assert!(document["error"]["next"].as_str().unwrap().contains("--key-store file"), "{document}");
}

#[test]
fn nothing_waits_for_a_person_who_is_not_there() {
    let home = Home::running();
    let started = Instant::now();
    home.saifu("wallet confirm").refused(2, "not-signed-up");
    home.saifu("wallet signup --number 09012345678").done();
    let document = home.saifu("wallet confirm").refused(2, "needs-answer");
    assert!(document["error"]["detail"].as_str().unwrap().contains("--code"), "{document}");
    let code = home.sms_code("09012345678");
    home.saifu(&format!("wallet confirm --code {code}")).done();
    let document = home.saifu("wallet topup atm --yen 1").refused(2, "needs-approval");
    assert!(document["error"]["detail"].as_str().unwrap().contains("--yes"), "{document}");
    assert_eq!(home.saifu("wallet pending").done()["entries"], Value::Array(vec![]), "it was not sent");
    let open_pipe = home
        .command(["wallet", "topup", "atm", "--yen", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert_eq!(open_pipe.status.code(), Some(2));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn explain_knows_every_code_and_refuses_others() {
    let taken = saifu(&["explain", "number-taken", "--json"]).done();
    assert_eq!((&taken["meanings"][0]["from"], &taken["meanings"][0]["number"]), (&"issuer".into(), &409.into()));
    let frozen = saifu(&["explain", "account-frozen", "--json"]).done();
    assert_eq!(frozen["meanings"][0]["from"], "register or ATM");
    saifu(&["explain", "nonsense", "--json"]).refused(2, "bad-input");
}

#[test]
fn completions_are_scripts_that_the_shell_accepts() {
    for shell in ["bash", "zsh", "fish"] {
        let script = saifu(&["completions", shell]);
        assert!(script.code == Some(0) && script.stdout.contains("saifu"), "{shell}");
        let Ok(mut child) = Command::new(shell).arg("-n").stdin(Stdio::piped()).spawn() else {
            println!("SAIFU-SKIP: {shell}");
            continue;
        };
        child.stdin.take().unwrap().write_all(script.stdout.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{shell}");
    }
}

/// Bash is asked as Tab asks it, in a folder with a file that is no word.
#[test]
fn completions_offer_words_where_there_are_words_and_files_only_for_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a-file"), "").unwrap();
    std::fs::write(folder.path().join("script"), saifu(&["completions", "bash"]).stdout).unwrap();
    for (line, offered) in [
        ("saifu sandbox fault add --on top", "top-up"),
        ("saifu sandbox fault add --do drop-a", "drop-answer"),
        ("saifu register scan --behave la", "late:"),
        ("saifu register scan --terminal register-3", "register-3"),
        ("saifu sandbox clock ho", "hold"),
        ("saifu explain over-l", "over-limit"),
        ("saifu register scan --image a-", "a-file"),
        ("saifu pay --yen a-", "a-"),
        ("saifu wallet signup --number a-", "a-"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
        let quoted = words.join("' '");
        let ask = format!(
            "source ./script; COMP_WORDS=('{quoted}'); COMP_CWORD={}; _saifu saifu '{last}' '{before}'; echo \"${{COMPREPLY[*]}}\"",
            words.len() - 1
        );
        let output = Command::new("bash").args(["-c", &ask]).current_dir(folder.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), offered, "{line}");
    }
}

#[test]
fn quiet_silences_remarks_and_nothing_else() {
    let home = Home::ready();
    let top_up = home.saifu("wallet topup atm --yen 1000 --yes").done();
    let (number, totp) = (top_up["number"].as_str().unwrap(), home.totp());
    let words = ["atm", "deposit", "--number", number, "--totp", &totp, "--yen", "1000", "--txid", "A-1"];
    assert!(home.run(words).stderr.contains("may take up to"));
    let quiet = home.run(words.iter().chain(&["--quiet"]));
    assert_eq!((quiet.stderr.as_str(), quiet.done()["result"].as_str()), ("", Some("approved")));
}

#[test]
fn journal_log_is_silent_unless_asked_for() {
    let home = Home::ready();
    assert_eq!(home.saifu("wallet refresh").stderr, "");
    let mut command = home.command(["wallet", "refresh"]);
    command.env("SAIFU_LOG", "debug");
    let ran = run(command);
    assert!(!ran.stderr.is_empty() && ran.stdout.lines().count() == 1, "{ran:?}");
    assert!(!ran.stderr.contains("9012345678"), "no number in a log: {}", ran.stderr);
}
