//! Does the library compile for phones? Checked on a machine that has neither Android's NDK nor Xcode, nor a standard
//! library for phones: it is compiled from its source along the way (cargo's `-Zbuild-std`), and the C code of the
//! cryptographic library by Debian's clang, which needs no C library for it. For the iPhone the static library is made, which
//! needs no linker. Nothing is linked here; a phone's build does that with its own tools.
//!
//! This is not a supported way to build Rust, so it is a check of its own which says so when its pieces are not to be
//! had. `kit` gets the pieces.

mod kit;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ffi;
use crate::process::{Ended, without_own_variables};
pub(crate) use kit::Kit;

/// Programs that compile and pack the C code.
pub(crate) const PROGRAMS: &[&str] = &["clang", "llvm-ar", "llvm-nm"];

/// The oldest iOS that is supported.
const IOS: &str = "17.0";

/// Apple's header as far as the C code asks it: which system this is.
const TARGET_CONDITIONALS: &str = "#define TARGET_OS_MAC 1\n#define TARGET_OS_IPHONE 1\n#define TARGET_OS_IOS 1\n";

/// One target of the library, and how far it is compiled.
pub(crate) struct Job {
    target: &'static str,
    made: Made,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    /// Types are checked.
    Checked,
    /// The static library that an app links.
    Archive,
}

/// 64-bit phones, old 32-bit phones, the emulator.
pub(crate) const ANDROID: &[Job] = &[
    Job { target: "aarch64-linux-android", made: Made::Checked },
    Job { target: "armv7-linux-androideabi", made: Made::Checked },
    Job { target: "x86_64-linux-android", made: Made::Checked },
];

/// Phones, the simulator.
pub(crate) const IPHONE: &[Job] = &[
    Job { target: "aarch64-apple-ios", made: Made::Archive },
    Job { target: "aarch64-apple-ios-sim", made: Made::Checked },
];

impl Job {
    /// What is done, in words.
    pub(crate) fn title(&self) -> String {
        match self.made {
            Made::Checked => format!("type-check for {}", self.target),
            Made::Archive => format!("static library for {}", self.target),
        }
    }

    /// Where the static library is afterwards, if one is made.
    pub(crate) fn archive(&self, kit: &Kit) -> Option<PathBuf> {
        let file = kit.target_folder().join(self.target).join("debug").join(ffi::ARCHIVE);
        (self.made == Made::Archive).then_some(file)
    }

    /// The command that does it in the workspace at `root`.
    pub(crate) fn command(&self, kit: &Kit, root: &Path) -> io::Result<Command> {
        let mut command = Command::new(kit.program("cargo"));
        command.current_dir(root);
        match self.made {
            Made::Checked => command.args(["check", "-p", ffi::CRATE, "--lib", "--locked"]),
            Made::Archive => {
                command.args(["rustc", "-p", ffi::CRATE, "--lib", "--crate-type", "staticlib", "--locked"])
            }
        };
        command
            .arg("-Zbuild-std=std,panic_abort,panic_unwind")
            .arg("--target")
            .arg(self.target)
            .arg("--target-dir")
            .arg(kit.target_folder());
        without_own_variables(&mut command);
        // The same compiler would refuse the unstable flag without it.
        command.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", kit.program("rustc")).env("CARGO_TERM_COLOR", "never");
        // Rustup's way to its toolchain: a compiler that loads that one's libraries looks for the source there.
        command.env_remove("LD_LIBRARY_PATH");
        let name = self.target.replace('-', "_");
        let mut flags = OsString::from("-DRING_CORE_NOSTDLIBINC=1 -nostdlibinc");
        flags.push(match self.target.split('-').next() {
            // What the assembler would otherwise take for older processors than any phone has.
            Some("armv7") => " -march=armv7-a -mfpu=neon",
            // Intel's vector headers ask for a C library unless there is none.
            Some("x86_64") => " -ffreestanding",
            _ => "",
        });
        if self.target.contains("-apple-") {
            let headers = apple_headers(kit)?;
            flags.push(" -I");
            flags.push(&headers);
            command.env("SDKROOT", headers).env("IPHONEOS_DEPLOYMENT_TARGET", IOS);
        }
        command.env(format!("CC_{name}"), "clang").env(format!("AR_{name}"), "llvm-ar");
        command.env(format!("CFLAGS_{name}"), flags);
        if self.made == Made::Archive {
            // A dependency declares a dynamic library beside its own, which nobody uses: linking it does nothing. Debug
            // information is most of an archive, and nobody debugs this one.
            command.env(format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()), "true");
            command.env("CARGO_PROFILE_DEV_DEBUG", "0");
        }
        Ok(command)
    }
}

/// Lists what an archive defines for others, a name a line. `run` runs a command and gives its output.
pub(crate) fn defined(archive: &Path, run: impl Fn(&mut Command) -> io::Result<Ended>) -> io::Result<BTreeSet<String>> {
    let mut list = Command::new("llvm-nm");
    let listed = run(list.args(["--defined-only", "--extern-only", "--format=just-symbols"]).arg(archive))?;
    // Apple's linkers put an underscore before every name of C.
    Ok(listed.output.lines().filter_map(|line| line.strip_prefix('_')).map(str::to_owned).collect())
}

/// The functions that a header generated for Swift declares.
pub(crate) fn declared(header: &str) -> BTreeSet<String> {
    let functions = header.lines().filter_map(|line| line.split_once('(')?.0.split_whitespace().next_back());
    let of_the_library = |name: &&str| name.contains("ffi_saifu_ffi_") || name.contains("uniffi_saifu_ffi_");
    functions.filter(of_the_library).map(str::to_owned).collect()
}

/// A folder that stands in for Apple's SDK, made if absent.
fn apple_headers(kit: &Kit) -> io::Result<PathBuf> {
    let folder = kit.folder().join("apple");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("TargetConditionals.h"), TARGET_CONDITIONALS)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_a_header_are_found_and_its_types_are_not() {
        let header = "#define UNIFFI_FFIDEF_A\nuint64_t uniffi_saifu_ffi_fn_clone_account(uint64_t handle, RustCallStatus *_Nonnull s\n);\n\
                      typedef void (*UniffiFree)(uint64_t);\nvoid ffi_saifu_ffi_rustbuffer_free(RustBuffer buf\n);\n";
        let names: Vec<String> = declared(header).into_iter().collect();
        assert_eq!(names, ["ffi_saifu_ffi_rustbuffer_free", "uniffi_saifu_ffi_fn_clone_account"]);
    }
}
