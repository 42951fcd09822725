//! Where Swift comes from: the system, or a Debian root in the cache, entered in a mount namespace of its own, so that nothing has
//! to be unmounted, whatever ends the process.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Runner, on_path};
use crate::tools::debian;
use crate::tools::packages::is_root;
use crate::workspace::Workspace;

/// Swift, what compiling with it takes, and OpenSSL for the tests' key store.
const ROOT: debian::Root<'_> = debian::Root {
    // Raise its last number when the packages change.
    name: "swift-6.0.3-1",
    suite: "trixie",
    variant: "apt",
    packages: "swiftlang,ca-certificates,libc6-dev,libstdc++-14-dev,git,libssl-dev",
    costs: "about two minutes, 2.6 GB",
};
/// Inside the root: the workspace and its target folder.
const SOURCE: &str = "/mnt/saifu";
const TARGET: &str = "/mnt/target";

/// Enters `ROOT` with the two folders in it and becomes the command.
const ENTER: &str = r#"
set -e
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount -t tmpfs tmpfs "$ROOT/mnt"
mkdir "$ROOT/mnt/saifu" "$ROOT/mnt/target"
mount --rbind "$SOURCE" "$ROOT/mnt/saifu"
mount --rbind "$TARGET" "$ROOT/mnt/target"
folder=$1
shift
exec chroot "$ROOT" bash -c 'cd "$0" && exec env -i "$@"' "$folder" "$@"
"#;

/// A Swift that can be run.
pub(crate) struct Toolchain<'a> {
    pub(super) workspace: &'a Workspace,
    /// The root that has it; none if it is on `PATH`.
    root: Option<PathBuf>,
}

impl<'a> Toolchain<'a> {
    /// The system's, else the root's, which is made if it is not there yet.
    pub(crate) fn find(runner: &'a Runner) -> io::Result<Self> {
        let installed = ["swift", "swift-format"].iter().all(|program| on_path(program).is_some());
        let root = if installed { None } else { Some(ROOT.get(runner)?) };
        Ok(Self { workspace: &runner.workspace, root })
    }

    /// `program` in a folder of the workspace, told these variables.
    pub(crate) fn command(&self, folder: &str, told: &[(&str, String)], program: &str, arguments: &[&str]) -> Command {
        let Some(root) = &self.root else {
            let mut command = Command::new(program);
            command.current_dir(self.workspace.root.join(folder)).args(arguments);
            command.envs(told.iter().map(|(name, value)| (name, value)));
            return command;
        };
        let mut command = Command::new("unshare");
        // With a process namespace of its own, what it started ends with it. An ordinary user needs one of users, too.
        let namespaces = if is_root() { "-mpf" } else { "-Urmpf" };
        command.args([namespaces, "--kill-child", "--propagation", "private", "bash", "-c", ENTER, "enter"]);
        command.env("ROOT", root).env("SOURCE", &self.workspace.root).env("TARGET", &self.workspace.target);
        // `chroot` is where only an administrator's PATH looks.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
        command.arg(format!("{SOURCE}/{folder}"));
        command.args(["HOME=/tmp", "LANG=C.UTF-8", "PATH=/usr/libexec/swift/bin:/usr/bin:/bin"]);
        command.args(told.iter().map(|(name, value)| format!("{name}={value}")));
        command.arg(program).args(arguments);
        command
    }

    /// `path`, which lies in the target folder, as a command sees it.
    pub(crate) fn inside(&self, path: &Path) -> io::Result<String> {
        if self.root.is_none() {
            return Ok(path.to_string_lossy().into_owned());
        }
        let path = path.strip_prefix(&self.workspace.target).map_err(io::Error::other)?;
        Ok(Path::new(TARGET).join(path).to_string_lossy().into_owned())
    }
}
