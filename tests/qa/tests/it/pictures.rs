//! Every symbol that is drawn is read back by two decoders that are not ours and not one another's: rxing, a port of
//! ZXing, and zbar, a program of its own. Also from bad pictures: blurred, noisy, turned, pale.

use std::path::Path;

use saifu_code::{Issuer, Kind, PaymentDigits, code128, qr};
use saifu_crypto::{Random as _, SeededRandom};
use saifu_qa::picture::{Grey, Page, Symbol, SymbolKind, read};

use crate::support::common::zbar;

const SAMPLES: usize = 6;

fn samples() -> Vec<PaymentDigits> {
    let random = SeededRandom::new(1);
    let kinds = [Kind::OnlinePay, Kind::OfflinePay, Kind::CashIn];
    (0..SAMPLES).map(|n| PaymentDigits::from_random(Issuer::SANDBOX, kinds[n % 3], &random).unwrap()).collect()
}

/// The page that `saifu wallet code --out` writes.
fn page(digits: &str) -> Grey {
    let (bars, square) = (code128::encode(digits).unwrap(), qr::encode(digits).unwrap());
    Page::new().bars(&bars, 4).qr(&square, 10).pixels()
}

fn both(digits: &str) -> Vec<Symbol> {
    [SymbolKind::Code128, SymbolKind::Qr].map(|kind| Symbol { kind, text: digits.to_owned() }).to_vec()
}

/// Reads the picture with both decoders; says which symbols each one found.
fn readings(image: &Grey, digits: &str, folder: &Path) -> (usize, Option<usize>) {
    let file = folder.join("picture.png");
    std::fs::write(&file, image.to_png().unwrap()).unwrap();
    let ours = read(&file).unwrap();
    assert!(ours.iter().all(|symbol| symbol.text == digits), "rxing misread {digits}: {ours:?}");
    let lines = zbar(&file);
    if let Some(lines) = &lines {
        assert!(lines.iter().all(|line| line == digits), "zbar misread {digits}: {lines:?}");
    }
    (ours.len(), lines.map(|lines| lines.len()))
}

#[test]
fn every_code_is_read_back_by_both_decoders() {
    let folder = tempfile::tempdir().unwrap();
    for code in samples() {
        let (rxing, zbar) = readings(&page(code.as_str()), code.as_str(), folder.path());
        assert_eq!(rxing, 2, "{}", code.as_str());
        assert!(zbar.is_none_or(|found| found == 2), "{}", code.as_str());
    }
}

#[test]
fn svg_is_read_back_through_a_renderer_that_is_not_ours() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("code.svg");
    for code in samples() {
        let (bars, square) = (code128::encode(code.as_str()).unwrap(), qr::encode(code.as_str()).unwrap());
        Page::new().bars(&bars, 3).qr(&square, 6).caption(code.as_str()).write(&file).unwrap();
        assert_eq!(read(&file).unwrap(), both(code.as_str()));
    }
}

fn made(width: u32, height: u32, pixel: impl Fn(u32, u32) -> u8) -> Grey {
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect();
    Grey { width, height, pixels }
}

/// A Gaussian of this deviation, across and then down.
fn blurred(image: &Grey, deviation: f32) -> Grey {
    let reach = (3.0 * deviation).ceil() as i64;
    let weights: Vec<f32> =
        (-reach..=reach).map(|d| (-((d * d) as f32) / (2.0 * deviation * deviation)).exp()).collect();
    let total: f32 = weights.iter().sum();
    let along = |image: &Grey, across: i64, down: i64| {
        made(image.width, image.height, |x, y| {
            let pixel = |d: i64| {
                let inside =
                    |at: u32, step: i64, most: u32| (i64::from(at) + step * d).clamp(0, i64::from(most) - 1) as u32;
                f32::from(image.get(inside(x, across, image.width), inside(y, down, image.height)))
            };
            ((-reach..=reach).zip(&weights).map(|(d, weight)| pixel(d) * weight).sum::<f32>() / total) as u8
        })
    };
    along(&along(image, 1, 0), 0, 1)
}

fn quarter_turned(image: &Grey) -> Grey {
    made(image.height, image.width, |x, y| image.get(y, image.height - 1 - x))
}

/// The noise of a cheap camera: up to `most` grey levels up or down on each pixel, then smoothed as its lens does. zbar
/// takes the edges of unsmoothed single pixels for bars.
fn noisy(image: &Grey, most: i16) -> Grey {
    let noise: Vec<u8> = SeededRandom::new(2).secret(image.pixels.len()).unwrap().expose().to_vec();
    let mut out = image.clone();
    for (pixel, byte) in out.pixels.iter_mut().zip(noise) {
        let shift = i16::from(byte) % (2 * most + 1) - most;
        *pixel = (i16::from(*pixel) + shift).clamp(0, 255) as u8;
    }
    blurred(&out, 1.2)
}

/// A dim screen behind glare: black becomes dark grey, white a pale one.
fn pale(image: &Grey, black: u8, white: u8) -> Grey {
    let span = u16::from(white - black);
    let mut out = image.clone();
    out.pixels.iter_mut().for_each(|pixel| *pixel = black + (u16::from(*pixel) * span / 255) as u8);
    out
}

/// Turned about its middle on a white ground, each pixel mixed from its four neighbours.
fn turned(image: &Grey, degrees: f32) -> Grey {
    let margin = 120;
    let (width, height) = (image.width + 2 * margin, image.height + 2 * margin);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (middle_x, middle_y) = (width as f32 / 2.0, height as f32 / 2.0);
    let at = |x: i64, y: i64| {
        let inside = x >= 0 && y >= 0 && x < i64::from(image.width) && y < i64::from(image.height);
        if inside { f32::from(image.get(x as u32, y as u32)) } else { 255.0 }
    };
    made(width, height, |x, y| {
        let (dx, dy) = (x as f32 - middle_x, y as f32 - middle_y);
        let source_x = dx * cos + dy * sin + middle_x - margin as f32;
        let source_y = dy * cos - dx * sin + middle_y - margin as f32;
        let (left, top) = (source_x.floor(), source_y.floor());
        let (share_x, share_y) = (source_x - left, source_y - top);
        let (left, top) = (left as i64, top as i64);
        let above = at(left, top) * (1.0 - share_x) + at(left + 1, top) * share_x;
        let below = at(left, top + 1) * (1.0 - share_x) + at(left + 1, top + 1) * share_x;
        (above * (1.0 - share_y) + below * share_y) as u8
    })
}

/// Both symbols of every sample, spoilt in one way, by both decoders.
fn survives(name: &str, spoil: impl Fn(&Grey) -> Grey) {
    let folder = tempfile::tempdir().unwrap();
    for code in samples() {
        let (rxing, zbar) = readings(&spoil(&page(code.as_str())), code.as_str(), folder.path());
        assert_eq!((rxing, zbar.unwrap_or(2)), (2, 2), "rxing and zbar, {name}: {}", code.as_str());
    }
}

#[test]
fn blurred_codes_are_read() {
    survives("blur", |image| blurred(image, 1.5));
}

#[test]
fn noisy_codes_are_read() {
    survives("noise", |image| noisy(image, 40));
}

#[test]
fn pale_codes_are_read() {
    survives("low contrast", |image| pale(image, 90, 170));
}

#[test]
fn codes_turned_a_little_are_read() {
    for degrees in [-4.0, 3.0] {
        survives("rotation", |image| turned(image, degrees));
    }
}

#[test]
fn codes_upside_down_and_on_their_side_are_read() {
    survives("half turn", |image| quarter_turned(&quarter_turned(image)));
    survives("quarter turn", quarter_turned);
}

#[test]
fn everything_at_once_is_read() {
    survives("all together", |image| noisy(&pale(&turned(image, 2.0), 60, 200), 20));
}

#[test]
fn picture_with_a_wrong_module_is_not_read_as_another_code() {
    let folder = tempfile::tempdir().unwrap();
    let code = &samples()[0];
    let bars = code128::encode(code.as_str()).unwrap();
    let mut image = Page::new().bars(&bars, 4).pixels();
    // Two modules in the middle trade places: the check character no longer fits.
    let middle = (0..160).find(|x| bars.is_dark(80 + x, 0) != bars.is_dark(81 + x, 0)).unwrap() as u32 + 90;
    for y in 0..image.height {
        for pixel in 0..4 {
            let (left, right) = (middle * 4 + pixel, (middle + 1) * 4 + pixel);
            let (a, b) = (image.get(left, y), image.get(right, y));
            image.set(left, y, b);
            image.set(right, y, a);
        }
    }
    let (rxing, zbar) = readings(&image, code.as_str(), folder.path());
    assert_eq!((rxing, zbar.unwrap_or(0)), (0, 0));
}
