//! `saifu pay`: what people do all day, in one: the wallet shows a code, the till scans its picture, the wallet looks at its
//! balance. Each part is the command of that name.

use serde_json::Value;

use super::{register, wallet};
use crate::cli::{CodeArgs, CodePurpose, PayArgs, RegisterCommand, ScanArgs, WalletCommand};
use crate::context::Context;
use crate::failure::{Failure, LocalCode, Status};
use crate::report::Report;

/// What the home screen adds to the till's document.
const FIGURES: [&str; 2] = ["balance_yen", "points"];

pub(super) async fn run(args: PayArgs, context: &Context) -> Result<Report, Failure> {
    let PayArgs { yen, out, peer } = args;
    let folder = tempfile::tempdir();
    let folder = folder.map_err(|error| LocalCode::FileFailed.detail(format!("a temporary folder: {error}")))?;
    let picture = out.unwrap_or_else(|| folder.path().join("code.png"));
    let code = CodeArgs { purpose: CodePurpose::Pay, offline: false, out: Some(picture.clone()) };
    wallet::run(WalletCommand::Code(code), context).await?;
    let scan = ScanArgs { digits: None, image: Some(picture), yen, peer };
    let scanned = register::run(RegisterCommand::Scan(scan), context).await?;
    let home = match wallet::run(WalletCommand::Refresh, context).await {
        Ok(home) => home.document().cloned().unwrap_or_default(),
        // The till has spoken; the wallet hears of it later.
        Err(failure) if failure.status() == Status::Offline => Value::Null,
        Err(failure) => return Err(failure),
    };
    let mut document = scanned.document().cloned().unwrap_or_default();
    for figure in FIGURES {
        if let Some(all) = document.as_object_mut() {
            all.insert(figure.to_owned(), home.get(figure).cloned().unwrap_or_default());
        }
    }
    let balance = home.get("balance_yen").and_then(Value::as_i64).map(saifu::Yen);
    let balance = balance.map_or_else(|| "not known".to_owned(), |balance| balance.to_string());
    Ok(Report::new(&document, format!("{}\n  balance {balance}", scanned.text()))?.with_exit(scanned.exit()))
}
