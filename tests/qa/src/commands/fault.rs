//! `saifu sandbox fault add|list|clear`: calls of the control API.

use std::str::FromStr as _;

use saifu_sandbox::SandboxInfo;
use saifu_sandbox::faults::Fault;
use serde_json::{Value, json};

use super::wallet::open::open_with;
use crate::cli::{FaultAddArgs, FaultCommand, WalletName};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::peers::ControlApi;
use crate::report::Report;

/// How often a recorded fault strikes that strikes until it is cleared.
const FOR_GOOD: u32 = 1_000;

pub(super) async fn run(command: FaultCommand, context: &Context) -> Result<Report, Failure> {
    let info = context.sandbox()?;
    let control = ControlApi::new(&info)?;
    match command {
        FaultCommand::Add(args) => {
            let FaultAddArgs { on, from, act, times, chance } = args;
            let from = match from {
                Some(name) => Some(caller(&name, &info, context).await?),
                None => None,
            };
            let step = json!({
                "on": on.name(), "act": act.to_string(), "from": from, "times": times.unwrap_or(FOR_GOOD), "chance": chance,
            });
            let fault = Fault { on: on.name().into(), from, act, times, chance };
            context.did("sandbox.fault", step, async { report(&control.post("faults", &fault).await?) }).await
        }
        FaultCommand::List => report(&control.get("faults", &[]).await?),
        FaultCommand::Clear => {
            context.did("sandbox.clear-faults", json!({}), async { report(&control.clear_faults().await?) }).await
        }
    }
}

/// What the issuer calls a terminal or a wallet of this name.
async fn caller(name: &str, info: &SandboxInfo, context: &Context) -> Result<String, Failure> {
    let terminal = info.terminals.iter().any(|terminal| terminal.terminal.as_str() == name);
    if terminal || name.parse::<saifu_wire::DeviceId>().is_ok() {
        return Ok(name.to_owned());
    }
    let unknown =
        || LocalCode::BadInput.detail(format!("--from: `{name}` is no terminal of the sandbox and no wallet here"));
    let folder = context.home()?.wallet(&WalletName::from_str(name).map_err(|_| unknown())?);
    let settings = folder.settings()?.ok_or_else(unknown)?;
    let open = open_with(&folder, settings.key_store, &settings.issuer).await?;
    let device = open.wallet.home().device;
    open.wallet.close().await;
    let none = || LocalCode::BadInput.detail(format!("--from: the wallet `{name}` has no account yet"));
    device.map(|device| device.to_string()).ok_or_else(none)
}

fn report(document: &Value) -> Result<Report, Failure> {
    Report::new(document, words(document))
}

fn words(document: &Value) -> String {
    let text = |value: &Value, field: &str| match value.get(field) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let faults = document.get("faults").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if faults.is_empty() {
        return "no faults".to_owned();
    }
    let fields = ["on", "from", "do", "times", "chance", "struck"];
    super::table(&fields, faults.iter().map(|fault| fields.iter().map(|field| text(fault, field)).collect()))
}
