//! Every message of every road, with every fault: what is lost, doubled, late or swapped, and an issuer that dies there. Each
//! run ends in a final state by the clock's own time, without anybody's help: no yen lost, none double, and wallet, tills and
//! ledger say the same.
//!
//! The operations come from `Operation::ALL`: one that no road asks fails its runs, since its fault never strikes.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test may panic"
)]

#[path = "../rig/mod.rs"]
mod rig;
mod road;
mod world;

use saifu_wire::Operation;
use world::World;

/// How the till takes a lost answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Till {
    /// It asks again under the same transaction id.
    Insists,
    /// It reverses the transaction and starts another.
    GivesUp,
}

/// One run after another on one issuer, each with a customer of its own.
async fn every_operation(act: &str, patience_ms: u64) {
    let mut world = World::start(patience_ms);
    for (row, operation) in Operation::ALL.iter().enumerate() {
        let tills: &[Till] =
            if *operation == Operation::Settle { &[Till::Insists, Till::GivesUp] } else { &[Till::Insists] };
        for (column, till) in tills.iter().enumerate() {
            let number = format!("090-{:04}-{:04}", 1_000 + row, column);
            let started = std::time::Instant::now();
            let ended = road::travel(&mut world, &number, *operation, act, *till).await;
            println!("{act:18} {:18} {till:?} {ended:?} {} ms", operation.name(), started.elapsed().as_millis());
            if let Err(what) = ended {
                panic!("{act} on {}, the till {till:?}: {what}", operation.name());
            }
        }
    }
}

/// Long enough that nothing but the fault makes anybody impatient.
const PATIENT: u64 = 10_000;
/// So short that a request held for [`LATE`] is late.
const IMPATIENT: u64 = 700;
const LATE: &str = "delay:1100";

macro_rules! matrix {
    ($($name:ident: $act:expr, $patience:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            every_operation($act, $patience).await;
        })*
    };
}

matrix! {
    roads_end_well_when_a_request_is_lost: "drop-request", PATIENT;
    roads_end_well_when_an_answer_is_lost: "drop-answer", PATIENT;
    roads_end_well_when_a_request_is_handled_twice: "duplicate", PATIENT;
    roads_end_well_when_a_request_comes_after_the_next_one: "reorder", IMPATIENT;
    roads_end_well_when_a_request_comes_too_late: LATE, IMPATIENT;
    roads_end_well_when_the_issuer_dies_before: "kill-issuer", PATIENT;
    roads_end_well_when_the_issuer_dies_after: "kill-issuer-after", PATIENT;
}

/// The control: an issuer that holds money nobody knows of is noticed by the same checks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customer_who_was_told_less_than_the_ledger_holds_is_noticed() {
    let mut world = World::start(PATIENT);
    let mut person = world::Person::new(&world, "090-2000-0001");
    road::sign_up(&mut world, &person).await.unwrap();
    road::top_up(&mut world, &mut person, "control").await.unwrap();
    person.expected -= 1;
    let noticed = road::agree(&mut world, &person).await.unwrap_err();
    assert!(noticed.contains("ledger"), "{noticed}");
}
