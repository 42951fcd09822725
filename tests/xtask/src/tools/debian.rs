//! What only a newer Debian has: a root folder of it in the cache, made once by mmdebstrap.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use super::{kept, packages};
use crate::process::Runner;

/// Left out of a root.
const NO_DOCS: [&str; 3] = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"];

/// A root and what is in it.
pub(crate) struct Root<'a> {
    /// Its folder in the cache: the versions in it, and which making of it this is.
    pub(crate) name: &'a str,
    pub(crate) suite: &'a str,
    /// How much of a system it is: `apt`, or `extract` for the packages alone.
    pub(crate) variant: &'a str,
    /// As apt knows them, between commas.
    pub(crate) packages: &'a str,
    /// What making it costs, for whoever waits.
    pub(crate) costs: &'a str,
}

impl Root<'_> {
    /// The folder, made if it is not there yet.
    pub(crate) fn get(&self, runner: &Runner) -> io::Result<PathBuf> {
        kept(&format!("roots/{}", self.name), |folder| {
            packages::missing(&["mmdebstrap"], &runner.progress);
            runner
                .progress
                .note(&format!("fetching {} from Debian {}, once: {}", self.packages, self.suite, self.costs));
            let mode = if packages::is_root() { "--mode=root" } else { "--mode=unshare" };
            let mut command = Command::new("mmdebstrap");
            command.args([mode, &format!("--variant={}", self.variant), &format!("--include={}", self.packages)]);
            command.arg("--aptopt=APT::Install-Recommends \"false\"");
            command.args(NO_DOCS.map(|path| format!("--dpkgopt=path-exclude={path}")));
            runner.need(command.arg(self.suite).arg(folder))
        })
    }
}
