//! The Kotlin package, the app upon it, and the Maven that builds both.

use std::io;
use std::path::Path;
use std::process::Command;

use super::{Bindings, folder};
use crate::process::{Ended, Runner};

/// The package, from the root of the workspace.
pub(crate) const PACKAGE: &str = "bindings/kotlin";
/// The build of it and of the package for apps' tests.
pub(crate) const PACKAGES: &str = "bindings/kotlin/packages.xml";
/// The build of the Android app as far as it runs on any JVM.
pub(crate) const APP: &str = "android/pom.xml";
/// What Maven says when a build without the network lacks something.
const NOT_FETCHED: &str = "in offline mode";

/// `mvn test` of one of these builds with these arguments and variables more; over the network only if something is not on this
/// machine yet. `saifu` is the command, which the tests start.
pub(crate) fn test(
    runner: &Runner,
    saifu: &Path,
    bindings: &Bindings,
    build: &str,
    arguments: &[&str],
    variables: &[(&str, &Path)],
) -> io::Result<Ended> {
    let maven = |offline: &[&str]| {
        let mut command = Command::new("mvn");
        command.current_dir(&runner.workspace.root).args(["-f", build, "-B", "-ntp", "-Dstyle.color=never"]);
        for (name, value) in [
            ("target", runner.workspace.target.as_path()),
            ("command", saifu),
            ("generated", &bindings.generated),
            ("library", folder(&bindings.library)),
        ] {
            command.arg(format!("-Dsaifu.{name}={}", value.display()));
        }
        runner.run(command.envs(variables.iter().copied()).args(arguments).args(offline).arg("test"))
    };
    let ended = maven(&["-o"])?;
    if !ended.success && ended.output.contains(NOT_FETCHED) {
        runner.progress.note(&format!("fetching what {build} is built with, once"));
        return maven(&[]);
    }
    Ok(ended)
}
