//! Where Swift comes from: the system, or a Debian root in the cache, made once and entered in a mount namespace of its own,
//! so that nothing has to be unmounted, whatever ends the process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ffi::need;
use crate::process::{Ended, capture, on_path};
use crate::progress::Progress;
use crate::tools;
use crate::workspace::Workspace;

const SUITE: &str = "trixie";
/// Swift's version there, and which making of the root this is: raise it when the packages change.
const LABEL: &str = "swift-6.0.3-1";
/// Swift, what compiling with it takes, and OpenSSL for the tests' key store.
const PACKAGES: &str = "swiftlang,ca-certificates,libc6-dev,libstdc++-14-dev,git,libssl-dev";
const NO_DOCS: [&str; 3] = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"];
/// Inside the root: the workspace and its target folder.
const SOURCE: &str = "/w/saifu";
const TARGET: &str = "/w/target";

/// Enters `ROOT` with the two folders in it and becomes the command.
const ENTER: &str = r#"
set -e
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount -t tmpfs tmpfs "$ROOT/w"
mkdir "$ROOT/w/saifu" "$ROOT/w/target"
mount --rbind "$SOURCE" "$ROOT/w/saifu"
mount --rbind "$TARGET" "$ROOT/w/target"
folder=$1
shift
exec chroot "$ROOT" bash -c 'cd "$0" && exec env -i "$@"' "$folder" "$@"
"#;

/// A Swift that can be run.
pub(crate) enum Toolchain {
    /// The one on `PATH`.
    System,
    /// The one in this root.
    Root(PathBuf),
}

impl Toolchain {
    /// The system's, else the root's, which is made if it is not there yet.
    pub(crate) fn find(progress: &Progress, run: &impl Fn(&mut Command) -> io::Result<Ended>) -> io::Result<Self> {
        if on_path("swift").is_some() && on_path("swift-format").is_some() {
            return Ok(Self::System);
        }
        let roots = tools::cache()?.join("roots");
        let root = roots.join(LABEL);
        if !root.is_dir() {
            fs::create_dir_all(&roots)?;
            make(&root, &roots.join(format!("{LABEL}.partial-{}", std::process::id())), progress, run)?;
        }
        Ok(Self::Root(root))
    }

    /// `program` in a folder of the workspace, with these variables.
    pub(crate) fn command(
        &self,
        workspace: &Workspace,
        folder: &str,
        variables: &[(&str, String)],
        program: &str,
        arguments: &[&str],
    ) -> io::Result<Command> {
        let Self::Root(root) = self else {
            let mut command = Command::new(program);
            command.current_dir(workspace.root.join(folder)).args(arguments);
            command.envs(variables.iter().map(|(name, value)| (name, value)));
            return Ok(command);
        };
        let mut command = Command::new("unshare");
        // With a process namespace of its own, what it started ends with it. An ordinary user needs one of users, too.
        let namespaces = if is_root()? { "-mpf" } else { "-Urmpf" };
        command.args([namespaces, "--kill-child", "--propagation", "private", "bash", "-c", ENTER, "enter"]);
        command.env("ROOT", root).env("SOURCE", &workspace.root).env("TARGET", workspace.target());
        // `chroot` is where only an administrator's PATH looks.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
        command.arg(format!("{SOURCE}/{folder}"));
        command.args(["HOME=/tmp", "LANG=C.UTF-8", "PATH=/usr/libexec/swift/bin:/usr/bin:/bin"]);
        command.args(variables.iter().map(|(name, value)| format!("{name}={value}")));
        command.arg(program).args(arguments);
        Ok(command)
    }

    /// `path`, which lies in the target folder, as a command sees it.
    pub(super) fn inside(&self, workspace: &Workspace, path: &Path) -> io::Result<String> {
        match self {
            Self::System => Ok(path.to_string_lossy().into_owned()),
            Self::Root(_) => {
                let path = path.strip_prefix(workspace.target()).map_err(io::Error::other)?;
                Ok(Path::new(TARGET).join(path).to_string_lossy().into_owned())
            }
        }
    }
}

/// Makes the root under another name first: a folder with the right name is always whole.
fn make(
    root: &Path,
    partial: &Path,
    progress: &Progress,
    run: &impl Fn(&mut Command) -> io::Result<Ended>,
) -> io::Result<()> {
    tools::install_packages(["mmdebstrap"].iter(), progress);
    progress.note("making a Debian root with Swift, once: about two minutes, 2.6 GB");
    let mut command = Command::new("mmdebstrap");
    let mode = if is_root()? { "--mode=root" } else { "--mode=unshare" };
    command.args([mode, "--variant=apt", &format!("--include={PACKAGES}")]);
    command.arg("--aptopt=APT::Install-Recommends \"false\"");
    command.args(NO_DOCS.map(|path| format!("--dpkgopt=path-exclude={path}")));
    need(run, command.arg("--customize-hook=mkdir \"$1/w\"").arg(SUITE).arg(partial))?;
    // Another run may have finished first; its root is as good.
    match fs::rename(partial, root) {
        Err(error) if !root.is_dir() => Err(error),
        Err(_) => fs::remove_dir_all(partial),
        Ok(()) => Ok(()),
    }
}

fn is_root() -> io::Result<bool> {
    Ok(capture(Command::new("id").arg("-u"))?.trim() == "0")
}
