//! Reading pictures as a till's scanner would: PNG, or SVG drawn by `resvg` first. Saifu's own drawing code has no part in
//! it.

use std::path::Path;

use image::GrayImage;
use resvg::{tiny_skia, usvg};
use rxing::{BarcodeFormat, DecodeHints};

use super::Format;
use crate::failure::{Failure, LocalCode};
use crate::files;

/// No picture of a till has more bytes.
const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// No picture of a till has more pixels on a side.
const MAX_SIDE: u32 = 8_192;

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

/// Every Code 128 and QR symbol in a PNG or SVG file, each once, in order of kind and text.
///
/// # Errors
/// [`LocalCode::FileFailed`], [`LocalCode::BadInput`] when it is no such picture. No symbol is no error.
pub fn read(path: &Path) -> Result<Vec<Symbol>, Failure> {
    let format = Format::of(path)?;
    let wrong = |what: &str| LocalCode::BadInput.detail(format!("{}: {what}", path.display()));
    let bytes = files::read(path, MAX_BYTES)?;
    let image = match format {
        Format::Png => png(&bytes).map_err(|error| wrong(&format!("not a PNG that can be read: {error}")))?,
        Format::Svg => svg(&bytes).map_err(|error| wrong(&format!("not an SVG that can be drawn: {error}")))?,
    };
    Ok(symbols(&image))
}

fn png(bytes: &[u8]) -> Result<GrayImage, String> {
    let mut reader = image::ImageReader::with_format(std::io::Cursor::new(bytes), image::ImageFormat::Png);
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    reader.limits(limits);
    Ok(reader.decode().map_err(|error| error.to_string())?.into_luma8())
}

fn svg(bytes: &[u8]) -> Result<GrayImage, String> {
    let tree = usvg::Tree::from_data(bytes, &usvg::Options::default()).map_err(|error| error.to_string())?;
    let size = tree.size().to_int_size();
    if size.width() > MAX_SIDE || size.height() > MAX_SIDE {
        return Err(format!("over {MAX_SIDE} pixels on a side"));
    }
    let mut pixels = tiny_skia::Pixmap::new(size.width(), size.height()).ok_or("it has no size")?;
    pixels.fill(tiny_skia::Color::WHITE);
    resvg::render(&tree, tiny_skia::Transform::identity(), &mut pixels.as_mut());
    let rgba = image::RgbaImage::from_raw(size.width(), size.height(), pixels.take()).ok_or("it has no size")?;
    Ok(image::DynamicImage::ImageRgba8(rgba).into_luma8())
}

/// Every Code 128 and QR symbol among these pixels.
pub(crate) fn symbols(image: &GrayImage) -> Vec<Symbol> {
    let formats = [BarcodeFormat::CODE_128, BarcodeFormat::QR_CODE].into_iter().collect();
    let mut hints = DecodeHints { PossibleFormats: Some(formats), ..DecodeHints::default() };
    let (width, height) = image.dimensions();
    // The decoder's only error here is that it found nothing.
    let found = rxing::helpers::detect_multiple_in_luma_with_hints(image.as_raw().clone(), width, height, &mut hints);
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
