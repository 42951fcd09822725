//! Reading pictures as a till's scanner would: PNG, or SVG drawn first. Saifu's own drawing code has no part in it. Pictures
//! come from strangers: what one costs is bounded, and a decoder that panics has read nothing.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use rxing::{BarcodeFormat, DecodeHints};

use super::Format;
use super::grey::{Grey, Layered, WHITE};
use super::svg;
use crate::failure::{Failure, LocalCode};
use crate::files;

/// No picture of a till has more bytes.
const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// No picture of a till has more pixels on a side.
const MAX_SIDE: u32 = 8_192;
/// Or altogether.
const MAX_PIXELS: u64 = 32 * 1024 * 1024;
/// Far more than any picture of a code takes, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// The name of the thread that reads: what panics there is told by whoever waits for it.
pub(crate) const THREAD: &str = "picture";
/// Its stack, for files that are deep.
const STACK: usize = 64 * 1024 * 1024;

/// What kind of symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SymbolKind {
    /// Code 128 (ISO/IEC 15417).
    #[serde(rename = "code-128")]
    Code128,
    /// QR (ISO/IEC 18004).
    Qr,
}

/// A symbol found in a picture.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Symbol {
    /// What kind.
    pub kind: SymbolKind,
    /// What it says.
    pub text: String,
}

/// Every Code 128 and QR symbol in a PNG or SVG file, each once, in order of kind and text. What is transparent is white; light
/// symbols on a dark ground are read too.
///
/// # Errors
/// [`LocalCode::FileFailed`], [`LocalCode::BadInput`] when it is no such picture. No symbol is no error.
pub fn read(path: &Path) -> Result<Vec<Symbol>, Failure> {
    let format = Format::of(path)?;
    let bytes = files::read(path, MAX_BYTES)?;
    apart(move || scanned(format, &bytes))
        .and_then(|read| read)
        .map_err(|what| LocalCode::BadInput.detail(format!("{}: {what}", path.display())))
}

/// In a thread of its own, which is given up when it takes too long; its work ends with the process.
fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let (answer, answered) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name(THREAD.into()).stack_size(STACK);
    thread.spawn(move || answer.send(work())).map_err(|error| error.to_string())?;
    answered.recv_timeout(PATIENCE).map_err(|why| match why {
        mpsc::RecvTimeoutError::Timeout => "it takes too long to read".to_owned(),
        mpsc::RecvTimeoutError::Disconnected => "it cannot be read: the decoder gave up".to_owned(),
    })
}

fn scanned(format: Format, bytes: &[u8]) -> Result<Vec<Symbol>, String> {
    let picture = match format {
        Format::Png => Layered::of_png(bytes, fits).map_err(|error| format!("not a PNG that can be read: {error}"))?,
        Format::Svg => svg::draw(bytes, fits).map_err(|error| format!("not an SVG that can be drawn: {error}"))?,
    };
    let found = symbols(picture.on(WHITE));
    // White on nothing is seen on a dark screen only.
    if found.is_empty() && picture.is_transparent() { Ok(symbols(picture.on(0))) } else { Ok(found) }
}

fn fits(width: u32, height: u32) -> Result<(), String> {
    let pixels = u64::from(width).saturating_mul(height.into());
    match width <= MAX_SIDE && height <= MAX_SIDE && pixels <= MAX_PIXELS {
        true => Ok(()),
        false => Err(format!("over {MAX_SIDE} pixels on a side or {MAX_PIXELS} altogether")),
    }
}

/// Every Code 128 and QR symbol among these pixels.
pub(crate) fn symbols(image: Grey) -> Vec<Symbol> {
    let formats = [BarcodeFormat::CODE_128, BarcodeFormat::QR_CODE].into_iter().collect();
    let mut hints = DecodeHints { PossibleFormats: Some(formats), AlsoInverted: Some(true), ..DecodeHints::default() };
    let Grey { width, height, pixels } = image;
    // The decoder's only error here is that it found nothing.
    let found = rxing::helpers::detect_multiple_in_luma_with_hints(pixels, width, height, &mut hints);
    let mut symbols: Vec<Symbol> = found
        .unwrap_or_default()
        .iter()
        .filter_map(|result| {
            let kind = match result.getBarcodeFormat() {
                BarcodeFormat::CODE_128 => SymbolKind::Code128,
                BarcodeFormat::QR_CODE => SymbolKind::Qr,
                _ => return None,
            };
            Some(Symbol { kind, text: result.getText().to_owned() })
        })
        .collect();
    symbols.sort();
    symbols.dedup();
    symbols
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_panics_has_read_nothing() {
        assert!(apart(|| -> u8 { std::panic::resume_unwind(Box::new("a decoder")) }).is_err());
        assert_eq!(apart(|| 7), Ok(7));
    }
}
