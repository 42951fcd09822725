//! `saifu wallet history`, `pending` and `totp`: what the wallet knows by itself.

use saifu::{EntryKind, EntryState, HistoryEntry, Millis, Open, Pending, Points, Yen};
use saifu_wire::{Sensitive, SettlementId};
use serde::Serialize;

use super::open::{Network, open};
use crate::cli::HistoryArgs;
use crate::commands::{table, time};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

#[derive(Serialize)]
struct List<T> {
    entries: Vec<T>,
}

#[derive(Serialize)]
struct Entry {
    id: SettlementId,
    at: Millis,
    kind: Open<EntryKind>,
    yen: Yen,
    merchant: Option<String>,
    state: Open<EntryState>,
    points: Points,
    number: u64,
    original: Option<SettlementId>,
}

#[derive(Serialize)]
struct Document {
    entries: Vec<Entry>,
    incomplete: bool,
}

pub(super) async fn history(args: HistoryArgs, context: &Context) -> Result<Report, Failure> {
    let open = open(context, Network::Unused).await?;
    let history = open.wallet.history(args.limit).await;
    open.wallet.close().await;
    let history = history?;
    let entries: Vec<Entry> = history.entries.into_iter().map(entry).collect();
    let rows = entries.iter().map(|entry| {
        let merchant = entry.merchant.clone().unwrap_or_default();
        vec![time(entry.at), entry.kind.as_str().into(), entry.yen.to_string(), merchant]
    });
    let mut text = match entries.as_slice() {
        [] => "There is no entry on this device.".to_owned(),
        _ => table(&["when", "what", "amount", "where"], rows),
    };
    if history.incomplete {
        text.push_str("\nEntries are missing on this device: `saifu wallet refresh` fetches them.");
    }
    Report::new(&Document { entries, incomplete: history.incomplete }, text)
}

fn entry(entry: HistoryEntry) -> Entry {
    let HistoryEntry { id, at, kind, yen, merchant, state, points, number, original, .. } = entry;
    Entry { id, at, kind, yen, merchant, state, points, number, original }
}

#[derive(Serialize)]
struct Unfinished {
    id: String,
    kind: &'static str,
    yen: Option<Yen>,
    since: Millis,
    ends_by: Millis,
    next: &'static str,
    number: Option<Sensitive>,
}

pub(super) async fn pending(context: &Context) -> Result<Report, Failure> {
    let open = open(context, Network::Looking).await?;
    let entries = open.wallet.pending();
    open.wallet.close().await;
    let entries: Vec<Unfinished> = entries
        .into_iter()
        .map(|Pending { id, since, ends_by, next, what }| Unfinished {
            id,
            kind: what.as_str(),
            yen: what.yen(),
            since,
            ends_by,
            next,
            number: what.number().cloned(),
        })
        .collect();
    let rows = entries.iter().map(|entry| {
        let yen = entry.yen.map(|yen| yen.to_string()).unwrap_or_default();
        let number = entry.number.as_ref().map(|number| number.expose().to_owned()).unwrap_or_default();
        vec![entry.kind.into(), yen, number, time(entry.ends_by), entry.next.into()]
    });
    let text = if entries.is_empty() {
        "Everything is finished.".to_owned()
    } else {
        table(&["what", "amount", "number", "ends by", "next"], rows)
    };
    Report::new(&List { entries }, text)
}

pub(super) async fn totp(context: &Context) -> Result<Report, Failure> {
    #[derive(Serialize)]
    struct Document {
        code: Sensitive,
        valid_until: Millis,
        trust: &'static str,
    }
    let open = open(context, Network::Looking).await?;
    let code = open.wallet.totp();
    open.wallet.close().await;
    let code = code?;
    let mut text = format!("{}  (until {})", code.code.expose(), time(code.valid_until));
    if !code.trust.is_anchored() {
        text.push_str("\nThis machine's own clock decides: it may be wrong. `saifu wallet refresh` asks the issuer.");
    }
    let document = Document { code: code.code, valid_until: code.valid_until, trust: code.trust.as_str() };
    Report::new(&document, text)
}
