//! What the schema itself refuses, seen through a second connection as anybody with the file has one, and that the audit
//! notices what happens once a guard is gone.

use rusqlite::Connection;
use saifu_sandbox::ledger::audit;
use saifu_sandbox::store::Store;

/// Accounts 1 customer, 2 rail, 3 shop (yen), 4 customer, 5 issuer (points). The customer has ¥1,000.
fn ledger() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("issuer.db");
    drop(Store::open(&path).unwrap());
    let raw = Connection::open(path).unwrap();
    raw.pragma_update(None, "foreign_keys", false).unwrap();
    raw.execute_batch(
        "INSERT INTO ledger_account (id, name, unit, kind) VALUES (1, 'customer', 'yen', 'customer'),
         (2, 'rail', 'yen', 'rail'), (3, 'shop', 'yen', 'merchant'), (4, 'p', 'points', 'customer'),
         (5, 'pi', 'points', 'issuer');",
    )
    .unwrap();
    post(&raw, "final", None, 2, 1, 1_000).unwrap();
    (folder, raw)
}

fn post(raw: &Connection, phase: &str, of: Option<i64>, debit: i64, credit: i64, yen: i64) -> rusqlite::Result<i64> {
    raw.prepare("INSERT INTO posting (phase, of, debit, credit, amount, at, trace) VALUES (?, ?, ?, ?, ?, 0, 't')")
        .unwrap()
        .insert(rusqlite::params![phase, of, debit, credit, yen])
}

fn balances(raw: &Connection, id: i64) -> (i64, i64, i64) {
    let sql = "SELECT posted, pending_debit, pending_credit FROM ledger_account WHERE id = ?";
    raw.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
}

fn faults(raw: &Connection) -> Vec<String> {
    audit(raw).unwrap().faults
}

#[test]
fn postings_move_whole_amounts_and_the_sum_stays_nothing() {
    let (_folder, raw) = ledger();
    post(&raw, "final", None, 1, 3, 400).unwrap();
    post(&raw, "final", None, 5, 4, 2).unwrap();
    assert_eq!((balances(&raw, 1).0, balances(&raw, 2).0, balances(&raw, 3).0), (600, -1_000, 400));
    let audit = audit(&raw).unwrap();
    assert_eq!((audit.postings, audit.accounts, audit.faults), (3, 5, vec![]));
}

#[test]
fn hold_ends_once_by_its_own_sides_and_at_most_its_amount() {
    let (_folder, raw) = ledger();
    let hold = post(&raw, "pending", None, 2, 1, 500).unwrap();
    assert_eq!((balances(&raw, 1), balances(&raw, 2)), ((1_000, 0, 500), (-1_000, 500, 0)));
    for (phase, debit, credit, yen) in
        [("post", 2, 1, 501), ("post", 1, 2, 500), ("post", 2, 3, 500), ("void", 2, 1, 499), ("final", 2, 1, 500)]
    {
        assert!(post(&raw, phase, Some(hold), debit, credit, yen).is_err(), "{phase} {debit} {credit} {yen}");
    }
    assert!(post(&raw, "post", None, 2, 1, 1).is_err() && post(&raw, "post", Some(1), 2, 1, 1).is_err());
    post(&raw, "post", Some(hold), 2, 1, 300).unwrap();
    assert_eq!((balances(&raw, 1), balances(&raw, 2)), ((1_300, 0, 0), (-1_300, 0, 0)));
    for phase in ["post", "void", "expire"] {
        assert!(post(&raw, phase, Some(hold), 2, 1, 500).is_err(), "{phase} after the end");
    }
    for phase in ["void", "expire"] {
        let hold = post(&raw, "pending", None, 1, 3, 1_300).unwrap();
        assert!(post(&raw, "final", None, 1, 3, 1).is_err(), "what is held cannot be spent");
        post(&raw, phase, Some(hold), 1, 3, 1_300).unwrap();
    }
    assert_eq!((balances(&raw, 1), faults(&raw)), ((1_300, 0, 0), vec![]));
}

#[test]
fn postings_are_never_changed_by_any_statement() {
    let (_folder, raw) = ledger();
    post(&raw, "pending", None, 2, 1, 500).unwrap();
    post(&raw, "void", Some(2), 2, 1, 500).unwrap();
    for sql in [
        "UPDATE posting SET amount = 2000 WHERE id = 1",
        "UPDATE OR IGNORE posting SET amount = 2000 WHERE id = 1",
        "UPDATE OR REPLACE posting SET id = 2 WHERE id = 1",
        "DELETE FROM posting",
        "INSERT OR REPLACE INTO posting (id, phase, debit, credit, amount, at, trace) VALUES (1, 'final', 2, 1, 5, 0, 't')",
        "INSERT OR REPLACE INTO posting (phase, of, debit, credit, amount, at, trace) VALUES ('post', 2, 2, 1, 5, 0, 't')",
        "DELETE FROM ledger_account",
        "UPDATE ledger_account SET kind = 'rail' WHERE id = 1",
        "INSERT OR REPLACE INTO ledger_account (id, name, unit, kind) VALUES (1, 'customer', 'yen', 'rail')",
        "INSERT OR REPLACE INTO ledger_account (name, unit, kind) VALUES ('customer', 'yen', 'rail')",
        "INSERT INTO ledger_account (name, unit, kind, posted) VALUES ('rich', 'yen', 'customer', 5)",
    ] {
        let error = raw.execute(sql, []).unwrap_err().to_string();
        assert!(["never", "keep their", "ends once"].iter().any(|part| error.contains(part)), "{sql}: {error}");
    }
    assert_eq!((balances(&raw, 1), faults(&raw)), ((1_000, 0, 0), vec![]));
}

#[test]
fn customer_never_falls_below_nothing_but_points_may() {
    let (_folder, raw) = ledger();
    for phase in ["final", "pending"] {
        let error = post(&raw, phase, None, 1, 3, 1_001).unwrap_err().to_string();
        assert!(error.contains("insufficient balance"), "{error}");
    }
    for verb in ["INSERT OR IGNORE", "INSERT OR REPLACE", "INSERT OR FAIL", "INSERT OR ROLLBACK"] {
        let sql = format!(
            "{verb} INTO posting (phase, debit, credit, amount, at, trace) VALUES ('final', 1, 3, 1001, 0, 't')"
        );
        assert!(raw.execute(&sql, []).is_err(), "{verb}");
    }
    assert!(raw.execute("UPDATE ledger_account SET posted = -1 WHERE id = 1", []).is_err());
    post(&raw, "final", None, 4, 5, 7).unwrap();
    assert_eq!((balances(&raw, 1).0, balances(&raw, 4).0, faults(&raw)), (1_000, -7, vec![]));
}

#[test]
fn nonsense_is_no_posting() {
    let (_folder, raw) = ledger();
    for (debit, credit, yen) in [(1, 3, 0), (1, 3, -5), (1, 1, 5), (2, 4, 5), (2, 99, 5), (99, 98, 5)] {
        assert!(post(&raw, "final", None, debit, credit, yen).is_err(), "{debit} {credit} {yen}");
    }
    assert!(post(&raw, "later", None, 2, 1, 5).is_err());
    assert_eq!(faults(&raw), Vec::<String>::new());
}

fn assert_fault(raw: &Connection, part: &str) {
    let found = faults(raw);
    assert!(found.iter().any(|fault| fault.contains(part)), "{found:?}");
}

#[test]
fn control_without_the_triggers_the_audit_notices_each_kind_of_harm() {
    let (_folder, raw) = ledger();
    raw.execute_batch("DROP TRIGGER posting_never_updated; UPDATE posting SET amount = 2000").unwrap();
    assert_fault(&raw, "cached balance");

    let (_folder, raw) = ledger();
    raw.execute_batch("DROP TRIGGER posting_never_deleted; DELETE FROM posting").unwrap();
    assert_fault(&raw, "cached balance");

    let (_folder, raw) = ledger();
    raw.execute_batch("DROP TRIGGER posting_counted").unwrap();
    post(&raw, "final", None, 1, 3, 100).unwrap();
    assert_fault(&raw, "cached balance");

    let (_folder, raw) = ledger();
    raw.execute_batch("DROP TRIGGER posting_keeps_customers_solvent; PRAGMA ignore_check_constraints = 1").unwrap();
    post(&raw, "final", None, 1, 3, 1_001).unwrap();
    assert_fault(&raw, "less than nothing");

    let (_folder, raw) = ledger();
    raw.execute_batch("DROP TRIGGER posting_checked").unwrap();
    post(&raw, "final", None, 2, 4, 5).unwrap();
    assert_fault(&raw, "crosses units");
    assert_fault(&raw, "sum to nothing");

    let (_folder, raw) = ledger();
    raw.execute_batch("DROP TRIGGER posting_checked").unwrap();
    let hold = post(&raw, "pending", None, 2, 1, 5).unwrap();
    post(&raw, "post", Some(hold), 2, 1, 50).unwrap();
    assert_fault(&raw, "more than its amount");

    let (_folder, raw) = ledger();
    raw.execute_batch("UPDATE ledger_account SET posted = posted + 1 WHERE id = 1").unwrap();
    assert_fault(&raw, "cached balance");
}
