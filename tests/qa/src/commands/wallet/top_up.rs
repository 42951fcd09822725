//! `saifu wallet topup atm`: the owner approves, the wallet asks, the ATM number comes back.

use saifu::{Amount, Approval, Channel, TopUp};

use super::open::{Network, OpenWallet, blocking, open};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::presence;
use crate::report::Report;

pub(super) async fn atm(yen: Amount, context: &Context) -> Result<Report, Failure> {
    let open = open(context, Network::Needed).await?;
    presence::possible(context, open.sandbox)?;
    let approval = open.wallet.top_up(Channel::Atm, yen).await?;
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
    let until = crate::commands::time(top_up.expires_at);
    let text = match &top_up.number {
        Some(number) => format!(
            "Type {} and a TOTP code (`saifu wallet totp`) at an ATM and insert up to {}, by {until}.",
            number.expose(),
            top_up.yen
        ),
        None => format!("This top-up of {} is over.", top_up.yen),
    };
    Report::new(top_up, text)
}
