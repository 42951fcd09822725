use std::sync::Mutex;

use proptest::prelude::*;
use saifu_crypto::SeededRandom;

use super::*;

/// Gives out the numbers it was made with, then fails.
struct Scripted(Mutex<Vec<u64>>);

impl Random for Scripted {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        let next = self.0.lock().unwrap().pop().ok_or(CryptoError::Unavailable)?;
        out.copy_from_slice(&next.to_be_bytes());
        Ok(())
    }
}

#[test]
fn luhn_matches_published_numbers() {
    // The textbook example, and two of the card numbers that payment networks give out for tests.
    assert_eq!(luhn(b"7992739871"), Some(b'3'));
    assert_eq!(luhn(b"411111111111111"), Some(b'1'));
    assert_eq!(luhn(b"37828224631000"), Some(b'5'));
    assert_eq!(luhn(b"12 4"), None);
}

#[test]
fn code_lays_its_parts_out_in_order() {
    let code = PaymentDigits::new(Issuer::default(), Kind::CashIn, 42).unwrap();
    assert_eq!(&code.as_str()[..23], "99999999300000000000042");
    assert_eq!(code.as_str().len(), CODE_LEN);
    assert_eq!((code.issuer(), code.kind(), code.body()), (Issuer::SANDBOX, Kind::CashIn, "00000000000042"));
    assert_eq!(PaymentDigits::new(Issuer::default(), Kind::CashIn, BODY_LIMIT).err(), Some(DigitsError::BodyTooLarge));
}

#[test]
fn every_fault_has_its_own_error() {
    let good = PaymentDigits::new(Issuer::default(), Kind::OnlinePay, 7).unwrap();
    let text = good.as_str();
    assert_eq!(PaymentDigits::parse(text).as_ref(), Ok(&good));
    assert_eq!(PaymentDigits::parse(&text[1..]).err(), Some(DigitsError::Length { expected: 24, got: 23 }));
    assert_eq!(PaymentDigits::parse("").err(), Some(DigitsError::Length { expected: 24, got: 0 }));
    assert_eq!(PaymentDigits::parse(&format!("{} ", &text[..23])).err(), Some(DigitsError::NotADigit { at: 23 }));
    assert_eq!(PaymentDigits::parse("99999999１").err(), Some(DigitsError::NotADigit { at: 8 }));
    let flipped = text.replace("7", "8");
    assert_eq!(PaymentDigits::parse(&flipped).err(), Some(DigitsError::CheckDigit));
    for kind in [0, 4, 9] {
        let mut foreign = format!("99999999{kind}{}", "0".repeat(14));
        foreign.push(char::from(luhn(foreign.as_bytes()).unwrap()));
        assert_eq!(PaymentDigits::parse(&foreign).err(), Some(DigitsError::UnknownKind(kind)));
    }
}

#[test]
fn debug_hides_the_body() {
    let code = PaymentDigits::new(Issuer::default(), Kind::OnlinePay, 12_345_678_901_234).unwrap();
    assert_eq!(format!("{code:?}"), "PaymentDigits(99999999 OnlinePay **************)");
}

#[test]
fn uneven_draws_are_thrown_away() {
    let even_end = 184_467 * BODY_LIMIT;
    let source = Scripted(Mutex::new(vec![BODY_LIMIT + 5, even_end, u64::MAX]));
    let code = PaymentDigits::from_random(Issuer::default(), Kind::OnlinePay, &source).unwrap();
    assert_eq!(code.body(), "00000000000005");
    let last_even = Scripted(Mutex::new(vec![even_end - 1]));
    let code = PaymentDigits::from_random(Issuer::default(), Kind::OnlinePay, &last_even).unwrap();
    assert_eq!(code.body(), "9".repeat(14));
}

#[test]
fn stuck_source_is_an_error_and_not_a_hang() {
    let stuck = Scripted(Mutex::new(vec![u64::MAX; 1_000]));
    let made = PaymentDigits::from_random(Issuer::default(), Kind::OnlinePay, &stuck);
    assert_eq!(made.err(), Some(CryptoError::Unavailable));
}

#[test]
fn each_place_of_a_random_body_takes_each_digit_equally_often() {
    let random = SeededRandom::new(1);
    let mut counts = [[0_u32; 10]; BODY_LEN];
    for _ in 0..20_000 {
        let code = PaymentDigits::from_random(Issuer::default(), Kind::OnlinePay, &random).unwrap();
        for (place, digit) in code.body().bytes().enumerate() {
            counts[place][usize::from(digit - b'0')] += 1;
        }
    }
    for place in counts {
        // Chi-squared with nine degrees of freedom is over 33.7 once in 10,000 fair runs.
        let chi: f64 = place.iter().map(|&n| (f64::from(n) - 2_000.0).powi(2) / 2_000.0).sum();
        assert!(chi < 33.7, "{place:?}");
    }
}

proptest! {
    #[test]
    fn codes_survive_writing_and_reading(issuer in "[0-9]{8}", kind in 1_u8..=3, body in 0..BODY_LIMIT) {
        let made = PaymentDigits::new(issuer.parse().unwrap(), Kind::from_digit(kind).unwrap(), body).unwrap();
        let read = PaymentDigits::parse(made.as_str()).unwrap();
        prop_assert_eq!(read.body().parse::<u64>().unwrap(), body);
        prop_assert_eq!(read, made);
    }

    #[test]
    fn any_wrong_digit_is_caught(body in 0..BODY_LIMIT, at in 0_usize..24, by in 1_u8..10) {
        let made = PaymentDigits::new(Issuer::default(), Kind::OnlinePay, body).unwrap();
        let mut text = made.as_str().as_bytes().to_vec();
        text[at] = b'0' + (text[at] - b'0' + by) % 10;
        let read = PaymentDigits::parse(std::str::from_utf8(&text).unwrap());
        prop_assert_eq!(read.err(), Some(DigitsError::CheckDigit));
    }

    #[test]
    fn swapped_neighbours_are_caught_unless_they_are_0_and_9(body in 0..BODY_LIMIT, at in 0_usize..23) {
        let made = PaymentDigits::new(Issuer::default(), Kind::OnlinePay, body).unwrap();
        let mut text = made.as_str().as_bytes().to_vec();
        text.swap(at, at + 1);
        let caught = PaymentDigits::parse(std::str::from_utf8(&text).unwrap()).is_err();
        let pair = (text[at].min(text[at + 1]), text[at].max(text[at + 1]));
        prop_assert_eq!(caught, pair.0 != pair.1 && pair != (b'0', b'9'));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,40}|[0-9]{20,28}") {
        let _ = (PaymentDigits::parse(&text), text.parse::<Issuer>(), luhn(text.as_bytes()));
    }
}
