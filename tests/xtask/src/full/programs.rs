//! Measurements that one program does: tests of the gate, played far longer, which are told by a variable which rounds to play and
//! print what they counted as JSON behind `SAIFU-FIGURES`; and `saifu-bench`.

use std::fs;
use std::io;

use serde_json::Value;

use super::{Chunk, Task};
use crate::process::{Ended, Runner, tail};

const FIGURES: &str = "SAIFU-FIGURES ";

/// SIGKILL between the steps of a top-up, each chunk with other delays.
pub(super) fn kills(runner: &Runner, task: Task) -> io::Result<Chunk> {
    let test = "kills::wallet_killed_between_any_two_steps_of_a_top_up_agrees_with_the_ledger";
    play(runner, test, ("SAIFU_KILL_SEED", task.seed.to_string()), task.rounds)
}

/// Two faults in one flow, slice after slice of an order that the run's seed decides.
pub(super) fn faults(runner: &Runner, task: Task) -> io::Result<Chunk> {
    let (seed, first) = (task.seed.wrapping_sub(task.number), task.number.saturating_mul(super::FAULTS_A_CHUNK));
    let slice = ("SAIFU_FAULT_PAIRS", format!("{seed}:{first}:{}", task.rounds));
    play(runner, "faults::pairs::flows_end_well_when_two_things_go_wrong", slice, task.rounds)
}

/// How many settlements a second the sandbox's issuer commits, beside the number of bare rows that the same disk commits in
/// between.
pub(super) fn settlements(runner: &Runner, task: Task) -> io::Result<Chunk> {
    let program = ["--profile", "bench", "--package", "saifu-bench"];
    runner.need(runner.cargo(&["build"]).args(program))?;
    let printed = runner.scratch.join("settlements.json");
    let mut command = runner.cargo(&["run"]);
    command.args(program).args(["--", "settlements", "--rounds", &task.rounds.to_string()]);
    // On the disk of the workspace: the system's folder for temporary files may be memory, which syncs for nothing.
    command.args(["--seed", &task.seed.to_string(), "--data"]).arg(runner.scratch.join("settlements"));
    let ended = runner.run_into(&printed, &mut command)?;
    if !ended.success {
        return Err(io::Error::other(tail(&ended.output, 40)));
    }
    serde_json::from_slice(&fs::read(&printed)?).map_err(io::Error::other)
}

fn play(runner: &Runner, test: &str, told: (&str, String), rounds: u64) -> io::Result<Chunk> {
    let cargo = ["test", "--profile", "bench", "--package", "saifu-qa", "--test", "it"];
    // What does not compile is no finding.
    runner.need(runner.cargo(&cargo).arg("--no-run"))?;
    let mut command = runner.cargo(&cargo);
    let ended = runner.run(command.args(["--", "--exact", test, "--nocapture"]).env(told.0, &told.1))?;
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_did_not_end_well_is_told_as_it_can_be_repeated() {
        let told = |success, line: &str| {
            read("SEED=5", 2, &Ended { success, output: format!("test pairs ... {FIGURES}{line}\ntest result") })
        };
        let well = told(true, r#"{"rounds":2,"hits":{"asked":3},"failures":[]}"#);
        assert_eq!(well, Chunk { rounds: 2, figures: json!({"hits": {"asked": 3}}), failures: Vec::new() });
        assert_eq!(told(false, r#"{"rounds":2,"failures":["RUN=1: open"]}"#).failures, ["RUN=1: open"]);
        assert!(told(false, "nothing").failures[0].starts_with("SEED=5: test pairs"));
        assert_eq!(told(true, "{}").failures, ["SEED=5: 0 rounds instead of 2"]);
        assert_eq!(told(true, r#"{"rounds":1}"#).failures, ["SEED=5: 1 rounds instead of 2"]);
    }
}
