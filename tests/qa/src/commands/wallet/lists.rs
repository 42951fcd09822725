//! `saifu wallet history`, `pending` and `totp`: what the wallet knows by itself.

use saifu::Pending;
use saifu_wire::Sensitive;
use serde_json::{Value, json};

use super::open::{Network, open};
use crate::commands::{table, time};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

pub(super) async fn history(limit: usize, context: &Context) -> Result<Report, Failure> {
    let open = open(context, Network::Unused).await?;
    let history = open.wallet.history(limit).await;
    open.wallet.close().await;
    let history = history?;
    let rows = history.entries.iter().map(|entry| {
        let merchant = entry.merchant.clone().unwrap_or_default();
        vec![time(entry.at), entry.kind.as_str().into(), entry.yen.to_string(), merchant]
    });
    let mut text = match history.entries.as_slice() {
        [] => "There is no entry on this device.".to_owned(),
        _ => table(&["when", "what", "amount", "where"], rows),
    };
    if history.incomplete {
        text.push_str("\nEntries are missing on this device: `saifu wallet refresh` fetches them.");
    }
    Report::new(json!({ "entries": history.entries, "incomplete": history.incomplete }), text)
}

pub(super) async fn pending(context: &Context) -> Result<Report, Failure> {
    let open = open(context, Network::Looking).await?;
    let entries = open.wallet.pending();
    open.wallet.close().await;
    let rows = entries.iter().map(|entry| {
        let yen = entry.what.yen().map(|yen| yen.to_string()).unwrap_or_default();
        let number = entry.what.number().map(Sensitive::expose).unwrap_or_default().to_owned();
        vec![entry.what.as_str().into(), yen, number, time(entry.ends_by), entry.next.into()]
    });
    let text = match entries.as_slice() {
        [] => "Everything is finished.".to_owned(),
        _ => table(&["what", "amount", "number", "ends by", "next"], rows),
    };
    Report::new(json!({ "entries": entries.iter().map(unfinished).collect::<Vec<_>>() }), text)
}

/// What is not finished, as JSON: here, and in a scenario.
pub(crate) fn unfinished(pending: &Pending) -> Value {
    let Pending { id, since, ends_by, next, what } = pending;
    json!({
        "id": id, "kind": what.as_str(), "yen": what.yen(), "since": since, "ends_by": ends_by, "next": next,
        "number": what.number(),
    })
}

pub(super) async fn totp(context: &Context) -> Result<Report, Failure> {
    let open = open(context, Network::Looking).await?;
    let totp = open.wallet.totp();
    open.wallet.close().await;
    let totp = totp?;
    let mut text = format!("{}  (until {})", totp.code.expose(), time(totp.valid_until));
    if !totp.trust.is_anchored() {
        text.push_str("\nThis machine's own clock decides: it may be wrong. `saifu wallet refresh` asks the issuer.");
    }
    Report::new(json!({ "code": totp.code, "valid_until": totp.valid_until, "trust": totp.trust }), text)
}
