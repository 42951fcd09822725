//! `saifu sandbox sms|clock`: the control API of a running sandbox.

use serde::Serialize;

use crate::cli::{ClockArgs, ControlCommand, Move, Only, SmsArgs};
use crate::commands::sandbox::{policy, running};
use crate::commands::{event, fault, log, sandbox};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::peers::{ControlApi, Sms};
use crate::report::Report;
use crate::words::shown;

pub(super) async fn run(command: ControlCommand, context: &Context) -> Result<Report, Failure> {
    match command {
        ControlCommand::Sms(args) => sms(args, context).await,
        ControlCommand::Clock(args) => clock(args, context).await,
        ControlCommand::Status => running::status(context).await,
        ControlCommand::Stop => running::stop(context).await,
        ControlCommand::Policy => policy::run(context).await,
        ControlCommand::Pair(args) => sandbox::pair(args, context),
        ControlCommand::Fault(command) => fault::run(command, context).await,
        ControlCommand::Event(args) => event::run(args, context).await,
        ControlCommand::Log(args) => log::run(args, context).await,
        ControlCommand::Run(args) => sandbox::run_command(args, context).await,
        ControlCommand::Snapshot(args) => sandbox::snapshot(args, context).await,
        ControlCommand::Person(args) => sandbox::person(args, context).await,
        ControlCommand::Restore(args) => sandbox::restore(args, context),
    }
}

async fn sms(args: SmsArgs, context: &Context) -> Result<Report, Failure> {
    #[derive(Serialize)]
    struct Document {
        messages: Vec<Sms>,
    }
    let messages = ControlApi::new(&context.sandbox()?)?.inbox(&args.number, args.holder).await?;
    let lines = messages.iter().map(|sms| format!("{}  {}", super::time(sms.arrived_at), shown(&sms.text)));
    let text = if messages.is_empty() { "no messages".to_owned() } else { lines.collect::<Vec<_>>().join("\n") };
    Report::new(&Document { messages }, text)
}

async fn clock(args: ClockArgs, context: &Context) -> Result<Report, Failure> {
    let ClockArgs { change, only } = args;
    let change = Move::parse(&change).map_err(|what| LocalCode::BadInput.detail(format!("MOVE: {what}")))?;
    if only.is_some() && matches!(change, None | Some(Move::Hold(_))) {
        return Err(LocalCode::BadInput.detail("--only: one clock alone can be moved, not shown or held"));
    }
    let control = ControlApi::new(&context.sandbox()?)?;
    let document = match change {
        None => control.clock().await?,
        Some(Move::By(ms)) => control.move_clock(&moved("advance_ms", ms.into(), only.as_ref())).await?,
        Some(Move::To(time)) => control.move_clock(&moved("to", time.0.into(), only.as_ref())).await?,
        Some(Move::Hold(held)) => control.move_clock(&serde_json::json!({ "held": held })).await?,
    };
    let now = document.get("now").and_then(serde_json::Value::as_u64).map(saifu_wire::Millis);
    let ran = document.get("ran").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
    let now = now.map_or_else(|| "unknown".to_owned(), super::time);
    let held = document.get("held").and_then(serde_json::Value::as_bool) == Some(true);
    let stands = if held { "; time stands still" } else { "" };
    let done = if ran == 0 { String::new() } else { format!("; {ran} things came due and have run") };
    Report::new(&document, format!("{now}{stands}{done}"))
}

fn moved(how: &str, ms: serde_json::Value, only: Option<&Only>) -> serde_json::Value {
    match only {
        None => serde_json::json!({ how: ms }),
        Some(only) => serde_json::json!({ how: ms, "only": only.to_string() }),
    }
}
