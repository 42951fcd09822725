//! `saifu sandbox log`, and what a sandbox's own terminal shows while it runs: the issuer's log, a line for each request and
//! each thing that ended by itself. People read it without the handshakes; programs get every line as JSON.

use std::time::Duration;

use saifu_wire::{Millis, Operation, ProblemCode, Yen};
use serde_json::Value;

use super::spoken;
use super::wallet::open::{Network, came_back, open};
use crate::cli::LogArgs;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::peers::ControlApi;
use crate::printer::Printer;
use crate::report::Report;

/// How often a follower looks.
const PAUSE: Duration = Duration::from_millis(300);
/// Requests that only open the way for another.
const HANDSHAKES: [Operation; 4] =
    [Operation::ServiceDocument, Operation::Session, Operation::Token, Operation::IntentNonce];
/// A day and a time of Japan; who has it on the screen all the time needs no day.
const DAY_AND_TIME: &str = "%Y-%m-%d %H:%M:%S";
const TIME: &str = "%H:%M:%S";

pub(super) async fn run(args: LogArgs, context: &Context) -> Result<Report, Failure> {
    let info = context.sandbox()?;
    let control = ControlApi::new(&info)?;
    let mut filter = vec![("refused", args.refused.to_string())];
    let named = [("account", args.account), ("terminal", args.terminal), ("trace", args.trace)];
    let asked_for = named.iter().find_map(|(what, name)| Some(format!("{what} `{}`", name.as_ref()?)));
    filter.extend(named.into_iter().filter_map(|(what, name)| Some((what, name?.to_string()))));
    if context.wallet_named {
        filter.push(("device", device(context).await?));
    }
    tokio::select! {
        told = tell(&control, &filter, context.printer, DAY_AND_TIME, args.follow, asked_for) => told.map_err(|failure| {
            // A follower that would look in vain for ever says where the sandbox is now.
            match context.sandbox() {
                Ok(now) if now.lever_url != info.lever_url => came_back(&now.customer_url),
                _ => failure,
            }
        })?,
        stopped = tokio::signal::ctrl_c() => stopped.map_err(|error| LocalCode::Bug.detail(error.to_string()))?,
    }
    Ok(Report::silent())
}

/// What a sandbox's own terminal shows, until it is stopped.
pub(super) async fn live(control: &ControlApi, printer: Printer) -> Result<(), Failure> {
    tell(control, &[], printer, TIME, true, None).await
}

async fn tell(
    control: &ControlApi,
    filter: &[(&str, String)],
    printer: Printer,
    form: &str,
    follow: bool,
    mut asked_for: Option<String>,
) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let lines = control.log(after, filter).await?;
        if let (0, [], Some(what)) = (after, lines.as_slice(), asked_for.take()) {
            printer.note(&format!("the log has no line of the {what}"));
        }
        for line in &lines {
            if printer.json() {
                printer.line(line)?;
            } else if !is_handshake(line) {
                printer.text(&words(line, form))?;
            }
        }
        match lines.last().and_then(|line| line.get("number")).and_then(Value::as_u64) {
            Some(last) => after = last,
            None if follow => tokio::time::sleep(PAUSE).await,
            None => return Ok(()),
        }
    }
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Whether it only opens the way for another request. One that was refused is worth a line.
fn is_handshake(line: &Value) -> bool {
    let asks_for_nonce = text(line, "code") == ProblemCode::UseDpopNonce.as_str();
    asks_for_nonce || text(line, "code").is_empty() && HANDSHAKES.iter().any(|it| it.name() == text(line, "operation"))
}

/// One line: when, what, who, how it ended, and what moved.
fn words(line: &Value, form: &str) -> String {
    let at = spoken(Millis(line.get("at").and_then(Value::as_u64).unwrap_or_default()), form);
    let who =
        [text(line, "terminal"), text(line, "device"), text(line, "account")].into_iter().find(|it| !it.is_empty());
    let why = [text(line, "reason"), text(line, "code")].into_iter().find(|it| !it.is_empty());
    let rule = line.pointer("/decided_by/rule").and_then(Value::as_str);
    let ended = match (text(line, "result"), why, line.get("status")) {
        ("", Some(why), _) => format!("refused: {why}"),
        ("", None, Some(status)) => match status.as_u64() {
            Some(200..300) => "ok".to_owned(),
            _ => status.to_string(),
        },
        ("", None, None) => "by itself".to_owned(),
        (result, Some(why), _) => format!("{result}: {why}"),
        (result, None, _) => result.to_owned(),
    };
    let rule = rule.map(|rule| format!(" ({rule})")).unwrap_or_default();
    let moved = moved(line).map(|yen| format!("  {yen}")).unwrap_or_default();
    let again = if line.get("repeat") == Some(&Value::Bool(true)) { ", repeated" } else { "" };
    let id = [text(line, "transaction"), text(line, "intent")].into_iter().find(|it| !it.is_empty());
    let id = id.map(|id| format!("  {id}")).unwrap_or_default();
    let who = who.unwrap_or("-");
    format!("{at}  {:<18} {who:<10} {ended}{rule}{again}{moved}{id}", text(line, "operation"))
}

/// The yen of its first posting.
fn moved(line: &Value) -> Option<Yen> {
    let postings = line.get("postings").and_then(Value::as_array)?;
    let yen = postings.iter().find(|posting| text(posting, "unit") == "yen")?;
    yen.get("amount").and_then(Value::as_i64).map(Yen)
}

/// The device of this wallet.
pub(super) async fn device(context: &Context) -> Result<String, Failure> {
    let open = open(context, Network::Looking).await?;
    let device = open.wallet.home().device;
    open.wallet.close().await;
    device.map(|device| device.to_string()).ok_or_else(|| saifu::Error::NotSignedUp.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_who_did_what_how_it_ended_and_what_moved() {
        let paid = json!({
            "number": 9, "at": 0, "trace": "trace-4", "operation": "settle", "account": "account-1",
            "terminal": "register-1", "transaction": "transaction-2", "status": 200, "result": "approved",
            "postings": [{"phase": "final", "from": "account-1", "to": "merchant:shop-1", "amount": 1280, "unit": "yen"}],
        });
        assert_eq!(words(&paid, TIME), "09:00:00  settle             register-1 approved  ¥1,280  transaction-2");
        let declined = json!({
            "at": 0, "operation": "settle", "terminal": "register-1", "status": 200, "result": "declined",
            "reason": "over-limit", "decided_by": {"rule": "pay.day_yen"},
        });
        assert!(words(&declined, TIME).ends_with("register-1 declined: over-limit (pay.day_yen)"));
    }

    #[test]
    fn handshakes_are_left_out_unless_they_are_refused() {
        let line = |operation: &str, code: &str| json!({"operation": operation, "code": code});
        assert!(is_handshake(&line("session", "")) && is_handshake(&line("home", "use-dpop-nonce")));
        assert!(!is_handshake(&line("session", "unknown-device")) && !is_handshake(&line("home", "")));
    }
}
