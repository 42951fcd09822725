//! The three texts a payment code may take in a QR code. The service document says which one a wallet draws; a
//! register reads all three.
//!
//! | Form | Text |
//! | --- | --- |
//! | [`Format::Digits`] | the 24 digits |
//! | [`Format::EmvCo`] | 4F [`ADF_NAME`], 50 "SAIFU", 57 track 2: PAN (issuer 8, kind 1, `000000`, Luhn), `D`, expiry `4912`, service code `000`, body 14 |
//! | [`Format::Jpqr`] | 4F issuer (8 digits), 57 payment id: the other 16 digits |

use data_encoding::HEXUPPER;

use crate::{
    DigitsError, PaymentDigits,
    cpm::{CpmError, DataObject, Payload, Scheme},
    luhn,
    tlv::Tag,
};

/// The application Saifu's EMVCo payload names: from the unregistered range (ISO/IEC 7816-4, first half-byte F), since
/// the sandbox belongs to no payment network.
pub const ADF_NAME: [u8; 6] = *b"\xf0SAIFU";

const LABEL: &[u8] = b"SAIFU";
/// Six digits of the PAN that say nothing, before its check digit.
const PAN_FILLER: &str = "000000";
/// Separator, expiry December 2049, service code: fixed, since the body is what is checked.
const TRACK_2_MIDDLE: &str = "D4912000";

/// How a payment code is written in a QR code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// The digits themselves, as in the bar code.
    #[default]
    Digits,
    /// EMVCo consumer-presented mode.
    EmvCo,
    /// JPQR consumer-presented mode.
    Jpqr,
}

/// Why a register cannot take a scanned text for a payment code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The digits are not a payment code.
    #[error(transparent)]
    Digits(#[from] DigitsError),
    /// Neither digits nor a payload.
    #[error(transparent)]
    Payload(#[from] CpmError),
    /// A good payload, of other wallets only.
    #[error("no application in the payload is Saifu's")]
    NoApplication,
    /// Saifu's application with account data of another shape.
    #[error("the account data (57) are not a payment code")]
    AccountData,
}

/// The text to draw with [`qr::encode`](crate::qr::encode).
#[must_use]
pub fn qr_text(code: &PaymentDigits, form: Format) -> String {
    match form {
        Format::Digits => code.as_str().to_owned(),
        Format::EmvCo => {
            let objects =
                [(Tag::ADF_NAME, ADF_NAME.to_vec()), (Tag::LABEL, LABEL.to_vec()), (Tag::TRACK_2, track_2(code))];
            payload(Scheme::EmvCo, objects)
        }
        Format::Jpqr => {
            let (issuer, id) = code.as_str().as_bytes().split_at(8);
            payload(Scheme::Jpqr, [(Tag::ADF_NAME, issuer.to_vec()), (Tag::TRACK_2, id.to_vec())])
        }
    }
}

fn payload<const N: usize>(scheme: Scheme, objects: [(Tag, Vec<u8>); N]) -> String {
    let objects = objects.into_iter().map(|(tag, value)| DataObject::new(tag, value)).collect();
    Payload::of_application(scheme, objects).encode()
}

fn pan(issuer_and_kind: &str) -> String {
    let mut pan = format!("{issuer_and_kind}{PAN_FILLER}");
    pan.extend(luhn(pan.as_bytes()).map(char::from));
    pan
}

fn track_2(code: &PaymentDigits) -> Vec<u8> {
    let (issuer_and_kind, _) = code.as_str().split_at(9);
    let nibbles = format!("{}{TRACK_2_MIDDLE}{}", pan(issuer_and_kind), code.body());
    // 38 half-bytes of 0–9 and D: always whole bytes of valid hexadecimal.
    HEXUPPER.decode(nibbles.as_bytes()).unwrap_or_default()
}

/// The payment code in a scanned text, whichever form it has. Whether its issuer is the register's own is the
/// caller's to check.
///
/// # Errors
/// [`ReadError`].
pub fn read_digits(text: &str) -> Result<PaymentDigits, ReadError> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(PaymentDigits::parse(text)?);
    }
    let payload = Payload::decode(text)?;
    payload
        .applications()
        .find_map(|application| from_application(payload.scheme(), application))
        .unwrap_or(Err(ReadError::NoApplication))
}

/// `None` for somebody else's application.
fn from_application(scheme: Scheme, objects: &[DataObject]) -> Option<Result<PaymentDigits, ReadError>> {
    let value = |tag| objects.iter().find(|object| object.tag() == tag).map(DataObject::value);
    let name = value(Tag::ADF_NAME)?;
    let account = value(Tag::TRACK_2).unwrap_or_default();
    match scheme {
        Scheme::EmvCo => (name == ADF_NAME).then(|| from_track_2(account)),
        Scheme::Jpqr => (name.len() == 8 && name.iter().all(u8::is_ascii_digit)).then(|| {
            let digits = [name, account].concat();
            let text = std::str::from_utf8(&digits).map_err(|_| ReadError::AccountData)?;
            PaymentDigits::parse(text).map_err(ReadError::from)
        }),
    }
}

fn from_track_2(bytes: &[u8]) -> Result<PaymentDigits, ReadError> {
    let nibbles = HEXUPPER.encode(bytes);
    let (pan_text, rest) = nibbles.split_at_checked(16).ok_or(ReadError::AccountData)?;
    let body = rest.strip_prefix(TRACK_2_MIDDLE).ok_or(ReadError::AccountData)?;
    let (issuer_and_kind, _) = pan_text.split_at(9);
    if pan_text != pan(issuer_and_kind) {
        return Err(ReadError::AccountData);
    }
    let mut digits = format!("{issuer_and_kind}{body}");
    digits.extend(luhn(digits.as_bytes()).map(char::from));
    Ok(PaymentDigits::parse(&digits)?)
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use proptest::prelude::*;

    use super::*;
    use crate::{Issuer, Kind};

    fn code() -> PaymentDigits {
        PaymentDigits::new(Issuer::SANDBOX, Kind::OnlinePay, 12_345_678_901_234).unwrap()
    }

    #[test]
    fn each_form_is_frozen() {
        // Put together by a Python script that shares nothing with this code, check digits included.
        assert_eq!(qr_text(&code(), Format::Digits), "999999991123456789012343");
        let emv = "85054350563031 6124 4F06F05341494655 50055341494655 5713 9999999910000006 D4912000 12345678901234";
        let jpqr = "85054A50515231 611C 4F083939393939393939 571031313233343536373839303132333433";
        for (form, hex) in [(Format::EmvCo, emv), (Format::Jpqr, jpqr)] {
            let hex = hex.replace(' ', "");
            let bytes = BASE64.decode(qr_text(&code(), form).as_bytes()).unwrap();
            assert_eq!(HEXUPPER.encode(&bytes), hex);
        }
    }

    #[test]
    fn payload_of_others_is_not_ours() {
        assert_eq!(read_digits("hQVDUFYwMQ=="), Err(ReadError::NoApplication));
        assert_eq!(read_digits("hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8="), Err(ReadError::NoApplication));
        let length = DigitsError::Length { expected: 24, got: 16 };
        assert_eq!(read_digits("hQVKUFFSMWEUTwgxMjM0NTY3OFcIODc2NTQzMjE="), Err(length.into()));
    }

    #[test]
    fn our_application_is_found_behind_another() {
        let other = [DataObject::new(Tag::ADF_NAME, vec![0xa0; 5]), DataObject::new(Tag::TRACK_2, vec![0x12])];
        let mut bytes =
            BASE64.decode(Payload::of_application(Scheme::EmvCo, other.to_vec()).encode().as_bytes()).unwrap();
        let ours = BASE64.decode(qr_text(&code(), Format::EmvCo).as_bytes()).unwrap();
        bytes.extend(&ours[7..]);
        assert_eq!(read_digits(&BASE64.encode(&bytes)), Ok(code()));
    }

    #[test]
    fn changed_account_data_are_refused() {
        let good = BASE64.decode(qr_text(&code(), Format::EmvCo).as_bytes()).unwrap();
        let first = good.len() - 19;
        // Each byte of PAN, separator, expiry and service code is fixed or under a check digit; the body is not.
        for at in first..first + 12 {
            let mut bad = good.clone();
            bad[at] ^= 0x01;
            assert!(read_digits(&BASE64.encode(&bad)).is_err(), "byte {at}");
        }
        let mut lettered = good.clone();
        *lettered.last_mut().unwrap() = 0x3f;
        assert_eq!(read_digits(&BASE64.encode(&lettered)), Err(DigitsError::NotADigit { at: 22 }.into()));
    }

    proptest! {
        #[test]
        fn every_form_is_read_back(issuer in "[0-9]{8}", kind in 0..3_usize, body in 0..100_000_000_000_000_u64) {
            let kind = [Kind::OnlinePay, Kind::OfflinePay, Kind::CashIn][kind];
            let made = PaymentDigits::new(issuer.parse().unwrap(), kind, body).unwrap();
            for form in [Format::Digits, Format::EmvCo, Format::Jpqr] {
                let text = qr_text(&made, form);
                prop_assert!(text.len() <= crate::cpm::MAX_CHARS);
                prop_assert_eq!(read_digits(&text), Ok(made.clone()));
            }
        }

        #[test]
        fn no_scan_makes_the_reader_panic(
            text in ".{0,60}",
            account in prop::collection::vec(any::<u8>(), 0..30),
            scheme in prop::sample::select(vec![Scheme::EmvCo, Scheme::Jpqr]),
        ) {
            let _ = read_digits(&text);
            for name in [ADF_NAME.to_vec(), b"99999999".to_vec()] {
                let objects = [(Tag::ADF_NAME, name), (Tag::TRACK_2, account.clone())];
                let _ = read_digits(&payload(scheme, objects));
            }
        }
    }
}
