//! `saifu wallet home` and `refresh`.

use saifu::{Following, Home, Offer, Offers, Trust, WalletState};
use serde_json::{Value, json};

use super::open::{Network, open};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Report, with};
use crate::words::shown;

/// From the journal alone. A wallet that was never used is not made by looking at it.
pub(super) async fn home(context: &Context) -> Result<Report, Failure> {
    let folder = context.folder()?;
    if folder.settings()?.is_none() || !folder.is_used() {
        return nobody();
    }
    let open = open(context, Network::Looking).await?;
    let report = report(&open.wallet.home());
    open.wallet.close().await;
    report
}

pub(super) async fn refresh(context: &Context) -> Result<Report, Failure> {
    let open = open(context, Network::Needed).await?;
    let refreshed = open.wallet.refresh().await;
    if refreshed.is_ok() {
        // This process ends: what goes on beside the refresh is waited for.
        open.wallet.settled().await;
    }
    let home = open.wallet.home();
    open.wallet.close().await;
    refreshed?;
    report(&home)
}

fn nobody() -> Result<Report, Failure> {
    let home = Home {
        state: WalletState::NoAccount,
        put_aside: None,
        device: None,
        standing: None,
        balance_yen: None,
        balance_reason: Some("there is no account yet"),
        as_of: None,
        age_ms: None,
        trust: Trust::Unanchored,
        points: None,
        frozen: false,
        top_up_left_yen: None,
        pay_left_yen: None,
        notices: Vec::new(),
        last_event: 0,
        history_incomplete: false,
        following: Following::Off,
        offers: Offers::none(Offer::NoAccount),
    };
    Report::new(document(&home), "There is no account in this wallet. Sign up with `saifu wallet signup --number N`.")
}

/// The core's record, and what leads on from its state.
pub(crate) fn document(home: &Home) -> Value {
    with(json!(home), "way_out", home.state.way_out())
}

fn report(home: &Home) -> Result<Report, Failure> {
    Report::new(document(home), words(home))
}

fn words(home: &Home) -> String {
    let mut lines = Vec::new();
    match (home.balance_yen, home.as_of) {
        (Some(balance), Some(as_of)) => {
            let age = home.age_ms.map(|ms| format!(", {} s old", ms / 1_000)).unwrap_or_default();
            lines.push(format!("Balance   {balance}  (as of {}{age})", crate::commands::time(as_of)));
        }
        _ => lines.push(format!("Balance   not known: {}", home.balance_reason.unwrap_or("nobody said"))),
    }
    lines.extend(home.points.map(|points| format!("Points    {}", points.0)));
    lines.extend(home.standing.as_ref().map(|standing| format!("Standing  {}", shown(standing.as_str()))));
    if home.frozen {
        lines.push("FROZEN    nothing can be paid or topped up".into());
    }
    if home.state != WalletState::Ready {
        lines.push(format!("State     {}: {}", home.state.as_str(), home.state.way_out()));
    }
    if home.history_incomplete {
        lines.push("History   incomplete: `saifu wallet refresh` fetches the rest".into());
    }
    lines.extend(
        home.notices.iter().map(|notice| format!("* {}  {}", crate::commands::time(notice.at), shown(&notice.text))),
    );
    lines.join("\n")
}
