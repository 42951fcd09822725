//! The desktop's key store against a real one: a private D-Bus session with gnome-keyring, thrown away afterwards.
//!
//! The tests belong to the host crate and have `keyring` in their name. `SAIFU_TEST_KEYRING=1` tells them that there
//! is a keyring they may write to; without it they leave a developer's own alone.

use std::fs;
use std::io;
use std::process::Command;

use super::rust_tests::{nextest, run as run_tests};
use super::{Desk, Suite, excerpt};
use crate::process::{on_path, without_own_variables};
use crate::report::Outcome;
use crate::tools::CARGO_NEXTEST;

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

pub(super) fn suites() -> Vec<Suite> {
    vec![Suite::new("keyring", run).needing(PROGRAMS)]
}

fn run(desk: &Desk<'_>) -> io::Result<Outcome> {
    let missing: Vec<&str> = PROGRAMS.iter().copied().filter(|name| on_path(name).is_none()).collect();
    if !missing.is_empty() {
        return Ok(Outcome::Skipped { missing: missing.join(", ") });
    }
    let Some(nextest) = nextest(desk)? else {
        return Ok(Outcome::Skipped { missing: CARGO_NEXTEST.missing() });
    };
    // Short and outside the target folder: a socket's path may have no more than 108 bytes.
    let home = std::env::temp_dir().join(format!("saifu-keyring-{}", std::process::id()));
    private_folder(&home)?;
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "bash", "-c", SESSION, "keyring"]).arg(nextest.get_program()).args(nextest.get_args());
    command
        .args(["--lib", "--test", "conformance", "--filterset", TESTS])
        .current_dir(&desk.workspace.root)
        .env("SAIFU_TEST_KEYRING", "1");
    for folder in ["XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"] {
        command.env(folder, &home);
    }
    without_own_variables(&mut command);
    let tested = run_tests(desk, &mut command)?;
    fs::remove_dir_all(home)?;
    let mut report = tested.report(|_| true);
    if !tested.ended().success && report.failed == 0 {
        report.fail(excerpt("the tests of the keyring", &tested.ended().output));
    }
    Ok(Outcome::Ran(report))
}

/// A folder that only its owner may enter, as a runtime folder must be.
fn private_folder(path: &std::path::Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
