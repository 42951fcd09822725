//! `saifu tool …`: codes and pictures without any issuer. Bad input ends with exit 2, saying what is wrong and where.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use saifu_code::{Totp, base32, code128, qr};
use saifu_crypto::HashAlgorithm;
use serde::Serialize;

use super::cpm;
use crate::cli::{Algorithm, BarcodeArgs, CpmCommand, QrArgs, ToolCommand, TotpArgs};
use crate::failure::{Failure, LocalCode};
use crate::picture::{self, Page, Symbol, SymbolKind};
use crate::report::Report;
use crate::words::{shown, shown_path};

/// Pixels of a module: a multiple that a scanner's camera resolves from a hand's distance.
const BAR_PIXELS: u32 = 4;
const QR_PIXELS: u32 = 10;

pub(super) fn run(command: ToolCommand) -> Result<Report, Failure> {
    match command {
        ToolCommand::Totp(args) => totp(&args),
        ToolCommand::Barcode(args) => barcode(&args),
        ToolCommand::Qr(args) => draw_qr(&args),
        ToolCommand::Scan(args) => scan(args.file),
        ToolCommand::Cpm(CpmCommand::Decode(args)) => cpm::decode(&args.payload),
    }
}

fn totp(args: &TotpArgs) -> Result<Report, Failure> {
    #[derive(Serialize)]
    struct Document {
        code: String,
        valid_until: u64,
    }
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
    let document = Document { code: totp.code(&secret, seconds), valid_until: totp.valid_until(seconds) };
    let text = document.code.clone();
    Report::new(&document, text)
}

fn barcode(args: &BarcodeArgs) -> Result<Report, Failure> {
    #[derive(Serialize)]
    struct Document {
        modules: usize,
        quiet_zone: usize,
    }
    let matrix =
        code128::encode(&args.digits).map_err(|error| LocalCode::BadInput.detail(format!("DIGITS: {error}")))?;
    Page::new().bars(&matrix, BAR_PIXELS).caption(&args.digits).write(&args.out)?;
    let document = Document { modules: matrix.width(), quiet_zone: matrix.quiet_zone() };
    let text = format!(
        "{}: Code 128, {} modules and {} of quiet zone on each side",
        shown_path(&args.out),
        document.modules,
        document.quiet_zone
    );
    Report::new(&document, text)
}

fn draw_qr(args: &QrArgs) -> Result<Report, Failure> {
    #[derive(Serialize)]
    struct Document {
        modules: usize,
        version: usize,
        quiet_zone: usize,
    }
    let matrix = qr::encode(&args.text).map_err(|error| LocalCode::BadInput.detail(format!("TEXT: {error}")))?;
    Page::new().qr(&matrix, QR_PIXELS).write(&args.out)?;
    // ISO/IEC 18004 §5.3.2: version 1 has 21 modules on a side, each further one four more.
    let version = matrix.width().saturating_sub(17) / 4;
    let document = Document { modules: matrix.width(), version, quiet_zone: matrix.quiet_zone() };
    let text = format!("{}: QR version {version}, {} modules on a side", shown_path(&args.out), document.modules);
    Report::new(&document, text)
}

fn scan(file: PathBuf) -> Result<Report, Failure> {
    #[derive(Serialize)]
    struct Document {
        symbols: Vec<Symbol>,
    }
    let symbols = picture::read(&file)?;
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
    Report::new(&Document { symbols }, text)
}
