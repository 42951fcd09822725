//! The log tells what happened and to whom, and nothing that could be used.

use std::io::Write;
use std::sync::{Arc, Mutex};

use saifu_rig::Issuer;
use saifu_rig::terminal::scan;
use saifu_wire::Operation;
use saifu_wire::messages::{Outcome, SettleAnswer};
use tracing_subscriber::fmt::MakeWriter;

/// Everything that is logged, down to the finest level, by every crate in the process.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn log_of_a_whole_life_holds_no_secret_and_no_number() {
    let captured = Captured::default();
    // The client's own crates are not the issuer's log.
    let filter =
        tracing_subscriber::EnvFilter::new("saifu_sandbox=trace,axum=trace,hyper=info,rustls=info,rusqlite=trace");
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(captured.clone()).finish();
    // For the whole process: the issuer works on many threads. Other tests' lines only make the search wider.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let (scene, phone) = Issuer::with_phone("090-5000-4321").await;
    let top_up = phone.cash_in(&scene.info, 4_000).await;
    let code = phone.code().await;
    let settled: SettleAnswer =
        scene.terminal("register-1").ask(Operation::Settle, &scan("sale-9", &code.digits, 700)).await.ok();
    assert_eq!(settled.result, Outcome::Approved);
    let wrong = format!(r#"{{"purpose":"{}"}}"#, code.digits.expose());
    assert_eq!(phone.peer.send_with(Operation::Code, wrong.as_bytes(), &phone.with()).await.status, 400);
    let lever_token = scene.info.lever_token.clone();
    scene.stop().await;

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    // The control: what must be there is there, so the search looks at the right text.
    let account = phone.binding.account.to_string();
    for expected in ["operation=\"settle\"", "who=\"register-1\"", "code=\"invalid-request\"", account.as_str()] {
        assert!(log.contains(expected), "{expected} is not in the log:\n{log}");
    }
    for (what, secret) in [
        ("SMS code", phone.sms_code.as_str()),
        ("payment code", code.digits.expose()),
        ("ATM number", top_up.number.as_ref().unwrap().expose()),
        ("access token", phone.token()),
        ("session", phone.session.session.expose()),
        ("phone number", "9050004321"),
        ("control API token", lever_token.as_str()),
    ] {
        let planted = format!("{log}\nINFO answered code={secret} ms=1");
        assert_eq!(lines_with(&planted, secret), 1, "the search would not find the {what}");
        let leaked = lines_with(&log, secret);
        assert_eq!(leaked, 0, "{what} in the log");
    }
}

/// How many lines hold the secret. Six digits occur by chance inside an id; alone between other characters they are the code.
fn lines_with(log: &str, secret: &str) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let holds = |line: &str| {
        line.split(|c| !is_part(c)).any(|word| word == secret || (secret.len() > 6 && word.contains(secret)))
    };
    log.lines().filter(|line| holds(line)).count()
}
