//! Rules about Rust source files: their length, and nothing switched off or left for later.

use super::{Files, ending};

const LONGEST: usize = 600;

/// What a finished file does not hold. Put together from pieces, so that this file does not hold it either.
const UNFINISHED: &[&str] =
    &[concat!("#[", "ignore"), concat!(", ", "ignore)]"), concat!("to", "do!("), concat!("unimple", "mented!(")];

/// Source files that are too long.
pub(super) fn length(files: &Files) -> Vec<String> {
    let counted = ending(files, ".rs").map(|(path, text)| (path, text.lines().count()));
    counted.filter(|(_, lines)| *lines > LONGEST).map(|(path, lines)| format!("{path}: {lines} lines")).collect()
}

/// Modules laid out the other way: `foo.rs` has its parts in `foo/`. In a folder of tests `mod.rs` says that it is no program.
pub(super) fn layout(files: &Files) -> Vec<String> {
    let other_way = |path: &&String| path.contains("/src/") && path.ends_with("/mod.rs");
    files.keys().filter(other_way).cloned().collect()
}

/// Tests that are switched off and code that is not written.
pub(super) fn unfinished(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in ending(files, ".rs") {
        for (line, number) in text.lines().zip(1_usize..) {
            let code = !line.trim_start().starts_with("//");
            if code && UNFINISHED.iter().any(|pattern| line.contains(pattern)) {
                findings.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[test]
    fn a_file_of_601_lines_is_found_and_one_of_600_is_not() {
        let files = sample(&[("a.rs", &"x\n".repeat(601)), ("b.rs", &"x\n".repeat(600)), ("c.md", &"x\n".repeat(900))]);
        assert_eq!(length(&files), ["a.rs: 601 lines"]);
    }

    #[test]
    fn modules_are_laid_out_in_one_way() {
        let files = ["core/a/src/b/mod.rs", "core/a/src/b.rs", "tests/qa/tests/rig/mod.rs"].map(|path| (path, ""));
        assert_eq!(layout(&sample(&files)), ["core/a/src/b/mod.rs"]);
    }

    #[test]
    fn every_way_to_leave_something_out_is_found() {
        let bad = UNFINISHED.join("\n");
        assert_eq!(unfinished(&sample(&[("a.rs", &bad)])).len(), UNFINISHED.len());
    }

    #[test]
    fn a_comment_and_another_language_are_free_to_say_it() {
        let bad = UNFINISHED.join(" ");
        assert_eq!(unfinished(&sample(&[("a.rs", &format!("// {bad}")), ("a.md", &bad)])), [""; 0]);
    }
}
