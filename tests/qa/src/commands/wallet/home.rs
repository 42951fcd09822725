//! `saifu wallet home` and `refresh`.

use saifu::{DeviceId, Home, Millis, Notice, Open, Points, ProblemCode, Standing, Trust, WalletState, Yen};
use serde::Serialize;

use super::open::{Network, open};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::words::shown;

#[derive(Serialize)]
struct Document<'a> {
    state: &'static str,
    /// What leads on from this state.
    way_out: &'static str,
    /// The issuer's word for why it no longer knows this device.
    put_aside: Option<&'a Open<ProblemCode>>,
    standing: Option<&'a Open<Standing>>,
    /// Null when it is not known; `balance_reason` then says why.
    balance_yen: Option<Yen>,
    balance_reason: Option<&'static str>,
    as_of: Option<Millis>,
    age_ms: Option<u64>,
    points: Option<Points>,
    notices: &'a [Notice],
    frozen: bool,
    device_id: Option<DeviceId>,
    top_up_left_yen: Option<Yen>,
    pay_left_yen: Option<Yen>,
    last_event: u64,
    history_incomplete: bool,
    /// What the issuer's time rests on here.
    trust: &'static str,
}

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
    let document = Document {
        state: WalletState::NoAccount.as_str(),
        way_out: WalletState::NoAccount.way_out(),
        put_aside: None,
        standing: None,
        balance_yen: None,
        balance_reason: Some("there is no account yet"),
        as_of: None,
        age_ms: None,
        points: None,
        notices: &[],
        frozen: false,
        device_id: None,
        top_up_left_yen: None,
        pay_left_yen: None,
        last_event: 0,
        history_incomplete: false,
        trust: Trust::Unanchored.as_str(),
    };
    Report::new(&document, "There is no account in this wallet. Sign up with `saifu wallet signup --number N`.")
}

fn report(home: &Home) -> Result<Report, Failure> {
    let document = Document {
        state: home.state.as_str(),
        way_out: home.state.way_out(),
        put_aside: home.put_aside.as_ref(),
        standing: home.standing.as_ref(),
        balance_yen: home.balance_yen,
        balance_reason: home.balance_reason,
        as_of: home.as_of,
        age_ms: home.age_ms,
        points: home.points,
        notices: &home.notices,
        frozen: home.frozen,
        device_id: home.device,
        top_up_left_yen: home.top_up_left_yen,
        pay_left_yen: home.pay_left_yen,
        last_event: home.last_event,
        history_incomplete: home.history_incomplete,
        trust: home.trust.as_str(),
    };
    Report::new(&document, words(home))
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
