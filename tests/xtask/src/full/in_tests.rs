//! Measurements that are one of the gate's own tests, played far longer: its program runs again and again, told by a variable
//! which rounds to play, and prints what it counted as JSON behind `SAIFU-FIGURES`.

use std::io;

use serde_json::Value;

use super::{Bench, Chunk, Task};
use crate::process::{Ended, tail};

const FIGURES: &str = "SAIFU-FIGURES ";

/// SIGKILL between the steps of a top-up, each chunk with other delays.
pub(super) fn kills(bench: &Bench<'_>, task: Task) -> io::Result<Chunk> {
    let test = "kills::wallet_killed_between_any_two_steps_of_a_top_up_agrees_with_the_ledger";
    play(bench, test, ("SAIFU_KILL_SEED", task.seed.to_string()), task.rounds)
}

/// Two faults in one flow, slice after slice of an order that the run's seed decides.
pub(super) fn faults(bench: &Bench<'_>, task: Task) -> io::Result<Chunk> {
    let (seed, first) = (task.seed.wrapping_sub(task.number), task.number.saturating_mul(super::FAULTS_A_CHUNK));
    let slice = ("SAIFU_FAULT_PAIRS", format!("{seed}:{first}:{}", task.rounds));
    play(bench, "faults::pairs::flows_end_well_when_two_things_go_wrong", slice, task.rounds)
}

fn play(bench: &Bench<'_>, test: &str, told: (&str, String), rounds: u64) -> io::Result<Chunk> {
    let cargo = ["test", "--profile", "bench", "--package", "saifu-qa", "--test", "it"];
    // What does not compile is no finding.
    bench.need(bench.cargo(&cargo).arg("--no-run"))?;
    let mut command = bench.cargo(&cargo);
    let ended = bench.run(command.args(["--", "--exact", test, "--nocapture"]).env(told.0, &told.1), None)?;
    Ok(read(&format!("{}={}", told.0, told.1), rounds, &ended))
}

/// What the program's output says.
fn read(told: &str, rounds: u64, ended: &Ended) -> Chunk {
    let line = ended.output.lines().find_map(|line| serde_json::from_str::<Value>(line.split_once(FIGURES)?.1).ok());
    let mut figures = line.unwrap_or_default();
    let mut take = |name: &str| figures.as_object_mut().and_then(|figures| figures.remove(name)).unwrap_or_default();
    let (ran, failures) = (take("rounds").as_u64().unwrap_or_default(), take("failures"));
    let mut failures: Vec<String> = serde_json::from_value(failures).unwrap_or_default();
    if !ended.success && failures.is_empty() {
        failures.push(format!("{told}: {}", tail(&ended.output, 20)));
    } else if ran != rounds {
        failures.push(format!("{told}: {ran} rounds instead of {rounds}"));
    }
    Chunk { rounds: ran, figures, failures }
}

/// The sum of all chunks, number by number.
pub(super) fn sum(chunks: &[Chunk]) -> Value {
    chunks.iter().fold(Value::Null, |sum, chunk| add(sum, &chunk.figures))
}

fn add(sum: Value, more: &Value) -> Value {
    match (sum, more) {
        (Value::Object(mut sum), Value::Object(more)) => {
            for (name, value) in more {
                let before = sum.remove(name).unwrap_or_default();
                sum.insert(name.clone(), add(before, value));
            }
            Value::Object(sum)
        }
        (sum, more) => match (sum.as_i64(), more.as_i64()) {
            (Some(sum), Some(more)) => sum.saturating_add(more).into(),
            _ => more.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ended(success: bool, line: &str) -> Ended {
        Ended { success, output: format!("test pairs ... {FIGURES}{line}\ntest result") }
    }

    #[test]
    fn chunks_are_added_up_number_by_number() {
        let line = r#"{"rounds":2,"hits":{"asked":3},"table":{"a + b":{"lost_yen":-5}},"failures":[]}"#;
        let other = r#"{"rounds":2,"hits":{"asked":1,"sent":1},"table":{"a + b":{"lost_yen":1}}}"#;
        let chunks = [line, other].map(|line| read("SEED=1", 2, &ended(true, line)));
        assert!(chunks.iter().all(|chunk| chunk.rounds == 2 && chunk.failures.is_empty()));
        assert_eq!(sum(&chunks), json!({"hits": {"asked": 4, "sent": 1}, "table": {"a + b": {"lost_yen": -4}}}));
    }

    #[test]
    fn what_did_not_end_well_is_told_as_it_can_be_repeated() {
        let told = |success, line: &str| read("SEED=5", 2, &ended(success, line)).failures;
        assert_eq!(told(false, r#"{"rounds":2,"failures":["RUN=1: open"]}"#), ["RUN=1: open"]);
        assert!(told(false, "nothing")[0].starts_with("SEED=5: test pairs"));
        assert_eq!(told(true, "{}"), ["SEED=5: 0 rounds instead of 2"]);
        assert_eq!(told(true, r#"{"rounds":1}"#), ["SEED=5: 1 rounds instead of 2"]);
    }
}
