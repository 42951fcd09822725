//! `saifu sandbox status` and `stop`: the sandbox that runs, from another terminal.

use std::time::Duration;

use serde_json::{Value, json};

use super::addresses;
use crate::commands::time;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::peers::ControlApi;
use crate::report::{Report, with};
use crate::words::shown_path;

/// Open requests may take so long to finish.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

pub(in crate::commands) async fn status(context: &Context) -> Result<Report, Failure> {
    let (info, file) = (context.sandbox()?, context.sandbox_file()?);
    let control = ControlApi::new(&info)?;
    let clock: Value = control.get("clock", &[]).await?;
    let (faults, audit): (Value, Value) = (control.get("faults", &[]).await?, control.get("audit", &[]).await?);
    let now = clock.get("now").and_then(Value::as_u64).map(saifu_wire::Millis);
    let now = now.map_or_else(|| "not known".to_owned(), time);
    let held = if clock.get("held") == Some(&Value::Bool(true)) { "; time stands still" } else { "" };
    let waiting = faults.get("faults").and_then(Value::as_array).map_or(0, Vec::len);
    let books = if audit.get("ok") == Some(&Value::Bool(true)) { "balance" } else { "DO NOT BALANCE" };
    let started = info.started_at.parse::<jiff::Timestamp>().ok();
    let started = started.and_then(|at| u64::try_from(at.as_millisecond()).ok()).map(saifu_wire::Millis);
    let text = format!(
        "running    process {} since {}, version {}\nfile       {}\ncustomers  {}\nregisters  {}\nclock      {now}{held}\n\
         faults     {waiting}\nbooks      {books}",
        info.pid,
        started.map_or_else(|| info.started_at.clone(), time),
        info.version,
        shown_path(&file),
        info.customer_url,
        info.register_url,
    );
    let document = with(addresses(&info, &file), "version", &info.version);
    let document = with(with(document, "started_at", &info.started_at), "clock", clock);
    let document = with(document, "faults", faults.get("faults").cloned().unwrap_or_default());
    Report::new(with(document, "audit", audit), text)
}

pub(in crate::commands) async fn stop(context: &Context) -> Result<Report, Failure> {
    let pid = context.sandbox()?.pid;
    end(pid)?;
    let gone = async {
        // Whoever holds the folder's lock is asked, not the number of a process.
        while context.sandbox().is_ok_and(|info| info.pid == pid) {
            tokio::time::sleep(PAUSE).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, gone).await;
    waited.map_err(|_| LocalCode::InUse.detail(format!("the sandbox (process {pid}) does not end")))?;
    Report::new(json!({ "stopped": true, "pid": pid }), format!("The sandbox (process {pid}) has stopped."))
}

/// Its file is true for as long as it holds the lock beside it, so this is its process.
#[cfg(unix)]
fn end(pid: u32) -> Result<(), Failure> {
    let process = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let process = process.ok_or_else(|| LocalCode::BadInput.detail(format!("process {pid}")))?;
    rustix::process::kill_process(process, rustix::process::Signal::TERM)
        .map_err(|error| LocalCode::BadInput.detail(format!("process {pid} cannot be stopped: {error}")))
}

#[cfg(not(unix))]
fn end(pid: u32) -> Result<(), Failure> {
    Err(LocalCode::BadInput.detail(format!("end process {pid} with Ctrl-C in its own terminal")))
}
