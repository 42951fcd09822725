//! Which machine and which commit a figure belongs to.

use std::fs;
use std::io;
use std::process::Command;

use serde::Serialize;

use crate::process::capture;
use crate::workspace::Workspace;

/// What follows the hash when the tree has changes that no commit holds.
pub(super) const DIRTY: &str = "-dirty";

/// The machine under a measurement, as Linux tells it; another system's is `unknown`.
#[derive(Serialize)]
pub(super) struct Machine {
    cpu: String,
    /// That this process may use.
    cores: usize,
    memory: String,
    kernel: String,
    rustc: String,
    /// Processes that wanted a core in the minute before the measurement: anything near `cores` says that the figures
    /// were shared with other work.
    load: String,
}

impl Machine {
    /// The one that this runs on, as busy as it is now.
    pub(super) fn this() -> Self {
        let known = |text: Option<&str>| text.map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned());
        let told = |command: &mut Command| known(capture(command).ok().as_deref());
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        // The first line that begins so; the first processor names them all.
        let field = |file: &str, name: &str| {
            known(read(file).lines().find_map(|line| Some(line.strip_prefix(name)?.split_once(':')?.1)))
        };
        Self {
            cpu: field("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory: field("/proc/meminfo", "MemTotal"),
            kernel: told(Command::new("uname").args(["-s", "-r", "-m"])),
            rustc: told(Command::new("rustc").arg("--version")),
            load: known(read("/proc/loadavg").split_whitespace().next()),
        }
    }
}

/// The hash of the commit that is checked out. The results themselves do not count as changes: every measurement
/// writes one, and the next one would be of another tree.
pub(super) fn commit(workspace: &Workspace) -> io::Result<String> {
    let hash = workspace.git(&["rev-parse", "HEAD"])?;
    let changes = workspace.git(&["status", "--porcelain", "--", ".", ":(exclude)results"])?;
    let mark = if changes.is_empty() { "" } else { DIRTY };
    Ok(format!("{}{mark}", hash.trim()))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_change_outside_the_results_makes_the_commit_dirty() {
        let folder = TempDir::new().unwrap();
        let root = folder.path().to_owned();
        fs::create_dir_all(root.join("results")).unwrap();
        let tree = Workspace { packages: Vec::new(), target: root.join("target"), root: root.clone() };
        tree.git(&["init", "--quiet"]).unwrap();
        let author = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
        tree.git(&[&author[..], &["commit", "--quiet", "--allow-empty", "-m", "x"]].concat()).unwrap();
        let clean = commit(&tree).unwrap();
        fs::write(root.join("results/a.json"), "{}").unwrap();
        assert_eq!(commit(&tree).unwrap(), clean);
        fs::write(root.join("a.rs"), "").unwrap();
        assert_eq!(commit(&tree).unwrap(), format!("{clean}{DIRTY}"));
    }
}
