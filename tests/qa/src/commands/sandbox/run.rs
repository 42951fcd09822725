//! `saifu sandbox run -- COMMAND…`: an issuer and a home folder for one command, gone when it ends. A test script that runs
//! under it meets nobody else's accounts and leaves nothing behind.

use std::ffi::OsStr;
use std::process::{ExitStatus, Stdio};

use saifu_sandbox::{Options, Sandbox};
use tokio::process::{Child, Command};

use super::read_policy;
use crate::cli::RunArgs;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::report::Report;
use crate::words::shown_path;

/// What a shell returns for a command that signal N ended, less N.
const SIGNALLED: i32 = 128;

pub(in crate::commands) async fn run(args: RunArgs, context: &Context) -> Result<Report, Failure> {
    let RunArgs { seed, policy, keep, command } = args;
    let policy = policy.as_deref().map(read_policy).transpose()?.unwrap_or_default();
    let folder = tempfile::Builder::new().prefix("saifu-run-").tempdir();
    let mut folder = folder.map_err(|error| LocalCode::FileFailed.detail(format!("a temporary folder: {error}")))?;
    let data = folder.path().join("sandbox");
    let sandbox = Sandbox::start(Options { seed, policy, ..Options::new(data) }).await?;
    let Some((program, words)) = command.split_first() else { return Err(LocalCode::Usage.bare()) };
    let mut process = Command::new(program);
    process
        .args(words)
        .env("SAIFU_HOME", folder.path())
        .env("SAIFU_SANDBOX", sandbox.info_file())
        .env("SAIFU_KEY_STORE", "file");
    let ended = until_it_ends(&mut process, program).await;
    sandbox.stop().await;
    let code = exit_code(ended?);
    if keep || code != 0 {
        folder.disable_cleanup(true);
        context.printer.say(&format!("kept: {}", shown_path(folder.path())));
    }
    Ok(Report::silent().with_exit(code))
}

/// Runs it with this process's own input and output. Ctrl-C on a terminal reaches both, and the command decides what it
/// means; a polite kill of this process is handed on.
async fn until_it_ends(process: &mut Command, program: &OsStr) -> Result<ExitStatus, Failure> {
    process.stdin(Stdio::inherit()).kill_on_drop(true);
    let started = process.spawn();
    let mut child =
        started.map_err(|error| LocalCode::BadInput.detail(format!("{}: {error}", program.to_string_lossy())))?;
    let failed = |error: std::io::Error| LocalCode::Bug.detail(format!("the command: {error}"));
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        loop {
            tokio::select! {
                ended = child.wait() => return ended.map_err(failed),
                _ = terminate.recv() => hand_on(&child),
                _ = tokio::signal::ctrl_c() => {}
            }
        }
    }
    #[cfg(not(unix))]
    loop {
        tokio::select! {
            ended = child.wait() => return ended.map_err(failed),
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}

#[cfg(unix)]
fn hand_on(child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // One that has just ended needs no signal.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

/// What the command returned; ended by a signal, what a shell makes of that.
fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|number| SIGNALLED.saturating_add(number)));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
