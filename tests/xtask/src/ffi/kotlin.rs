//! The Kotlin package and the Maven that builds it.

use std::io;
use std::path::Path;
use std::process::Command;

use super::Package;
use crate::process::Ended;
use crate::progress::Progress;

/// The package, from the root of the workspace.
pub(crate) const PACKAGE: &str = "bindings/kotlin";
/// The build of it and of the package for apps' tests.
const BOTH: &str = "packages.xml";
/// What builds it.
pub(crate) const PROGRAMS: &[&str] = &["mvn", "javac"];
/// What Maven says when a build without the network lacks something.
const NOT_FETCHED: &str = "in offline mode";

/// `mvn test` with these arguments and variables more; over the network only if something is not on this machine yet.
pub(crate) fn test(
    package: &Package<'_>,
    progress: &Progress,
    arguments: &[&str],
    variables: &[(&str, String)],
    run: impl Fn(&mut Command) -> io::Result<Ended>,
) -> io::Result<Ended> {
    let maven = |offline: &[&str]| {
        let mut command = Command::new("mvn");
        command.current_dir(package.workspace.root.join(PACKAGE));
        command.args(["-f", BOTH, "-B", "-ntp", "-Dstyle.color=never"]);
        let library = package.bindings.library.parent().unwrap_or(Path::new("."));
        command.arg(setting("saifu.target", package.workspace.target())).arg(setting("saifu.command", package.saifu));
        command.arg(setting("saifu.generated", &package.bindings.generated)).arg(setting("saifu.library", library));
        command.envs(variables.iter().map(|(name, value)| (name, value))).args(arguments).args(offline).arg("test");
        run(&mut command)
    };
    let ended = maven(&["-o"])?;
    if !ended.success && ended.output.contains(NOT_FETCHED) {
        progress.note("fetching what the Kotlin package is built with, once");
        return maven(&[]);
    }
    Ok(ended)
}

fn setting(name: &str, value: &Path) -> String {
    format!("-D{name}={}", value.display())
}
