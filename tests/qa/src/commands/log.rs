//! `saifu sandbox log`: the issuer's log, one JSON line for each request and each thing that ended by itself.

use std::time::Duration;

use serde_json::Value;

use super::wallet::open::{Network, open};
use crate::cli::LogArgs;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::peers::Levers;
use crate::report::Report;

/// How often a follower looks.
const PAUSE: Duration = Duration::from_millis(300);

pub(super) async fn run(args: LogArgs, context: &Context) -> Result<Report, Failure> {
    let levers = Levers::new(&context.sandbox()?)?;
    let mut filter = vec![("refused", args.refused.to_string())];
    let named = [("account", args.account), ("terminal", args.terminal), ("trace", args.trace)];
    filter.extend(named.into_iter().filter_map(|(what, name)| Some((what, name?.to_string()))));
    if context.wallet_named {
        filter.push(("device", device(context).await?));
    }
    let mut after = 0;
    loop {
        let lines = levers.log(after, &filter).await?;
        for line in &lines {
            context.printer.line(line)?;
        }
        match lines.last().and_then(|line| line.get("number")).and_then(Value::as_u64) {
            Some(last) => after = last,
            None if !args.follow => return Ok(Report::silent()),
            None => tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                stopped = tokio::signal::ctrl_c() => {
                    return stopped.map(|()| Report::silent()).map_err(|error| LocalCode::Bug.detail(error.to_string()));
                }
            },
        }
    }
}

/// The device of this wallet.
pub(super) async fn device(context: &Context) -> Result<String, Failure> {
    let open = open(context, Network::Unused).await?;
    let device = open.wallet.home().device;
    open.wallet.close().await;
    device.map(|device| device.to_string()).ok_or_else(|| saifu::Error::NotSignedUp.into())
}
