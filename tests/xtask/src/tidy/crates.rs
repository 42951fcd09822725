//! Every crate opens with a page that says what it is for. Which may depend on which is in `deny.toml`.

use super::Files;
use crate::workspace::{TargetKind, Workspace};

/// The lines of `//!` a crate opens with, at least.
const FRONT_PAGE_LINES: usize = 3;

/// Crates that do not say what they are for.
pub(super) fn front_pages(workspace: &Workspace, files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let main = |kind| package.targets.iter().find(|target| target.kind() == kind);
        let Some(target) = main(TargetKind::Library).or_else(|| main(TargetKind::Binary)) else { continue };
        let path = workspace.relative(&target.src_path);
        let lines = files.get(&path).and_then(Option::as_deref).map_or(0, front_page_lines);
        if lines < FRONT_PAGE_LINES {
            findings.push(format!("{path}: {lines} lines of front page, {FRONT_PAGE_LINES} are the least"));
        }
    }
    findings
}

fn front_page_lines(source: &str) -> usize {
    source.lines().take_while(|line| line.starts_with("//!")).filter(|line| line.trim() != "//!").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_written_lines_count_as_front_page() {
        assert_eq!(front_page_lines("//! One.\n//!\n//! Two.\n\nmod a;\n//! Late.\n"), 2);
    }
}
