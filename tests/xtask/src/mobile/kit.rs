//! The pieces for compiling the standard library: a toolchain whose source lies where cargo looks for it.
//!
//! Rustup's component `rust-src` will do if it is installed. Else Debian's package of the same version is fetched, by an
//! apt configuration of its own that leaves the machine's alone, and put into a hard-linked copy of the toolchain. Both
//! are kept in the cache, in a folder named after the version.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Ended, capture, on_path};
use crate::progress::Progress;
use crate::tools;

/// Where Debian keeps new compilers for its stable release.
const SUITE: &str = "trixie-backports";
const PACKAGE: &str = "rust-src";
/// The keys that Debian signs with.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where the source belongs in a toolchain.
const SOURCE: &str = "lib/rustlib/src/rust/library";

/// A toolchain with the standard library's source.
pub(crate) struct Kit {
    toolchain: PathBuf,
    folder: PathBuf,
}

impl Kit {
    /// Gets the pieces, the first time over the network; or says what is missing. `run` runs a command into a log.
    pub(crate) fn get(
        progress: &Progress,
        run: impl Fn(&mut Command) -> io::Result<Ended>,
    ) -> io::Result<Result<Self, String>> {
        let version = capture(Command::new("rustc").arg("-vV"))?;
        let release = version.lines().find_map(|line| line.strip_prefix("release: ")).unwrap_or_default();
        let sysroot = PathBuf::from(capture(Command::new("rustc").args(["--print", "sysroot"]))?.trim());
        let folder = tools::cache()?.join("mobile").join(release);
        if sysroot.join(SOURCE).is_dir() {
            return Ok(Ok(Self { toolchain: sysroot, folder }));
        }
        let toolchain = folder.join("toolchain");
        if !toolchain.is_dir() {
            progress.note(&format!("fetching the source of Rust {release}'s standard library, once"));
            fs::create_dir_all(&folder)?;
            // Made under another name first: a folder with the right name is always whole.
            let partial = folder.join(format!("partial-{}", std::process::id()));
            let made = make(&partial, &sysroot, release, run)?;
            // Another run may have finished first; its result is as good.
            let renamed = if made.is_ok() { fs::rename(partial.join("toolchain"), &toolchain) } else { Ok(()) };
            fs::remove_dir_all(&partial)?;
            if let Err(missing) = made {
                return Ok(Err(format!("{missing}; or rustup component add {PACKAGE}")));
            }
            if !toolchain.is_dir() {
                renamed?;
            }
        }
        Ok(Ok(Self { toolchain, folder }))
    }

    /// A program of the toolchain.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.toolchain.join("bin").join(name)
    }

    /// Where builds go: the standard library takes a minute for each target.
    pub(super) fn target_folder(&self) -> PathBuf {
        self.folder.join("target")
    }

    /// The version's folder in the cache.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Makes `partial/toolchain`.
fn make(
    partial: &Path,
    sysroot: &Path,
    release: &str,
    run: impl Fn(&mut Command) -> io::Result<Ended>,
) -> io::Result<Result<(), String>> {
    let wanted = format!("Debian's package {PACKAGE} {release} from {SUITE}");
    let programs = ["apt-get", "apt-cache", "dpkg-deb"];
    if let Some(program) = programs.iter().find(|program| on_path(program).is_none()) {
        return Ok(Err(format!("{wanted} ({program} is not here)")));
    }
    let Some(archive) = archive_of(&capture(&mut index_targets()).unwrap_or_default()) else {
        return Ok(Err(format!("{wanted} (apt knows no Debian archive)")));
    };
    let apt = Apt::new(partial, &archive)?;
    run(apt.command("apt-get").arg("update"))?;
    let listed = capture(apt.command("apt-cache").args(["madison", PACKAGE])).unwrap_or_default();
    let Some(version) = version_of(&listed, release) else {
        return Ok(Err(format!("{wanted} (it is not in {archive})")));
    };
    let download = run(apt.command("apt-get").arg("download").arg(format!("{PACKAGE}={version}")))?;
    let package = fs::read_dir(partial)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension() == Some("deb".as_ref()));
    let Some(package) = package.filter(|_| download.success) else {
        return Ok(Err(format!("{wanted} (the download failed, see the log)")));
    };
    let unpacked = partial.join("unpacked");
    let toolchain = partial.join("toolchain");
    fs::create_dir_all(&toolchain)?;
    let unpack = run(Command::new("dpkg-deb").arg("-x").arg(package).arg(&unpacked))?.success;
    let link =
        |how: &str| run(Command::new("cp").arg(how).args([sysroot.join("bin"), sysroot.join("lib")]).arg(&toolchain));
    // Across two disks there are no hard links.
    if !unpack || !(link("-al")?.success || link("-a")?.success) {
        return Ok(Err(format!("{wanted} (unpacking failed, see the log)")));
    }
    let source = toolchain.join(SOURCE);
    fs::create_dir_all(source.parent().unwrap_or(&source))?;
    fs::rename(unpacked.join("usr/src").join(format!("rustc-{release}")).join("library"), source)?;
    Ok(Ok(()))
}

/// apt with a list, a state and a cache of its own, so that it needs no root and the machine's stay as they are.
struct Apt {
    folder: PathBuf,
    options: Vec<String>,
}

impl Apt {
    fn new(folder: &Path, archive: &str) -> io::Result<Self> {
        let [list, lists, cache] = ["sources.list", "lists", "cache"].map(|name| folder.join(name));
        fs::create_dir_all(lists.join("partial"))?;
        fs::create_dir_all(cache.join("archives/partial"))?;
        fs::write(&list, format!("deb [signed-by={KEYRING}] {archive} {SUITE} main\n"))?;
        let options = [
            format!("Dir::Etc::sourcelist={}", list.display()),
            "Dir::Etc::sourceparts=-".to_owned(),
            format!("Dir::State::Lists={}", lists.display()),
            format!("Dir::Cache={}", cache.display()),
            // Root's own folders are closed to the user whom apt would become for downloading.
            "APT::Sandbox::User=root".to_owned(),
        ];
        Ok(Self { folder: folder.to_owned(), options: options.to_vec() })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).args(self.options.iter().flat_map(|option| ["-o", option]));
        command
    }
}

fn index_targets() -> Command {
    let mut command = Command::new("apt-get");
    command.args(["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
    command
}

/// The first Debian archive among the addresses that apt uses: whichever mirror this machine is told to use.
fn archive_of(addresses: &str) -> Option<String> {
    addresses.lines().find(|line| line.trim_end_matches('/').ends_with("/debian")).map(str::to_owned)
}

/// The package's version for this release of the compiler, out of what `apt-cache madison` lists.
fn version_of(listed: &str, release: &str) -> Option<String> {
    let versions = listed.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
    versions.filter(|version| version.split('+').next() == Some(release)).map(str::to_owned).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_is_debians_main_one() {
        let addresses = "http://example.com/ubuntu/\nhttp://a.example/debian-security/\nhttp://a.example/debian/\n";
        assert_eq!(archive_of(addresses).as_deref(), Some("http://a.example/debian/"));
        assert_eq!(archive_of("http://example.com/ubuntu/\n"), None);
    }

    #[test]
    fn the_version_is_exactly_the_compilers() {
        let listed = " rust-src | 1.96.1+dfsg1-2~bpo13+1 | http://a.example\n rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://a.example\n";
        assert_eq!(version_of(listed, "1.95.0").as_deref(), Some("1.95.0+dfsg1-2~bpo13+1"));
        assert_eq!(version_of(listed, "1.95"), None);
        assert_eq!(version_of(listed, "1.97.0"), None);
    }
}
