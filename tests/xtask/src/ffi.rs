//! The library under the Kotlin and the Swift package, and the code generated from it.
//!
//! Both packages are tested against a debug library with `drills`, which makes calls panic on demand; the generator
//! reads the same library. Nothing generated is committed: it goes to `target/bindings/LANGUAGE`.

pub(crate) mod kotlin;
pub(crate) mod swift;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::process::Runner;

/// The one crate with an interface for other languages.
pub(crate) const CRATE: &str = "saifu-ffi";
/// How the linker names it on Linux.
pub(crate) const LIBRARY: &str = "libsaifu_ffi.so";
/// A static library's name on systems with such names.
pub(crate) const ARCHIVE: &str = "libsaifu_ffi.a";

/// A language with a package of its own.
#[derive(Clone, Copy, ValueEnum)]
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

/// Builds the library and generates the code for `language` anew.
pub(crate) fn generate(runner: &Runner, language: Language) -> io::Result<Bindings> {
    let library = library(runner)?;
    let generated = runner.workspace.target.join("bindings").join(language.name());
    // What an older library had must not be compiled again.
    if generated.exists() {
        fs::remove_dir_all(&generated)?;
    }
    let program = ["run", "--quiet", "-p", CRATE, "--features", "bindgen", "--bin", "uniffi-bindgen", "--", "generate"];
    let mut command = runner.cargo(&program);
    command.args(["--language", language.name(), "--no-format", "--out-dir"]);
    runner.need(command.arg(&generated).arg(&library))?;
    Ok(Bindings { library, generated })
}

/// Builds the debug library, with drills.
pub(crate) fn library(runner: &Runner) -> io::Result<PathBuf> {
    // Always `-p`: a build of the whole workspace would give the library the generator's features.
    runner.need(&mut runner.cargo(&[
        "rustc",
        "-p",
        CRATE,
        "--lib",
        "--crate-type",
        "cdylib",
        "--features",
        "drills",
    ]))?;
    Ok(runner.workspace.target.join("debug").join(LIBRARY))
}

/// `cargo xtask bindgen`: where the library and the code are.
pub(crate) fn bindgen(language: Language) -> io::Result<u8> {
    let runner = Runner::new("bindgen", None)?;
    let bindings = generate(&runner, language)?;
    for made in [&bindings.library, &bindings.generated] {
        println!("{}", made.strip_prefix(&runner.workspace.root).unwrap_or(made).display());
    }
    Ok(0)
}

/// The folder of a library.
fn folder(library: &Path) -> &Path {
    library.parent().unwrap_or(Path::new("."))
}
