//! Kinds of faults, each as a table of examples by the command itself: what is typed, what is pointed at, what others wrote, what
//! is missing, who comes second. The rules behind them have tests of their own beside the code.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::common::{Home, NUMBER, Ran, SAIFU, Sandbox, bare, run};

const DIGITS: &str = "900000020123456789012345";

fn saifu(words: &[&str]) -> Ran {
    run(bare(words))
}

fn pipe(at: &Path) {
    assert!(Command::new("mkfifo").arg(at).status().unwrap().success());
}

#[test]
fn money_is_read_by_one_reader_wherever_it_is_typed() {
    let home = Home::new();
    for command in [
        "register scan --digits 1",
        "register refund --settlement 0192f3c1-7e2a-7000-8000-000000000000",
        "atm deposit --number 1 --totp 1",
        "wallet topup atm",
    ] {
        for bad in ["12,5", "1,,,5", "¥¥¥5", "¥+5", "12,80", "1 280", "1.5", "0", "円5", "NaN"] {
            let document = home.run(command.split(' ').chain(["--yen", bad])).refused(2, "usage");
            let detail = document["error"]["detail"].as_str().unwrap();
            assert!(detail.contains("written 1280, 1,280, ¥1,280 or 1280円"), "{command} {bad}: {detail}");
        }
        for good in ["1280", "¥1,280", "１，２８０円", "￥1280"] {
            let ran = home.run(command.split(' ').chain(["--yen", good]));
            assert_ne!(ran.json()["error"]["code"], "usage", "{command} {good}: {ran:?}");
        }
    }
}

#[test]
fn codes_and_numbers_are_read_as_people_type_them() {
    let home = Home::ready();
    let top_up = home.saifu("wallet topup atm --yen 5,000円 --yes").done();
    let wide = |text: &str| -> String {
        text.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect::<String>()
    };
    let spaced = |text: &str| {
        let digits: Vec<char> = text.chars().collect();
        digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("\u{2212}")
    };
    let (number, totp) = (spaced(top_up["number"].as_str().unwrap()), wide(&home.totp()));
    home.run(["atm", "deposit", "--number", &number, "--totp", &totp, "--yen", "￥５，０００"]).done();
    let digits = format!("（{}）\u{200e}", wide(&spaced(&home.digits()).replace('\u{2212}', "-")));
    assert_eq!(home.run(["register", "scan", "--digits", &digits, "--yen", "1"]).done()["result"], "approved");
    home.run(["register", "scan", "--digits", "12x", "--yen", "1"]).refused(2, "bad-input");
}

#[test]
fn results_are_written_through_what_is_no_plain_file_or_not_at_all() {
    let home = Home::ready();
    let folder = home.path().join("out");
    fs::create_dir(&folder).unwrap();
    let at = |name: &str| folder.join(name);
    for (name, target) in [("full", "/dev/full"), ("nowhere", "missing")] {
        for ending in ["png", "svg", "json"] {
            symlink(target, at(&format!("{name}.{ending}"))).unwrap();
        }
    }
    for ending in ["png", "svg", "json"] {
        pipe(&at(&format!("pipe.{ending}")));
        fs::write(at(&format!("one.{ending}")), "old").unwrap();
        fs::hard_link(at(&format!("one.{ending}")), at(&format!("two.{ending}"))).unwrap();
        fs::create_dir(at(&format!("folder.{ending}"))).unwrap();
    }
    let commands: [(&[&str], &str); 6] = [
        (&["tool", "barcode", DIGITS, "--out"], "png"),
        (&["tool", "qr", "hello", "--out"], "svg"),
        (&["wallet", "code", "--out"], "png"),
        (&["bundle", "--out"], "json"),
        (&["sandbox", "snapshot"], "json"),
        (&["wallet", "code", "--out"], "svg"),
    ];
    let pointed = |words: &[&str], file: &Path| home.run(words.iter().map(OsStr::new).chain([file.as_os_str()]));
    let kinds = |ending: &str| {
        let kind = |name: &str| fs::symlink_metadata(at(&format!("{name}.{ending}"))).unwrap().file_type();
        (kind("full").is_symlink(), kind("nowhere").is_symlink(), kind("pipe").is_fifo(), kind("folder").is_dir())
    };
    for (words, ending) in commands {
        for name in ["full", "nowhere", "pipe", "one", "folder"] {
            let file = at(&format!("{name}.{ending}"));
            pointed(words, &file).refused(2, "file");
        }
        assert_eq!(kinds(ending), (true, true, true, true), "{words:?}");
        assert_eq!(fs::read(at(&format!("one.{ending}"))).unwrap(), b"old", "{words:?}");
        assert_eq!(fs::metadata(at(&format!("two.{ending}"))).unwrap().nlink(), 2);
        // A link to a file stays one.
        let (real, link) = (at(&format!("real.{ending}")), at(&format!("link.{ending}")));
        let _ = fs::remove_file(&link);
        fs::write(&real, "old").unwrap();
        symlink(&real, &link).unwrap();
        pointed(words, &link).done();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && fs::read(&real).unwrap() != b"old", "{words:?}");
    }
    assert!(fs::symlink_metadata("/dev/full").unwrap().file_type().is_char_device());
    for file in ["pipe.png", "pipe.svg", "folder.png", "full.png"] {
        home.run(["tool", "scan", at(file).to_str().unwrap()]).refused(2, "file");
    }
    for file in ["pipe.json", "folder.json", "full.json"] {
        let file = at(file).to_str().unwrap().to_owned();
        saifu(&["sandbox", "run", "--json", "--policy", &file, "--", "true"]).refused(2, "file");
        home.run(["sandbox", "restore", &file, "--force"]).refused(2, "file");
    }
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for() {
    let home = Home::new();
    let (sandbox, scenario) = (home.file("pipe/sandbox.json"), home.file("pipe.json"));
    fs::create_dir(home.path().join("pipe")).unwrap();
    for file in [&sandbox, &scenario] {
        pipe(Path::new(file));
    }
    for words in ["wallet signup --number 090-1234-5678", "sandbox status", "register scan --digits 1 --yen 1"] {
        let ran = home.run(words.split(' ').chain(["--sandbox", &sandbox]));
        assert!(ran.code.is_some_and(|code| code > 1) && ran.json()["error"]["detail"].is_string(), "{words}: {ran:?}");
    }
    home.run(["scenario", "run", &scenario]).refused(2, "file");
}

/// Control: with `words::acts` saying no, the escapes and forged lines are in the output.
#[test]
fn what_others_wrote_is_escaped_in_words_and_exact_in_json() {
    let home = Home::new();
    let evil = "x\x1b[2J\x07\nok      forged\u{202e}\u{9b}31m\r";
    let picture = home.file("code.png");
    let drawn = saifu(&["tool", "qr", evil, "--out", &picture, "--json"]);
    drawn.done();
    assert_eq!(saifu(&["tool", "scan", &picture, "--json"]).done()["symbols"][0]["text"], evil);
    let stray = home.path().join("wallets").join("a\nok      wallet forged\x1b[2J");
    fs::create_dir_all(&stray).unwrap();
    let odd = format!("{}/no\x1b[31m\nerror: forged", home.path().display());
    let home_words = ["--home", home.path().to_str().unwrap()];
    for words in [
        &["tool", "scan", &picture][..],
        &["tool", "qr", "hello", "--out", &format!("{odd}.png")],
        &["tool", "scan", &format!("{odd}.png")],
        &["tool", "qr", "hello", "--out", &home.file("a\nok forged\x1b.svg")],
        &[&["doctor"][..], &home_words].concat(),
        &["explain", odd.as_str()],
        &["fly\x1b[2J\nforged"],
        &["wallet", "home", "--wallet", "a\x1b[2J\nforged"],
        &["sandbox", "--policy", &odd, "--data", &home.file("data")],
    ] {
        let ran = saifu(words);
        let text = format!("{}{}", ran.stdout, ran.stderr);
        let acts = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
        assert!(!text.contains(acts), "{words:?}: {text:?}");
        let forged = text
            .lines()
            .any(|line| line.starts_with("error: forged") || line.starts_with("ok      forged") || line == "forged");
        assert!(!forged || words[0].starts_with("fly") || words[0] == "wallet", "{words:?}: {text}");
    }
}

#[test]
fn commands_that_need_no_home_do_not_ask_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = |words: &[&str]| {
        let mut command = Command::new(SAIFU);
        command.args(words).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null()).current_dir(folder.path());
        run(command)
    };
    for words in [
        "tool totp --secret ABCDEFGH",
        "tool qr hello --out a.png",
        "tool scan a.png",
        "explain over-limit",
        "completions bash",
        "--version",
        "--help",
        "doctor",
        "demo --json",
        "scenario list --folder .",
    ] {
        let ran = nobody(&words.split(' ').collect::<Vec<_>>());
        let expected = if words.starts_with("scenario") { 2 } else { 0 };
        assert_eq!(ran.code, Some(expected), "{words}: {ran:?}");
        assert!(!ran.stderr.contains("no home folder"), "{words}: {ran:?}");
    }
    nobody(&["wallet", "home", "--json"]).refused(2, "usage");
}

#[test]
fn names_that_are_not_utf_8_work() {
    let home = Home::new();
    let odd = home.path().join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&odd).unwrap();
    let inside = |words: &[&str], file: &[u8]| {
        let mut command = bare(words);
        command.arg(odd.join(OsStr::from_bytes(file)));
        command.args(["--json", "--key-store", "file", "--home"]).arg(&odd);
        run(command)
    };
    let (sandbox, _) = Sandbox::start({
        let mut command = bare(["sandbox", "--json", "--home"]);
        command.arg(&odd);
        command
    });
    inside(&["wallet", "signup", "--number", NUMBER, "--sandbox"], b"sandbox/sandbox.json").done();
    assert_eq!(inside(&["wallet", "home", "--sandbox"], b"sandbox/sandbox.json").done()["state"], "signing-up");
    inside(&["bundle", "--out"], b"\xff.json").done();
    inside(&["sandbox", "snapshot"], b"s\xff.json").done();
    inside(&["tool", "qr", "hello", "--out"], b"\xfe.png").done();
    inside(&["tool", "scan"], b"\xfe.png").done();
    inside(&["tool", "scan"], b"none\xfe.png").refused(2, "file");
    drop(sandbox);
    inside(&["sandbox", "restore", "--force"], b"s\xff.json").done();
}

#[test]
fn any_transaction_id_finds_its_postings() {
    let home = Home::ready();
    home.top_up(1_000);
    for (at, txid) in ["..", ".", "...", "-_."].into_iter().enumerate() {
        let digits = home.digits();
        let words = ["register", "scan", "--digits", &digits, "--yen", "1", "--behave", "twice"];
        let argument = format!("--txid={txid}");
        let told = home.run(words.iter().chain(&[argument.as_str()])).done();
        assert_eq!(
            (told["ledger"].as_array().unwrap().len(), told["customer_yen"].as_i64()),
            (1, Some(-1)),
            "{at} {txid}"
        );
        if !txid.starts_with('-') {
            assert_eq!(home.run(["explain", txid]).done()["what"], "settle", "{txid}");
        }
    }
}

#[test]
fn a_key_store_is_kept_once_it_worked() {
    let home = Home::running();
    let with = |store: &str, words: &str| {
        let mut command = bare(words.split(' '));
        command.args(["--json", "--key-store", store, "--home"]).arg(home.path());
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere").env_remove("XDG_RUNTIME_DIR");
        run(command)
    };
    let sign_up = format!("wallet signup --number {NUMBER}");
    with("keyring", &sign_up).refused(5, "key-store");
    assert_eq!(with("file", "wallet home").done()["state"], "no-account");
    with("file", &sign_up).done();
    with("keyring", "wallet home").refused(2, "key-store-fixed");
    with("keyring", &sign_up).refused(2, "key-store-fixed");
}

#[test]
fn of_many_at_once_one_wins_and_the_others_are_told_that_it_is_in_use() {
    let home = Home::running();
    let start = |number: usize| {
        let number = format!("090-1234-567{number}");
        let mut command = home.command(["wallet", "signup", "--number", &number]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut won = 0;
    for child in (0..6).map(start).collect::<Vec<_>>() {
        let output = child.wait_with_output().unwrap();
        match output.status.code() {
            Some(0) => won += 1,
            code => assert_eq!(code, Some(6), "{output:?}"),
        }
    }
    assert!(won >= 1);
    assert_eq!(home.saifu("wallet home").done()["state"], "signing-up");
}

#[test]
fn every_end_has_the_exit_code_that_is_documented() {
    let home = Home::new();
    for chance in ["NaN", "inf", "0", "-0.5", "1.5", "1e-999", ""] {
        home.run(["sandbox", "fault", "add", "--on", "top-up", "--do", "hang", &format!("--chance={chance}")])
            .refused(2, "usage");
    }
    // Limits that do not allow the person: the issuer's word, not a bug.
    let policy = home.file("policy.json");
    for (section, code) in [("pay", "over-cap"), ("top_up", "over-limit")] {
        fs::write(&policy, format!(r#"{{"{section}":{{"each_yen":1000}}}}"#)).unwrap();
        home.start(&format!("sandbox --policy {policy}"));
        home.run(["sandbox", "person", "starter", "--wallet", section]).refused(3, code);
    }
    let settings = home.path().join("wallets/pay/settings.json");
    fs::remove_file(&settings).unwrap();
    fs::create_dir(&settings).unwrap();
    home.saifu("wallet home --wallet pay").refused(5, "vault");
    assert_eq!(saifu(&["--json", "--version"]).done()["version"], env!("CARGO_PKG_VERSION"));
    assert!(saifu(&["tool", "--json", "--help"]).done()["help"].as_str().unwrap().contains("Usage"));
}

#[test]
fn a_reader_that_leaves_early_and_a_full_disk_are_told_apart() {
    for words in ["--help", "--version", "wallet --help", "explain over-limit", "completions bash", "--json --version"]
    {
        let words = &words.split(' ').collect::<Vec<_>>();
        let mut child = bare(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{words:?}");
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = bare(words).stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("No space left"), "{words:?}");
    }
}

#[test]
fn colour_is_on_terminals_only_whatever_the_environment_says() {
    for words in [&["--help"][..], &["fly"], &["doctor"]] {
        let mut command = bare(words);
        command.env("CLICOLOR_FORCE", "1").env_remove("NO_COLOR");
        let ran = run(command);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains('\x1b'), "{words:?}: {ran:?}");
    }
}

/// A QR code as PNG of grey and opacity, by what a module and the ground are.
fn drawn(file: &Path, dark: [u8; 2], light: [u8; 2]) {
    let matrix = saifu_code::qr::encode("hello").unwrap();
    let side = 8 * (matrix.width() + 8);
    let dark_at = |at: usize| (at / 8).checked_sub(4);
    let pixels = (0..side * side).flat_map(|at| {
        let (x, y) = (dark_at(at % side), dark_at(at / side));
        let is_dark = x.zip(y).is_some_and(|(x, y)| x < matrix.width() && y < matrix.width() && matrix.is_dark(x, y));
        if is_dark { dark } else { light }
    });
    let pixels: Vec<u8> = pixels.collect();
    let mut encoder = png::Encoder::new(fs::File::create(file).unwrap(), side as u32, side as u32);
    encoder.set_color(png::ColorType::GrayscaleAlpha);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
}

/// Control: on black where nothing is drawn, the first is all black; without `AlsoInverted`, the second is not found.
#[test]
fn codes_are_read_on_nothing_and_turned_around() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("code.png");
    for (dark, light) in [
        ([0, 255], [0, 0]),
        ([255, 255], [0, 255]),
        ([255, 255], [255, 0]),
        ([40, 255], [0, 0]),
        ([0, 255], [255, 255]),
    ] {
        drawn(&file, dark, light);
        let told = saifu(&["tool", "scan", file.to_str().unwrap(), "--json"]).done();
        assert_eq!(told["symbols"][0]["text"], "hello", "{dark:?} on {light:?}");
    }
}

/// Control: with the bounds of `svg::bounded` and `svg::draw` taken away these run for minutes, take gigabytes, or end with 101.
#[test]
fn pictures_from_strangers_cost_little_and_reach_nothing() {
    let folder = tempfile::tempdir().unwrap();
    pipe(&folder.path().join("pipe"));
    let around = |inside: &str| {
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="800" height="800">{inside}</svg>"#
        )
    };
    let filter = |inside: &str| {
        around(&format!(r##"<filter id="f">{inside}</filter><rect filter="url(#f)" width="800" height="800"/>"##))
    };
    let uses: String = (1..12)
        .map(|n| format!(r##"<g id="g{n}">{}</g>"##, format!(r##"<use href="#g{}"/>"##, n - 1).repeat(10)))
        .collect();
    let bad = [
        filter(r#"<feTurbulence baseFrequency="0.01" numOctaves="2000000000"/>"#),
        filter(r#"<feMorphology operator="dilate" radius="100000"/>"#),
        filter(r#"<feGaussianBlur stdDeviation="1e9"/>"#),
        around(&format!(r#"<g id="g0"><rect width="1" height="1"/></g>{uses}"#)),
        around(&format!("{}{}", "<g>".repeat(50_000), "</g>".repeat(50_000))),
        around(&format!("{}{}", "<g opacity='0.5'><rect width='1' height='1'/>".repeat(190), "</g>".repeat(190))),
        around(
            r##"<pattern id="p" width="9e6" height="9e6" patternUnits="userSpaceOnUse"><rect width="1" height="1"/></pattern><rect fill="url(#p)" width="800" height="800"/>"##,
        ),
        around(r##"<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>"##),
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="1e9" height="1e9"/>"#.to_owned(),
        r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><svg>&b;"#.to_owned(),
        format!("<svg>{}", " ".repeat(5 * 1024 * 1024)),
    ];
    let file = folder.path().join("bad.svg");
    for text in bad {
        fs::write(&file, &text).unwrap();
        // Refused, or drawn at no cost: never a bug, never a signal, always one document.
        let ran = saifu(&["tool", "scan", file.to_str().unwrap(), "--json"]);
        let code = ran.json()["error"]["code"].as_str().unwrap().to_owned();
        assert!(ran.code == Some(2) && ["bad-input", "no-symbol"].contains(&code.as_str()), "{text:.200}: {ran:?}");
    }
    // What leads out of the file is not followed; what is drawn in it is read.
    let good = folder.path().join("good.svg");
    saifu(&["tool", "qr", "hello", "--out", good.to_str().unwrap(), "--json"]).done();
    let svg = fs::read_to_string(&good).unwrap();
    for href in ["pipe", "/dev/zero", "file:///etc/passwd", "good.svg"] {
        let with = svg.replace("</svg>", &format!(r#"<image href="{href}" width="9" height="9"/></svg>"#));
        fs::write(&file, with).unwrap();
        let told = saifu(&["tool", "scan", file.to_str().unwrap(), "--json"]).done();
        assert_eq!(told["symbols"][0]["text"], "hello", "{href}");
    }
    let png = folder.path().join("bad.png");
    let whole = {
        drawn(&png, [0, 255], [255, 255]);
        fs::read(&png).unwrap()
    };
    for cut in [8, 30, whole.len() / 2] {
        fs::write(&png, &whole[..cut]).unwrap();
        saifu(&["tool", "scan", png.to_str().unwrap(), "--json"]).refused(2, "bad-input");
    }
}

/// Control: with the old wallets removed as a whole, `half`, `財布` and `other` are gone; with the port bound after the reset, so
/// is every account.
#[test]
fn nothing_is_destroyed_before_the_new_is_in_place() {
    let home = Home::ready();
    let file = home.file("snapshot.json");
    home.run(["sandbox", "snapshot", &file]).done();
    home.sign_up("other", "090-2222-2222");
    let wallets = home.path().join("wallets");
    for (name, inside) in [("half", "keys.json"), ("財布", "keys.json")] {
        fs::create_dir(wallets.join(name)).unwrap();
        fs::write(wallets.join(name).join(inside), "keys").unwrap();
    }
    fs::write(wallets.join("Thumbs.db"), "stray").unwrap();
    let again = home.run(["sandbox", "snapshot", &home.file("second.json")]);
    assert_eq!(again.done()["wallets"], serde_json::json!(["me", "other"]));
    assert!(again.stderr.contains("Thumbs.db"), "{again:?}");
    home.kill();

    // A port that is taken costs nobody an account.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    home.run(["sandbox", "--reset", "--port", &port]).refused(2, "bad-input");
    home.start("sandbox");
    assert_eq!(home.saifu("wallet refresh").done()["state"], "ready");
    home.kill();

    home.run(["sandbox", "restore", &file]).refused(2, "bad-input");
    let ran = home.run(["sandbox", "restore", &file, "--force"]);
    assert_eq!(ran.done()["wallets"], serde_json::json!(["me"]));
    assert!(ran.stderr.contains("`other`"), "{ran:?}");
    for name in ["half/keys.json", "財布/keys.json", "other/keys.json", "Thumbs.db", "me/keys.json"] {
        assert!(wallets.join(name).exists(), "{name}");
    }
    home.start("sandbox");
    assert_eq!(home.saifu("wallet refresh").done()["state"], "ready");
    home.saifu("wallet refresh --wallet other").refused(3, "unknown-device");
    let beside: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!beside.iter().any(|name| name.to_string_lossy().contains("restor")), "{beside:?}");
}

#[test]
fn port_0_is_any_free_ports() {
    let home = Home::new();
    let document = home.start("sandbox");
    let ports: Vec<u16> = ["customer_url", "register_url", "service_url", "lever_url"]
        .iter()
        .map(|name| document[name].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap())
        .collect();
    assert!(ports.iter().all(|port| *port > 1_023), "{ports:?}");
}

#[test]
fn what_is_not_there_is_said() {
    let home = Home::running();
    for filter in ["--account", "--terminal", "--trace"] {
        let ran = home.run(["sandbox", "log", filter, "nope"]);
        assert!(ran.code == Some(0) && ran.stdout.is_empty() && ran.stderr.contains("`nope`"), "{filter}: {ran:?}");
    }
    home.sign_up("me", NUMBER);
    let mut words = bare(["wallet", "history", "--home"]);
    words.arg(home.path());
    assert_eq!(run(words).stdout, "There is no entry on this device.\n");

    // Followers of a sandbox that comes back elsewhere end and say so.
    let follower = |words: &str| {
        let mut command = home.command(words.split(' '));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut followers = [follower("wallet events --follow")];
    let mut said = String::new();
    let mut stderr = std::io::BufReader::new(followers[0].stderr.take().unwrap());
    std::io::BufRead::read_line(&mut stderr, &mut said).unwrap();
    assert!(said.contains("following"), "{said}");
    home.kill();
    home.start("sandbox");
    let output = followers.into_iter().next().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("stale-sandbox"));
}

#[test]
fn account_data_that_is_none_is_not_read_as_some() {
    // Track 2 without a number, with a thirteenth month, and as it should be.
    for (track, pan, expiry) in [
        ("D4912000FF", None, Some("4912")),
        ("1234567890123458D9999201", Some("1234567890123458"), None),
        ("1234567890123458D1912201", Some("1234567890123458"), Some("1912")),
        ("1234D1912201", None, Some("1912")),
    ] {
        let track = data_encoding::HEXUPPER.decode(track.as_bytes()).unwrap();
        let inner = [&[0x4f, 5, 0xa0, 0, 0, 0, 0x55, 0x57, track.len() as u8][..], &track].concat();
        let outer = [&[0x61, inner.len() as u8][..], &inner].concat();
        let payload = [&[0x85, 5][..], b"CPV01", &outer].concat();
        let told = saifu(&["tool", "cpm", "decode", "--json", &data_encoding::BASE64.encode(&payload)]).done();
        let template = &told["templates"][0];
        assert_eq!((template["pan"].as_str(), template["expiry"].as_str()), (pan, expiry), "{told}");
    }
}
