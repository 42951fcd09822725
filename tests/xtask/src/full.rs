//! Long measurements: each runs in chunks for minutes or hours, can be interrupted and taken up again, and ends in
//! `results/NAME.json`, which is committed with the command, the commit and the machine that made it.
//!
//! | File | What it does |
//! | --- | --- |
//! | `run` | the loop over chunks, and what makes an interrupted run the same one as before |
//! | `machine` | which machine and which commit a figure belongs to |
//! | `in_tests` | `faults` and `kills`: tests of the gate, played longer |
//! | `bindings`, `settlements` | one measurement each |

mod bindings;
mod in_tests;
mod machine;
mod run;
mod settlements;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::process::{Ended, cargo, run_logged};
use crate::progress::Progress;
use crate::workspace::Workspace;
use machine::Machine;
use run::{Chunk, Plan, Task};

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
    chunk: fn(&Bench<'_>, Task) -> io::Result<Chunk>,
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
        chunk: in_tests::faults,
    },
    Measurement {
        name: "kills",
        sentence: "SIGKILL of the wallet at every step of a top-up; wallet and ledger must agree after each",
        takes: "2000 rounds, about 3 minutes",
        rounds: 2_000,
        rounds_a_chunk: 200,
        chunk: in_tests::kills,
    },
    Measurement {
        name: "settlements",
        sentence: "settlements a second with fsync, 64 registers at a time, beside bare rows on the same disk",
        takes: "4 rounds, about 5 minutes",
        rounds: 4,
        rounds_a_chunk: u64::MAX,
        chunk: settlements::chunk,
    },
];

/// What a finished measurement leaves in `results/NAME.json`.
#[derive(Serialize)]
struct Finished<'a> {
    command: &'a str,
    commit: &'a str,
    seed: u64,
    machine: Machine,
    rounds: u64,
    figures: Value,
    failures: Vec<&'a str>,
}

/// What a measurement works with: the workspace, a log, a folder for its data.
struct Bench<'a> {
    workspace: &'a Workspace,
    progress: &'a Progress,
    log: PathBuf,
    scratch: PathBuf,
}

impl Bench<'_> {
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo(&self.workspace.root);
        command.args(arguments);
        command
    }

    /// Runs `command` into the log, its stdout into a file of its own if one is given.
    fn run(&self, command: &mut Command, stdout: Option<&Path>) -> io::Result<Ended> {
        run_logged(command, &self.log, stdout, self.progress, None)
    }

    /// Runs `command`, which must succeed for the measurement to mean anything.
    fn need(&self, command: &mut Command) -> io::Result<()> {
        let ended = self.run(command, None)?;
        if ended.success {
            return Ok(());
        }
        Err(io::Error::other(crate::process::tail(&ended.output, 40)))
    }
}

/// Runs one measurement to its end, or lists them; the exit code of the whole command.
pub(crate) fn run(args: &FullArgs) -> io::Result<u8> {
    let Some(name) = &args.name else {
        print!("{}", list());
        return Ok(0);
    };
    let measurement = choose(name)?;
    let workspace = Workspace::load()?;
    let results = workspace.root.join("results");
    fs::create_dir_all(&results)?;
    let rounds = args.rounds.unwrap_or(measurement.rounds);
    let plan = Plan {
        name: measurement.name,
        command: format!("cargo xtask full {} --rounds {rounds} --seed {}", measurement.name, args.seed),
        commit: machine::commit(&workspace.root)?,
        seed: args.seed,
        rounds,
        rounds_a_chunk: measurement.rounds_a_chunk,
    };
    let progress = Progress::new();
    let scratch = workspace.scratch()?;
    let log = scratch.join(format!("full-{}.log", measurement.name));
    fs::write(&log, "")?;
    let bench = Bench { workspace: &workspace, progress: &progress, log, scratch };
    let machine = Machine::this();
    let chunks = plan.run(&results, args.restart, &progress, |task| {
        if machine::commit(&workspace.root)? != plan.commit {
            return Err(io::Error::other("the work tree is no longer the one that the measurement began with"));
        }
        (measurement.chunk)(&bench, task)
    })?;
    finish(&plan, machine, &chunks, &results)
}

fn choose(name: &str) -> io::Result<&'static Measurement> {
    let found = ALL.iter().find(|measurement| measurement.name == name);
    found.ok_or_else(|| io::Error::other(format!("no measurement is called {name}; there are:\n{}", list().trim_end())))
}

/// Every measurement with what it shows and how long it takes.
fn list() -> String {
    ALL.iter().map(|it| format!("{:<12} {} ({})\n", it.name, it.sentence, it.takes)).collect()
}

/// Writes the result and says how it went.
fn finish(plan: &Plan, machine: Machine, chunks: &[Chunk], results: &Path) -> io::Result<u8> {
    let failures: Vec<&str> = chunks.iter().flat_map(|chunk| &chunk.failures).map(String::as_str).collect();
    let finished = Finished {
        command: &plan.command,
        commit: &plan.commit,
        seed: plan.seed,
        machine,
        rounds: chunks.iter().fold(0, |sum, chunk| sum.saturating_add(chunk.rounds)),
        figures: in_tests::sum(chunks),
        failures,
    };
    let text = serde_json::to_string_pretty(&finished).map_err(io::Error::other)?;
    let file = results.join(format!("{}.json", plan.name));
    fs::write(&file, text + "\n")?;
    plan.forget(results)?;
    for failure in &finished.failures {
        eprintln!("{failure}");
    }
    println!("{}: {} rounds, {} failures", file.display(), finished.rounds, finished.failures.len());
    Ok(u8::from(!finished.failures.is_empty()))
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
