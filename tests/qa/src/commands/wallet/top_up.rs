//! `saifu wallet topup atm`: the owner approves, the wallet asks, the ATM number comes back.

use saifu::{Approval, Channel, IntentKey, Millis, Open, TopUp, TopUpState, Yen};
use saifu_wire::Sensitive;
use serde::Serialize;

use super::open::{Network, OpenWallet, blocking, open};
use crate::cli::TopUpAtmArgs;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::presence;
use crate::report::Report;

#[derive(Serialize)]
struct Document {
    intent: IntentKey,
    number: Option<Sensitive>,
    expires_at: Millis,
    yen: Yen,
    state: Open<TopUpState>,
}

pub(super) async fn atm(args: TopUpAtmArgs, context: &Context) -> Result<Report, Failure> {
    let open = open(context, Network::Needed).await?;
    presence::possible(context, open.sandbox)?;
    let approval = open.wallet.top_up(Channel::Atm, args.yen).await?;
    let top_up = approved(approval, context, &open).await;
    open.wallet.close().await;
    report(top_up?)
}

async fn approved(approval: Approval, context: &Context, open: &OpenWallet) -> Result<TopUp, Failure> {
    presence::approve(context, approval.text(), open.sandbox).await?;
    let (host, message) = (open.host.clone(), approval.message().to_vec());
    let signature = blocking(move || host.authorize(&message)).await?;
    let signature = signature.map_err(|error| LocalCode::KeyStore.detail(error.to_string()))?;
    Ok(approval.confirm(signature).await?)
}

fn report(top_up: TopUp) -> Result<Report, Failure> {
    let TopUp { intent, number, expires_at, yen, state, .. } = top_up;
    let until = crate::commands::time(expires_at);
    let text = match &number {
        Some(number) => format!(
            "Type {} and a TOTP code (`saifu wallet totp`) at an ATM and insert up to {yen}, by {until}.",
            number.expose()
        ),
        None => format!("This top-up of {yen} is over."),
    };
    Report::new(&Document { intent, number, expires_at, yen, state }, text)
}
