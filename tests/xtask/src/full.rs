//! Long measurements: each runs in chunks for minutes or hours, can be interrupted and taken up again, and ends in
//! `results/NAME.json`, which is committed with the command, the commit and the machine that made it.
//!
//! | File | What it does |
//! | --- | --- |
//! | `run` | the loop over chunks, and what makes an interrupted run the same one as before |
//! | `machine` | which machine and which commit a figure belongs to |
//! | `bindings`, `faults`, `kills`, `settlements` | one measurement each |

mod bindings;
mod faults;
mod kills;
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

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Measurement {
    Bindings,
    Faults,
    Kills,
    Settlements,
}

/// How a measurement is presented and cut into chunks.
struct About {
    name: &'static str,
    sentence: &'static str,
    /// On two cores, built programs aside.
    takes: &'static str,
    rounds: u64,
    /// What is lost at most when a run is interrupted.
    rounds_a_chunk: u64,
}

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

impl Measurement {
    const ALL: [Self; 4] = [Self::Bindings, Self::Faults, Self::Kills, Self::Settlements];

    fn about(self) -> About {
        match self {
            Self::Bindings => bindings::ABOUT,
            Self::Faults => faults::ABOUT,
            Self::Kills => kills::ABOUT,
            Self::Settlements => settlements::ABOUT,
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measurement| measurement.about().name == name)
    }

    fn chunk(self, bench: &Bench<'_>, task: Task) -> io::Result<Chunk> {
        match self {
            Self::Bindings => bindings::chunk(bench, task),
            Self::Faults => faults::chunk(bench, task),
            Self::Kills => kills::chunk(bench, task),
            Self::Settlements => settlements::chunk(bench, task),
        }
    }

    fn figures(self, chunks: &[Chunk]) -> Value {
        match self {
            Self::Bindings => bindings::figures(chunks),
            Self::Faults => faults::figures(chunks),
            Self::Kills => kills::figures(chunks),
            Self::Settlements => settlements::figures(chunks),
        }
    }
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
    let about = measurement.about();
    let workspace = Workspace::load()?;
    let results = workspace.root.join("results");
    fs::create_dir_all(&results)?;
    let rounds = args.rounds.unwrap_or(about.rounds);
    let plan = Plan {
        name: about.name,
        command: format!("cargo xtask full {} --rounds {rounds} --seed {}", about.name, args.seed),
        commit: machine::commit(&workspace.root)?,
        seed: args.seed,
        rounds,
        rounds_a_chunk: about.rounds_a_chunk,
    };
    let progress = Progress::new();
    let scratch = workspace.scratch()?;
    let log = scratch.join(format!("full-{}.log", about.name));
    fs::write(&log, "")?;
    let bench = Bench { workspace: &workspace, progress: &progress, log, scratch };
    let machine = Machine::this();
    let chunks = plan.run(&results, args.restart, &progress, |task| {
        if machine::commit(&workspace.root)? != plan.commit {
            return Err(io::Error::other("the work tree is no longer the one that the measurement began with"));
        }
        measurement.chunk(&bench, task)
    })?;
    finish(measurement, &plan, machine, &chunks, &results)
}

fn choose(name: &str) -> io::Result<Measurement> {
    Measurement::named(name)
        .ok_or_else(|| io::Error::other(format!("no measurement is called {name}; there are:\n{}", list().trim_end())))
}

/// Every measurement with what it shows and how long it takes.
fn list() -> String {
    let line = |about: About| format!("{:<12} {} ({})\n", about.name, about.sentence, about.takes);
    Measurement::ALL.into_iter().map(|measurement| line(measurement.about())).collect()
}

/// Writes the result and says how it went.
fn finish(measurement: Measurement, plan: &Plan, machine: Machine, chunks: &[Chunk], results: &Path) -> io::Result<u8> {
    let failures: Vec<&str> = chunks.iter().flat_map(|chunk| &chunk.failures).map(String::as_str).collect();
    let finished = Finished {
        command: &plan.command,
        commit: &plan.commit,
        seed: plan.seed,
        machine,
        rounds: chunks.iter().fold(0, |sum, chunk| sum.saturating_add(chunk.rounds)),
        figures: measurement.figures(chunks),
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
    fn an_unknown_name_is_answered_with_every_known_one() {
        let error = choose("nothing").map(|_| ()).unwrap_err().to_string();
        for measurement in Measurement::ALL {
            let about = measurement.about();
            assert!(error.contains(about.name) && error.contains(about.sentence) && error.contains(about.takes));
        }
    }

    #[test]
    fn every_measurement_is_found_by_its_own_name() {
        for measurement in Measurement::ALL {
            assert_eq!(choose(measurement.about().name).unwrap(), measurement);
        }
    }
}
