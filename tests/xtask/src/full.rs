//! Long measurements: each runs in chunks for minutes or hours, can be interrupted and taken up again, and ends in
//! `results/NAME.json`, which is committed with the command, the commit and the machine that made it.
//!
//! | File | What it does |
//! | --- | --- |
//! | `chunks` | the loop over chunks, and what makes an interrupted run the same one as before |
//! | `machine` | which machine and which commit a figure belongs to |
//! | `programs` | `faults` and `kills`: tests of the gate, played longer; `settlements`: a program of `saifu-bench` |
//! | `bindings` | the same in three languages |

mod bindings;
mod chunks;
mod machine;
mod programs;

use std::fs;
use std::io;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::process::Runner;
use chunks::{Chunk, Plan, Task};
use machine::Machine;

#[derive(Args)]
pub(crate) struct FullArgs {
    /// Which measurement; without it they are listed.
    name: Option<String>,
    /// How many rounds in all.
    #[arg(long, value_name = "N")]
    rounds: Option<u64>,
    /// Where its chance begins.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Begin again, whatever an interrupted run has left.
    #[arg(long)]
    restart: bool,
}

/// What can be measured, and how it is cut into chunks.
struct Measurement {
    name: &'static str,
    sentence: &'static str,
    /// On two cores, built programs aside.
    takes: &'static str,
    rounds: u64,
    /// What is lost at most when a run is interrupted.
    rounds_a_chunk: u64,
    chunk: fn(&Runner, Task) -> io::Result<Chunk>,
}

/// How many flows there are with two faults; the test program holds this figure against its own.
const FAULT_PAIRS: u64 = 42_588;
const FAULTS_A_CHUNK: u64 = 1_200;

const ALL: [Measurement; 4] = [
    Measurement {
        name: "bindings",
        sentence: "calls, cold starts, 10,000 openings and 100,000 calls in Rust, Kotlin and Swift",
        takes: "3 rounds, about 15 minutes",
        rounds: 3,
        rounds_a_chunk: u64::MAX,
        chunk: bindings::chunk,
    },
    Measurement {
        name: "faults",
        sentence: "two faults in one flow, from sign-up to refund; wallet, tills and ledger must agree after each",
        takes: "42588 rounds, about an hour",
        rounds: FAULT_PAIRS,
        rounds_a_chunk: FAULTS_A_CHUNK,
        chunk: programs::faults,
    },
    Measurement {
        name: "kills",
        sentence: "SIGKILL of the wallet at every step of a top-up; wallet and ledger must agree after each",
        takes: "2000 rounds, about 3 minutes",
        rounds: 2_000,
        rounds_a_chunk: 200,
        chunk: programs::kills,
    },
    Measurement {
        name: "settlements",
        sentence: "settlements a second with fsync, 64 registers at a time, beside bare rows on the same disk",
        takes: "4 rounds, about 5 minutes",
        rounds: 4,
        rounds_a_chunk: u64::MAX,
        chunk: programs::settlements,
    },
];

/// What a finished measurement leaves in `results/NAME.json`.
#[derive(Serialize)]
struct Finished {
    command: String,
    commit: String,
    seed: u64,
    machine: Machine,
    rounds: u64,
    figures: Value,
    failures: Vec<String>,
}

/// Runs one measurement to its end, or lists them; the exit code of the whole command.
pub(crate) fn run(args: &FullArgs) -> io::Result<u8> {
    let Some(name) = &args.name else {
        print!("{}", list());
        return Ok(0);
    };
    let measurement = choose(name)?;
    let runner = Runner::new(&format!("full-{name}"), None)?;
    let rounds = args.rounds.unwrap_or(measurement.rounds);
    let plan = Plan {
        command: format!("cargo xtask full {name} --rounds {rounds} --seed {}", args.seed),
        commit: machine::commit(&runner.workspace)?,
        seed: args.seed,
        rounds,
        rounds_a_chunk: measurement.rounds_a_chunk,
    };
    let machine = Machine::this();
    let results = runner.workspace.root.join("results");
    let (file, partial) = (results.join(format!("{name}.json")), results.join(format!("{name}.partial.json")));
    let chunks = plan.run(&partial, args.restart, |task, place| {
        if machine::commit(&runner.workspace)? != plan.commit {
            return Err(io::Error::other("the work tree is no longer the one that the measurement began with"));
        }
        runner.progress.start(&format!("[{place}] {name}"));
        let chunk = (measurement.chunk)(&runner, task)?;
        runner.progress.done(&format!("{} rounds, {} failures", chunk.rounds, chunk.failures.len()));
        Ok(chunk)
    })?;
    let finished = Finished {
        command: plan.command,
        commit: plan.commit,
        seed: args.seed,
        machine,
        rounds: chunks.iter().fold(0, |sum, chunk| sum.saturating_add(chunk.rounds)),
        figures: chunks::sum(&chunks),
        failures: chunks.into_iter().flat_map(|chunk| chunk.failures).collect(),
    };
    fs::write(&file, serde_json::to_string_pretty(&finished).map_err(io::Error::other)? + "\n")?;
    if partial.exists() {
        fs::remove_file(partial)?;
    }
    for failure in &finished.failures {
        eprintln!("{failure}");
    }
    println!("{}: {} rounds, {} failures", file.display(), finished.rounds, finished.failures.len());
    Ok(u8::from(!finished.failures.is_empty()))
}

fn choose(name: &str) -> io::Result<&'static Measurement> {
    let found = ALL.iter().find(|measurement| measurement.name == name);
    found.ok_or_else(|| io::Error::other(format!("no measurement is called {name}; there are:\n{}", list().trim_end())))
}

/// Every measurement with what it shows and how long it takes.
fn list() -> String {
    ALL.iter().map(|it| format!("{:<12} {} ({})\n", it.name, it.sentence, it.takes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_are_found_by_name_and_an_unknown_name_is_answered_with_every_known_one() {
        let error = choose("nothing").map(|_| ()).unwrap_err().to_string();
        for measurement in &ALL {
            assert_eq!(choose(measurement.name).unwrap().sentence, measurement.sentence);
            assert!(error.contains(measurement.name) && error.contains(measurement.takes));
        }
    }
}
