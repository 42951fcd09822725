//! Which machine and which commit a figure belongs to.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use serde::Serialize;

use crate::process::capture;

/// What follows the hash when the tree has changes that no commit holds.
pub(super) const DIRTY: &str = "-dirty";

/// Nothing on this system tells.
const UNKNOWN: &str = "unknown";

/// The machine under a measurement.
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
        Self {
            cpu: cpu(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory: memory(),
            kernel: told(Command::new("uname").args(["-s", "-r", "-m"])),
            rustc: told(Command::new("rustc").arg("--version")),
            load: fs::read_to_string("/proc/loadavg").map_or_else(|_| UNKNOWN.to_owned(), |text| first_word(&text)),
        }
    }
}

/// The hash of the commit that is checked out. The results themselves do not count as changes: every measurement
/// writes one, and the next one would be of another tree.
pub(super) fn commit(root: &Path) -> io::Result<String> {
    let git = |arguments: &[&str]| capture(Command::new("git").current_dir(root).args(arguments));
    let hash = git(&["rev-parse", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--", ".", ":(exclude)results"])?;
    let mark = if changes.is_empty() { "" } else { DIRTY };
    Ok(format!("{}{mark}", hash.trim()))
}

fn cpu() -> String {
    field("/proc/cpuinfo", "model name")
        .unwrap_or_else(|| told(Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"])))
}

fn memory() -> String {
    field("/proc/meminfo", "MemTotal")
        .unwrap_or_else(|| format!("{} bytes", told(Command::new("sysctl").args(["-n", "hw.memsize"]))))
}

/// The first value of `name` in a file of `name: value` lines.
fn field(file: &str, name: &str) -> Option<String> {
    value(&fs::read_to_string(file).ok()?, name)
}

fn value(text: &str, name: &str) -> Option<String> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim().to_owned())
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or(UNKNOWN).to_owned()
}

fn told(command: &mut Command) -> String {
    capture(command).map_or_else(|_| UNKNOWN.to_owned(), |text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_processor_names_them_all() {
        let text = "processor\t: 0\nmodel name\t: Sample CPU @ 2 GHz\nprocessor\t: 1\nmodel name\t: Other\n";
        assert_eq!(value(text, "model name").as_deref(), Some("Sample CPU @ 2 GHz"));
        assert_eq!(value(text, "flags"), None);
    }

    #[test]
    fn a_change_outside_the_results_makes_the_commit_dirty() {
        let root = std::env::temp_dir().join(format!("xtask-commit-{}", std::process::id()));
        fs::create_dir_all(root.join("results")).unwrap();
        let git = |arguments: &[&str]| capture(Command::new("git").current_dir(&root).args(arguments)).unwrap();
        git(&["init", "--quiet"]);
        git(&["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--allow-empty", "-m", "x"]);
        let clean = commit(&root).unwrap();
        fs::write(root.join("results/a.json"), "{}").unwrap();
        assert_eq!(commit(&root).unwrap(), clean);
        fs::write(root.join("a.rs"), "").unwrap();
        assert_eq!(commit(&root).unwrap(), format!("{clean}{DIRTY}"));
        fs::remove_dir_all(&root).unwrap();
    }
}
