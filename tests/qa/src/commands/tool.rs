//! `saifu tool …`: codes and pictures without any issuer. Bad input ends with exit 2, saying what is wrong and where.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use saifu_code::{Totp, base32, code128, qr};
use saifu_crypto::HashAlgorithm;
use serde_json::json;

use super::cpm;
use crate::cli::{Algorithm, CpmCommand, ToolCommand, TotpArgs};
use crate::failure::{Failure, LocalCode};
use crate::picture::{self, Page, SymbolKind};
use crate::report::Report;
use crate::words::{shown, shown_path};

/// Pixels of a module: a multiple that a scanner's camera resolves from a hand's distance.
const BAR_PIXELS: u32 = 4;
const QR_PIXELS: u32 = 10;

pub(super) fn run(command: ToolCommand) -> Result<Report, Failure> {
    match command {
        ToolCommand::Totp(args) => totp(&args),
        ToolCommand::Barcode { digits, out } => barcode(&digits, &out),
        ToolCommand::Qr { text, out } => draw_qr(&text, &out),
        ToolCommand::Scan { file } => scan(&file),
        ToolCommand::Cpm(CpmCommand::Decode { payload }) => cpm::decode(&payload),
    }
}

fn totp(args: &TotpArgs) -> Result<Report, Failure> {
    let bad = |option: &str, what: String| LocalCode::BadInput.detail(format!("{option}: {what}"));
    let secret = base32::decode(&args.secret).map_err(|error| bad("--secret", error.to_string()))?;
    let algorithm = match args.algorithm {
        Algorithm::Sha1 => HashAlgorithm::Sha1,
        Algorithm::Sha256 => HashAlgorithm::Sha256,
        Algorithm::Sha512 => HashAlgorithm::Sha512,
    };
    let totp = Totp::new(algorithm, args.digits, args.period).map_err(|error| match error {
        saifu_code::TotpError::Digits(_) => bad("--digits", error.to_string()),
        saifu_code::TotpError::Period => bad("--period", error.to_string()),
    })?;
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let seconds = args.time.unwrap_or_else(now);
    let code = totp.code(&secret, seconds);
    Report::new(json!({ "code": code, "valid_until": totp.valid_until(seconds) }), code)
}

fn barcode(digits: &str, out: &Path) -> Result<Report, Failure> {
    let matrix = code128::encode(digits).map_err(|error| LocalCode::BadInput.detail(format!("DIGITS: {error}")))?;
    Page::new().bars(&matrix, BAR_PIXELS).caption(digits).write(out)?;
    let (modules, quiet_zone) = (matrix.width(), matrix.quiet_zone());
    let text = format!("{}: Code 128, {modules} modules and {quiet_zone} of quiet zone on each side", shown_path(out));
    Report::new(json!({ "modules": modules, "quiet_zone": quiet_zone }), text)
}

fn draw_qr(text: &str, out: &Path) -> Result<Report, Failure> {
    let matrix = qr::encode(text).map_err(|error| LocalCode::BadInput.detail(format!("TEXT: {error}")))?;
    Page::new().qr(&matrix, QR_PIXELS).write(out)?;
    // ISO/IEC 18004 §5.3.2: version 1 has 21 modules on a side, each further one four more.
    let version = matrix.width().saturating_sub(17) / 4;
    let modules = matrix.width();
    let text = format!("{}: QR version {version}, {modules} modules on a side", shown_path(out));
    Report::new(json!({ "modules": modules, "version": version, "quiet_zone": matrix.quiet_zone() }), text)
}

fn scan(file: &Path) -> Result<Report, Failure> {
    let symbols = picture::read(file)?;
    if symbols.is_empty() {
        return Err(LocalCode::NoSymbol.detail(format!("{}: no Code 128 and no QR code was found", file.display())));
    }
    let lines = symbols.iter().map(|symbol| {
        let kind = match symbol.kind {
            SymbolKind::Code128 => "Code 128",
            SymbolKind::Qr => "QR",
        };
        format!("{kind}: {}", shown(&symbol.text))
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    Report::new(json!({ "symbols": symbols }), text)
}
