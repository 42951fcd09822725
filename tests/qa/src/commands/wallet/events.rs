//! `saifu wallet events`: a line for each thing that happened to the account. Without `--follow`, what the wallet
//! knows; with it, what happens from now on, until the process is stopped.

use saifu::{Event, EventBody, Following, HistoryEntry, Notice, Update};
use serde_json::{Value, json};

use super::open::{Network, OpenWallet, open};
use crate::commands::time;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::printer::Printer;
use crate::report::Report;

pub(super) async fn run(follows: bool, context: &Context) -> Result<Report, Failure> {
    let network = if follows { Network::Needed } else { Network::Unused };
    let open = open(context, network).await?;
    let outcome = if follows { follow(&open, context).await } else { known(&open, context).await };
    open.wallet.close().await;
    outcome.map(|()| Report::silent())
}

async fn known(open: &OpenWallet, context: &Context) -> Result<(), Failure> {
    let entries = open.wallet.history(usize::MAX).await?.entries.into_iter().map(from_entry);
    let notices = open.wallet.home().notices.into_iter().map(from_notice);
    let mut lines: Vec<(u64, EventLine)> = entries.chain(notices).collect();
    lines.sort_by_key(|(number, _)| *number);
    lines.iter().try_for_each(|(_, line)| line.tell(context.printer))
}

/// One thing, for programs and for people.
struct EventLine {
    document: Value,
    text: String,
}

impl EventLine {
    fn tell(&self, printer: Printer) -> Result<(), Failure> {
        if printer.json() { printer.line(&self.document) } else { printer.text(&self.text) }
    }
}

/// The balance at that time is not kept; unknown is null.
fn from_entry(entry: HistoryEntry) -> (u64, EventLine) {
    let text = format!("{}  {}", time(entry.at), of_entry(&entry));
    let line = json!({
        "number": entry.number, "at": entry.at, "balance_yen": null, "points": null, "kind": "entry", "entry": entry,
    });
    (entry.number, EventLine { document: line, text })
}

fn from_notice(notice: Notice) -> (u64, EventLine) {
    let Notice { number, at, kind, text } = notice;
    let words = format!("{}  {text}", time(at));
    let line = json!({
        "number": number, "at": at, "balance_yen": null, "points": null, "kind": "notice", "notice": kind, "text": text,
    });
    (number, EventLine { document: line, text: words })
}

async fn follow(open: &OpenWallet, context: &Context) -> Result<(), Failure> {
    let mut events = open.wallet.events();
    open.wallet.follow()?;
    loop {
        tokio::select! {
            update = events.next() => match update {
                Some(Update::Event(event)) if context.printer.json() => context.printer.line(&event)?,
                Some(Update::Event(event)) => {
                    context.printer.text(&format!("{}  {}", time(event.at), words(&event)))?;
                }
                Some(Update::Following(following)) => stands(&following, open, context).await?,
                None => return Ok(()),
            },
            stopped = tokio::signal::ctrl_c() => {
                return stopped.map_err(|error| LocalCode::Bug.detail(error.to_string()));
            }
        }
    }
}

/// Says on stderr how the stream stands. It comes back by itself, but for one whose device the issuer does not know.
async fn stands(following: &Following, open: &OpenWallet, context: &Context) -> Result<(), Failure> {
    match following {
        Following::Connected { .. } => context.printer.note(FOLLOWING),
        Following::Waiting { why, next_try_at } => {
            if let Ok(info) = context.sandbox() {
                open.same_issuer(&info.customer_url)?;
            }
            let at = time(*next_try_at);
            context.printer.note(&format!("not connected ({why}); the next try is at {at}"));
        }
        // What has ended says why at once.
        Following::Ended { .. } => open.wallet.followed().await?,
        Following::Off | Following::Connecting => {}
    }
    Ok(())
}

/// Written to stderr once the stream stands: from then on nothing is missed.
pub(crate) const FOLLOWING: &str = "following; Ctrl-C ends it";

fn of_entry(entry: &HistoryEntry) -> String {
    let at = entry.merchant.as_ref().map(|merchant| format!(" at {merchant}")).unwrap_or_default();
    format!("{}: {}{at}", entry.kind.as_str(), entry.yen)
}

/// What a person reads of an event.
pub(crate) fn words(event: &Event) -> String {
    let balance = event.balance_yen;
    match &event.body {
        EventBody::Entry { entry } => format!("{}; the balance is {balance}", of_entry(entry)),
        EventBody::Declined { reason, yen, merchant } => {
            format!("declined: {yen} at {merchant}: {}", reason.text())
        }
        EventBody::TopUpExpired { .. } => "a top-up ended without money".to_owned(),
        EventBody::Notice { text, .. } => text.clone(),
        EventBody::Other => format!("something new; the balance is {balance}"),
    }
}
