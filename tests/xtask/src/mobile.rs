//! Does the library compile for phones? Checked on a machine that has neither Android's NDK nor Xcode, nor a standard
//! library for phones: it is compiled from its source along the way (cargo's `-Zbuild-std`), and the C code of the
//! cryptographic library by Debian's clang, which needs no C library for it. Nothing is linked here; a phone's build does that
//! with its own tools.
//!
//! This is not a supported way to build Rust, so it is a check of its own which says so when its pieces are not to be
//! had. `kit` gets the pieces.

mod kit;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ffi;
use crate::process::without_own_variables;
pub(crate) use kit::Kit;

/// Programs that compile and pack the C code.
pub(crate) const PROGRAMS: &[&str] = &["clang", "llvm-ar"];

/// The oldest iOS that is supported.
const IOS: &str = "17.0";

/// Apple's header as far as the C code asks it: which system this is.
const TARGET_CONDITIONALS: &str = "#define TARGET_OS_MAC 1\n#define TARGET_OS_IPHONE 1\n#define TARGET_OS_IOS 1\n";

/// One target that the library is type-checked for.
pub(crate) struct Job(&'static str);

/// 64-bit phones, old 32-bit phones, the emulator.
pub(crate) const ANDROID: &[Job] =
    &[Job("aarch64-linux-android"), Job("armv7-linux-androideabi"), Job("x86_64-linux-android")];

/// Phones, the simulator.
pub(crate) const IPHONE: &[Job] = &[Job("aarch64-apple-ios"), Job("aarch64-apple-ios-sim")];

impl Job {
    /// What is done, in words.
    pub(crate) fn title(&self) -> String {
        format!("type-check for {}", self.0)
    }

    /// The command that does it in the workspace at `root`.
    pub(crate) fn command(&self, kit: &Kit, root: &Path) -> io::Result<Command> {
        let mut command = Command::new(kit.program("cargo"));
        command.current_dir(root).args(["check", "-p", ffi::CRATE, "--lib", "--locked"]);
        command
            .arg("-Zbuild-std=std,panic_abort,panic_unwind")
            .arg("--target")
            .arg(self.0)
            .arg("--target-dir")
            .arg(kit.target_folder());
        without_own_variables(&mut command);
        // The same compiler would refuse the unstable flag without it.
        command.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", kit.program("rustc")).env("CARGO_TERM_COLOR", "never");
        // Rustup's way to its toolchain: a compiler that loads that one's libraries looks for the source there.
        command.env_remove("LD_LIBRARY_PATH");
        let name = self.0.replace('-', "_");
        let mut flags = OsString::from("-DRING_CORE_NOSTDLIBINC=1 -nostdlibinc");
        flags.push(match self.0.split('-').next() {
            // What the assembler would otherwise take for older processors than any phone has.
            Some("armv7") => " -march=armv7-a -mfpu=neon",
            // Intel's vector headers ask for a C library unless there is none.
            Some("x86_64") => " -ffreestanding",
            _ => "",
        });
        if self.0.contains("-apple-") {
            let headers = apple_headers(kit)?;
            flags.push(" -I");
            flags.push(&headers);
            command.env("SDKROOT", headers).env("IPHONEOS_DEPLOYMENT_TARGET", IOS);
        }
        command.env(format!("CC_{name}"), "clang").env(format!("AR_{name}"), "llvm-ar");
        command.env(format!("CFLAGS_{name}"), flags);
        Ok(command)
    }
}

/// A folder that stands in for Apple's SDK, made if absent.
fn apple_headers(kit: &Kit) -> io::Result<PathBuf> {
    let folder = kit.folder().join("apple");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("TargetConditionals.h"), TARGET_CONDITIONALS)?;
    Ok(folder)
}
