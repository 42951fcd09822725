//! `saifu tool cpm decode`: the payload of a consumer-presented QR code, taken apart.

use data_encoding::HEXUPPER;
use saifu_code::cpm::{DataObject, Payload, Scheme, TopObject};
use serde::Serialize;

use crate::failure::{Failure, LocalCode};
use crate::report::Report;

#[derive(Serialize)]
struct Decoded {
    format: &'static str,
    templates: Vec<Template>,
}

#[derive(Serialize)]
struct Template {
    tag: String,
    objects: Vec<Object>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adf: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pan: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<String>,
}

#[derive(Serialize)]
struct Object {
    tag: String,
    name: Option<&'static str>,
    hex: String,
    text: Option<String>,
}

pub(super) fn decode(payload: &str) -> Result<Report, Failure> {
    let payload =
        Payload::decode(payload.trim()).map_err(|error| LocalCode::BadInput.detail(format!("BASE64: {error}")))?;
    let format = match payload.scheme() {
        Scheme::EmvCo => "CPV01",
        Scheme::Jpqr => "JPQR1",
    };
    let templates: Vec<Template> = payload
        .objects()
        .iter()
        .map(|object| match object {
            TopObject::Application(objects) => template("61".into(), objects, payload.scheme()),
            TopObject::Common(objects) => template("62".into(), objects, payload.scheme()),
            // An object outside of templates stands alone.
            TopObject::Other(object) => {
                template(object.tag().to_string(), std::slice::from_ref(object), payload.scheme())
            }
        })
        .collect();
    let document = Decoded { format, templates };
    let text = words(&document);
    Report::new(&document, text)
}

fn template(tag: String, objects: &[DataObject], scheme: Scheme) -> Template {
    let value = |number: u32| objects.iter().find(|object| object.tag().number() == number).map(DataObject::value);
    let track_2 = value(0x57).filter(|_| scheme == Scheme::EmvCo).map(|bytes| HEXUPPER.encode(bytes));
    let (pan, rest) = track_2.as_deref().and_then(|track| track.split_once('D')).unzip();
    Template {
        tag,
        adf: value(0x4f).map(|bytes| HEXUPPER.encode(bytes)),
        pan: pan
            .or(value(0x5a).map(|bytes| HEXUPPER.encode(bytes)).as_deref())
            .map(|pan| pan.trim_end_matches('F').to_owned())
            .filter(|pan| is_pan(pan)),
        expiry: rest.and_then(|rest| rest.get(..4)).filter(|expiry| is_month(expiry)).map(str::to_owned),
        objects: objects.iter().map(object).collect(),
    }
}

/// ISO/IEC 7812-1: 8 to 19 digits.
fn is_pan(text: &str) -> bool {
    (8..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A year of two digits and a month.
fn is_month(text: &str) -> bool {
    let month = text.get(2..).and_then(|month| month.parse::<u8>().ok());
    text.bytes().all(|byte| byte.is_ascii_digit()) && month.is_some_and(|month| (1..=12).contains(&month))
}

fn object(object: &DataObject) -> Object {
    let printable = object.value().iter().all(|byte| (0x20..0x7f).contains(byte)) && !object.value().is_empty();
    let text = std::str::from_utf8(object.value()).ok().filter(|_| printable);
    Object {
        tag: object.tag().to_string(),
        name: name(object.tag().number()),
        hex: HEXUPPER.encode(object.value()),
        text: text.map(str::to_owned),
    }
}

/// Data objects of the EMVCo QR Code Specification for consumer-presented mode, table 3.
fn name(tag: u32) -> Option<&'static str> {
    Some(match tag {
        0x4f => "Application Definition File (ADF) Name",
        0x50 => "Application Label",
        0x57 => "Track 2 Equivalent Data",
        0x5a => "Application PAN",
        0x5f20 => "Cardholder Name",
        0x5f2d => "Language Preference",
        0x5f50 => "Issuer URL",
        0x63 => "Application Specific Transparent Template",
        0x64 => "Common Data Transparent Template",
        0x9f08 => "Application Version Number",
        0x9f19 => "Token Requestor ID",
        0x9f24 => "Payment Account Reference",
        0x9f25 => "Last 4 Digits of PAN",
        _ => return None,
    })
}

fn words(document: &Decoded) -> String {
    let mut lines = vec![format!("format {}", document.format)];
    for template in &document.templates {
        lines.push(format!("template {}", template.tag));
        for object in &template.objects {
            let name = object.name.map(|name| format!(" ({name})")).unwrap_or_default();
            let text = object.text.as_ref().map(|text| format!("  \"{text}\"")).unwrap_or_default();
            lines.push(format!("  {}{name}: {}{text}", object.tag, object.hex));
        }
        for (name, value) in [("pan", &template.pan), ("expiry (YYMM)", &template.expiry)] {
            lines.extend(value.as_ref().map(|value| format!("  {name}: {value}")));
        }
    }
    lines.join("\n")
}
