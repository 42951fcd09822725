//! The loop over a measurement's chunks. After each the state lies in `NAME.partial.json`, so that an interrupted run
//! is taken up where it stopped; a run of other code or of another command line has nothing to do with it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::machine::DIRTY;
use crate::progress::Progress;

/// What a run is to do, and by what it is known again.
pub(super) struct Plan {
    pub(super) name: &'static str,
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
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
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
    /// Runs the chunks that are still missing, and returns all. An error of `run_chunk` ends the run and leaves what
    /// is done on the disk.
    pub(super) fn run(
        &self,
        folder: &Path,
        restart: bool,
        progress: &Progress,
        mut run_chunk: impl FnMut(Task) -> io::Result<Chunk>,
    ) -> io::Result<Vec<Chunk>> {
        let mut partial = self.begin(folder, restart, progress)?;
        let tasks = self.tasks();
        for (task, place) in tasks.iter().zip(1_usize..).skip(partial.chunks.len()) {
            progress.start(&format!("[{place}/{}] {}", tasks.len(), self.name));
            let chunk = run_chunk(*task)?;
            progress.done(&format!("{} rounds, {} failures", chunk.rounds, chunk.failures.len()));
            partial.chunks.push(chunk);
            self.save(folder, &partial)?;
        }
        Ok(partial.chunks)
    }

    /// Removes the state, once the result is written.
    pub(super) fn forget(&self, folder: &Path) -> io::Result<()> {
        match fs::remove_file(self.file(folder)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The whole run, chunk by chunk. The last one may be shorter.
    fn tasks(&self) -> Vec<Task> {
        let size = self.rounds_a_chunk.max(1);
        let starts = (0..self.rounds).step_by(usize::try_from(size).unwrap_or(usize::MAX));
        let numbered = starts.zip(0_u64..);
        numbered
            .map(|(start, number)| Task {
                number,
                seed: self.seed.wrapping_add(number),
                rounds: self.rounds.saturating_sub(start).min(size),
            })
            .collect()
    }

    /// What an earlier run of the same plan left, or nothing; says why not.
    fn begin(&self, folder: &Path, restart: bool, progress: &Progress) -> io::Result<Partial> {
        let fresh = Partial { command: self.command.clone(), commit: self.commit.clone(), chunks: Vec::new() };
        let text = match fs::read(self.file(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(fresh),
            text => text?,
        };
        let left = serde_json::from_slice(&text).ok().filter(|left: &Partial| {
            !restart && left.command == self.command && left.commit == self.commit && !left.commit.ends_with(DIRTY)
        });
        progress.note(match &left {
            Some(_) => "going on where the last run stopped",
            None => "starting afresh: the last run was of another commit or command line, or of changes that no commit holds",
        });
        Ok(left.unwrap_or(fresh))
    }

    /// Under another name first, so that a kill leaves the old state or the new one.
    fn save(&self, folder: &Path, partial: &Partial) -> io::Result<()> {
        let file = self.file(folder);
        let new = file.with_extension("json.new");
        fs::write(&new, serde_json::to_vec(partial).map_err(io::Error::other)?)?;
        fs::rename(new, file)
    }

    fn file(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.partial.json", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("xtask-full-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn plan(commit: &str) -> Plan {
        Plan {
            name: "sample",
            command: "cargo xtask full sample".to_owned(),
            commit: commit.to_owned(),
            seed: 7,
            rounds: 25,
            rounds_a_chunk: 10,
        }
    }

    fn fine(task: Task) -> Chunk {
        Chunk { rounds: task.rounds, figures: Value::from(task.seed), failures: Vec::new() }
    }

    /// Runs `plan` and returns the tasks that it gave out; `stop_at` fails one of them.
    fn run(plan: &Plan, folder: &Folder, restart: bool, stop_at: Option<u64>) -> (Vec<Task>, io::Result<Vec<Chunk>>) {
        let mut tasks = Vec::new();
        let chunks = plan.run(&folder.0, restart, &Progress::quiet(), |task| {
            if stop_at == Some(task.seed) {
                return Err(io::Error::other("interrupted"));
            }
            tasks.push(task);
            Ok(fine(task))
        });
        (tasks, chunks)
    }

    #[test]
    fn chunks_have_their_own_seeds_and_the_last_one_is_what_is_left() {
        let folder = Folder::new("tasks");
        let (tasks, chunks) = run(&plan("a"), &folder, false, None);
        let expected = [(0, 7, 10), (1, 8, 10), (2, 9, 5)].map(|(number, seed, rounds)| Task { number, seed, rounds });
        assert_eq!(tasks, expected);
        assert_eq!(chunks.unwrap(), expected.map(fine));
    }

    #[test]
    fn an_interrupted_run_goes_on_with_the_chunk_it_missed() {
        let folder = Folder::new("resume");
        assert!(run(&plan("a"), &folder, false, Some(8)).1.is_err());
        let (tasks, chunks) = run(&plan("a"), &folder, false, None);
        assert_eq!(tasks.iter().map(|task| task.seed).collect::<Vec<_>>(), [8, 9]);
        assert_eq!(chunks.unwrap().len(), 3);
    }

    #[test]
    fn other_code_another_command_line_a_wish_or_a_torn_state_starts_afresh() {
        let folder = Folder::new("afresh");
        let other = Plan { command: "cargo xtask full sample --seed 7".to_owned(), ..plan("a") };
        let dirty = || plan(&format!("a{DIRTY}"));
        let all = [
            (plan("a"), plan("b"), false),
            (plan("a"), other, false),
            (plan("a"), plan("a"), true),
            (dirty(), dirty(), false),
        ];
        for (first, then, restart) in all {
            assert!(run(&first, &folder, true, Some(8)).1.is_err());
            assert_eq!(run(&then, &folder, restart, None).0.len(), 3);
        }
        fs::write(plan("a").file(&folder.0), "{\"command\":").unwrap();
        assert_eq!(run(&plan("a"), &folder, false, None).0.len(), 3);
    }

    #[test]
    fn a_finished_run_leaves_no_state() {
        let folder = Folder::new("forget");
        run(&plan("a"), &folder, false, None).1.unwrap();
        plan("a").forget(&folder.0).unwrap();
        plan("a").forget(&folder.0).unwrap();
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
    }
}
