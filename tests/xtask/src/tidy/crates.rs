//! Rules about crates: which may depend on which, what may not be in the tree, the page each opens with.

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

/// Libraries behind a wrapper of ours, and the wrapper.
const DOORS: &[(&str, &str)] = &[
    ("keyring", "saifu-host"),
    ("ring", "saifu-crypto"),
    ("sled", "saifu-vault"),
    ("uniffi", "saifu-ffi"),
    ("uniffi_bindgen", "saifu-ffi"),
];

/// Libraries that would be a second TLS or crypto stack. `openssl-probe`, which only looks for files, is not one.
const BANNED: &[&str] = &[
    "aws-lc-fips-sys",
    "aws-lc-rs",
    "aws-lc-sys",
    "boring",
    "boring-sys",
    "native-tls",
    "openssl",
    "openssl-sys",
    "tokio-native-tls",
];

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

/// Crates that go past the wrapper of a library.
pub(super) fn doors(packages: &[Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for (library, door) in DOORS {
        let users = packages.iter().filter(|package| shipped(package).any(|name| name == *library));
        for user in users.filter(|user| user.name != *door) {
            findings.push(format!("{} depends on {library}; go through {door}", user.name));
        }
    }
    findings
}

fn shipped(package: &Package) -> impl Iterator<Item = &str> {
    let dependencies = package.dependencies.iter();
    dependencies.filter(|dependency| dependency.kind.as_deref() != Some("dev")).map(|dependency| &*dependency.name)
}

/// Banned libraries in the text of `Cargo.lock`.
pub(super) fn banned(lock: &str) -> Vec<String> {
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    names.filter(|name| BANNED.contains(name)).map(|name| format!("Cargo.lock: {name}")).collect()
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
        Package {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            manifest_path: "Cargo.toml".into(),
            dependencies,
            targets: Vec::new(),
        }
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
    fn a_crate_that_goes_past_a_wrapper_is_found() {
        let allowed = package("saifu-crypto", &[("ring", None)]);
        let in_tests = package("saifu-code", &[("ring", Some("dev"))]);
        let past = package("saifu-vault", &[("ring", None), ("sled", None)]);
        assert_eq!(doors(&[allowed, in_tests, past]), ["saifu-vault depends on ring; go through saifu-crypto"]);
    }

    #[test]
    fn a_banned_library_is_found_by_its_exact_name() {
        let lock = "[[package]]\nname = \"openssl-probe\"\n\n[[package]]\nname = \"openssl-sys\"\n";
        assert_eq!(banned(lock), ["Cargo.lock: openssl-sys"]);
    }

    #[test]
    fn only_written_lines_count_as_front_page() {
        assert_eq!(front_page_lines("//! One.\n//!\n//! Two.\n\nmod a;\n//! Late.\n"), 2);
    }
}
