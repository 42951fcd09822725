//! `saifu sandbox`: the issuer in this process, until it is stopped. It says where it is once it answers.

mod entries;
mod pair;
mod person;
pub(super) mod policy;
mod run;
pub(super) mod running;
mod snapshot;

use std::net::IpAddr;
use std::path::Path;

use saifu_sandbox::policy::Policy;
use saifu_sandbox::{FolderError, Options, Ports, Running, Sandbox, SandboxInfo, StartError};
use serde_json::{Value, json};

use super::log;
use crate::cli::SandboxRunArgs;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::files;
use crate::home::Home;
use crate::peers::ControlApi;
use crate::report::Report;
use crate::tracing_setup::kill_self;
use crate::words::shown_path;

pub(super) use pair::run as pair;
pub(super) use person::run as person;
pub(super) use run::run as run_command;
pub(super) use snapshot::{restore, snapshot};

/// Bytes of a policy at most.
const MOST_POLICY: u64 = 1024 * 1024;
/// Where customers are served unless a port is named: the same at every start, so that what was copied stays true.
const PORT: u16 = 8_940;

pub(super) async fn run(args: SandboxRunArgs, context: &Context) -> Result<Report, Failure> {
    let SandboxRunArgs { data, port, host, reset, seed, policy } = args;
    let data = match data {
        Some(data) => data,
        None => context.home()?.sandbox(),
    };
    let policy = policy.as_deref().map(read_policy).transpose()?.unwrap_or_default();
    let die = Some(kill_self as fn());
    let ports = match port {
        None => Ports::From(PORT),
        Some(0) => Ports::Free,
        Some(port) => Ports::At(port),
    };
    let running = Sandbox::start(Options { ports, host, seed, reset, policy, die, ..Options::new(data) }).await?;
    // Beside its own file, wherever that is.
    context.at(running.info_file()).did("sandbox.start", json!({}), async { Ok(Report::silent()) }).await?;
    announce(&running, ports, host, context)?;
    if context.printer.draws() && !context.printer.quiet() {
        let control = ControlApi::new(running.info())?;
        tokio::select! {
            told = log::live(&control, context.printer) => told?,
            stopped = stopped() => stopped?,
        }
    } else {
        stopped().await?;
    }
    context.printer.note("stopping");
    running.stop().await;
    Ok(Report::silent())
}

fn announce(running: &Running, ports: Ports, host: Option<IpAddr>, context: &Context) -> Result<(), Failure> {
    let info = running.info();
    if context.printer.json() {
        return context.printer.line(&addresses(info, running.info_file()));
    }
    let names: Vec<&str> = info.terminals.iter().map(|terminal| terminal.terminal.as_str()).collect();
    let phones = match host {
        Some(_) => format!("  phones     {}  (`saifu sandbox pair`)\n", info.phone.customer_url),
        None => String::new(),
    };
    let mut text = format!(
        "The sandbox is ready; Ctrl-C stops it.\n  file       {}\n  customers  {}\n  registers  {}\n  terminals  {}\n",
        shown_path(running.info_file()),
        info.customer_url,
        info.register_url,
        names.join(", ")
    );
    if matches!(ports, Ports::From(first) if !info.customer_url.ends_with(&format!(":{first}"))) {
        text.push_str(&format!(
            "Port {PORT} or one of the three above it is taken: these are the next ones that are free.\n"
        ));
    }
    text.push_str(&phones);
    text.push_str(&finding(running.info_file(), context));
    context.printer.text(&text)
}

/// What `sandbox.json` says, without the keys.
fn addresses(info: &SandboxInfo, file: &Path) -> Value {
    json!({
        "sandbox": file.to_string_lossy(), "customer_url": info.customer_url, "register_url": info.register_url,
        "service_url": info.service_url, "lever_url": info.lever_url, "pid": info.pid,
    })
}

/// What another terminal needs so that it finds this sandbox, and the same wallets.
fn finding(info_file: &Path, context: &Context) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // A sandbox in a folder of its own needs no home, and then neither does whoever looks for it.
    let home = context.home().ok().map(|home| absolute(home.path()));
    let file = absolute(info_file);
    let mut lines = Vec::new();
    let usual = Home::new(None).map(|usual| usual.path().to_owned());
    lines.extend(home.iter().filter(|home| Some(*home) != usual.as_ref()).map(|home| ("SAIFU_HOME", home)));
    if home.as_ref().map(|home| home.join("sandbox/sandbox.json")).as_ref() != Some(&file) {
        lines.push(("SAIFU_SANDBOX", &file));
    }
    if lines.is_empty() {
        return "Every other terminal finds it by itself.\n".to_owned();
    }
    let words: Vec<String> = lines.iter().map(|(name, path)| format!("{name}={}", shell_word(path))).collect();
    format!("In every other terminal, paste this first:\n  export {}\n", words.join(" "))
}

/// A path as a shell reads it.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    match text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+:@".contains(c)) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
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
            StartError::Folder(FolderError::InUse(folder)) => {
                let pid = SandboxInfo::read(&folder.join("sandbox.json")).map(|info| format!(", process {}", info.pid));
                LocalCode::InUse.detail(format!("{error}{}", pid.unwrap_or_default()))
            }
            StartError::Folder(FolderError::Format { .. } | FolderError::KeysLost(_))
            | StartError::Port { .. }
            | StartError::Host { .. } => LocalCode::BadInput.detail(error.to_string()),
            StartError::Folder(FolderError::File(_)) | StartError::File(_) => {
                LocalCode::FileFailed.detail(error.to_string())
            }
            _ => LocalCode::SandboxFailed.detail(error.to_string()),
        }
    }
}
