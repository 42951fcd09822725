//! SIGKILL of the wallet between any two steps of a top-up, two hundred times. Each round a fresh `saifu wallet topup` is
//! killed at a step; then the reopened wallet must know, before it has asked anybody, of every top-up that the issuer holds; and
//! after one refresh every number that it shows takes cash at the ATM. In the end both sides agree to the yen and no key posted
//! twice.
//!
//! `SAIFU_KILL_SEED` chooses other delays, and a line of figures says what was hit: `cargo xtask full kills` runs this again
//! and again.
//!
//! Control, in the same file: with the journal's writes thrown away the very same rounds must be seen to fail.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use saifu_link::Link;
use saifu_rig::Issuer;
use saifu_rig::terminal::deposit;
use saifu_wire::Sensitive;
use saifu_wire::messages::Outcome;
use serde_json::Value;

use crate::support::common::{NO_WAITING, bare, issuer, run};

const ROUNDS: usize = 200;
const EACH_YEN: i64 = 1_000;
/// Each step is hit at least this often.
const AT_LEAST: usize = 10;
/// The longest delay of a kill in flight: about what an idle machine takes for the answer, so that most of them hit.
const IN_FLIGHT_MICROS: u64 = 2_000;
/// Where the random delays begin, if not at [`DEFAULT_SEED`].
const SEED: &str = "SAIFU_KILL_SEED";
const DEFAULT_SEED: u64 = 0x5a1f;

struct Desk {
    issuer: Issuer,
    /// Whatever the killed process wrote into its journal is thrown away.
    forgets: bool,
}

impl Desk {
    fn new(forgets: bool) -> Self {
        let desk = Self { issuer: issuer(Some(NO_WAITING)), forgets };
        desk.json(&["wallet", "signup", "--number", "090-3000-0001"]);
        let code = desk.issuer.sms_code(&saifu::PhoneNumber::parse("090-3000-0001").unwrap());
        desk.json(&["wallet", "confirm", "--code", &code]);
        desk
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(arguments);
        command.args(["--json", "--key-store", "file", "--yes", "--home"]).arg(self.issuer.home.path());
        command.arg("--sandbox").arg(self.issuer.info_file());
        command
    }

    fn json(&self, arguments: &[&str]) -> Value {
        run(self.command(arguments)).done()
    }

    /// A top-up that is killed where `kill` says; whether it was.
    fn killed_top_up(&self, kill: &str) -> bool {
        let yen = EACH_YEN.to_string();
        let mut command = self.command(&["wallet", "topup", "atm", "--yen", &yen]);
        command.env("SAIFU_KILL_AT", kill);
        let journal = self.issuer.home.path().join("wallets/me/vault/journal");
        let before = std::fs::read(&journal).unwrap();
        let output = command.output().unwrap();
        if self.forgets {
            std::fs::write(&journal, before).unwrap();
        }
        let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
        // With a delay the process may win the race and end by itself; without one it must have been killed.
        assert!(signal == Some(9) || (kill.contains(':') && output.status.success()), "{kill}: {output:?}");
        signal.is_some()
    }

    /// The keys of the top-ups that the issuer holds or has posted.
    fn issuer_keys(&self) -> BTreeMap<String, String> {
        let conn = self.issuer.database();
        let mut statement = conn.prepare("SELECT key, state FROM top_up").unwrap();
        let rows = statement.query_map([], |row| {
            let key: Vec<u8> = row.get(0)?;
            Ok((uuid::Uuid::from_slice(&key).unwrap().to_string(), row.get(1)?))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn pending(&self) -> Vec<Value> {
        self.json(&["wallet", "pending"])["entries"].as_array().unwrap().clone()
    }

    /// One round. `Err` says what the wallet did not know or the ATM did not take.
    async fn round(&self, atm: &Link, kill: &str) -> Result<(bool, i64), String> {
        let killed = self.killed_top_up(kill);
        // Asked of the journal alone: what the issuer may hold must be there already.
        let known: BTreeSet<_> = self.pending().iter().map(|p| p["id"].as_str().unwrap().to_owned()).collect();
        for (key, state) in self.issuer_keys() {
            if (state == "awaiting" || state == "authorized") && !known.contains(&key) {
                return Err(format!(
                    "killed at {kill}: the issuer holds {key}, the reopened wallet knows nothing of it"
                ));
            }
        }
        self.json(&["wallet", "refresh"]);
        let mut posted = 0;
        for pending in self.pending() {
            let Some(number) = pending["number"].as_str() else {
                return Err(format!("killed at {kill}: {pending} is still unknown after a refresh"));
            };
            self.issuer.advance(31_000);
            self.json(&["wallet", "refresh"]);
            let totp = self.json(&["wallet", "totp"])["code"].as_str().unwrap().to_owned();
            let txid = pending["id"].as_str().unwrap();
            let answer = deposit(atm, txid, &Sensitive::new(number), &Sensitive::new(totp), EACH_YEN).await.unwrap();
            if answer.result != Outcome::Approved {
                return Err(format!("killed at {kill}: the ATM declined a number that the wallet shows: {answer:?}"));
            }
            posted += EACH_YEN;
        }
        Ok((killed, posted))
    }
}

/// What the rounds came to. Printed when dropped, so that rounds which fail tell how far they got.
#[derive(Default)]
struct Figures {
    rounds: usize,
    /// How often the process was killed, by step.
    hits: BTreeMap<String, usize>,
    posted: i64,
}

impl Drop for Figures {
    fn drop(&mut self) {
        let Self { rounds, hits, posted } = self;
        println!("SAIFU-FIGURES {}", serde_json::json!({"rounds": rounds, "hits": hits, "yen_posted": posted}));
    }
}

/// The steps in turn, the one in flight with a random delay.
fn kills() -> impl Iterator<Item = String> {
    let mut random = std::env::var(SEED).map_or(DEFAULT_SEED, |seed| seed.parse().unwrap());
    (0..ROUNDS).map(move |round| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let step = saifu::STEPS[round % saifu::STEPS.len()];
        if step == "sending" { format!("sending:{}", (random >> 33) % IN_FLIGHT_MICROS) } else { step.to_owned() }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wallet_killed_between_any_two_steps_of_a_top_up_agrees_with_the_ledger() {
    let desk = Desk::new(false);
    let atm = desk.issuer.link("atm-1");
    let mut figures = Figures::default();
    for kill in kills() {
        let (killed, yen) = desk.round(&atm, &kill).await.unwrap();
        figures.rounds += 1;
        figures.posted += yen;
        *figures.hits.entry(kill.split(':').next().unwrap().to_owned()).or_default() += usize::from(killed);
    }
    let Figures { hits, posted, .. } = &figures;
    assert_eq!(hits.len(), saifu::STEPS.len());
    assert!(hits.values().all(|count| *count >= AT_LEAST), "{hits:?}");
    let home = desk.json(&["wallet", "refresh"]);
    assert_eq!(home["balance_yen"], *posted);
    let history = desk.json(&["wallet", "history", "--limit", "1000"]);
    let intents: Vec<_> = history["entries"].as_array().unwrap().iter().map(|e| e["yen"].as_i64().unwrap()).collect();
    assert_eq!(intents.iter().sum::<i64>(), *posted);
    assert_eq!(intents.len(), desk.issuer_keys().values().filter(|state| *state == "done").count());
    desk.issuer.assert_books_balance();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wallet_without_its_journal_writes_is_caught_by_the_same_rounds() {
    let desk = Desk::new(true);
    let atm = desk.issuer.link("atm-1");
    for step in ["answered", "recorded"] {
        if let Err(caught) = desk.round(&atm, step).await {
            assert!(caught.contains("knows nothing of it"), "{caught}");
            return;
        }
    }
    panic!("a wallet that forgets its journal went unnoticed");
}
