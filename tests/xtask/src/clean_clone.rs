//! `.ci/run` in a clone of the last commit: shows what only works because of a file that was never committed.

use std::fs;
use std::io;
use std::process::Command;
use std::time::Instant;

use crate::process::{capture, stream, without_own_variables};
use crate::workspace::Workspace;

/// Clones, runs, and returns the exit code of `.ci/run`; a clone that failed is kept.
pub(crate) fn run() -> io::Result<u8> {
    let workspace = Workspace::load()?;
    let commit = workspace.git(&["rev-parse", "--short", "HEAD"])?;
    if !workspace.git(&["status", "--porcelain"])?.is_empty() {
        eprintln!("note: the working tree has changes that are not committed and not in the clone");
    }
    let clone = std::env::temp_dir().join(format!("saifu-clean-clone-{}", std::process::id()));
    let begun = Instant::now();
    capture(Command::new("git").args(["clone", "--quiet", "--no-hardlinks"]).arg(&workspace.root).arg(&clone))?;
    eprintln!("{} cloned into {}", commit.trim(), clone.display());

    let mut command = Command::new(clone.join(".ci/run"));
    command.current_dir(&clone).env("CI", "true").env("CARGO_TARGET_DIR", clone.join("target"));
    without_own_variables(&mut command);
    let status = stream(&mut command)?;
    let minutes = begun.elapsed().as_secs_f32() / 60.0;
    if status.success() {
        fs::remove_dir_all(&clone)?;
        eprintln!("the clean clone passed in {minutes:.1} minutes");
        return Ok(0);
    }
    eprintln!("the clean clone failed after {minutes:.1} minutes ({status}); it is kept in {}", clone.display());
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
