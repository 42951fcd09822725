//! No state without an end: every table and every state of the issuer's store is either a record for good, with the reason, or
//! ends by itself, at the time that is named here. A new table or state that is not in the list fails.

use std::collections::BTreeSet;

use saifu_sandbox::policy::Policy;
use saifu_wire::messages::Purpose;

use super::world::*;

const STRANGER: &str = "09012345679";

enum End {
    /// Kept for good, or until somebody decides otherwise: why that is no wait.
    Never(&'static str),
    /// `bring` brings it about, `count` counts what stands there, and after so many milliseconds nothing does.
    Itself { bring: fn(&World, &Phone), count: &'static str, after_ms: fn(&Policy) -> u64 },
}
use End::{Itself, Never};

/// Table, state (none for a table without states), how it ends.
const STATES: &[(&str, &str, End)] = &[
    ("clock", "", Never("the latest time seen; it only grows")),
    ("era", "", Never("which life of the data it is; a copy begins another")),
    ("ledger_account", "", Never("an account of the books")),
    ("posting", "final", Never("money that has moved")),
    ("posting", "post", Never("the end of a hold")),
    ("posting", "void", Never("the end of a hold")),
    ("posting", "expire", Never("the end of a hold")),
    (
        "posting",
        "pending",
        Itself {
            bring: |world, phone| {
                world.top_up(phone, 1_000).unwrap();
            },
            count: "SELECT count(*) FROM posting AS hold WHERE phase = 'pending'
                    AND NOT EXISTS (SELECT 1 FROM posting WHERE of = hold.id)",
            after_ms: |policy| policy.atm.number_ms,
        },
    ),
    ("account", "", Never("a customer")),
    ("device", "live", Never("the customer's phone")),
    ("device", "retired", Never("a phone that was")),
    ("device_key", "", Never("a key belongs to one device for good")),
    ("activation", "current", Never("the secrets in use; the next ones replace them")),
    (
        "activation",
        "pending",
        Itself {
            bring: |world, phone| {
                world.begin_activation(phone);
            },
            count: "SELECT count(*) FROM activation WHERE state = 'pending'",
            after_ms: |policy| policy.activation.alias_ms + 1,
        },
    ),
    (
        "sign_up",
        "open",
        Itself {
            bring: |world, _| {
                world.begin(&Applicant::new(STRANGER)).unwrap();
            },
            count: "SELECT count(*) FROM sign_up WHERE state = 'open'",
            after_ms: |policy| policy.keep.sign_ups_ms + 1,
        },
    ),
    ("sign_up", "replaced", Never("over; removed with the open ones")),
    ("sign_up", "done", Never("over; removed with the open ones")),
    ("sign_up", "taken", Never("over; removed with the open ones")),
    (
        "sms",
        "",
        Itself {
            bring: |world, _| {
                world.begin(&Applicant::new(STRANGER)).unwrap();
            },
            count: "SELECT count(*) FROM sms",
            after_ms: |policy| policy.keep.sign_ups_ms + 1,
        },
    ),
    ("world_event", "", Never("an order of quality assurance; it ends with the messages it is for")),
    (
        "intent_nonce",
        "",
        Itself {
            bring: |world, phone| {
                world.nonce(phone);
            },
            count: "SELECT count(*) FROM intent_nonce",
            after_ms: |policy| policy.top_up.nonce_ms + policy.keep.codes_ms + 1,
        },
    ),
    ("intent", "accepted", Never("the answer to a key, for repeats")),
    ("intent", "voided", Never("a key that was given up for good")),
    (
        "top_up",
        "awaiting",
        Itself {
            bring: |world, phone| {
                world.top_up(phone, 1_000).unwrap();
            },
            count: "SELECT count(*) FROM top_up WHERE state = 'awaiting'",
            after_ms: |policy| policy.atm.number_ms,
        },
    ),
    (
        "top_up",
        "authorized",
        Itself {
            bring: |world, phone| {
                let number = world.top_up(phone, 1_000).unwrap().number.unwrap();
                world.authorize(&world.txid(), number.expose(), &world.totp(phone));
            },
            count: "SELECT count(*) FROM top_up WHERE state = 'authorized'",
            // From the moment on that the ATM asked; the number's own end counts no more.
            after_ms: |policy| policy.atm.deposit_ms,
        },
    ),
    ("top_up", "done", Never("over")),
    ("top_up", "expired", Never("over; the money was given back")),
    (
        "payment_code",
        "live",
        Itself {
            bring: |world, phone| {
                world.code(phone, Purpose::Pay).unwrap();
            },
            count: "SELECT count(*) FROM payment_code WHERE state = 'live'",
            after_ms: |policy| policy.code.life_ms + policy.keep.codes_ms + 1,
        },
    ),
    ("payment_code", "burnt", Never("over; removed with the live ones")),
    ("payment_code", "replaced", Never("over; removed with the live ones")),
    ("settlement", "", Never("a line of the books")),
    ("terminal_transaction", "", Never("the answer to a terminal's transaction, for repeats")),
    ("event", "", Never("a line of the account's story")),
    ("decision", "", Never("what was decided, for whoever asks why")),
    ("terminal", "", Never("a terminal; somebody enrolled it")),
    ("switch", "", Never("an operator's decision, with its reason and time")),
];

/// The states of a table as its definition lists them; one empty word for a table without any.
fn states_of(definition: &str) -> Vec<String> {
    let lists = ["CHECK (state IN (", "CHECK (phase IN ("];
    let list = lists.iter().find_map(|opening| Some(definition.split_once(opening)?.1.split_once(')')?.0));
    let word = |word: &str| word.trim().trim_matches('\'').to_owned();
    list.map_or_else(|| vec![String::new()], |list| list.split(',').map(word).collect())
}

#[test]
fn every_table_and_state_of_the_store_has_its_end_named() {
    let world = World::new(Policy::default());
    let raw = world.raw();
    let mut statement =
        raw.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'").unwrap();
    let tables = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
    let there: BTreeSet<(String, String)> = tables
        .map(Result::unwrap)
        .flat_map(|(table, sql)| states_of(&sql).into_iter().map(move |state| (table.clone(), state)))
        .collect();
    let named = STATES.iter().map(|(table, state, _)| ((*table).to_owned(), (*state).to_owned()));
    assert_eq!(there, named.collect::<BTreeSet<_>>());
    assert!(there.len() == STATES.len() && there.iter().filter(|(_, state)| !state.is_empty()).count() > 15);
    for (table, _, end) in STATES {
        assert!(!matches!(end, Never("")), "{table}");
    }
}

/// Taking a line out of `rules::due::run` makes the state that it ends fail here.
#[test]
fn every_state_that_is_not_for_good_ends_by_itself_and_not_before_its_time() {
    for (table, state, end) in STATES {
        let Itself { bring, count, after_ms } = end else { continue };
        let policy = Policy::default();
        let (world, phone) = World::with_phone(policy.clone());
        let standing = || world.raw().query_row(count, [], |row| row.get::<_, i64>(0)).unwrap();
        bring(&world, &phone);
        let after_ms = after_ms(&policy);
        world.wait(after_ms - 1);
        world.run_due();
        assert!(standing() > 0, "{table} {state} ended before its time");
        world.wait(1);
        world.run_due();
        assert_eq!(standing(), 0, "{table} {state} did not end");
        world.assert_sound();
    }
}
