//! `saifu wallet code`: one payment code, as JSON, as a picture, or on the screen for a till's camera.

use std::path::Path;
use std::time::Duration;

use saifu::{Error, PaymentCode, Purpose};
use saifu_code::{Kind, PaymentDigits};
use serde_json::{Value, json};

use super::open::{Network, OpenWallet, open};
use super::screen;
use crate::cli::{CodeArgs, CodePurpose};
use crate::context::Context;
use crate::failure::Failure;
use crate::picture::{self, Page};
use crate::printer::Printer;
use crate::report::{Report, with};
use crate::words::shown_path;

/// Somebody stands at a till: after this the code that is in hand is shown.
const PATIENCE: Duration = Duration::from_secs(1);
/// Pixels of a module in pictures.
const BAR_PIXELS: u32 = 4;
const QR_PIXELS: u32 = 10;

pub(super) async fn run(args: CodeArgs, context: &Context) -> Result<Report, Failure> {
    if let Some(out) = &args.out {
        picture::Format::of(out)?;
    }
    let purpose = match args.purpose {
        CodePurpose::Pay => Purpose::Pay,
        CodePurpose::CashIn => Purpose::CashIn,
    };
    let network = if args.offline { Network::Unused } else { Network::Needed };
    let open = open(context, network).await?;
    let report = match &args.out {
        None if context.printer.draws() && !args.offline => screen::show(&open, context, purpose).await,
        out => once(&open, context, purpose, args.offline, out.as_deref()).await,
    };
    open.wallet.close().await;
    report
}

async fn once(
    open: &OpenWallet,
    context: &Context,
    purpose: Purpose,
    offline: bool,
    out: Option<&Path>,
) -> Result<Report, Failure> {
    let code = if offline {
        let in_hand = async { Ok(open.wallet.payment_code(purpose)?) };
        context.did_giving("wallet.code", json!({ "purpose": purpose, "offline": true }), in_hand, kept).await?
    } else {
        fresh(open, context, purpose).await?
    };
    if let Some(out) = out {
        page(&code).write(out)?;
    }
    let document = json!({
        "digits": code.digits(), "kind": kind(&code), "qr": code.qr_text(), "offline": code.offline,
        "issued_at": code.issued_at, "expires_at": code.expires_at, "refresh_at": code.refresh_at, "trust": code.trust,
    });
    let until = crate::commands::time(code.expires_at);
    match out {
        Some(out) => {
            let document = with(document, "out", out.to_string_lossy());
            Report::new(document, format!("{}: a code that lives until {until}", shown_path(out)))
        }
        None => Ok(Report::new(document, format!("until {until}"))?.with_drawing(drawing(&code, context.printer))),
    }
}

/// A code of this moment; when the issuer does not answer in time, the one in hand.
pub(super) async fn fresh(open: &OpenWallet, context: &Context, purpose: Purpose) -> Result<PaymentCode, Failure> {
    let code = async {
        match tokio::time::timeout(PATIENCE, open.wallet.next_code(purpose)).await {
            Ok(Err(Error::Offline | Error::NoAnswer)) | Err(_) => Ok(open.wallet.payment_code(purpose)?),
            Ok(answered) => Ok(answered?),
        }
    };
    context.did_giving("wallet.code", json!({ "purpose": purpose }), code, kept).await
}

/// What a scenario's till may scan.
fn kept(code: &PaymentCode) -> Value {
    json!({ "digits": code.digits() })
}

fn kind(code: &PaymentCode) -> &'static str {
    match PaymentDigits::parse(code.digits()).map(|digits| digits.kind()) {
        Ok(Kind::OnlinePay) => "online-pay",
        Ok(Kind::OfflinePay) => "offline-pay",
        Ok(Kind::CashIn) => "cash-in",
        Err(_) => "unknown",
    }
}

/// Bar code, QR and the digits under them.
fn page(code: &PaymentCode) -> Page<'_> {
    Page::new().bars(code.barcode(), BAR_PIXELS).qr(code.qr(), QR_PIXELS).caption(code.digits())
}

fn drawing(code: &PaymentCode, printer: Printer) -> String {
    let (colours, (columns, _)) = (printer.colours(), printer.room());
    let bars = picture::bars(code.barcode()).fitting(columns, colours);
    let square = picture::square(code.qr()).text(colours);
    format!("{bars}\n{square}\n{}\n", picture::in_groups(code.digits()))
}
