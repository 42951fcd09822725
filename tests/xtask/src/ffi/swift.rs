//! The Swift package and the Swift that builds it: the system's, or else that of a Debian root ([`toolchain`]).

mod toolchain;

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::{Bindings, folder};
use crate::process::Runner;
pub(crate) use toolchain::Toolchain;

/// The package, from the root of the workspace.
pub(crate) const PACKAGE: &str = "bindings/swift";

/// Puts the generated code where the package has it, which git ignores. A file that is the same stays as it is, so that
/// nothing is compiled again; of one that changed, everything.
pub(crate) fn place(runner: &Runner, bindings: &Bindings) -> io::Result<()> {
    for (file, folder) in [("Saifu.swift", "Sources/SaifuGenerated"), ("SaifuFFI.h", "Sources/SaifuFFI")] {
        let new = fs::read(bindings.generated.join(file))?;
        let folder = runner.workspace.root.join(PACKAGE).join(folder);
        fs::create_dir_all(&folder)?;
        let old = folder.join(file);
        if fs::read(&old).ok().as_ref() != Some(&new) {
            fs::write(old, new)?;
            // Swift's build overlooks code that sees a changed record through another module, and what it makes crashes.
            let _ = fs::remove_dir_all(runner.workspace.target.join("swift"));
        }
    }
    Ok(())
}

/// `swift test` with these arguments more. `files` are variables that name a file of the target folder; `saifu` is the command,
/// which the tests start.
pub(crate) fn test(
    toolchain: &Toolchain<'_>,
    saifu: &Path,
    bindings: &Bindings,
    arguments: &[&str],
    files: &[(&str, &Path)],
) -> io::Result<Command> {
    let library = toolchain.inside(folder(&bindings.library))?;
    let mut variables = Vec::new();
    for (name, path) in files.iter().copied().chain([("SAIFU_PROGRAM", saifu)]) {
        variables.push((name, toolchain.inside(path)?));
    }
    let (scratch, search) = (toolchain.inside(&toolchain.workspace.target.join("swift"))?, format!("-L{library}"));
    let test = ["test", "--scratch-path", &scratch, "-Xlinker", &search, "-Xlinker", "-rpath", "-Xlinker", &library];
    // The linker that Debian's Swift brings.
    let test = [&test[..], &["-Xswiftc", "-use-ld=lld"], arguments].concat();
    Ok(toolchain.command(PACKAGE, &variables, "swift", &test))
}
