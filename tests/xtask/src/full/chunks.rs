//! The loop over a measurement's chunks. After each the state lies in `NAME.partial.json`, so that an interrupted run
//! is taken up where it stopped; a run of other code or of another command line has nothing to do with it.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::machine::DIRTY;

/// What a run is to do, and by what it is known again.
pub(super) struct Plan {
    /// As somebody would type it to get the same.
    pub(super) command: String,
    /// Ends in [`DIRTY`] if the tree has changes that no commit holds.
    pub(super) commit: String,
    pub(super) seed: u64,
    pub(super) rounds: u64,
    pub(super) rounds_a_chunk: u64,
}

/// One chunk to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// Which chunk of the run, from 0.
    pub(super) number: u64,
    /// The run's seed and `number`: another one in each chunk.
    pub(super) seed: u64,
    pub(super) rounds: u64,
}

/// What came of a chunk.
#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub(super) struct Chunk {
    /// Rounds that ran to their end.
    pub(super) rounds: u64,
    pub(super) figures: Value,
    /// One sentence for each thing that must not happen and did.
    pub(super) failures: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Partial {
    command: String,
    commit: String,
    chunks: Vec<Chunk>,
}

impl Plan {
    /// Runs the chunks that are still missing, and returns all. An error of `run_chunk`, which also hears how far it is, ends the
    /// run and leaves what is done in `file`.
    pub(super) fn run(
        &self,
        file: &Path,
        restart: bool,
        mut run_chunk: impl FnMut(Task, String) -> io::Result<Chunk>,
    ) -> io::Result<Vec<Chunk>> {
        let mut partial = self.begin(file, restart)?;
        let all = self.rounds.div_ceil(self.rounds_a_chunk.max(1));
        let done = u64::try_from(partial.chunks.len()).unwrap_or(u64::MAX);
        for number in done..all {
            let chunk = run_chunk(self.task(number), format!("{}/{all}", number.saturating_add(1)))?;
            partial.chunks.push(chunk);
            // Under another name first, so that a kill leaves the old state or the new one.
            let new = file.with_extension("json.new");
            fs::write(&new, serde_json::to_vec(&partial).map_err(io::Error::other)?)?;
            fs::rename(new, file)?;
        }
        Ok(partial.chunks)
    }

    /// The last one may be shorter.
    fn task(&self, number: u64) -> Task {
        let left = self.rounds.saturating_sub(number.saturating_mul(self.rounds_a_chunk));
        Task { number, seed: self.seed.wrapping_add(number), rounds: left.min(self.rounds_a_chunk) }
    }

    /// What an earlier run of the same plan left, or nothing; says why not.
    fn begin(&self, file: &Path, restart: bool) -> io::Result<Partial> {
        let fresh = Partial { command: self.command.clone(), commit: self.commit.clone(), chunks: Vec::new() };
        let text = match fs::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(fresh),
            text => text?,
        };
        let left = serde_json::from_slice(&text).ok().filter(|left: &Partial| {
            !restart && left.command == self.command && left.commit == self.commit && !left.commit.ends_with(DIRTY)
        });
        let afresh =
            "starting afresh: the last run was of another commit or command line, or of changes that no commit holds";
        eprintln!("{}", if left.is_some() { "going on where the last run stopped" } else { afresh });
        Ok(left.unwrap_or(fresh))
    }
}

/// The sum of all figures, number by number.
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
    use tempfile::TempDir;

    use super::*;

    fn plan(commit: &str) -> Plan {
        Plan { command: "cargo xtask".into(), commit: commit.into(), seed: 7, rounds: 25, rounds_a_chunk: 10 }
    }

    /// Runs `plan` in `folder`, and returns the seeds and rounds of the tasks that it gave out; `stop_at` fails one of them.
    fn run(
        plan: &Plan,
        folder: &TempDir,
        restart: bool,
        stop_at: Option<u64>,
    ) -> (Vec<(u64, u64)>, Option<Vec<Chunk>>) {
        let mut tasks = Vec::new();
        let chunks = plan.run(&folder.path().join("a.partial.json"), restart, |task, _| {
            if stop_at == Some(task.seed) {
                return Err(io::Error::other("interrupted"));
            }
            assert_eq!(task.seed, task.number.saturating_add(7));
            tasks.push((task.seed, task.rounds));
            Ok(Chunk { rounds: task.rounds, figures: json!({"sum": task.seed}), failures: Vec::new() })
        });
        (tasks, chunks.ok())
    }

    #[test]
    fn an_interrupted_run_goes_on_with_the_chunk_it_missed() {
        let folder = TempDir::new().unwrap();
        assert_eq!(run(&plan("a"), &folder, false, Some(8)), (vec![(7, 10)], None));
        let (tasks, chunks) = run(&plan("a"), &folder, false, None);
        assert_eq!(tasks, [(8, 10), (9, 5)]);
        assert_eq!(sum(&chunks.unwrap()), json!({"sum": 7 + 8 + 9}));
    }

    #[test]
    fn other_code_another_command_line_a_wish_or_a_torn_state_starts_afresh() {
        let folder = TempDir::new().unwrap();
        let other = Plan { command: "cargo xtask --seed 7".to_owned(), ..plan("a") };
        let dirty = || plan(&format!("a{DIRTY}"));
        let all = [
            (plan("a"), plan("b"), false),
            (plan("a"), other, false),
            (plan("a"), plan("a"), true),
            (dirty(), dirty(), false),
        ];
        for (first, then, restart) in all {
            assert_eq!(run(&first, &folder, true, Some(8)).1, None);
            assert_eq!(run(&then, &folder, restart, None).0.len(), 3);
        }
        fs::write(folder.path().join("a.partial.json"), "{\"command\":").unwrap();
        assert_eq!(run(&plan("a"), &folder, false, None).0.len(), 3);
    }

    #[test]
    fn chunks_are_added_up_number_by_number() {
        let chunk = |figures: Value| Chunk { rounds: 2, figures, failures: Vec::new() };
        let one = json!({"hits": {"asked": 3}, "table": {"a + b": {"lost_yen": -5}}, "runs": [1]});
        let other = json!({"hits": {"asked": 1, "sent": 1}, "table": {"a + b": {"lost_yen": 1}}, "runs": [2]});
        let sum = sum(&[chunk(one), chunk(other)]);
        assert_eq!(sum, json!({"hits": {"asked": 4, "sent": 1}, "table": {"a + b": {"lost_yen": -4}}, "runs": [2]}));
    }
}
