//! `saifu sandbox pair`: what the debug build of an app needs to know of the running sandbox, as a link and as a QR code. It
//! has no private key, and no way to the control API: what is in it every customer's phone has.

use std::path::PathBuf;

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::picture::Page;
use crate::report::{Report, with};
use crate::words::shown_path;

/// What a debug app answers to. A release build has no such scheme.
const LINK: &str = "saifu-debug://pair?d=";
/// Pixels of a module: the code is large.
const PIXELS: u32 = 5;

pub(in crate::commands) fn run(out: Option<PathBuf>, context: &Context) -> Result<Report, Failure> {
    let info = context.sandbox()?;
    let out = match out {
        Some(out) => out,
        None => context.sandbox_file()?.with_file_name("pair.png"),
    };
    // The fields of `sandbox.json` that make a wallet's configuration, with the addresses that a phone reaches.
    let settings = json!({
        "customer_url": info.phone.customer_url, "service_url": info.phone.service_url, "ca_pem": info.ca_pem,
        "pins": info.pins, "service_pins": info.service_pins, "service_key": info.service_key,
    });
    let link = format!("{LINK}{}", BASE64URL_NOPAD.encode(settings.to_string().as_bytes()));
    let code = saifu_code::qr::encode(&link).map_err(|error| LocalCode::Bug.detail(error.to_string()))?;
    Page::new().qr(&code, PIXELS).write(&out)?;
    let words = format!(
        "{}: scan it with the debug app, or open the link on the phone.\n  customers  {}\n\n{link}",
        shown_path(&out),
        info.phone.customer_url
    );
    Report::new(with(with(settings, "link", &link), "out", out.to_string_lossy()), words)
}
