//! Two faults in one flow. The gate plays a sample; `cargo xtask full faults` plays all of them, slice by slice of an order
//! that its seed decides.
//!
//! `SAIFU_FAULT_PAIRS=SEED:FIRST:COUNT` chooses a slice, `SAIFU_FAULT_RUN="top-up/drop-answer settle/hang insists"` one run,
//! and a line of figures says what came of them.

use std::collections::BTreeMap;

use serde_json::json;

use super::plan::{Pace, Run, every_pair, shuffled};
use super::pool::run_all;
use super::verdict::Verdict;
use super::{GATE, WORLDS};

const SLICE: &str = "SAIFU_FAULT_PAIRS";
const ONE: &str = "SAIFU_FAULT_RUN";
/// What the gate plays.
const SAMPLE: (u64, usize, usize) = (0x5a1f, 0, 24);
/// A slice shares a busy machine with nobody who waits: patience costs nothing but time, and many issuers share the waiting.
const LONG: (Pace, usize) = (Pace { patient: 20_000, impatient: 3_000, late: 4_000 }, 64);

/// A line of the table: all runs with these two faults.
#[derive(Default, serde::Serialize)]
struct Row {
    runs: u64,
    /// Runs in which everything had ended by its `ends_by`.
    r#final: u64,
    lost_yen: i64,
    doubled_yen: i64,
    disagreements: u64,
    needed_a_person: u64,
}

impl Row {
    fn add(&mut self, verdict: &Verdict) {
        self.runs += 1;
        self.r#final += u64::from(verdict.open.is_empty());
        self.lost_yen += verdict.lost_yen;
        self.doubled_yen += verdict.doubled_yen;
        self.disagreements += u64::from(!verdict.disagreements.is_empty());
        self.needed_a_person += u64::from(!verdict.needed_a_person.is_empty());
    }
}

/// What is to be run, on so many issuers.
fn chosen() -> (Vec<Run>, usize, Pace) {
    if let Ok(run) = std::env::var(ONE) {
        return (vec![run.parse().unwrap()], 1, GATE);
    }
    let slice = std::env::var(SLICE).ok().map(|text| {
        let numbers: Vec<u64> = text.split(':').map(|number| number.parse().unwrap()).collect();
        (numbers[0], usize::try_from(numbers[1]).unwrap(), usize::try_from(numbers[2]).unwrap())
    });
    let (pace, worlds) = if slice.is_some() { (LONG.0, LONG.1) } else { (GATE, WORLDS) };
    let (seed, first, count) = slice.unwrap_or(SAMPLE);
    (shuffled(every_pair(), seed).into_iter().skip(first).take(count).collect(), worlds, pace)
}

#[test]
fn flows_end_well_when_two_things_go_wrong() {
    let (runs, worlds, pace) = chosen();
    let verdicts = run_all(&runs, worlds, pace);
    let (mut all, mut table) = (Row::default(), BTreeMap::<String, Row>::new());
    let mut messages: BTreeMap<&str, u64> = BTreeMap::new();
    let mut failures = Vec::new();
    for (run, verdict) in runs.iter().zip(&verdicts) {
        all.add(verdict);
        table.entry(run.faults()).or_default().add(verdict);
        for cell in &run.cells {
            *messages.entry(cell.on.name()).or_default() += 1;
        }
        if !verdict.is_good() {
            failures.push(format!("{ONE}=\"{run}\": {}", serde_json::to_string(verdict).unwrap()));
        }
    }
    let figures = json!({
        "rounds": runs.len(), "all": all, "table": table, "messages": messages, "failures": failures
    });
    println!("SAIFU-FIGURES {figures}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Every message with every fault beside every other: none twice, and as many as there have to be.
#[test]
fn pairs_are_complete() {
    use saifu_wire::Operation;
    let pairs = every_pair();
    let (messages, faults) = (Operation::ALL.len(), saifu_sandbox::faults::Act::FORMS.len());
    let different = messages * (messages - 1) / 2 * faults * faults;
    let settling = (messages - 1) * faults * faults + faults * faults;
    assert_eq!(pairs.len(), different + messages * faults * faults + settling);
    let mut names: Vec<String> = pairs.iter().map(Run::to_string).collect();
    assert!(names.iter().zip(&pairs).all(|(name, run)| name.parse().as_ref() == Ok(run)));
    names.sort();
    names.dedup();
    assert_eq!(names.len(), pairs.len());
}

/// The long measurement counts its rounds before it has built anything.
#[test]
fn long_measurement_knows_how_many_pairs_there_are() {
    let measurement = include_str!("../../../../xtask/src/full.rs");
    let pairs = every_pair().len();
    let said = format!("const FAULT_PAIRS: u64 = {}_{:03};", pairs / 1_000, pairs % 1_000);
    assert!(measurement.contains(&said), "not in tests/xtask/src/full.rs: {said}");
}
