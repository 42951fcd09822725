//! The desktop's key store against a real one: a private D-Bus session with gnome-keyring, thrown away afterwards.
//!
//! The tests belong to the host crate and have `keyring` in their name. `SAIFU_TEST_KEYRING=1` tells them that there
//! is a keyring they may write to; without it they leave a developer's own alone.

use std::io;
use std::process::Command;

use super::rust_tests::{nextest, run as run_tests};
use crate::process::{Runner, excerpt, without_own_variables};
use crate::report::Report;
use crate::tools::packages;
use crate::tools::wheels::CARGO_NEXTEST;

const TESTS: &str = "package(=saifu-host) & test(keyring)";
const PROGRAMS: &[&str] = &["dbus-run-session", "dbus-send", "gnome-keyring-daemon"];

/// Starts the daemon with an empty password, waits until it owns its name on the bus, then becomes the test program.
/// Asked earlier, the bus would start a second daemon, which is locked.
const SESSION: &str = r#"
printf '\n' | gnome-keyring-daemon --unlock --components=secrets --foreground &
daemon=$!
trap 'kill "$daemon"' EXIT
for _ in $(seq 200); do
    if dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
        string:org.freedesktop.secrets | grep -q 'boolean true'; then
        "$@"
        exit
    fi
    sleep 0.05
done
echo 'gnome-keyring-daemon did not come up within 10 seconds'
exit 1
"#;

pub(super) fn run(runner: &Runner) -> io::Result<Report> {
    if let Some(missing) = packages::missing(PROGRAMS, &runner.progress) {
        return Ok(Report::skipped(missing));
    }
    let Some(nextest) = nextest(runner) else { return Ok(Report::skipped(CARGO_NEXTEST.missing())) };
    // Short and outside the target folder: a socket's path may have no more than 108 bytes.
    // Only its owner may enter it, as a runtime folder must be.
    let home = tempfile::Builder::new().prefix("saifu-keyring-").tempdir()?;
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "bash", "-c", SESSION, "keyring"]).arg(nextest.get_program()).args(nextest.get_args());
    command
        .args(["--lib", "--test", "conformance", "--filterset", TESTS])
        .current_dir(&runner.workspace.root)
        .env("SAIFU_TEST_KEYRING", "1");
    for folder in ["XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"] {
        command.env(folder, home.path());
    }
    without_own_variables(&mut command);
    let tested = run_tests(runner, &mut command)?;
    let mut report = tested.report(|_| true);
    if !tested.ended.success && report.faults.is_empty() {
        report.faults.push(excerpt("the tests of the keyring", &tested.ended.output));
    }
    Ok(report)
}
