//! Two faults on one road, every message with every fault beside every other. The runs are those of the gate's own test,
//! which plays a sample; here its program plays slice after slice of an order that the seed decides, so that fewer rounds
//! than all are a sample too.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{About, Bench, Chunk, Task};
use crate::process::tail;

pub(super) const ABOUT: About = About {
    name: "faults",
    sentence: "two faults on one road, from sign-up to refund; wallet, tills and ledger must agree after each",
    takes: "42588 rounds, about an hour",
    rounds: PAIRS,
    rounds_a_chunk: A_CHUNK,
};

/// All of them. The test program knows how many there are and is asked.
const PAIRS: u64 = 42_588;
const A_CHUNK: u64 = 1_200;
const TEST: &str = "pairs::roads_end_well_when_two_things_go_wrong";
/// `SEED:FIRST:COUNT`.
const SLICE: &str = "SAIFU_FAULT_PAIRS";
/// The test program puts its figures as JSON behind this word.
const FIGURES: &str = "SAIFU-FIGURES ";

/// What the test program counted, whether or not everything went well.
#[derive(Deserialize, Serialize, Default)]
struct Counted {
    pairs: u64,
    runs: u64,
    /// By the two faults.
    table: BTreeMap<String, Row>,
    /// How many faults struck each message.
    messages: BTreeMap<String, u64>,
    #[serde(default, skip_serializing)]
    failures: Vec<String>,
}

#[derive(Deserialize, Serialize, Default, Clone, Debug, PartialEq)]
struct Row {
    runs: u64,
    /// Runs in which everything had ended when it had to.
    r#final: u64,
    lost_yen: u64,
    doubled_yen: u64,
    /// Runs in which two of wallet, tills and ledger differed.
    disagreements: u64,
    /// Runs in which asking again did not help.
    needed_a_person: u64,
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.runs = self.runs.saturating_add(other.runs);
        self.r#final = self.r#final.saturating_add(other.r#final);
        self.lost_yen = self.lost_yen.saturating_add(other.lost_yen);
        self.doubled_yen = self.doubled_yen.saturating_add(other.doubled_yen);
        self.disagreements = self.disagreements.saturating_add(other.disagreements);
        self.needed_a_person = self.needed_a_person.saturating_add(other.needed_a_person);
    }
}

pub(super) fn chunk(bench: &Bench<'_>, task: Task) -> io::Result<Chunk> {
    let test = ["test", "--profile", "bench", "--package", "saifu-qa", "--test", "faults"];
    // What does not compile is no finding about faults.
    bench.need(bench.cargo(&test).arg("--no-run"))?;
    let slice = slice(task);
    let mut command = bench.cargo(&test);
    command.args(["--", "--exact", TEST, "--nocapture"]).env(SLICE, &slice);
    let ended = bench.run(&mut command, None)?;
    Ok(read(&slice, task.rounds, ended.success, &ended.output))
}

/// The order is one and the same in all chunks.
fn slice(task: Task) -> String {
    let (seed, first) = (task.seed.wrapping_sub(task.number), task.number.saturating_mul(A_CHUNK));
    format!("{seed}:{first}:{}", task.rounds)
}

/// What the program's output says.
fn read(slice: &str, rounds: u64, success: bool, output: &str) -> Chunk {
    let counted = output.lines().find_map(|line| serde_json::from_str(line.split_once(FIGURES)?.1).ok());
    let counted: Counted = counted.unwrap_or_default();
    let mut failures = counted.failures.clone();
    if !success && failures.is_empty() {
        failures.push(format!("{SLICE}={slice}: {}", tail(output, 20)));
    } else if counted.runs != rounds {
        failures.push(format!("{SLICE}={slice}: {} runs instead of {rounds}", counted.runs));
    } else if counted.pairs != PAIRS {
        failures.push(format!("there are {} pairs, and this measurement knows of {PAIRS}", counted.pairs));
    }
    Chunk { rounds: counted.runs, figures: serde_json::to_value(counted).unwrap_or_default(), failures }
}

/// The sums over all chunks.
pub(super) fn figures(chunks: &[Chunk]) -> Value {
    let mut sum = Counted::default();
    let mut all = Row::default();
    for counted in chunks.iter().filter_map(|chunk| Counted::deserialize(&chunk.figures).ok()) {
        sum.pairs = counted.pairs;
        for (faults, row) in &counted.table {
            sum.table.entry(faults.clone()).or_default().add(row);
            all.add(row);
        }
        for (message, strikes) in counted.messages {
            let total = sum.messages.entry(message).or_default();
            *total = total.saturating_add(strikes);
        }
    }
    json!({ "pairs": sum.pairs, "all": all, "table": sum.table, "messages": sum.messages })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"SAIFU-FIGURES {"pairs":42588,"runs":2,"table":{
        "hang + reorder":{"runs":2,"final":1,"lost_yen":5,"doubled_yen":0,"disagreements":1,"needed_a_person":0}},
        "messages":{"home":3,"settle":1},"failures":["RUN=\"home/hang settle/reorder insists\": open"]}"#;

    fn line() -> String {
        format!("test pairs ... {}\ntest result", LINE.replace('\n', ""))
    }

    #[test]
    fn chunks_are_added_up_by_faults_and_by_message() {
        let chunks = [read("1:0:2", 2, false, &line()), read("1:1200:2", 2, false, &line())];
        let figures = figures(&chunks);
        let row: Row = serde_json::from_value(figures["table"]["hang + reorder"].clone()).unwrap();
        let sum = Row { runs: 4, r#final: 2, lost_yen: 10, disagreements: 2, ..Row::default() };
        assert_eq!(row, sum);
        assert_eq!(serde_json::from_value::<Row>(figures["all"].clone()).unwrap(), sum);
        assert_eq!(figures["messages"]["home"], 6);
    }

    #[test]
    fn every_run_that_did_not_end_well_is_told_as_it_can_be_repeated() {
        let chunk = read("1:0:2", 2, false, &line());
        assert_eq!(chunk.failures, ["RUN=\"home/hang settle/reorder insists\": open"]);
        let broken = read("1:0:2", 2, false, "thread panicked");
        assert_eq!(broken.failures, ["SAIFU_FAULT_PAIRS=1:0:2: thread panicked"]);
    }

    #[test]
    fn test_that_passes_with_other_runs_or_pairs_has_failed() {
        assert_eq!(read("1:0:2", 2, true, "test result: ok. 0 passed").failures.len(), 1);
        let fewer = line().replace("42588", "42587").replace("RUN", "");
        let chunk = read("1:0:2", 2, true, &fewer);
        assert!(chunk.failures.iter().any(|failure| failure.contains("42587 pairs")), "{:?}", chunk.failures);
    }

    #[test]
    fn chunks_go_through_one_order_one_after_the_other() {
        let task = |number, rounds| Task { number, seed: 7_u64.wrapping_add(number), rounds };
        assert_eq!([slice(task(0, 1_200)), slice(task(2, 12))], ["7:0:1200", "7:2400:12"]);
    }
}
