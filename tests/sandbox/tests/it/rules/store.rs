use saifu_sandbox::policy::Policy;
use saifu_sandbox::rules::{Refused, operator, terminal};
use saifu_sandbox::store::{Store, StoreError};
use saifu_wire::messages::{EnrolRequest, Switch, TerminalKind};
use saifu_wire::{Bytes, Problem, ProblemCode};

use super::world::*;

fn insert(conn: &rusqlite::Connection, name: &str) -> Result<(), Refused> {
    let sql = "INSERT INTO ledger_account (name, unit, kind) VALUES (?, 'yen', 'rail')";
    conn.execute(sql, [name]).unwrap();
    Ok(())
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let raw = rusqlite::Connection::open(folder.join("issuer.db")).unwrap();
    let mut statement = raw.prepare("SELECT name FROM ledger_account ORDER BY name").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn refusal_undoes_its_own_job_only_and_keeps_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("issuer.db")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let refused = || Problem::new(ProblemCode::OverLimit);
    let all = (0..40u32).map(|number| {
        let store = store.clone();
        runtime.spawn(async move {
            store
                .write(move |conn| {
                    insert(conn, &format!("{}-{number:02}", ["ok", "undo", "keep", "panic"][number as usize % 4]))?;
                    match number % 4 {
                        0 => Ok(number),
                        1 => Err(refused().into()),
                        2 => Err(Refused::keep(refused())),
                        _ => panic!("a bug in a rule"),
                    }
                })
                .await
        })
    });
    let all: Vec<_> = all.collect();
    for (number, task) in all.into_iter().enumerate() {
        let code = runtime.block_on(task).unwrap().map_err(|problem| problem.code.known().unwrap());
        let expected = match number % 4 {
            0 => Ok(number as u32),
            1 | 2 => Err(ProblemCode::OverLimit),
            _ => Err(ProblemCode::Internal),
        };
        assert_eq!(code, expected);
    }
    drop(store);
    let kept = names(folder.path());
    assert_eq!(kept.len(), 20);
    assert!(kept.iter().all(|name| name.starts_with("ok") || name.starts_with("keep")), "{kept:?}");
}

#[test]
fn readers_see_what_was_answered_and_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("issuer.db")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    for number in 0..20i64 {
        runtime.block_on(store.write(move |conn| insert(conn, &number.to_string()))).unwrap();
        let seen =
            runtime.block_on(store.read(|conn| {
                Ok(conn.query_row("SELECT count(*) FROM ledger_account", [], |row| row.get::<_, i64>(0))?)
            }));
        assert_eq!(seen, Ok(number + 1));
    }
    let written = runtime.block_on(store.read(|conn| Ok(conn.execute("DELETE FROM clock", [])?)));
    assert_eq!(written.unwrap_err().code, ProblemCode::Internal);
}

#[test]
fn what_was_answered_is_there_after_a_restart() {
    let (world, phone) = World::with_phone(open_policy());
    world.fund(&phone, 5_000);
    let home = world.home(&phone);
    // A second issuer over the same file, as after a kill: nothing was handed over but the file.
    let rules = rules_at(world.folder.path(), open_policy());
    let binding = phone.binding;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let again =
        runtime.block_on(rules.read(world.now(), "trace", move |cx| saifu_sandbox::rules::account::home(cx, binding)));
    assert_eq!(again.unwrap(), home);
}

#[test]
fn foreign_and_other_versions_files_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("issuer.db");
    drop(Store::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(&path).err().unwrap();
    assert!(matches!(error, StoreError::Version { found: 99, .. }));
    assert!(error.to_string().contains("--reset"), "{error}");
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(Store::open(&other), Err(StoreError::Foreign(_))));
    let text = folder.path().join("text.db");
    std::fs::write(&text, "not a database at all, but long enough to be taken for the header of one, or so it seems")
        .unwrap();
    assert!(matches!(Store::open(&text), Err(StoreError::Database(_))));
}

#[test]
fn terminals_are_enrolled_by_an_operator_once() {
    let world = World::new(Policy::default());
    let spki = saifu_crypto::KeyPair::generate().unwrap().public_key().to_spki();
    let thumbprint = saifu_wire::dpop::thumbprint(&saifu_crypto::PublicKey::from_spki(&spki).unwrap());
    let request = |text: &str, kind, spki: &[u8]| EnrolRequest {
        terminal: name(text),
        kind,
        merchant: name("shop"),
        spki: Bytes(spki.to_vec()),
    };
    let enrol =
        |by: saifu_sandbox::rules::Terminal, it: EnrolRequest| world.write(move |cx| operator::enrol(cx, &by, &it));
    let good = request("till-1", TerminalKind::Register, &spki);
    assert_refused(enrol(till(), good.clone()), ProblemCode::UnknownTerminal);
    assert_eq!(enrol(staff(), good.clone()).unwrap().terminal, name("till-1"));
    assert_eq!(enrol(staff(), good).unwrap().terminal, name("till-1"));
    let other = saifu_crypto::KeyPair::generate().unwrap().public_key().to_spki();
    for bad in [
        request("till-1", TerminalKind::Register, &other),
        request("till-2", TerminalKind::Register, &spki),
        request("till-1", TerminalKind::Atm, &spki),
        request("boss", TerminalKind::Operator, &other),
        request("till-3", TerminalKind::Register, b"no key"),
    ] {
        assert_refused(enrol(staff(), bad), ProblemCode::InvalidRequest);
    }
    let found = world.read(move |cx| terminal::by_key(cx, &thumbprint)).unwrap();
    assert_eq!(found, Some(till()));
    assert_eq!(world.read(|cx| terminal::by_key(cx, "nobody")).unwrap(), None);
}

#[test]
fn each_change_of_a_switch_raises_the_document_version() {
    let world = World::new(Policy::default());
    let version = || world.read(operator::document_version).unwrap();
    assert_eq!(version(), 1);
    world.switch(Switch::Code, false);
    world.switch(Switch::Settlement, false);
    world.switch(Switch::Settlement, false);
    assert_eq!(version(), 3);
    world.switch(Switch::Code, true);
    assert_eq!(version(), 4);
    let states = world.read(operator::switches).unwrap();
    assert_eq!(
        states.iter().filter(|state| !state.on).map(|it| it.switch.known()).collect::<Vec<_>>(),
        [Some(Switch::Settlement)]
    );
    assert_eq!(states.len(), Switch::ALL.len());
}
