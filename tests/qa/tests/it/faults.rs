//! Every message of every flow, with every fault: what is lost, doubled, late or swapped, and an issuer that dies there. Each
//! run ends in a final state by the clock's own time and not later than its `ends_by`, without anybody's help: no yen lost,
//! none double, and wallet, tills and ledger say the same of each transaction.
//!
//! | File | What it does |
//! | --- | --- |
//! | `plan` | which faults meet which messages, alone and in pairs |
//! | `flow` | the flow of a customer, as real peers play it |
//! | `verdict` | what came of a run |
//! | `pool` | many runs on some issuers at once |
//! | `pairs` | two faults in one flow: a sample here, all of them with `cargo xtask full faults` |
//! | `controls` | the same checks with a defence taken away |
//!
//! The messages come from `Operation::ALL`, the faults from `Act::FORMS`: a message that no flow sends fails its runs, since
//! its fault never strikes, and a fault without runs fails a test.

mod controls;
mod flow;
mod pairs;
mod plan;
mod pool;
mod verdict;
mod world;

use plan::Pace;

/// Patience for a machine that is busy with other tests.
const GATE: Pace = Pace { patient: 10_000, impatient: 1_000, late: 1_500 };
/// So many issuers work at once for each fault.
const WORLDS: usize = 4;

/// This fault on every operation.
fn every_operation(form: &'static str) {
    let runs = plan::every_operation(form);
    let verdicts = pool::run_all(&runs, WORLDS, GATE);
    let bad: Vec<String> = runs
        .iter()
        .zip(&verdicts)
        .filter(|(_, verdict)| !verdict.is_good())
        .map(|(run, verdict)| format!("{run}: {verdict:?}"))
        .collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

macro_rules! matrix {
    ($($name:ident: $form:expr;)*) => {
        $(#[test]
        fn $name() {
            every_operation($form);
        })*

        #[test]
        fn every_fault_that_the_issuer_knows_has_its_runs() {
            assert_eq!([$($form,)*], *saifu_sandbox::faults::Act::FORMS);
        }
    };
}

matrix! {
    flows_end_well_when_a_request_is_lost: "drop-request";
    flows_end_well_when_an_answer_is_lost: "drop-answer";
    flows_end_well_when_a_request_is_handled_twice: "duplicate";
    flows_end_well_when_a_request_comes_after_the_next_one: "reorder";
    flows_end_well_when_an_answer_is_no_json: "garbage";
    flows_end_well_when_an_answer_is_another_message: "nonsense";
    flows_end_well_when_the_issuer_is_of_tomorrow: "newer";
    flows_end_well_when_nobody_answers: "hang";
    flows_end_well_when_it_is_done_and_nobody_answers: "hang-after";
    flows_end_well_when_the_issuer_dies_before: "kill-issuer";
    flows_end_well_when_the_issuer_dies_after: "kill-issuer-after";
    flows_end_well_when_a_request_comes_too_late: "delay:MS";
    flows_end_well_when_a_proxy_answers_instead: "status:N";
}
