//! The house rules that no lint of the toolchain has, over every file that git knows: each rule is one check.

use std::io;

use regex::Regex;
use url::Url;

use crate::process::Runner;
use crate::report::Report;
use crate::workspace::Files;

/// What no line may hold: the rule, how the files' names end, the pattern. None of them matches itself.
const LINES: [(&str, &str, &str); 3] = [
    (
        "nothing is ignored or left unwritten",
        ".rs",
        // A comment is free to say it.
        r"^\s*(?:[^/\s].*)?(?:#\[ignore|, ignore\)\]|todo!\(|unimplemented!\()",
    ),
    (
        // Which one to use is the business of the machine that builds.
        "no file names a package registry's host",
        "",
        r"(?x) (index|static)\.crates\.io | pypi\.org | files\.pythonhosted\.org | repo1\.maven\.org
             | repo\.maven\.apache\.org | registry\.npmjs\.org | proxy\.golang\.org | deb\.debian\.org",
    ),
    (
        "no file names a path of one machine",
        "",
        // A whole absolute path, and not the middle or the start of a longer word.
        r#"(?:^|[\s"'`=:,(\[<])/(?:work|root)(?:$|[^\w.-])"#,
    ),
];
/// The file that names its registry in every entry.
const LOCK: &str = "Cargo.lock";
/// The lines of `//!` a crate opens with, at least.
const FRONT_PAGE: usize = 3;
const LONGEST: usize = 600;

/// Code in a Markdown file, which has no links.
const CODE: &str = r"(?ms)^\s*```.*?^\s*```|`[^`\n]*`";
/// `[text](target "title")`, `[name]: target`, `src="target"`.
const LINK: &str = r#"(?m)\]\(<?([^)>\s]+)|^\[[^\]]+\]: <?([^>\s]+)|src="([^"]+)""#;

pub(super) fn run(runner: &Runner) -> io::Result<Report> {
    let mut report = Report::default();
    for (rule, findings) in check(&runner.workspace.files()?).map_err(io::Error::other)? {
        report.check(findings.is_empty(), || format!("{rule}:\n  {}", findings.join("\n  ")));
    }
    Ok(report)
}

/// Every rule with what breaks it, one line a finding.
fn check(files: &Files) -> Result<Vec<(&'static str, Vec<String>)>, regex::Error> {
    let mut checked = vec![
        ("every crate opens with a front page", front_pages(files)),
        ("no source file is over 600 lines", too_long(files)),
        ("modules are laid out in one way", other_layout(files)),
        ("every link between documents leads somewhere", broken_links(files)?),
        ("decision records are numbered without gaps", misnumbered(files)),
    ];
    for (rule, suffix, pattern) in LINES {
        checked.push((rule, lines(files, suffix, &Regex::new(pattern)?)));
    }
    Ok(checked)
}

/// The files whose name ends in `suffix`, with their text.
fn ending<'a>(files: &'a Files, suffix: &'a str) -> impl Iterator<Item = (&'a String, &'a String)> {
    files.iter().filter(move |(path, _)| path.ends_with(suffix))
}

fn lines(files: &Files, suffix: &str, pattern: &Regex) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in ending(files, suffix).filter(|(path, _)| !path.ends_with(LOCK)) {
        let bad = text.lines().zip(1_usize..).filter(|(line, _)| pattern.is_match(line));
        findings.extend(bad.map(|(line, number)| format!("{path}:{number}: {}", line.trim())));
    }
    findings
}

/// Crates that do not say what they are for.
fn front_pages(files: &Files) -> Vec<String> {
    let written = |source: &str| {
        source.lines().take_while(|line| line.starts_with("//!")).filter(|line| line.trim() != "//!").count()
    };
    let crates = ending(files, "Cargo.toml").filter_map(|(path, _)| path.strip_suffix("Cargo.toml"));
    let roots = crates.filter_map(|folder| {
        let root = ["src/lib.rs", "src/main.rs"].map(|name| format!("{folder}{name}"));
        root.into_iter().find_map(|path| files.get_key_value(&path))
    });
    roots.filter(|(_, source)| written(source) < FRONT_PAGE).map(|(path, _)| path.clone()).collect()
}

fn too_long(files: &Files) -> Vec<String> {
    let counted = ending(files, ".rs").map(|(path, text)| (path, text.lines().count()));
    counted.filter(|(_, lines)| *lines > LONGEST).map(|(path, lines)| format!("{path}: {lines} lines")).collect()
}

/// `foo.rs` has its parts in `foo/`. In a folder of tests `mod.rs` says that it is no program.
fn other_layout(files: &Files) -> Vec<String> {
    files.keys().filter(|path| path.contains("/src/") && path.ends_with("/mod.rs")).cloned().collect()
}

/// Links of Markdown files to files that are not there.
fn broken_links(files: &Files) -> Result<Vec<String>, regex::Error> {
    let (code, link) = (Regex::new(CODE)?, Regex::new(LINK)?);
    let mut findings = Vec::new();
    for (path, text) in ending(files, ".md") {
        let prose = code.replace_all(text, "");
        let targets = link.captures_iter(&prose).filter_map(|found| found.iter().skip(1).flatten().next());
        let broken = targets.map(|target| target.as_str()).filter(|target| !leads_somewhere(files, path, target));
        findings.extend(broken.map(|target| format!("{path}: {target}")));
    }
    Ok(findings)
}

/// As a browser would follow it, with the repository as the whole world.
fn leads_somewhere(files: &Files, from: &str, target: &str) -> bool {
    let root = Url::parse("file:///").and_then(|root| root.join(from));
    let Ok(url) = root.and_then(|from| from.join(target)) else { return false };
    let path = url.path().trim_matches('/');
    let folder = format!("{path}/");
    url.scheme() != "file" || path.is_empty() || files.keys().any(|file| file == path || file.starts_with(&folder))
}

/// Decision records whose numbers are out of order.
fn misnumbered(files: &Files) -> Vec<String> {
    let names = files.keys().filter_map(|path| path.strip_prefix("docs/decisions/"));
    let records = names.filter(|name| name.ends_with(".md") && *name != "README.md").zip(1_usize..);
    let wrong = records.filter(|(name, number)| !name.starts_with(&format!("{number:03}-")));
    wrong.map(|(name, number)| format!("{name}: number {number:03} was expected here")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many findings each broken rule has, for these files.
    fn broken(files: &[(&str, &str)]) -> Vec<(&'static str, usize)> {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let counted = check(&files).unwrap().into_iter().map(|(rule, findings)| (rule, findings.len()));
        counted.filter(|(_, findings)| *findings > 0).collect()
    }

    #[test]
    fn what_breaks_a_rule_is_found() {
        let unfinished = [["#[", "ignore"], [", ", "ignore)]"], ["  to", "do!()"], ["x(unimple", "mented!("]];
        let hosts =
            [["index.", "crates.io"], ["https://deb.", "debian.org/x"], ["pypi", ".org"], ["proxy.", "golang.org"]];
        let paths = [["/wo", "rk/main"], ["cd /ro", "ot"], ["x = \"/wo", "rk\""], ["(/ro", "ot)"]];
        let links =
            "[a](gone.md) and ![b](../gone.png \"title\")\n[c]: gone/\n<img src=\"gone.svg\">\n[d](/gone.md#part)";
        let text = |pieces: [[&str; 2]; 4]| pieces.map(|piece| piece.concat()).join("\n");
        for (rule, path, bad, findings) in [
            ("nothing is ignored or left unwritten", "a.rs", text(unfinished), 4),
            ("no file names a package registry's host", "a.toml", text(hosts), 4),
            ("no file names a path of one machine", "a.sh", text(paths), 4),
            ("no source file is over 600 lines", "a.rs", "x\n".repeat(601), 1),
            ("modules are laid out in one way", "core/a/src/b/mod.rs", String::new(), 1),
            ("every link between documents leads somewhere", "docs/a.md", links.to_owned(), 5),
            ("decision records are numbered without gaps", "docs/decisions/002-title.md", String::new(), 1),
        ] {
            assert_eq!(broken(&[(path, &bad)]), [(rule, findings)], "{bad}");
        }
        let record = |number: &str| format!("docs/decisions/{number}.md");
        for (first, second) in [("001-a", "001-b"), ("001-a", "003-a")] {
            assert_eq!(broken(&[(&record(first), ""), (&record(second), "")]).len(), 1);
        }
        let short = [("a/Cargo.toml", ""), ("a/src/main.rs", "//! One.\n//!\n//! Two.\n\nmod a;\n//! Late.\n")];
        assert_eq!(broken(&short), [("every crate opens with a front page", 1)]);
    }

    #[test]
    fn what_only_looks_like_it_is_fine() {
        let links = "[a](b.md#part) [b](../core) [c](#here) [d](https://example.com/x) [e](/docs/b.md) [f](..)\n\
                     `[code](gone.md)`\n```\n[code](gone.md)\n```\n[a \"title\"](b.md \"title\") <m@example.com>";
        let comment = ["// #[", "ignore to", "do!("].concat();
        let work = ["/wo", "rk"].concat();
        let paths = format!("{work}space/a keys{work}.pem ..{work}/x");
        let host = ["index.", "crates.io"].concat();
        assert_eq!(
            broken(&[
                ("docs/a.md", links),
                ("docs/b.md", &paths),
                ("core/Cargo.toml", "https://example.com/crates/ring"),
                ("core/Cargo.lock", &host),
                ("core/src/lib.rs", "//! One.\n//! Two.\n//! Three.\n"),
                ("core/src/main.rs", "//! One.\n"),
                ("core/src/b.rs", &comment),
                ("core/src/c.rs", &"x\n".repeat(600)),
                ("docs/decisions/001-a.md", ""),
                ("docs/decisions/README.md", &"x\n".repeat(601)),
                ("tests/qa/tests/rig/mod.rs", ""),
            ]),
            []
        );
    }
}
