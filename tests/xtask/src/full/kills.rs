//! SIGKILL between the steps of a top-up, ten times as often as the gate does it. The rounds are those of the gate's
//! own test; here its program runs again and again, each time with other delays.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{About, Bench, Chunk, Task};
use crate::process::tail;

pub(super) const ABOUT: About = About {
    name: "kills",
    sentence: "SIGKILL of the wallet at every step of a top-up; wallet and ledger must agree after each",
    takes: "2000 rounds, about 3 minutes",
    rounds: 2_000,
    rounds_a_chunk: ROUNDS,
};

/// What the test program does at each start.
const ROUNDS: u64 = 200;
const TEST: &str = "wallet_killed_between_any_two_steps_of_a_top_up_agrees_with_the_ledger";
const SEED: &str = "SAIFU_KILL_SEED";
/// The test program puts its figures as JSON behind this word.
const FIGURES: &str = "SAIFU-FIGURES ";

/// What the test program counted, whether or not it got through.
#[derive(Deserialize, Serialize, Default, Debug, PartialEq)]
struct Counted {
    rounds: u64,
    /// Rounds in which the kill hit the process, by step.
    hits: BTreeMap<String, u64>,
    yen_posted: i64,
}

pub(super) fn chunk(bench: &Bench<'_>, task: Task) -> io::Result<Chunk> {
    let test = ["test", "--profile", "bench", "--package", "saifu-qa", "--test", "kills"];
    // What does not compile is no finding about the wallet.
    bench.need(bench.cargo(&test).arg("--no-run"))?;
    let mut command = bench.cargo(&test);
    command.args(["--", "--exact", TEST, "--nocapture"]).env(SEED, task.seed.to_string());
    let ended = bench.run(&mut command, None)?;
    Ok(read(task.seed, ended.success, &ended.output))
}

/// What the program's output says.
fn read(seed: u64, success: bool, output: &str) -> Chunk {
    let counted = output.lines().find_map(|line| serde_json::from_str(line.split_once(FIGURES)?.1).ok());
    let mut failures = Vec::new();
    if !success {
        failures.push(format!("{SEED}={seed}: {}", tail(output, 20)));
    } else if counted.as_ref().is_none_or(|counted: &Counted| counted.rounds != ROUNDS) {
        failures.push(format!("{SEED}={seed}: the test passed without saying that it ran {ROUNDS} rounds"));
    }
    let counted = counted.unwrap_or_default();
    Chunk { rounds: counted.rounds, figures: serde_json::to_value(counted).unwrap_or_default(), failures }
}

/// The sums over all chunks.
pub(super) fn figures(chunks: &[Chunk]) -> Value {
    let mut sum = Counted::default();
    for counted in chunks.iter().filter_map(|chunk| Counted::deserialize(&chunk.figures).ok()) {
        sum.rounds = sum.rounds.saturating_add(counted.rounds);
        sum.yen_posted = sum.yen_posted.saturating_add(counted.yen_posted);
        for (step, hits) in counted.hits {
            let all = sum.hits.entry(step).or_default();
            *all = all.saturating_add(hits);
        }
    }
    serde_json::to_value(sum).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"SAIFU-FIGURES {"rounds":200,"hits":{"asked":28,"sending":20},"yen_posted":57000}"#;

    #[test]
    fn chunks_are_added_up_by_step() {
        let chunks = [read(1, true, LINE), read(2, true, LINE)];
        let sum: Counted = serde_json::from_value(figures(&chunks)).unwrap();
        assert_eq!((sum.rounds, sum.hits["sending"], sum.yen_posted), (400, 40, 114_000));
        assert!(chunks.iter().all(|chunk| chunk.failures.is_empty()));
    }

    #[test]
    fn a_failed_test_is_recorded_with_its_seed_and_the_rounds_it_got_through() {
        let output = format!("killed at answered: the reopened wallet knows nothing\n{}", LINE.replace("200", "17"));
        let chunk = read(5, false, &output);
        assert_eq!(chunk.rounds, 17);
        assert!(chunk.failures.len() == 1 && chunk.failures[0].starts_with("SAIFU_KILL_SEED=5: killed at answered"));
    }

    #[test]
    fn a_test_that_passes_without_figures_has_failed() {
        assert_eq!(read(5, true, "test result: ok. 0 passed").failures.len(), 1);
    }

    #[test]
    fn figures_are_found_behind_the_harness_own_words() {
        assert_eq!(read(1, true, &format!("test kills ... {LINE}\n")).rounds, ROUNDS);
    }
}
