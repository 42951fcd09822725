//! Programs that the suites use beyond the Rust toolchain, each in the version that is written here.
//!
//! | File | What comes from where |
//! | --- | --- |
//! | `packages` | programs of the system: installed by apt-get |
//! | `wheels` | Rust programs: prebuilt in a Python wheel, or built from source |
//! | `debian` | what only another Debian has: a root of its own |
//!
//! Whatever is not installed into the system is kept in the cache (`~/.cache/saifu`, or `SAIFU_CACHE`), once for each version. What
//! cannot be had is said, and the suites that need it report a skip.

pub(crate) mod debian;
pub(crate) mod packages;
pub(crate) mod wheels;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder `name` of the cache, made by `make` if it is not there yet.
pub(crate) fn kept(name: &str, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<PathBuf> {
    let folder = cache()?.join(name);
    if folder.is_dir() {
        return Ok(folder);
    }
    // Made under another name first: a folder with the right name is always whole.
    let partial = PathBuf::from(format!("{}.partial-{}", folder.display(), std::process::id()));
    fs::create_dir_all(partial.parent().unwrap_or(&partial))?;
    let made = make(&partial).and_then(|()| fs::rename(&partial, &folder));
    // What is left of a failure; its reason is told, and not that there was nothing to remove.
    let _ = fs::remove_dir_all(&partial);
    // Another run may have finished first; what it made is as good.
    if folder.is_dir() { Ok(folder) } else { made.map(|()| folder) }
}

/// Where tools are kept.
pub(crate) fn cache() -> io::Result<PathBuf> {
    let own = std::env::var_os("SAIFU_CACHE").map(PathBuf::from);
    let home = || std::env::home_dir().map(|home| home.join(".cache").join("saifu"));
    own.or_else(home).ok_or_else(|| io::Error::other("no home folder; set SAIFU_CACHE"))
}
