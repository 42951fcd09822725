//! One file for each command. A command takes its arguments and the [`Context`], and gives a [`Report`] or a
//! [`Failure`]; only long-running ones print by themselves, through the printer.

mod atm;
mod behave;
mod bundle;
mod completions;
mod control;
mod cpm;
mod demo;
mod doctor;
mod event;
mod explain;
mod fault;
mod log;
mod pay;
mod register;
mod sandbox;
mod scenario;
mod tool;
mod trace;
mod wallet;

pub(crate) use wallet::{document, unfinished};

use crate::cli::{Command, DemoArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::words::shown;

/// Runs one command.
pub(crate) async fn run(command: Option<Command>, context: &Context) -> Result<Report, Failure> {
    match command {
        None => demo::run(DemoArgs::default(), context).await,
        Some(Command::Demo(args)) => demo::run(args, context).await,
        Some(Command::Sandbox(args)) => match args.control {
            Some(control) => control::run(control, context).await,
            None => sandbox::run(args.run, context).await,
        },
        Some(Command::Wallet(command)) => wallet::run(command, context).await,
        Some(Command::Pay(args)) => pay::run(args, context).await,
        Some(Command::Atm(command)) => atm::run(command, context).await,
        Some(Command::Register(command)) => register::run(command, context).await,
        Some(Command::Scenario(command)) => scenario::run(command, context).await,
        Some(Command::Tool(command)) => tool::run(command),
        Some(Command::Explain { code_or_id }) => explain::run(&code_or_id, context).await,
        Some(Command::Trace { last }) => trace::run(last, context),
        Some(Command::Bundle { out }) => bundle::run(&out, context).await,
        Some(Command::Doctor) => doctor::run(context).await,
        Some(Command::Completions { shell }) => completions::run(shell, context),
    }
}

/// A time of the issuer's clock as people read it, to the second: Japan's, as in the issuer's own texts.
pub(crate) fn time(at: saifu_wire::Millis) -> String {
    spoken(at, "%Y-%m-%d %H:%M:%S JST")
}

/// The same in another form.
pub(crate) fn spoken(at: saifu_wire::Millis, form: &str) -> String {
    let japan = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
    let time = i64::try_from(at.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map_or_else(|| format!("{} ms", at.0), |time| time.to_zoned(japan).strftime(form).to_string())
}

/// Rows and columns as people read them.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_header(header);
    // Only where a terminal says how wide it is.
    table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    for row in rows {
        table.add_row(row.iter().map(|cell| shown(cell)));
    }
    table.to_string()
}
