//! Every error that the wallet, the key store, the wallet's files or the issuer can give is caused by a scenario, or stands
//! here with the reason why none can cause it. The errors come from the code's own tables.

use std::collections::BTreeSet;
use std::path::Path;

use saifu::{Error, OpenError, VaultError};
use saifu_host::KeyError;
use saifu_wire::{ProblemCode, Reason};
use serde_json::Value;

/// Errors of the wallet. What the issuer refuses has the issuer's code in a scenario.
const WALLET: &[(&str, &str)] = &[
    ("bug", "no request and no file makes one; the drills of the bindings' tests do"),
    ("wrong-clock", "the clock of a world ends with the year 2999, its certificates later"),
    ("refused", "a scenario sees the issuer's code instead, and those are walked here too"),
];

/// Errors of the wallet's files: `core/vault`'s tests cause each of them, most by hand.
const FILES: &[(&str, &str)] = &[
    ("bad-name", "the wallet names its own trees and keys"),
    ("broken", "no verb makes a disk fail"),
    ("cache-damaged", "the wallet sets a damaged cache aside and fills it again"),
    ("config", "every runner has the issuer's configuration from the issuer; a wallet calls it invalid-input"),
    ("crypto", "no verb takes the randomness away"),
    ("foreign", "no verb gives a wallet the files of another phone"),
    ("in-use", "a persona's wallet is one process"),
    ("io", "no verb makes a disk fail"),
    ("key-lost", "no verb destroys the sealing key"),
    ("newer", "there is no newer version"),
    ("opening", "steps come one after another"),
    ("rolled-back", "the wallet never changes its sealing key yet"),
    ("too-large", "a wallet's state stays far below the most"),
    ("wipe-unfinished", "the wallet never changes its sealing key yet"),
];

/// Codes and reasons of the issuer. Its own tests send such requests by hand.
const ISSUER: &[(&str, &str)] = &[
    ("account-frozen", "no verb freezes an account yet"),
    ("device-in-use", "a wallet makes its own keys and never takes another's"),
    ("frozen", "no verb freezes an account yet"),
    ("internal", "only a bug gives it"),
    ("invalid-dpop-proof", "a wallet proves every request rightly"),
    ("invalid-request", "a wallet writes requests from the types"),
    ("invalid-signature", "a wallet checks the signature before it is sent"),
    ("invalid-token", "a wallet opens a new session and nobody sees it"),
    ("key-reused", "a wallet makes a new key for each intent"),
    ("key-time", "a wallet takes the key's time from the issuer"),
    ("key-voided", "a wallet that asked what became of an intent never sends it"),
    ("method-not-allowed", "a wallet takes method and path from one table"),
    ("no-activation", "a wallet that meets it agrees anew and nobody sees it"),
    ("not-found", "a wallet takes method and path from one table"),
    ("overloaded", "only a crowd gives it"),
    ("stale-nonce", "the wallet knows by the issuer's clock that an approval has expired"),
    ("too-large", "a wallet writes no such request"),
    ("unknown-device", "a device cannot be revoked yet"),
    ("unknown-terminal", "every terminal of a sandbox is enrolled"),
    ("unsupported-media-type", "a wallet sends JSON"),
    ("use-dpop-nonce", "a wallet repeats with the nonce and nobody sees it"),
];

/// What the steps of all scenarios expect.
struct Expected(Vec<Value>);

impl Expected {
    fn of_every_scenario() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "json"));
        let steps = files.flat_map(|file| {
            let scenario: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
            scenario["steps"].as_array().unwrap().clone()
        });
        Self(steps.filter_map(|step| step.get("expect").cloned()).collect())
    }

    /// What stands at a path of the expectations that say this too.
    fn at(&self, path: &str, beside: Option<(&str, &str)>) -> BTreeSet<String> {
        let fit = self.0.iter().filter(|expect| beside.is_none_or(|(path, word)| expect[path] == word));
        fit.filter_map(|expect| expect[path].as_str().map(str::to_owned)).collect()
    }
}

/// What is wrong with a list: neither caused nor listed; listed, yet caused; listed, yet no error at all.
fn wrong(all: &BTreeSet<&str>, caused: &BTreeSet<String>, listed: &[(&str, &str)]) -> Vec<String> {
    let reasons: BTreeSet<&str> = listed.iter().map(|(word, _)| *word).collect();
    let missing = all.iter().filter(|word| !caused.contains(**word) && !reasons.contains(*word));
    let missing = missing.map(|word| format!("{word}: no scenario causes it, and no reason is given"));
    let stale = reasons.iter().filter(|word| caused.contains(**word));
    let stale = stale.map(|word| format!("{word}: a scenario causes it after all"));
    let unknown = reasons.iter().filter(|word| !all.contains(*word)).map(|word| format!("{word}: there is none"));
    missing.chain(stale).chain(unknown).collect()
}

#[test]
fn every_error_of_the_wallet_is_caused_by_a_scenario_or_listed_with_the_reason_why_not() {
    let all = Error::TABLE.iter().map(|(_, name, _)| *name).collect();
    let caused = Expected::of_every_scenario().at("error", None);
    assert_eq!(wrong(&all, &caused, WALLET), [""; 0]);
    // The control: one that is not caused, one that is, and one that does not exist are found.
    assert_eq!(wrong(&all, &caused, &WALLET[1..]).len(), 1);
    assert_eq!(wrong(&all, &caused, &[WALLET, &[("locked", "")], &[("tired", "")]].concat()).len(), 2);
}

#[test]
fn every_error_of_key_store_and_files_is_caused_by_a_scenario_or_listed_with_the_reason_why_not() {
    let expected = Expected::of_every_scenario();
    let keys = KeyError::ALL.iter().map(|error| error.as_str()).collect();
    assert_eq!(wrong(&keys, &expected.at("detail", Some(("error", "key"))), &[]), [""; 0]);
    let files = VaultError::WORDS.iter().chain(OpenError::WORDS).copied().collect();
    assert_eq!(wrong(&files, &expected.at("detail", Some(("error", "vault"))), FILES), [""; 0]);
}

#[test]
fn every_code_and_reason_of_the_issuer_is_caused_by_a_scenario_or_listed_with_the_reason_why_not() {
    let codes = ProblemCode::ALL.iter().map(|code| code.as_str());
    let all = codes.chain(Reason::ALL.iter().map(|reason| reason.as_str())).collect();
    let expected = Expected::of_every_scenario();
    let caused = expected.at("error", None).union(&expected.at("reason", None)).cloned().collect();
    assert_eq!(wrong(&all, &caused, ISSUER), [""; 0]);
}
