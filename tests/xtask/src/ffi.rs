//! The library under the Kotlin and the Swift package, and the code generated from it.
//!
//! Both packages are tested against a debug library with `drills`, which makes calls panic on demand; the generator
//! reads the same library. Nothing generated is committed: it goes to `target/bindings/LANGUAGE`.

pub(crate) mod kotlin;
pub(crate) mod swift;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;

use crate::process::{Ended, cargo, stream, tail};
use crate::workspace::Workspace;

/// The one crate with an interface for other languages.
pub(crate) const CRATE: &str = "saifu-ffi";
/// How the linker names it on Linux.
pub(crate) const LIBRARY: &str = "libsaifu_ffi.so";
/// A static library's name on systems with such names.
pub(crate) const ARCHIVE: &str = "libsaifu_ffi.a";
const SHOWN_LINES: usize = 60;

/// A language with a package of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Language {
    Kotlin,
    Swift,
}

impl Language {
    /// As the generator and the folders call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kotlin => "kotlin",
            Self::Swift => "swift",
        }
    }
}

/// What a package is built from.
pub(crate) struct Bindings {
    /// The debug library, with drills.
    pub(crate) library: PathBuf,
    /// Where the generated code is.
    pub(crate) generated: PathBuf,
}

/// A package with what it is built from.
pub(crate) struct Package<'a> {
    pub(crate) workspace: &'a Workspace,
    /// The command, which its tests start.
    pub(crate) saifu: &'a Path,
    pub(crate) bindings: &'a Bindings,
}

/// Builds the library and generates the code for `language` anew. `run` starts each command.
pub(crate) fn generate(
    workspace: &Workspace,
    language: Language,
    run: impl Fn(&mut Command) -> io::Result<Ended>,
) -> io::Result<Bindings> {
    let cargo = |arguments: &[&str]| {
        let mut command = cargo(&workspace.root);
        command.args(arguments);
        command
    };
    let library = library(workspace, &run)?;
    let generated = workspace.target().join("bindings").join(language.name());
    // What an older library had must not be compiled again.
    if generated.exists() {
        fs::remove_dir_all(&generated)?;
    }
    let mut command = cargo(&["run", "--quiet", "-p", CRATE, "--features", "bindgen", "--bin", "uniffi-bindgen", "--"]);
    command.args(["generate", "--language", language.name(), "--no-format", "--out-dir"]);
    need(&run, command.arg(&generated).arg(&library))?;
    Ok(Bindings { library, generated })
}

/// Builds the debug library, with drills.
pub(crate) fn library(workspace: &Workspace, run: &impl Fn(&mut Command) -> io::Result<Ended>) -> io::Result<PathBuf> {
    let mut command = cargo(&workspace.root);
    // Always `-p`: a build of the whole workspace would give the library the generator's features.
    command.args(["rustc", "-p", CRATE, "--lib", "--crate-type", "cdylib", "--features", "drills"]);
    need(run, &mut command)?;
    Ok(workspace.target().join("debug").join(LIBRARY))
}

/// `cargo xtask bindgen`: the same, on this terminal.
pub(crate) fn bindgen(workspace: &Workspace, language: Language) -> io::Result<u8> {
    let bindings = generate(workspace, language, |command| {
        stream(command).map(|status| Ended { success: status.success(), output: String::new() })
    })?;
    for made in [&bindings.library, &bindings.generated] {
        println!("{}", workspace.relative(made));
    }
    Ok(0)
}

/// Runs a command that must succeed.
pub(crate) fn need(run: &impl Fn(&mut Command) -> io::Result<Ended>, command: &mut Command) -> io::Result<()> {
    let ended = run(command)?;
    if ended.success {
        return Ok(());
    }
    let program = Path::new(command.get_program()).display().to_string();
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    Err(io::Error::other(format!("{program} {} failed\n{}", words.join(" "), tail(&ended.output, SHOWN_LINES))))
}
