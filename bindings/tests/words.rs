//! The catalogue that both apps share has words for whatever the core can say, by its code: what is new here has none yet and
//! fails. That the catalogue itself is whole is tested in the apps.

#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use saifu::{Error, Offer, ProblemCode, Reason, VaultError};
use saifu_host::KeyError;
use serde_json::Value;

fn catalogue() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../screens/words.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Every code that an app meets, as a key of the catalogue.
fn codes() -> Vec<String> {
    let wallet = Error::TABLE.iter().map(|row| row.1).filter(|name| !["refused", "key", "vault"].contains(name));
    let errors = wallet.chain(["cancelled", "other"]).chain(ProblemCode::ALL.iter().map(|code| code.as_str()));
    let within =
        |kind: &str, words: Vec<&'static str>| words.into_iter().map(|word| format!("error-{kind}-{word}")).collect();
    let keys: Vec<String> = within("key", KeyError::ALL.iter().map(|error| error.as_str()).collect());
    let files: Vec<String> = within("vault", VaultError::WORDS.to_vec());
    let named = |kind: &'static str| move |word: &str| format!("{kind}-{word}");
    let refused = Reason::ALL.iter().map(|reason| reason.as_str()).chain(["other"]).map(named("refused"));
    let word = |offer: &Offer| serde_json::to_value(offer).unwrap().as_str().unwrap().to_owned();
    let stopped = Offer::ALL.iter().filter(|offer| **offer != Offer::Open).map(|offer| named("stopped")(&word(offer)));
    errors.map(named("error")).chain(keys).chain(files).chain(refused).chain(stopped).collect()
}

#[test]
fn every_code_of_the_core_has_words_and_no_words_are_of_a_code_that_is_gone() {
    let catalogue = catalogue();
    let mut needed: Vec<String> = codes().iter().map(|code| code.replace('-', "_")).collect();
    needed.sort();
    let made = |key: &&String| ["error_", "refused_", "stopped_"].iter().any(|kind| key.starts_with(kind));
    let mut there: Vec<String> = catalogue.as_object().unwrap().keys().filter(made).cloned().collect();
    there.sort();
    assert_eq!(there, needed);
    // Control: a code that nobody wrote words for is missing.
    assert!(catalogue["error_moon_phase"].is_null());
}
