//! `saifu sandbox sms|clock`: the control API of a running sandbox.

use saifu_wire::PhoneNumber;
use serde_json::{Value, json};

use crate::cli::{ControlCommand, Move, Only};
use crate::commands::sandbox::{policy, running};
use crate::commands::{event, fault, log, sandbox};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::report::Report;
use crate::words::shown;

pub(super) async fn run(command: ControlCommand, context: &Context) -> Result<Report, Failure> {
    match command {
        ControlCommand::Sms { number, holder } => sms(&number, holder, context).await,
        ControlCommand::Clock { change, only } => clock(&change, only, context).await,
        ControlCommand::Status => running::status(context).await,
        ControlCommand::Stop => context.did("sandbox.stop", json!({}), running::stop(context)).await,
        ControlCommand::Policy => policy::run(context).await,
        ControlCommand::Pair { out } => sandbox::pair(out, context),
        ControlCommand::Fault(command) => fault::run(command, context).await,
        ControlCommand::Event(args) => event::run(args, context).await,
        ControlCommand::Log(args) => log::run(args, context).await,
        ControlCommand::Run(args) => sandbox::run_command(args, context).await,
        ControlCommand::Snapshot { file } => sandbox::snapshot(&file, context).await,
        ControlCommand::Person(args) => sandbox::person(args, context).await,
        ControlCommand::Restore { file, force } => sandbox::restore(&file, force, context),
    }
}

async fn sms(number: &PhoneNumber, holder: Option<usize>, context: &Context) -> Result<Report, Failure> {
    let read = async {
        let messages = context.control()?.inbox(number, holder).await?;
        let lines = messages.iter().map(|sms| format!("{}  {}", super::time(sms.arrived_at), shown(&sms.text)));
        let text = if messages.is_empty() { "no messages".to_owned() } else { lines.collect::<Vec<_>>().join("\n") };
        Report::new(json!({ "messages": messages }), text)
    };
    context.did("sandbox.sms", json!({ "number": number, "holder": holder }), read).await
}

async fn clock(change: &[String], only: Option<Only>, context: &Context) -> Result<Report, Failure> {
    let change = Move::parse(change).map_err(|what| LocalCode::BadInput.detail(format!("MOVE: {what}")))?;
    if only.is_some() && matches!(change, None | Some(Move::Hold(_))) {
        return Err(LocalCode::BadInput.detail("--only: one clock alone can be moved, not shown or held"));
    }
    let control = context.control()?;
    let only = only.map(|only| only.to_string());
    let (body, step) = match change {
        None => return shown_clock(&control.get("clock", &[]).await?),
        Some(Move::By(ms)) => (json!({ "advance_ms": ms, "only": only }), json!({ "only": only })),
        Some(Move::To(time)) => (json!({ "to": time, "only": only }), json!({ "only": only })),
        Some(Move::Hold(held)) => (json!({ "held": held }), json!({ "held": held })),
    };
    context.did("sandbox.clock", step, async { shown_clock(&control.post("clock", &body).await?) }).await
}

fn shown_clock(document: &Value) -> Result<Report, Failure> {
    let now = document.get("now").and_then(Value::as_u64).map(saifu_wire::Millis);
    let ran = document.get("ran").and_then(Value::as_array).map_or(0, Vec::len);
    let now = now.map_or_else(|| "unknown".to_owned(), super::time);
    let held = document.get("held").and_then(Value::as_bool) == Some(true);
    let stands = if held { "; time stands still" } else { "" };
    let done = if ran == 0 { String::new() } else { format!("; {ran} things came due and have run") };
    Report::new(document, format!("{now}{stands}{done}"))
}
