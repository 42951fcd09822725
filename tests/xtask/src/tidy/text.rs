//! Rules about every text file: no host or folder of one particular machine, links that lead somewhere, decision
//! records in order.

use super::{Files, ending};

/// Hosts that packages are downloaded from: which one to use is the business of the machine that builds. Put
/// together from pieces, so that this file does not name them either.
const HOSTS: &[&str] = &[
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("pypi", ".org"),
    concat!("files.python", "hosted.org"),
    concat!("repo1.", "maven.org"),
    concat!("repo.maven", ".apache.org"),
    concat!("registry.", "npmjs.org"),
    concat!("proxy.", "golang.org"),
    concat!("deb.", "debian.org"),
];

/// Folders at the root of one machine's disk.
const MACHINE_FOLDERS: &[&str] = &[concat!("/wo", "rk"), concat!("/ro", "ot")];

/// The file that names its registry in every entry.
const LOCK: &str = "Cargo.lock";

/// Files that name a registry's host.
pub(super) fn hosts(files: &Files) -> Vec<String> {
    lines_where(files, |line| HOSTS.iter().any(|host| line.contains(host)))
}

/// Files that name a folder which only some machine has.
pub(super) fn machine_paths(files: &Files) -> Vec<String> {
    lines_where(files, |line| MACHINE_FOLDERS.iter().any(|folder| names_folder(line, folder)))
}

fn lines_where(files: &Files, bad: impl Fn(&str) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in ending(files, "").filter(|(path, _)| !path.ends_with(LOCK)) {
        for (line, number) in text.lines().zip(1_usize..).filter(|(line, _)| bad(line)) {
            findings.push(format!("{path}:{number}: {}", line.trim()));
        }
    }
    findings
}

/// Whether `line` has `folder` as a whole absolute path, and not as the middle or the start of a longer word.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at.saturating_add(folder.len())..).and_then(|text| text.chars().next());
        let opens = before.is_none_or(|char| char.is_whitespace() || "\"'`=:,([<".contains(char));
        let ends = after.is_none_or(|char| !char.is_alphanumeric() && !"-_.".contains(char));
        opens && ends
    })
}

/// Links of Markdown files to files that are not there.
pub(super) fn links(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in ending(files, ".md") {
        for target in link_targets(text).into_iter().filter(|target| !is_elsewhere(target)) {
            let file = target.split(['#', '?']).next().unwrap_or_default().replace("%20", " ");
            let resolved = resolve(path, &file);
            let folder = format!("{resolved}/");
            let known = |name: &String| *name == resolved || name.starts_with(&folder) || resolved.is_empty();
            if !files.keys().any(known) {
                findings.push(format!("{path}: {target}"));
            }
        }
    }
    findings
}

fn is_elsewhere(target: &str) -> bool {
    target.starts_with('#') || target.starts_with("mailto:") || target.contains("://")
}

/// The targets of `[text](target)`, `[name]: target` and `src="target"` outside code.
fn link_targets(markdown: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut fenced = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // Every other piece between backticks is code.
        let prose = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        let mut ends = vec![];
        ends.extend(prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
        ends.extend(prose.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next()));
        if prose.starts_with('[') {
            ends.extend(prose.split_once("]: ").map(|(_, target)| target));
        }
        // A title may follow the target.
        let words = ends.iter().filter_map(|end| end.split_whitespace().next());
        targets.extend(words.map(|target| target.trim_matches(['<', '>']).to_owned()));
    }
    targets
}

/// The repository path of `target`, seen from the file at `from`.
fn resolve(from: &str, target: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let start = if target.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            // Above the root is no file of ours; the name stays, and is not found.
            ".." if !parts.is_empty() => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Decision records whose names or numbers are out of order.
pub(super) fn decisions(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    let mut next = 1_usize;
    for (path, _) in ending(files, ".md") {
        let Some(name) = path.strip_prefix("docs/decisions/").filter(|name| *name != "README.md") else { continue };
        if !name.starts_with(&format!("{next:03}-")) {
            findings.push(format!("{path}: number {next:03} was expected here"));
        }
        next = next.saturating_add(1);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[test]
    fn every_host_is_found_except_in_the_lock_file() {
        let bad = HOSTS.join("\n");
        assert_eq!(hosts(&sample(&[("a.toml", &bad)])).len(), HOSTS.len());
        assert_eq!(hosts(&sample(&[(LOCK, &bad), ("b.md", "https://example.com/crates/ring")])), [""; 0]);
    }

    #[test]
    fn a_machine_path_is_found_wherever_it_stands() {
        for folder in MACHINE_FOLDERS {
            for bad in [format!("{folder}/main"), format!("cd {folder}"), format!("x = \"{folder}/a\"")] {
                assert_eq!(machine_paths(&sample(&[("a.sh", &bad)])).len(), 1, "{bad}");
            }
        }
    }

    #[test]
    fn a_longer_word_and_a_relative_path_are_no_machine_paths() {
        let fine = MACHINE_FOLDERS.iter().map(|folder| format!("{folder}space/a keys{folder}.pem ..{folder}/x\n"));
        assert_eq!(machine_paths(&sample(&[("a.md", &fine.collect::<String>())])), [""; 0]);
    }

    #[test]
    fn a_link_to_nowhere_is_found_in_every_notation() {
        let bad =
            "[a](gone.md) and ![b](../gone.png \"title\")\n[c]: gone/\n<img src=\"gone.svg\">\n[d](/gone.md#part)";
        let found = links(&sample(&[("docs/a.md", bad)]));
        assert_eq!(found.len(), 5, "{found:?}");
    }

    #[test]
    fn links_to_files_folders_parts_and_other_sites_are_fine() {
        let fine = "[a](b.md#part) [b](../core) [c](#here) [d](https://example.com/x) [e](/docs/b.md) [f](..)\n\
                    `[code](gone.md)`\n```\n[code](gone.md)\n```\n[a \"title\"](b.md \"title\")";
        let files = sample(&[("docs/a.md", fine), ("docs/b.md", ""), ("core/lib.rs", "")]);
        assert_eq!(links(&files), [""; 0]);
    }

    #[test]
    fn a_gap_and_a_duplicate_between_decision_records_are_found() {
        let record = |number: &str| (format!("docs/decisions/{number}-title.md"), Some(String::new()));
        let numbered = |numbers: &[&str]| decisions(&numbers.iter().map(|number| record(number)).collect::<Files>());
        assert_eq!(numbered(&["001", "002", "003"]), [""; 0]);
        assert_eq!(numbered(&["001", "003"]).len(), 1);
        assert_eq!(numbered(&["002"]).len(), 1);
        let mut twice = sample(&[("docs/decisions/001-a.md", ""), ("docs/decisions/001-b.md", "")]);
        assert_eq!(decisions(&twice).len(), 1);
        twice.insert("docs/decisions/README.md".to_owned(), Some(String::new()));
        assert_eq!(decisions(&twice).len(), 1);
    }
}
