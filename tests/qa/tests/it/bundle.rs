//! `saifu bundle`: what a bug report must never hold, how large it may get, and that it can always be made.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use saifu_rig::Customer;
use serde_json::{Value, json};

use crate::support::common::{Home, NO_WAITING, NUMBER, bare, issuer, run};

/// The same as people and programs write it.
const NUMBERS: [&str; 4] = ["090-1234-5678", "09012345678", "+819012345678", "9012345678"];
const MOST_BYTES: usize = 200_000;

fn bundle(home: &Home) -> (Vec<u8>, Value) {
    let file = home.file("report.json");
    let told = home.run(["bundle", "--out", &file]).done();
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!(told["bytes"].as_u64(), u64::try_from(bytes.len()).ok());
    assert!(bytes.len() <= MOST_BYTES, "{}", bytes.len());
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(told["cut"], document["cut"]);
    (bytes, document)
}

/// Whether a secret stands in a text. Six digits may stand in a longer number by chance and mean nothing there.
fn holds(text: &[u8], secret: &str) -> bool {
    let alone = secret.len() <= 8;
    let alphanumeric = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    text.windows(secret.len()).enumerate().any(|(at, window)| {
        let inside = alphanumeric(at.wrapping_sub(1)) || alphanumeric(at + secret.len());
        window == secret.as_bytes() && !(alone && inside)
    })
}

/// Bytes as text would carry them, in pieces: a multiple of three keeps base64 in step.
fn forms(bytes: &[u8]) -> Vec<String> {
    let pieces = bytes.chunks_exact(24);
    pieces.flat_map(|piece| [BASE64.encode(piece), BASE64URL_NOPAD.encode(piece), HEXLOWER.encode(piece)]).collect()
}

/// Every text in a document of at least 16 characters, as it stands and, if it is base64, as its bytes.
fn texts(document: &Value, found: &mut Vec<String>) {
    match document {
        Value::String(text) if text.len() >= 16 => {
            found.push(text.clone());
            found.extend(BASE64.decode(text.as_bytes()).iter().flat_map(|bytes| forms(bytes)));
        }
        Value::Array(list) => list.iter().for_each(|value| texts(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

/// The keys and the sealed journal of the wallet, the private keys and the control API's token of the sandbox.
fn resting(home: &Home) -> Vec<String> {
    let keys = std::fs::read(home.file("wallets/me/keys.json")).unwrap();
    let (mut secrets, info) = (Vec::new(), home.info());
    texts(&serde_json::from_slice(&keys).unwrap(), &mut secrets);
    for name in ["lever_token", "register_key", "atm_key", "operator_key", "terminals"] {
        // A terminal's own name and its merchant's are no secrets.
        let before = secrets.len();
        match &info[name] {
            Value::Array(terminals) => terminals.iter().for_each(|terminal| texts(&terminal["key"], &mut secrets)),
            value => texts(value, &mut secrets),
        }
        assert!(secrets.len() > before, "{name}");
    }
    secrets.extend(forms(&std::fs::read(home.path().join("wallets/me/vault/journal")).unwrap()));
    secrets
}

/// A customer's whole flow: everything secret that anybody said on it, and a top-up that still waits.
fn flow(home: &Home) -> Vec<String> {
    home.sign_up("me", NUMBER);
    let mut secrets: Vec<String> = NUMBERS.map(str::to_owned).to_vec();
    secrets.push(home.sms_code(NUMBER));
    for waits in [false, true] {
        let top_up = home.saifu("wallet topup atm --yen 4000 --yes").done();
        let (number, totp) = (top_up["number"].as_str().unwrap(), home.totp());
        secrets.extend([number.to_owned(), totp.clone()]);
        if !waits {
            home.saifu(&format!("atm deposit --number {number} --totp {totp} --yen 4000")).done();
            home.saifu("sandbox clock +5m").done();
        }
    }
    let code = home.code("");
    let digits = code["digits"].as_str().unwrap();
    secrets.extend([digits.to_owned(), code["qr"].as_str().unwrap().to_owned()]);
    home.saifu(&format!("register scan --digits {digits} --yen 1280")).done();
    home.saifu("wallet refresh").done();
    home.run(["sandbox", "event", "sms-late", "--by", "6m", "--because", "roaming", "--number", NUMBER]).done();
    home.saifu("sandbox fault add --on home --do drop-answer --times 1").done();
    home.saifu("wallet refresh").done();
    secrets.extend(resting(home));
    secrets
}

/// An access token rests nowhere and is no part of this: only the process that asks has it, and a bundle asks nothing with one.
///
/// Controls: the search finds each secret where it is planted, and the ATM number where it belongs. Let `Waits` of
/// `bundle/parts.rs` keep the number, and this fails.
#[test]
fn bundle_tells_the_whole_flow_and_holds_no_secret_of_it() {
    let home = Home::running();
    let secrets = flow(&home);
    let (bytes, document) = bundle(&home);
    assert!(secrets.len() > 30, "{}", secrets.len());
    for secret in &secrets {
        assert!(!holds(&bytes, secret), "the bundle holds {secret}");
        let planted = [&bytes[..bytes.len() / 2], b"\"", secret.as_bytes(), b"\"", &bytes[bytes.len() / 2..]].concat();
        assert!(holds(&planted, secret), "the search does not find {secret}");
    }
    let pending = home.saifu("wallet pending").done();
    let said = [pending.to_string(), home.saifu("wallet home").stdout].concat();
    assert!(secrets[..NUMBERS.len() + 5].iter().any(|secret| holds(said.as_bytes(), secret)), "{said}");

    assert_eq!(document["cut"], json!([]));
    assert_eq!((&document["wallet"]["state"], &document["wallet"]["balance_yen"]), (&json!("ready"), &json!(2_720)));
    let waits = document["wallet"]["pending"].as_array().unwrap();
    assert_eq!((waits.len(), &waits[0]["kind"], &waits[0]["yen"]), (1, &json!("top-up"), &json!(4_000)));
    assert_eq!(document["wallet"]["history"], json!({ "payment": 1, "top-up": 1 }));
    assert!(document["doctor"].as_array().unwrap().iter().any(|check| check["what"] == "wallet me"));
    assert!(document["sandbox"]["policy"]["code"].is_object(), "{}", document["sandbox"]);
    assert_eq!(document["faults"][0]["struck"], 1);
    assert_eq!((&document["events"][0]["event"], &document["events"][0]["number"]), (&json!("sms-late"), &json!("+…")));
    // What the wallet asked, and what the issuer did then, are joined by the tap's name.
    let requests = document["requests"].as_array().unwrap();
    assert_eq!(requests, home.saifu("trace --last 500").done()["requests"].as_array().unwrap());
    let lost = requests.iter().find(|asked| asked["lost"] == "no-answer").unwrap();
    let name = &document["trace"]["names"][lost["trace"].as_str().unwrap()];
    let log = document["log"].as_array().unwrap();
    assert!(name.is_string() && log.iter().any(|line| &line["trace"] == name && line["operation"] == "home"));
}

/// Control: without `scrubbed` around the doctor's checks the folder's name is in the bundle.
#[test]
fn number_in_a_path_or_a_wallets_name_is_left_out() {
    let home = Home::new();
    let file = home.file("report.json");
    let folder = home.path().join("090-1234-5678");
    std::fs::create_dir_all(folder.join("wallets/of-09012345678")).unwrap();
    let mut command = bare(["bundle", "--json", "--wallet", "of-09012345678", "--out", &file, "--home"]);
    command.arg(&folder);
    run(command).done();
    let bytes = std::fs::read(&file).unwrap();
    assert!(NUMBERS.iter().all(|number| !holds(&bytes, number)), "{}", String::from_utf8_lossy(&bytes));
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(document["wallet"]["name"], "of-…");
    assert!(document["doctor"][0]["detail"].as_str().unwrap().ends_with("/…"), "{document}");
}

#[test]
fn bundle_can_be_made_without_a_sandbox_and_of_a_damaged_wallet() {
    let home = Home::new();
    let (_, nothing) = bundle(&home);
    assert_eq!(nothing["wallet"]["error"]["code"], "not-signed-up");
    assert_eq!((&nothing["sandbox"]["error"]["code"], &nothing["requests"]), (&json!("no-sandbox"), &json!([])));

    home.start("sandbox");
    home.sign_up("me", NUMBER);
    home.kill();
    let (_, stale) = bundle(&home);
    assert_eq!(stale["sandbox"]["error"]["code"], "stale-sandbox");
    assert_eq!(stale["wallet"]["state"], "ready");
    assert!(!stale["requests"].as_array().unwrap().is_empty());

    std::fs::write(home.path().join("wallets/me/vault/journal"), b"no journal").unwrap();
    std::fs::write(home.path().join("wallets/me/requests.jsonl"), b"\0\0\0\n").unwrap();
    let (_, damaged) = bundle(&home);
    assert_eq!(damaged["wallet"]["error"]["code"], "vault");
    assert_eq!(damaged["trace"]["damaged"], 1);
    let broken = |check: &Value| check["what"] == "wallet me" && check["health"] == "broken";
    assert!(damaged["doctor"].as_array().unwrap().iter().any(broken), "{}", damaged["doctor"]);

    let nowhere = home.file("no/such/folder/report.json");
    home.run(["bundle", "--out", &nowhere]).refused(2, "file");
}

/// Control: with `MOST_BYTES` of `bundle.rs` raised, the log alone breaks the bound here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bundle_stays_within_its_bound_after_thousands_of_requests() {
    let issuer = issuer(Some(NO_WAITING));
    let customer = Customer::new(&issuer, "090-1111-2222").await;
    for _ in 0..1_000 {
        customer.wallet.refresh().await.unwrap();
    }
    customer.wallet.settled().await;
    let home = Home::new();
    let asked = |n: u64| {
        json!({
            "nth": n, "at": 1_800_000_000_000_u64 + n, "operation": "activation-confirm", "trace": format!("{n:016x}"),
            "class": "background", "status": 503, "code": "unsupported-media-type", "lost": null, "ms": 600_000,
        })
    };
    let folder = home.path().join("wallets/me");
    std::fs::create_dir_all(&folder).unwrap();
    let lines: String = (0..4_000).map(|n| format!("{}\n", asked(n))).collect();
    std::fs::write(folder.join("requests.jsonl"), lines).unwrap();

    let file = home.file("report.json");
    let sandbox = issuer.info_file();
    let told = home.run(["bundle", "--out", &file, "--sandbox", sandbox.to_str().unwrap()]).done();
    let bytes = std::fs::read(&file).unwrap();
    assert!(bytes.len() <= MOST_BYTES && bytes.len() > MOST_BYTES / 2, "{}", bytes.len());
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    let cut: Vec<&str> = told["cut"].as_array().unwrap().iter().map(|cut| cut.as_str().unwrap()).collect();
    assert!(
        matches!(cut[..], [requests, log] if requests.starts_with("requests: the oldest ") && log.starts_with("log: the oldest ")),
        "{cut:?}"
    );
    assert_eq!(document["requests"].as_array().unwrap().last().unwrap()["at"], 1_800_000_003_999_u64);
    let newest = issuer.control("GET", "/log?after=1500", None);
    assert_eq!(document["log"].as_array().unwrap().last(), newest["lines"].as_array().unwrap().last());
}
