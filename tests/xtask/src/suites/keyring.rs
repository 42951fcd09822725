//! The desktop's key store against a real one: a private D-Bus session with gnome-keyring, thrown away afterwards.
//!
//! The tests belong to the host crate and have `keyring` in their name. `SAIFU_TEST_KEYRING=1` tells them that there
//! is a keyring they may write to; without it they leave a developer's own alone.

use std::fs;
use std::io;

use super::programs::{EVERY_TEST, TestRun};
use super::{Desk, Suite, text};
use crate::process::on_path;
use crate::report::{Outcome, Report};
use crate::workspace::TargetKind;

const PACKAGE: &str = "saifu-host";
const FILTER: &str = "keyring";
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
    vec![Suite::new("keyring", run).needing(PROGRAMS).building(&[EVERY_TEST])]
}

fn run(desk: &Desk<'_>) -> io::Result<Outcome> {
    let missing: Vec<&str> = PROGRAMS.iter().copied().filter(|name| on_path(name).is_none()).collect();
    if !missing.is_empty() {
        return Ok(Outcome::Skipped { missing: missing.join(", ") });
    }
    // Short and outside the target folder: a socket's path may have no more than 108 bytes.
    let home = std::env::temp_dir().join(format!("saifu-keyring-{}", std::process::id()));
    private_folder(&home)?;
    let under = ["dbus-run-session", "--", "bash", "-c", SESSION, "keyring"].map(str::to_owned);
    let folders = ["XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"];
    let mut variables: Vec<_> = folders.iter().map(|name| (*name, text(&home))).collect();
    variables.push(("SAIFU_TEST_KEYRING", "1".to_owned()));
    let built = desk.built()?;
    let mut report = Report::default();
    for package in desk.workspace.packages.iter().filter(|package| package.name == PACKAGE) {
        let tested = |kind| matches!(kind, TargetKind::Library | TargetKind::Integration);
        for target in package.targets.iter().filter(|target| tested(target.kind())) {
            let run = TestRun { package, target, under: &under, arguments: &[FILTER], variables: &variables };
            built.run(desk, &run, &mut report)?;
        }
    }
    fs::remove_dir_all(home)?;
    Ok(Outcome::Ran(report))
}

/// A folder that only its owner may enter, as a runtime folder must be.
fn private_folder(path: &std::path::Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
