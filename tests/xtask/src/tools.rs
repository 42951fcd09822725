//! Programs that the suites use beyond the Rust toolchain: looked for by name, then installed.
//!
//! Packages of the system come through apt-get; Rust programs are built from source into a cache
//! (`~/.cache/saifu`, or `SAIFU_CACHE`), once for each version. What cannot be installed is said here, and the
//! suites that need it report a skip.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use crate::process::{Ended, capture, cargo, on_path, stream, tail};
use crate::progress::Progress;

/// Programs and the Debian packages that hold them.
const PACKAGES: &[(&str, &str)] = &[
    ("clang", "clang"),
    ("dbus-run-session", "dbus"),
    ("dbus-send", "dbus"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("fish", "fish"),
    ("javac", "default-jdk-headless"),
    ("mmdebstrap", "mmdebstrap"),
    ("mvn", "maven"),
    ("llvm-ar", "llvm"),
    ("llvm-nm", "llvm"),
    ("zbarimg", "zbar-tools"),
    ("zsh", "zsh"),
];

/// A Rust program of a fixed version.
pub(crate) struct CargoTool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

pub(crate) const CARGO_DENY: CargoTool = CargoTool { name: "cargo-deny", version: "0.20.2" };

/// Installs the packages of those `programs` that are absent, or says which command would.
pub(crate) fn install_packages<'a>(programs: impl Iterator<Item = &'a &'static str>, progress: &Progress) {
    let absent: Vec<&str> = programs.copied().filter(|program| on_path(program).is_none()).collect();
    let packages = packages_of(&absent);
    if packages.is_empty() {
        return;
    }
    let by_hand = format!("sudo apt-get install {}", packages.join(" "));
    if on_path("apt-get").is_none() {
        progress.note(&format!("missing: {}; no apt-get here, install them by hand", absent.join(", ")));
        return;
    }
    let Some(prefix) = as_root() else {
        progress.note(&format!("missing: {}; run `{by_hand}`", absent.join(", ")));
        return;
    };
    progress.note(&format!("installing {}", packages.join(" ")));
    let apt = |arguments: &[&str]| {
        let mut words = prefix.iter().copied().chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]);
        let mut command = Command::new(words.next().unwrap_or("env"));
        // apt's chatter would end up between the lines of the result.
        stream(command.args(words).args(arguments).stdout(std::io::stderr())).is_ok_and(|status| status.success())
    };
    // Old package lists may still do, so only the second answer counts.
    apt(&["update"]);
    let install = [&["install", "-y", "--no-install-recommends"], &packages[..]].concat();
    if !apt(&install) {
        progress.note(&format!("that failed; run `{by_hand}`"));
    }
}

/// The packages that hold `programs`, each once.
fn packages_of(programs: &[&str]) -> Vec<&'static str> {
    let wanted = PACKAGES.iter().filter(|(program, _)| programs.contains(program)).map(|(_, package)| *package);
    let mut packages: Vec<&str> = wanted.collect();
    packages.dedup();
    packages
}

/// What to put before a command that needs root: nothing, or sudo if it asks no password.
fn as_root() -> Option<&'static [&'static str]> {
    let root = capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if root {
        return Some(&[]);
    }
    let sudo = capture(Command::new("sudo").args(["-n", "true"])).is_ok();
    sudo.then_some(&["sudo", "-n"])
}

/// The program of `tool` out of the cache, built with `run` if it is not there yet; `None` if that fails.
pub(crate) fn cargo_tool(
    tool: &CargoTool,
    progress: &Progress,
    run: impl Fn(&mut Command) -> io::Result<Ended>,
) -> io::Result<Option<PathBuf>> {
    let cache = cache()?;
    let label = format!("{}-{}", tool.name, tool.version);
    let folder = cache.join("tools").join(&label);
    let program = folder.join("bin").join(tool.name);
    if program.is_file() {
        return Ok(Some(program));
    }
    progress.note(&format!("building {} {} from source, once, some minutes", tool.name, tool.version));
    // Built under another name first: a folder with the right name is always whole.
    let partial = cache.join("tools").join(format!("{label}.partial-{}", std::process::id()));
    let mut command = cargo(&cache);
    command.args(["install", "--locked", tool.name, "--version", tool.version, "--no-track", "--root"]);
    command.arg(&partial).arg("--target-dir").arg(cache.join("build"));
    let ended = run(&mut command)?;
    if !ended.success {
        progress.note(&tail(&ended.output, 20));
        return Ok(None);
    }
    // Another run may have finished first; its result is as good.
    let renamed = fs::rename(&partial, &folder);
    if renamed.is_err() {
        fs::remove_dir_all(&partial)?;
    }
    if program.is_file() { Ok(Some(program)) } else { renamed.map(|()| None) }
}

/// Where built tools are kept, made if absent.
pub(crate) fn cache() -> io::Result<PathBuf> {
    let own = std::env::var_os("SAIFU_CACHE").map(PathBuf::from);
    let home = || std::env::home_dir().map(|home| home.join(".cache").join("saifu"));
    let cache = own.or_else(home).ok_or_else(|| io::Error::other("no home folder; set SAIFU_CACHE"))?;
    fs::create_dir_all(cache.join("tools"))?;
    Ok(cache)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_with_two_missing_programs_is_installed_once() {
        assert_eq!(packages_of(&["dbus-send", "zbarimg", "dbus-run-session"]), ["dbus", "zbar-tools"]);
        assert_eq!(packages_of(&[]), [""; 0]);
    }
}
