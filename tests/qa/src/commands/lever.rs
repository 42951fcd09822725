//! `saifu sandbox sms|clock`: levers of a running sandbox.

use serde::Serialize;

use crate::cli::{ClockArgs, LeverCommand, Move, SmsArgs};
use crate::commands::{fault, sandbox};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::peers::{Levers, Sms};
use crate::report::Report;

pub(super) async fn run(command: LeverCommand, context: &Context) -> Result<Report, Failure> {
    match command {
        LeverCommand::Sms(args) => sms(args, context).await,
        LeverCommand::Clock(args) => clock(args, context).await,
        LeverCommand::Fault(command) => fault::run(command, context).await,
        LeverCommand::Run(args) => sandbox::run_command(args, context).await,
    }
}

async fn sms(args: SmsArgs, context: &Context) -> Result<Report, Failure> {
    #[derive(Serialize)]
    struct Document {
        messages: Vec<Sms>,
    }
    let messages = Levers::new(&context.sandbox()?)?.sms(&args.number).await?;
    let lines = messages.iter().map(|sms| format!("{}  {}", super::time(sms.at), sms.text));
    let text = if messages.is_empty() { "no messages".to_owned() } else { lines.collect::<Vec<_>>().join("\n") };
    Report::new(&Document { messages }, text)
}

async fn clock(args: ClockArgs, context: &Context) -> Result<Report, Failure> {
    let change = Move::parse(&args.change).map_err(|what| LocalCode::BadInput.detail(format!("MOVE: {what}")))?;
    let levers = Levers::new(&context.sandbox()?)?;
    let document = match change {
        None => levers.clock().await?,
        Some(Move::By(ms)) => levers.move_clock(&serde_json::json!({ "advance_ms": ms })).await?,
        Some(Move::To(time)) => levers.move_clock(&serde_json::json!({ "to": time })).await?,
    };
    let now = document.get("now").and_then(serde_json::Value::as_u64).map(saifu_wire::Millis);
    let ran = document.get("ran").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
    let now = now.map_or_else(|| "unknown".to_owned(), super::time);
    let text = if ran == 0 { now } else { format!("{now}; {ran} things came due and have run") };
    Report::new(&document, text)
}
