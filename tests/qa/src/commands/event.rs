//! `saifu sandbox event`: a call of the control API. What became of it is seen where it happens: in the inbox, at a sign-up, in the books.

use saifu_sandbox::rules::world::Happening;
use serde_json::{Value, json};

use super::table;
use crate::cli::EventArgs;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::report::Report;

pub(super) async fn run(args: EventArgs, context: &Context) -> Result<Report, Failure> {
    let control = context.control()?;
    let EventArgs { event, because, number, by, times } = args;
    let (Some(event), Some(because)) = (event, because) else {
        let document = control.get("events", &[]).await?;
        let text = listed(&document);
        return Report::new(&document, text);
    };
    let happening = Happening { event, because, number, by_ms: by, times };
    happening.check().map_err(|why| LocalCode::BadInput.detail(why))?;
    let Happening { event, because, number, by_ms, times } = &happening;
    let by = by_ms.map(crate::scenario::span);
    let step = json!({ "event": event, "because": because, "number": number, "by": by, "times": times });
    let happened = async {
        let document = control.post("events", &happening).await?;
        Report::new(&document, told(&document))
    };
    context.did("sandbox.event", step, happened).await
}

fn field(value: &Value, path: &str) -> String {
    match path.split('.').try_fold(value, |value, name| value.get(name)) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn rows(values: Option<&Value>, fields: &[&str]) -> String {
    let values = values.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    table(fields, values.iter().map(|value| fields.iter().map(|path| field(value, path)).collect()))
}

fn listed(document: &Value) -> String {
    let events = document.get("events");
    if events.and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return "nothing has happened".to_owned();
    }
    rows(events, &["id", "event", "because", "number", "by_ms", "times", "left"])
}

fn told(document: &Value) -> String {
    let named = format!("{}, event {}", field(document, "event"), field(document, "id"));
    match document.get("day_end") {
        None | Some(Value::Null) => named,
        Some(day) => {
            let agree = day.get("ok").and_then(Value::as_bool) == Some(true);
            let verdict = if agree { "the terminals and the ledger agree" } else { "TERMINALS AND LEDGER DIFFER" };
            let fields = [
                "merchant",
                "terminal",
                "payments.yen",
                "refunds.yen",
                "reversals.yen",
                "top_ups.yen",
                "customers_yen",
                "ledger_yen",
                "ok",
            ];
            let terminals = rows(day.get("terminals"), &fields);
            format!("{named}: {} postings, {verdict}\n{terminals}", field(day, "postings"))
        }
    }
}
