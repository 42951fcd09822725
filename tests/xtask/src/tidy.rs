//! The house rules, as checks. Each rule is a function from what it reads to the list of what breaks it, so that
//! its test can show it a bad sample. The `tidy` suite runs them all.

mod crates;
mod sources;
mod text;

use std::collections::BTreeMap;
use std::io;

use crate::workspace::Workspace;

/// Repository paths and their text, `None` for a file that is not UTF-8.
type Files = BTreeMap<String, Option<String>>;

/// Every rule with what breaks it, one line a finding.
pub(crate) fn check(workspace: &Workspace) -> io::Result<Vec<(&'static str, Vec<String>)>> {
    let files = workspace.files()?;
    Ok(vec![
        ("every crate opens with a front page", crates::front_pages(workspace, &files)),
        ("no source file is over 600 lines", sources::length(&files)),
        ("modules are laid out in one way", sources::layout(&files)),
        ("nothing is ignored or left unwritten", sources::unfinished(&files)),
        ("no file names a package registry's host", text::hosts(&files)),
        ("no file names a path of one machine", text::machine_paths(&files)),
        ("every link between documents leads somewhere", text::links(&files)),
        ("decision records are numbered without gaps", text::decisions(&files)),
    ])
}

/// The files whose name ends in `suffix`, with their text.
fn ending<'a>(files: &'a Files, suffix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    files
        .iter()
        .filter(move |(path, _)| path.ends_with(suffix))
        .filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
}

/// Files for a rule's test.
#[cfg(test)]
fn sample(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned()))).collect()
}
