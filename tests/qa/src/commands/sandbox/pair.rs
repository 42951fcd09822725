//! `saifu sandbox pair`: what the debug build of an app needs to know of the running sandbox, as a link and as a QR code. It
//! has no private key, and no way to the control API: what is in it every customer's phone has.

use std::borrow::Cow;

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;

use crate::cli::PairArgs;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::picture::Page;
use crate::report::Report;
use crate::words::shown_path;

/// What a debug app answers to. A release build has no such scheme.
const LINK: &str = "saifu-debug://pair?d=";
/// Pixels of a module: the code is large.
const PIXELS: u32 = 5;

/// The fields of `sandbox.json` that make a wallet's configuration, with the addresses that a phone reaches.
#[derive(Serialize)]
struct Settings<'a> {
    customer_url: &'a str,
    service_url: &'a str,
    ca_pem: &'a str,
    pins: &'a [String],
    service_pins: &'a [String],
    service_key: &'a str,
}

#[derive(Serialize)]
struct Document<'a> {
    link: &'a str,
    out: Cow<'a, str>,
    #[serde(flatten)]
    settings: Settings<'a>,
}

pub(in crate::commands) fn run(args: PairArgs, context: &Context) -> Result<Report, Failure> {
    let info = context.sandbox()?;
    let out = match args.out {
        Some(out) => out,
        None => context.sandbox_file()?.with_file_name("pair.png"),
    };
    let settings = Settings {
        customer_url: &info.phone.customer_url,
        service_url: &info.phone.service_url,
        ca_pem: &info.ca_pem,
        pins: &info.pins,
        service_pins: &info.service_pins,
        service_key: &info.service_key,
    };
    let bug = |error: String| LocalCode::Bug.detail(error);
    let text = serde_json::to_vec(&settings).map_err(|error| bug(error.to_string()))?;
    let link = format!("{LINK}{}", BASE64URL_NOPAD.encode(&text));
    let code = saifu_code::qr::encode(&link).map_err(|error| bug(error.to_string()))?;
    Page::new().qr(&code, PIXELS).write(&out)?;
    let words = format!(
        "{}: scan it with the debug app, or open the link on the phone.\n  customers  {}\n\n{link}",
        shown_path(&out),
        info.phone.customer_url
    );
    Report::new(&Document { link: &link, out: out.to_string_lossy(), settings }, words)
}
