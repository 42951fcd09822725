//! Every symbol that is drawn is read back by two decoders that are not ours and not one another's: rxing, a port of
//! ZXing, and zbar, a program of its own. Also from bad pictures: blurred, noisy, turned, pale.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test may stop, and says when it is skipped"
)]

mod common;

use std::path::Path;

use common::zbar;
use image::{GrayImage, Luma, imageops};
use saifu_code::{Issuer, Kind, PaymentDigits, code128, qr};
use saifu_crypto::{Random as _, SeededRandom};
use saifu_qa::picture::{Page, Symbol, SymbolKind, read};

const SAMPLES: usize = 6;

fn samples() -> Vec<PaymentDigits> {
    let random = SeededRandom::new(1);
    let kinds = [Kind::OnlinePay, Kind::OfflinePay, Kind::CashIn];
    (0..SAMPLES).map(|n| PaymentDigits::from_random(Issuer::SANDBOX, kinds[n % 3], &random).unwrap()).collect()
}

/// The page that `saifu wallet code --out` writes.
fn page(digits: &str) -> GrayImage {
    let (bars, square) = (code128::encode(digits).unwrap(), qr::encode(digits).unwrap());
    Page::new().bars(&bars, 4).qr(&square, 10).pixels()
}

fn both(digits: &str) -> Vec<Symbol> {
    [SymbolKind::Code128, SymbolKind::Qr].map(|kind| Symbol { kind, text: digits.to_owned() }).to_vec()
}

/// Reads the picture with both decoders; says which symbols each one found.
fn readings(image: &GrayImage, digits: &str, folder: &Path) -> (usize, Option<usize>) {
    let file = folder.join("picture.png");
    image.save(&file).unwrap();
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

/// The noise of a cheap camera: up to `most` grey levels up or down on each pixel, then smoothed as its lens does. zbar
/// takes the edges of unsmoothed single pixels for bars.
fn noisy(image: &GrayImage, most: i16) -> GrayImage {
    let noise: Vec<u8> = SeededRandom::new(2).secret(image.len()).unwrap().expose().to_vec();
    let mut out = image.clone();
    for (pixel, byte) in out.iter_mut().zip(noise) {
        let shift = i16::from(byte) % (2 * most + 1) - most;
        *pixel = (i16::from(*pixel) + shift).clamp(0, 255) as u8;
    }
    imageops::blur(&out, 1.2)
}

/// A dim screen behind glare: black becomes dark grey, white a pale one.
fn pale(image: &GrayImage, black: u8, white: u8) -> GrayImage {
    let span = u16::from(white - black);
    let mut out = image.clone();
    out.iter_mut().for_each(|pixel| *pixel = black + (u16::from(*pixel) * span / 255) as u8);
    out
}

/// Turned about its middle on a white ground, each pixel mixed from its four neighbours.
fn turned(image: &GrayImage, degrees: f32) -> GrayImage {
    let margin = 120;
    let (width, height) = (image.width() + 2 * margin, image.height() + 2 * margin);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (middle_x, middle_y) = (width as f32 / 2.0, height as f32 / 2.0);
    let at = |x: i64, y: i64| {
        let inside = x >= 0 && y >= 0 && x < i64::from(image.width()) && y < i64::from(image.height());
        if inside { f32::from(image.get_pixel(x as u32, y as u32).0[0]) } else { 255.0 }
    };
    GrayImage::from_fn(width, height, |x, y| {
        let (dx, dy) = (x as f32 - middle_x, y as f32 - middle_y);
        let source_x = dx * cos + dy * sin + middle_x - margin as f32;
        let source_y = dy * cos - dx * sin + middle_y - margin as f32;
        let (left, top) = (source_x.floor(), source_y.floor());
        let (share_x, share_y) = (source_x - left, source_y - top);
        let (left, top) = (left as i64, top as i64);
        let above = at(left, top) * (1.0 - share_x) + at(left + 1, top) * share_x;
        let below = at(left, top + 1) * (1.0 - share_x) + at(left + 1, top + 1) * share_x;
        Luma([(above * (1.0 - share_y) + below * share_y) as u8])
    })
}

/// Both symbols of every sample, spoilt in one way, by both decoders.
fn survives(name: &str, spoil: impl Fn(&GrayImage) -> GrayImage) {
    let folder = tempfile::tempdir().unwrap();
    for code in samples() {
        let (rxing, zbar) = readings(&spoil(&page(code.as_str())), code.as_str(), folder.path());
        assert_eq!((rxing, zbar.unwrap_or(2)), (2, 2), "rxing and zbar, {name}: {}", code.as_str());
    }
}

#[test]
fn blurred_codes_are_read() {
    survives("blur", |image| imageops::blur(image, 1.5));
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
    survives("half turn", imageops::rotate180);
    survives("quarter turn", imageops::rotate90);
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
    for y in 0..image.height() {
        for pixel in 0..4 {
            let (left, right) = (middle * 4 + pixel, (middle + 1) * 4 + pixel);
            let (a, b) = (*image.get_pixel(left, y), *image.get_pixel(right, y));
            image.put_pixel(left, y, b);
            image.put_pixel(right, y, a);
        }
    }
    let (rxing, zbar) = readings(&image, code.as_str(), folder.path());
    assert_eq!((rxing, zbar.unwrap_or(0)), (0, 0));
}
