//! `saifu wallet signup` and `confirm`: the two steps, in one process or in two.

use saifu::{DeviceId, Error, Millis, SignUp, WalletState};
use serde::Serialize;

use super::open::{Network, OpenWallet, open, open_new};
use crate::cli::{ConfirmArgs, SignUpArgs};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::presence;
use crate::report::Report;

#[derive(Serialize)]
struct Document {
    state: &'static str,
    device_id: Option<DeviceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resend_at: Option<Millis>,
}

pub(super) async fn sign_up(args: SignUpArgs, context: &Context) -> Result<Report, Failure> {
    let OpenWallet { wallet, sandbox, .. } = open_new(context).await?;
    let sign_up = wallet.sign_up(args.number).await?;
    let asks = !args.no_wait && !context.yes && !context.printer.json() && presence::somebody_is_there();
    let inbox =
        if sandbox { format!("\n  saifu sandbox sms --number {}", sign_up.number().as_str()) } else { String::new() };
    let report = if asks {
        let read = if sandbox { "; another terminal shows it:" } else { "." };
        let number = sign_up.number().as_str();
        context.printer.note(&format!("An SMS with six digits is on its way to {number}{read}{inbox}"));
        enter(&sign_up).await
    } else {
        waiting(&sign_up, &inbox)
    };
    wallet.close().await;
    report
}

pub(super) async fn confirm(args: ConfirmArgs, context: &Context) -> Result<Report, Failure> {
    let OpenWallet { wallet, .. } = open(context, Network::Needed).await?;
    let report = match (wallet.sign_up_in_progress(), args.code) {
        (None, _) if wallet.home().state == WalletState::Ready => Err(Error::AlreadySignedUp.into()),
        (None, _) => Err(LocalCode::NoSignUp.bare()),
        (Some(sign_up), Some(code)) => prove(&sign_up, &code).await,
        (Some(_), None) if context.yes => Err(LocalCode::NeedsAnswer.detail("the option is --code")),
        (Some(sign_up), None) => enter(&sign_up).await,
    };
    wallet.close().await;
    report
}

async fn enter(sign_up: &SignUp) -> Result<Report, Failure> {
    match presence::typed("Code from the SMS:", "--code").await? {
        Some(code) => prove(sign_up, &code).await,
        None => waiting(sign_up, ""),
    }
}

async fn prove(sign_up: &SignUp, code: &str) -> Result<Report, Failure> {
    let ready = sign_up.confirm(code).await?;
    let document = Document {
        state: WalletState::Ready.as_str(),
        device_id: Some(ready.device),
        number: None,
        expires_at: None,
        resend_at: None,
    };
    Report::new(&document, format!("Ready to pay. This is device {}.", ready.device))
}

fn waiting(sign_up: &SignUp, inbox: &str) -> Result<Report, Failure> {
    let document = Document {
        state: WalletState::SigningUp.as_str(),
        device_id: None,
        number: Some(sign_up.number().as_str().to_owned()),
        expires_at: Some(sign_up.expires_at()),
        resend_at: Some(sign_up.resend_at()),
    };
    let until = crate::commands::time(sign_up.expires_at());
    let text = format!(
        "An SMS with six digits is on its way to {}.{inbox}\nEnter it by {until} with `saifu wallet confirm --code C`.",
        sign_up.number().as_str()
    );
    Report::new(&document, text)
}
