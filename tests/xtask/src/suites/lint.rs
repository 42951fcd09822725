//! Format, clippy and the documentation: one check each, by the toolchain's own programs.

use super::{Desk, Suite, excerpt};
use crate::report::{Outcome, Report};

/// Needs no build, so it comes first.
pub(super) fn format() -> Vec<Suite> {
    vec![one_command("format", &["fmt", "--all", "--", "--check"], &[])]
}

/// The two that compile.
pub(super) fn compiled() -> Vec<Suite> {
    let everything = ["--workspace", "--all-features", "--keep-going"];
    let clippy = [&["clippy", "--all-targets"], &everything[..], &["--", "-D", "warnings"]].concat();
    let docs = [&["doc", "--no-deps", "--lib"], &everything[..]].concat();
    vec![one_command("clippy", &clippy, &[]), one_command("docs", &docs, &[("RUSTDOCFLAGS", "-D warnings")])]
}

fn one_command(name: &'static str, arguments: &[&'static str], variables: &[(&'static str, &'static str)]) -> Suite {
    let (arguments, variables) = (arguments.to_vec(), variables.to_vec());
    Suite::new(name, move |desk: &Desk<'_>| {
        let mut command = desk.cargo(&arguments);
        command.envs(variables.iter().copied());
        let ended = desk.run(&mut command)?;
        let mut report = Report::default();
        report.check(ended.success, || excerpt(name, &ended.output));
        Ok(Outcome::Ran(report))
    })
}
