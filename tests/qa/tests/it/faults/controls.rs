//! The same flows and checks with a defence taken away: each must be noticed, and by the check that is there for it.

use saifu_sandbox::policy::{Policy, Without};
use saifu_wire::Operation;

use super::GATE;
use super::flow;
use super::plan::{Cell, Run, Till};
use super::verdict::{Verdict, agree, compare, travel};
use super::world::{Person, World};
use crate::support::common::NO_WAITING;

fn run(on: Operation, form: &'static str, till: Till) -> Run {
    Run { cells: vec![Cell { on, form }], till }
}

fn policy(replay_lookup: bool) -> Policy {
    let policy: Policy = serde_json::from_str(NO_WAITING).unwrap();
    Policy { without: Without { replay_lookup, ..Without::default() }, ..policy }
}

/// An issuer that does not look up whether it has done a transaction already refunds twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issuer_that_knows_no_repeats_is_noticed() {
    for (without, doubled) in [(false, 0), (true, 280)] {
        let mut world = World::start_here(policy(without), GATE).await;
        let verdict = travel(&mut world, &run(Operation::Refund, "duplicate", Till::Insists)).await;
        assert_eq!((verdict.doubled_yen, verdict.is_good()), (doubled, !without), "{verdict:?}");
    }
}

/// A till that makes up a new transaction id when it asks again refunds twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn till_that_forgets_its_transaction_id_is_noticed() {
    let mut world = World::start_here(policy(false), GATE).await;
    let verdict = travel(&mut world, &run(Operation::Refund, "drop-answer", Till::Forgets)).await;
    assert_eq!((verdict.lost_yen, verdict.doubled_yen), (0, 280), "{verdict:?}");
}

/// A wallet that cannot find out what became of an intent stays without an end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wallet_that_cannot_resolve_is_noticed() {
    let mut world = World::start_here(policy(false), GATE).await;
    let mut person = Person::new(&mut world);
    world.arm(vec![(Operation::TopUp, "drop-answer".into())]);
    world.add_fault(&(Operation::IntentResolve, "status:503".into()), None);
    let run = run(Operation::TopUp, "drop-answer", Till::Insists);
    let told = flow::walk(&mut world, &mut person, &run).await.unwrap_err();
    assert!(told.starts_with("resolve: "), "{told}");
    let mut verdict = Verdict::default();
    agree(&mut world, &person, &mut verdict).await;
    assert!(!verdict.is_good() && !verdict.needed_a_person.is_empty(), "{verdict:?}");
}

/// Who was told less than the ledger holds, or more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customer_who_was_told_otherwise_than_the_ledger_holds_is_noticed() {
    let mut world = World::start_here(policy(false), GATE).await;
    let mut person = Person::new(&mut world);
    flow::sign_up(&mut world, &person).await.unwrap();
    flow::top_up(&mut world, &mut person).await.unwrap();
    for (wrong, lost, doubled) in [(0, 0, 0), (-1, 0, 1), (1, 1, 0)] {
        let truth = person.told.clone();
        person.told.values_mut().for_each(|yen| *yen += wrong);
        let mut verdict = Verdict::default();
        agree(&mut world, &person, &mut verdict).await;
        assert_eq!((verdict.lost_yen, verdict.doubled_yen), (lost, doubled), "{verdict:?}");
        assert_eq!(verdict.is_good(), wrong == 0, "{verdict:?}");
        person.told = truth;
    }
}

/// A fault more than there are people to meet it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_that_nobody_meets_is_noticed() {
    let mut world = World::start_here(policy(false), GATE).await;
    let run =
        |times| Run { cells: vec![Cell { on: Operation::SwitchSet, form: "duplicate" }; times], till: Till::Insists };
    let verdict = travel(&mut world, &run(3)).await;
    assert!(verdict.is_good(), "{verdict:?}");
    let verdict = travel(&mut world, &run(4)).await;
    assert_eq!(verdict.never_struck, ["duplicate on switch-set"]);
}

/// What nobody goes on with has its end, exactly then, on both sides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn top_up_that_nobody_takes_to_an_atm_is_open_until_it_ends() {
    let mut world = World::start_here(policy(false), GATE).await;
    let person = Person::new(&mut world);
    flow::sign_up(&mut world, &person).await.unwrap();
    flow::approve(&mut world, &person).await.unwrap();
    let mut early = Verdict::default();
    compare(&mut world, &person, &mut early).await;
    assert_eq!(early.open.len(), 1, "{early:?}");
    let mut verdict = Verdict::default();
    agree(&mut world, &person, &mut verdict).await;
    assert!(verdict.is_good(), "{verdict:?}");
}
