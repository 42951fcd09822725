//! The Swift package and the Swift that builds it: the system's, or else that of a Debian root of our own ([`root`]).

mod root;

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::Package;
pub(crate) use root::Toolchain;

/// The package, from the root of the workspace.
pub(crate) const PACKAGE: &str = "bindings/swift";

/// Puts the generated code where the package has it, which git ignores. A file that is the same stays as it is, so that
/// nothing is compiled again.
pub(crate) fn place(package: &Package<'_>) -> io::Result<()> {
    for (file, folder) in [("Saifu.swift", "Sources/SaifuGenerated"), ("SaifuFFI.h", "Sources/SaifuFFI")] {
        let new = fs::read(package.bindings.generated.join(file))?;
        let folder = package.workspace.root.join(PACKAGE).join(folder);
        fs::create_dir_all(&folder)?;
        let old = folder.join(file);
        if fs::read(&old).ok().as_ref() != Some(&new) {
            fs::write(old, new)?;
        }
    }
    Ok(())
}

/// The `saifu` command with these arguments, at the root of the workspace and where the package's programs run.
pub(crate) fn saifu(package: &Package<'_>, toolchain: &Toolchain, arguments: &[&str]) -> io::Result<Command> {
    let saifu = toolchain.inside(package.workspace, package.saifu)?;
    toolchain.command(package.workspace, ".", &[], &saifu, arguments)
}

/// The driver of scenarios that `swift test` has built.
pub(crate) fn driver(package: &Package<'_>, toolchain: &Toolchain) -> io::Result<String> {
    toolchain.inside(package.workspace, &package.workspace.target().join("swift/debug/ScenarioDriver"))
}

/// `swift test` with these arguments more. `files` are variables that name a file of the target folder; `variables` are
/// any others.
pub(crate) fn test(
    package: &Package<'_>,
    toolchain: &Toolchain,
    files: &[(&str, &Path)],
    variables: &[(&str, String)],
    arguments: &[&str],
) -> io::Result<Command> {
    let inside = |path: &Path| toolchain.inside(package.workspace, path);
    let library = inside(package.bindings.library.parent().unwrap_or(Path::new(".")))?;
    let mut told = vec![("SAIFU_PROGRAM", inside(package.saifu)?)];
    for (name, path) in files {
        told.push((name, inside(path)?));
    }
    told.extend_from_slice(variables);
    let (scratch, search) = (inside(&package.workspace.target().join("swift"))?, format!("-L{library}"));
    let test = ["test", "--scratch-path", &scratch, "-Xlinker", &search, "-Xlinker", "-rpath", "-Xlinker", &library];
    // The linker that Debian's Swift brings.
    let test = [&test[..], &["-Xswiftc", "-use-ld=lld"], arguments].concat();
    toolchain.command(package.workspace, PACKAGE, &told, "swift", &test)
}
