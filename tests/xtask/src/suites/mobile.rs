//! The library for phones: one suite for Android, where types are checked, and one for the iPhone, whose static library is made,
//! which needs no linker, and must hold every function that the generated header declares. Nothing is linked here; a phone's
//! build does that with its own tools.
//!
//! The machine has neither Android's NDK nor Xcode, nor a standard library for phones: that is compiled from its source along the
//! way (cargo's `-Zbuild-std`), and the C code of the cryptographic library by Debian's clang, which needs no C library for it.
//! This is not a supported way to build Rust; where the pieces for it are not to be had, the suite is a skip that names them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ffi::{self, Language};
use crate::process::{Runner, capture};
use crate::report::Report;
use crate::tools::{self, debian, packages};

/// Programs that compile and pack the C code.
const PROGRAMS: &[&str] = &["clang", "llvm-ar", "llvm-nm"];

/// 64-bit phones, old 32-bit phones, the emulator.
const ANDROID: &[&str] = &["aarch64-linux-android", "armv7-linux-androideabi", "x86_64-linux-android"];
const IPHONE: &str = "aarch64-apple-ios";
const SIMULATOR: &str = "aarch64-apple-ios-sim";

/// The oldest iOS that is supported.
const IOS: &str = "17.0";
/// Apple's header as far as the C code asks it: which system this is.
const TARGET_CONDITIONALS: &str = "#define TARGET_OS_MAC 1\n#define TARGET_OS_IPHONE 1\n#define TARGET_OS_IOS 1\n";
/// What Swift's compiler reads of the library.
const HEADER: &str = "SaifuFFI.h";

/// Where Debian keeps new compilers for its stable release.
const BACKPORTS: &str = "trixie-backports";
/// Where a toolchain has the standard library's source, if rustup's component `rust-src` is installed.
const SOURCE: &str = "lib/rustlib/src/rust/library";

pub(super) fn android(runner: &Runner) -> io::Result<Report> {
    with_pieces(runner, |pieces| {
        runner.checked(pieces.build(runner, &["check", "-p", ffi::CRATE, "--lib"], ANDROID)?.arg("--keep-going"))
    })
}

pub(super) fn ios(runner: &Runner) -> io::Result<Report> {
    with_pieces(runner, |pieces| {
        let mut report =
            runner.checked(&mut pieces.build(runner, &["check", "-p", ffi::CRATE, "--lib"], &[SIMULATOR])?)?;
        let archive = ["rustc", "-p", ffi::CRATE, "--lib", "--crate-type", "staticlib"];
        let mut archive = pieces.build(runner, &archive, &[IPHONE])?;
        // A dependency declares a dynamic library beside its own, which nobody uses: linking it does nothing. Debug information is
        // most of an archive, and nobody debugs this one.
        archive
            .env(variable("CARGO_TARGET_{}_LINKER", IPHONE).to_uppercase(), "true")
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        if runner.check(&mut report, &mut archive)?.success {
            whole(runner, &pieces.target.join(IPHONE).join("debug").join(ffi::ARCHIVE), &mut report)?;
        }
        Ok(report)
    })
}

/// What compiling for a phone takes.
struct Pieces {
    /// The source of the standard library.
    source: PathBuf,
    /// Where builds go: the standard library takes a minute for each target.
    target: PathBuf,
    /// A folder that stands in for Apple's SDK.
    apple: PathBuf,
}

/// Does `work` with the pieces, the first time over the network; or says what is missing.
fn with_pieces(runner: &Runner, work: impl FnOnce(&Pieces) -> io::Result<Report>) -> io::Result<Report> {
    if let Some(missing) = packages::missing(PROGRAMS, &runner.progress) {
        return Ok(Report::skipped(missing));
    }
    let version = capture(Command::new("rustc").arg("-vV"))?;
    let release = version.lines().find_map(|line| line.strip_prefix("release: ")).unwrap_or_default();
    let sysroot = PathBuf::from(capture(Command::new("rustc").args(["--print", "sysroot"]))?.trim());
    let source = if sysroot.join(SOURCE).is_dir() {
        sysroot.join(SOURCE)
    } else {
        let root = debian::Root {
            name: &format!("rust-src-{release}"),
            suite: BACKPORTS,
            variant: "extract",
            packages: &format!("rust-src={release}*"),
            costs: "seconds, 100 MB",
        };
        match root.get(runner) {
            Ok(root) => root.join(format!("usr/src/rustc-{release}/library")),
            Err(error) => {
                runner.progress.note(&error.to_string());
                let package = format!("Debian's package rust-src {release} from {BACKPORTS} (see the log)");
                return Ok(Report::skipped(format!("{package}; or rustup component add rust-src")));
            }
        }
    };
    let folder = tools::cache()?.join("mobile").join(release);
    let pieces = Pieces { source, target: folder.join("target"), apple: folder.join("apple") };
    fs::create_dir_all(&pieces.apple)?;
    fs::write(pieces.apple.join("TargetConditionals.h"), TARGET_CONDITIONALS)?;
    work(&pieces)
}

impl Pieces {
    /// Cargo with these arguments for these targets.
    fn build(&self, runner: &Runner, arguments: &[&str], targets: &[&str]) -> io::Result<Command> {
        let mut command = runner.cargo(arguments);
        command.args(["--locked", "-Zbuild-std=std,panic_abort,panic_unwind", "--target-dir"]).arg(&self.target);
        // The same compiler would refuse the unstable flag without the first. The second is where cargo's own tests have the source.
        command.env("RUSTC_BOOTSTRAP", "1").env("__CARGO_TESTS_ONLY_SRC_ROOT", &self.source);
        for target in targets {
            let mut flags = "-DRING_CORE_NOSTDLIBINC=1 -nostdlibinc".to_owned();
            flags.push_str(match target.split('-').next() {
                // What the assembler would otherwise take for older processors than any phone has.
                Some("armv7") => " -march=armv7-a -mfpu=neon",
                // Intel's vector headers ask for a C library unless there is none.
                Some("x86_64") => " -ffreestanding",
                _ => "",
            });
            if target.contains("-apple-") {
                flags.push_str(&format!(" -I{}", self.apple.display()));
                command.env("SDKROOT", &self.apple).env("IPHONEOS_DEPLOYMENT_TARGET", IOS);
            }
            command.args(["--target", target]).env(variable("CFLAGS_{}", target), flags);
            command.env(variable("CC_{}", target), "clang").env(variable("AR_{}", target), "llvm-ar");
        }
        Ok(command)
    }
}

/// The name of a variable for one target.
fn variable(name: &str, target: &str) -> String {
    name.replace("{}", &target.replace('-', "_"))
}

/// Whether Swift's code would find in `archive` everything that it calls.
fn whole(runner: &Runner, archive: &Path, report: &mut Report) -> io::Result<()> {
    let generated = ffi::generate(runner, Language::Swift)?.generated;
    let declared = declared(&fs::read_to_string(generated.join(HEADER))?);
    let mut list = Command::new("llvm-nm");
    list.args(["--defined-only", "--extern-only", "--format=just-symbols"]).arg(archive);
    let listed = runner.run(&mut list)?.output;
    // Apple's linkers put an underscore before every name of C.
    let defined: BTreeSet<&str> = listed.lines().filter_map(|line| line.strip_prefix('_')).collect();
    let absent: Vec<&str> = declared.iter().map(String::as_str).filter(|name| !defined.contains(name)).collect();
    report.check(!declared.is_empty() && absent.is_empty(), || {
        let (name, count) = (archive.display(), declared.len());
        format!("{name}: of {count} functions in {HEADER} these are not there: {}", absent.join(", "))
    });
    Ok(())
}

/// The functions that a header generated for Swift declares.
fn declared(header: &str) -> BTreeSet<String> {
    let functions = header.lines().filter_map(|line| line.split_once('(')?.0.split_whitespace().next_back());
    let of_the_library = |name: &&str| name.contains("ffi_saifu_ffi_") || name.contains("uniffi_saifu_ffi_");
    functions.filter(of_the_library).map(str::to_owned).collect()
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
