//! `saifu sandbox`: the issuer in this process, until it is stopped. It says where it is once it answers.

mod entries;
mod person;
mod run;
mod snapshot;

pub(crate) use person::Invented;

use std::path::Path;

use saifu_sandbox::policy::Policy;
use saifu_sandbox::{FolderError, Options, Running, Sandbox, StartError};
use serde::Serialize;

use crate::cli::SandboxRunArgs;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::files;
use crate::report::Report;
use crate::tracing_setup::kill_self;
use crate::words::{json_path, shown_path};

pub(super) use person::run as person;
pub(super) use run::run as run_command;
pub(super) use snapshot::{restore, snapshot};

/// Bytes of a policy at most.
const MOST_POLICY: u64 = 1024 * 1024;

/// What `sandbox.json` says, without the keys.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(serialize_with = "json_path")]
    sandbox: &'a Path,
    customer_url: &'a str,
    register_url: &'a str,
    service_url: &'a str,
    lever_url: &'a str,
    pid: u32,
}

pub(super) async fn run(args: SandboxRunArgs, context: &Context) -> Result<Report, Failure> {
    let SandboxRunArgs { data, port, reset, seed, policy } = args;
    let data = match data {
        Some(data) => data,
        None => context.home()?.sandbox(),
    };
    let policy = policy.as_deref().map(read_policy).transpose()?.unwrap_or_default();
    let die = Some(kill_self as fn());
    let running = Sandbox::start(Options { port, seed, reset, policy, die, ..Options::new(data) }).await?;
    announce(&running, context)?;
    stopped().await?;
    context.printer.note("stopping");
    running.stop().await;
    Ok(Report::silent())
}

fn announce(running: &Running, context: &Context) -> Result<(), Failure> {
    let info = running.info();
    let document = Document {
        sandbox: running.info_file(),
        customer_url: &info.customer_url,
        register_url: &info.register_url,
        service_url: &info.service_url,
        lever_url: &info.lever_url,
        pid: info.pid,
    };
    if context.printer.json() {
        return context.printer.line(&document);
    }
    let names: Vec<&str> = info.terminals.iter().map(|terminal| terminal.terminal.as_str()).collect();
    context.printer.text(&format!(
        "The sandbox is ready; Ctrl-C stops it.\n  file       {}\n  customers  {}\n  registers  {}\n  terminals  {}",
        shown_path(running.info_file()),
        info.customer_url,
        info.register_url,
        names.join(", ")
    ))
}

fn read_policy(path: &Path) -> Result<Policy, Failure> {
    let text = files::read(path, MOST_POLICY)?;
    serde_json::from_slice(&text)
        .map_err(|error| LocalCode::BadInput.detail(format!("--policy {}: {error}", path.display())))
}

/// Ctrl-C, or a polite kill.
pub(super) async fn stopped() -> Result<(), Failure> {
    let bug = |error: std::io::Error| LocalCode::Bug.detail(format!("signals: {error}"));
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(bug)?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(bug),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(bug)
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match &error {
            StartError::Folder(FolderError::InUse(_)) => LocalCode::InUse.detail(error.to_string()),
            StartError::Folder(FolderError::Format { .. } | FolderError::KeysLost(_)) | StartError::Port { .. } => {
                LocalCode::BadInput.detail(error.to_string())
            }
            StartError::Folder(FolderError::File(_)) | StartError::File(_) => {
                LocalCode::FileFailed.detail(error.to_string())
            }
            _ => LocalCode::SandboxFailed.detail(error.to_string()),
        }
    }
}
