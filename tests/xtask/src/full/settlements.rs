//! How many settlements a second the sandbox's issuer commits, beside the number of bare rows that the same disk commits in
//! between. The program that measures is `saifu-bench`.

use std::fs;
use std::io;

use super::{Bench, Chunk, Task};
use crate::process::tail;

pub(super) fn chunk(bench: &Bench<'_>, task: Task) -> io::Result<Chunk> {
    let program = ["--profile", "bench", "--package", "saifu-bench"];
    bench.need(bench.cargo(&["build"]).args(program))?;
    let (data, printed) = (bench.scratch.join("settlements"), bench.scratch.join("settlements.json"));
    let mut command = bench.cargo(&["run"]);
    command.args(program).args(["--", "settlements", "--rounds", &task.rounds.to_string()]);
    // On the disk of the workspace: the system's folder for temporary files may be memory, which syncs for nothing.
    command.args(["--seed", &task.seed.to_string(), "--data"]).arg(&data);
    let ended = bench.run(&mut command, Some(&printed))?;
    if !ended.success {
        return Err(io::Error::other(tail(&ended.output, 40)));
    }
    serde_json::from_slice(&fs::read(&printed)?).map_err(io::Error::other)
}
