//! Programs and libraries of the system, by the Debian packages that hold them.

use std::process::Command;

use crate::process::{capture, on_path, stream};
use crate::progress::Progress;

const PACKAGES: [(&str, &str); 15] = [
    ("clang", "clang"),
    ("dbus-run-session", "dbus"),
    ("dbus-send", "dbus"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("fish", "fish"),
    ("javac", "default-jdk-headless"),
    ("libGL.so.1", "libgl1"),
    ("libX11.so.6", "libx11-6"),
    ("libfontconfig.so.1", "libfontconfig1"),
    ("mmdebstrap", "mmdebstrap"),
    ("mvn", "maven"),
    ("llvm-ar", "llvm"),
    ("llvm-nm", "llvm"),
    ("zbarimg", "zbar-tools"),
    ("zsh", "zsh"),
];

/// What is missing of `programs`, after those that are absent were installed where that is possible; else it says which command
/// would.
pub(crate) fn missing(programs: &[&str], progress: &Progress) -> Option<String> {
    let absent = || {
        let names: Vec<&str> = programs.iter().copied().filter(|name| !is_there(name)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    install(&absent()?, progress);
    absent()
}

/// Whether `PATH` has this program, or the dynamic linker this library.
fn is_there(name: &str) -> bool {
    let linked = || capture(Command::new("/sbin/ldconfig").arg("-p")).is_ok_and(|listed| listed.contains(name));
    on_path(name).is_some() || (name.contains(".so") && linked())
}

fn install(absent: &str, progress: &Progress) {
    let packages = packages_of(absent);
    let by_hand = format!("missing: {absent}; run `sudo apt-get install {}`", packages.join(" "));
    if on_path("apt-get").is_none() {
        return progress.note(&format!("missing: {absent}; no apt-get here, install them by hand"));
    }
    let Some(prefix) = as_root() else { return progress.note(&by_hand) };
    progress.note(&format!("installing {}", packages.join(" ")));
    let apt = |arguments: &[&str]| {
        let mut words = prefix.iter().copied().chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]);
        let mut command = Command::new(words.next().unwrap_or("env"));
        // apt's chatter would end up between the lines of the result.
        stream(command.args(words).args(arguments).stdout(std::io::stderr())).is_ok_and(|status| status.success())
    };
    let install = [&["install", "-y", "--no-install-recommends"], &packages[..]].concat();
    // The lists of packages may be old, or not there.
    let installed = apt(&install) || (apt(&["update"]) && apt(&install));
    if !installed {
        progress.note(&format!("that failed; {by_hand}"));
    }
}

/// The packages that hold the programs of this list, each once.
fn packages_of(programs: &str) -> Vec<&'static str> {
    let wanted = PACKAGES.iter().filter(|(program, _)| programs.split(", ").any(|name| name == *program));
    let mut packages: Vec<&str> = wanted.map(|(_, package)| *package).collect();
    packages.dedup();
    packages
}

/// What to put before a command that needs root: nothing, or sudo if it asks no password.
fn as_root() -> Option<&'static [&'static str]> {
    let sudo = || capture(Command::new("sudo").args(["-n", "true"])).is_ok();
    if is_root() { Some(&[]) } else { sudo().then_some(&["sudo", "-n"]) }
}

/// Whether this process may do anything.
pub(crate) fn is_root() -> bool {
    capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_with_two_missing_programs_is_installed_once() {
        assert_eq!(packages_of("dbus-send, zbarimg, dbus-run-session"), ["dbus", "zbar-tools"]);
        assert_eq!(missing(&[], &Progress::new("test")), None);
    }
}
