//! `saifu wallet signup` and `confirm`: the two steps, in one process or in two.

use saifu::{Error, PhoneNumber, SignUp, WalletState};
use serde_json::{Value, json};

use super::open::{Network, OpenWallet, open, open_new};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::presence;
use crate::report::Report;

pub(super) async fn sign_up(number: PhoneNumber, no_wait: bool, context: &Context) -> Result<Report, Failure> {
    let OpenWallet { wallet, sandbox, .. } = open_new(context).await?;
    let step = json!({ "number": number });
    let sign_up = context
        .did_giving("wallet.sign-up", step, async { Ok(wallet.sign_up(number).await?) }, |_| Value::Null)
        .await?;
    let asks = !no_wait && !context.yes && !context.printer.json() && presence::somebody_is_there();
    let inbox =
        if sandbox { format!("\n  saifu sandbox sms --number {}", sign_up.number().as_str()) } else { String::new() };
    let report = if asks {
        let read = if sandbox { "; another terminal shows it:" } else { "." };
        let number = sign_up.number().as_str();
        context.printer.note(&format!("An SMS with six digits is on its way to {number}{read}{inbox}"));
        enter(&sign_up, context).await
    } else {
        waiting(&sign_up, &inbox)
    };
    wallet.close().await;
    report
}

pub(super) async fn confirm(code: Option<String>, context: &Context) -> Result<Report, Failure> {
    let OpenWallet { wallet, .. } = open(context, Network::Needed).await?;
    let report = match (wallet.sign_up_in_progress(), code) {
        (None, _) if wallet.home().state == WalletState::Ready => Err(Error::AlreadySignedUp.into()),
        (None, _) => Err(LocalCode::NoSignUp.bare()),
        (Some(sign_up), Some(code)) => prove(&sign_up, &code, context).await,
        (Some(_), None) if context.yes => Err(LocalCode::NeedsAnswer.detail("the option is --code")),
        (Some(sign_up), None) => enter(&sign_up, context).await,
    };
    wallet.close().await;
    report
}

async fn enter(sign_up: &SignUp, context: &Context) -> Result<Report, Failure> {
    match presence::typed("Code from the SMS:", "--code").await? {
        Some(code) => prove(sign_up, &code, context).await,
        None => waiting(sign_up, ""),
    }
}

async fn prove(sign_up: &SignUp, code: &str, context: &Context) -> Result<Report, Failure> {
    let confirmed = async {
        let device = sign_up.confirm(code).await?.device;
        let document = json!({ "state": WalletState::Ready, "device_id": device });
        Report::new(document, format!("Ready to pay. This is device {device}."))
    };
    context.did("wallet.confirm", json!({ "code": code }), confirmed).await
}

fn waiting(sign_up: &SignUp, inbox: &str) -> Result<Report, Failure> {
    let document = json!({
        "state": WalletState::SigningUp, "device_id": null, "number": sign_up.number(),
        "expires_at": sign_up.expires_at(), "resend_at": sign_up.resend_at(),
    });
    let until = crate::commands::time(sign_up.expires_at());
    let number = sign_up.number().as_str();
    let text = format!(
        "An SMS with six digits is on its way to {number}.{inbox}\nEnter it by {until} with `saifu wallet confirm --code C`."
    );
    Report::new(document, text)
}
