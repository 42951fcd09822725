//! Rules about crates: which may depend on which, the page each opens with. What may be in the tree at all, and through
//! which of ours, is in `deny.toml`.

use super::Files;
use crate::workspace::{Package, TargetKind, Workspace};

/// Which crates of the workspace each crate may depend on. Dev-dependencies are free: a test may look at anything.
const ARROWS: &[(&str, &[&str])] = &[
    ("saifu", &["saifu-link", "saifu-vault", "saifu-policy", "saifu-code", "saifu-host", "saifu-wire", "saifu-crypto"]),
    ("saifu-link", &["saifu-policy", "saifu-host", "saifu-wire", "saifu-crypto"]),
    ("saifu-vault", &["saifu-host", "saifu-crypto"]),
    ("saifu-policy", &["saifu-host"]),
    ("saifu-code", &["saifu-crypto"]),
    ("saifu-wire", &["saifu-crypto"]),
    ("saifu-host", &["saifu-crypto"]),
    ("saifu-crypto", &[]),
    ("saifu-ffi", &["saifu", "saifu-host"]),
    ("saifu-sandbox", &["saifu-wire", "saifu-code", "saifu-crypto"]),
    ("xtask", &[]),
];

/// Crates that stand above the others and may use all of them.
const ABOVE: &[&str] = &["saifu-qa", "saifu-attacks", "saifu-storm", "saifu-bench"];

/// The lines of `//!` a crate opens with, at least.
const FRONT_PAGE_LINES: usize = 3;

/// Dependencies that no arrow allows, and crates the arrows do not know.
pub(super) fn arrows(packages: &[Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages.iter().filter(|package| !ABOVE.contains(&package.name.as_str())) {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
            findings
                .push(format!("{}: a new crate; declare its arrows in tests/xtask/src/tidy/crates.rs", package.name));
            continue;
        };
        let ours = |name: &str| packages.iter().any(|other| other.name == name);
        for name in shipped(package).filter(|name| ours(name) && !allowed.contains(name)) {
            findings.push(format!("{} depends on {name}", package.name));
        }
    }
    findings
}

fn shipped(package: &Package) -> impl Iterator<Item = &str> {
    let dependencies = package.dependencies.iter();
    dependencies.filter(|dependency| dependency.kind.as_deref() != Some("dev")).map(|dependency| &*dependency.name)
}

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
    use crate::workspace::Dependency;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        let dependencies = dependencies
            .iter()
            .map(|(name, kind)| Dependency { name: (*name).to_owned(), kind: kind.map(str::to_owned) })
            .collect();
        Package { name: name.to_owned(), dependencies, targets: Vec::new() }
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let wallet = package("saifu", &[("saifu-wire", None), ("serde", None)]);
        let wire = package("saifu-wire", &[("saifu", None)]);
        assert_eq!(arrows(&[wallet, wire]), ["saifu-wire depends on saifu"]);
    }

    #[test]
    fn the_sandbox_may_see_the_wallet_in_tests_only() {
        let wallet = || package("saifu", &[]);
        let tests = package("saifu-sandbox", &[("saifu", Some("dev"))]);
        assert_eq!(arrows(&[wallet(), tests]), [""; 0]);
        let build = package("saifu-sandbox", &[("saifu", Some("build"))]);
        assert_eq!(arrows(&[wallet(), build]), ["saifu-sandbox depends on saifu"]);
    }

    #[test]
    fn a_crate_without_declared_arrows_is_found() {
        assert_eq!(arrows(&[package("saifu-new", &[])]).len(), 1);
        assert_eq!(arrows(&[package("saifu-qa", &[])]), [""; 0]);
    }

    #[test]
    fn only_written_lines_count_as_front_page() {
        assert_eq!(front_page_lines("//! One.\n//!\n//! Two.\n\nmod a;\n//! Late.\n"), 2);
    }
}
