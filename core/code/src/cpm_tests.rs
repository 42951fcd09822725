use data_encoding::HEXUPPER;
use proptest::prelude::*;

use super::*;

fn text_of(hex: &str) -> String {
    BASE64.encode(&HEXUPPER.decode(hex.replace(' ', "").as_bytes()).unwrap())
}

fn broken(hex: &str) -> (usize, Problem) {
    let error = Payload::decode(&text_of(hex)).unwrap_err();
    (error.at, error.problem)
}

const CPV01: &str = "85 05 43 50 56 30 31";

#[test]
fn published_single_application_is_read_and_written_back() {
    let text = "hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8=";
    assert_eq!(text, text_of("85054350563031 611A 4F07A0000000555555 570F1234567890123458D191220112345F"));
    let payload = Payload::decode(text).unwrap();
    assert_eq!(payload.scheme(), Scheme::EmvCo);
    let application = payload.applications().next().unwrap();
    assert_eq!(application[0].value(), [0xa0, 0, 0, 0, 0x55, 0x55, 0x55]);
    assert_eq!(HEXUPPER.encode(application[1].value()), "1234567890123458D191220112345F");
    assert_eq!(payload.encode(), text);
}

#[test]
fn published_two_applications_with_a_common_template_are_read_and_written_back() {
    // The specification's second example: two applications, cardholder data and a transparent template in common.
    let text = "hQVDUFYwMWETTwegAAAAVVVVUAhQcm9kdWN0MWETTwegAAAAZmZmUAhQcm9kdWN0MmJJWggSNFZ4kBI0WF8gDkNBUkRIT0xERVIv\
                RU1WXy0IcnVlc2RlZW5kIZ8QBwYBCgMAAACfJghYT9OF+iNLzJ82AgABnzcEbVjvEw==";
    let payload = Payload::decode(text).unwrap();
    let labels: Vec<&[u8]> = payload.applications().map(|application| application[1].value()).collect();
    assert_eq!(labels, [b"Product1", b"Product2"]);
    let Some(TopObject::Common(common)) = payload.objects().last() else { panic!("the last object is 62") };
    let tags: Vec<u32> = common.iter().map(|object| object.tag().number()).collect();
    assert_eq!(tags, [0x5a, 0x5f20, 0x5f2d, 0x64]);
    assert_eq!(common[1].value(), b"CARDHOLDER/EMV");
    assert_eq!(payload.encode(), text);
}

#[test]
fn published_jpqr_is_read_and_written_back() {
    let text = "hQVKUFFSMWEUTwgxMjM0NTY3OFcIODc2NTQzMjE=";
    let payload = Payload::decode(text).unwrap();
    assert_eq!(payload.scheme(), Scheme::Jpqr);
    let application = payload.applications().next().unwrap();
    assert_eq!((application[0].value(), application[1].value()), (&b"12345678"[..], &b"87654321"[..]));
    assert_eq!(payload.encode(), text);
}

#[test]
fn indicator_alone_is_a_payload() {
    let payload = Payload::decode("hQVDUFYwMQ==").unwrap();
    assert_eq!((payload.scheme(), payload.objects().len()), (Scheme::EmvCo, 0));
    assert_eq!(payload.encode(), "hQVDUFYwMQ==");
}

#[test]
fn unknown_objects_are_kept_at_every_level() {
    let text = text_of(&format!("{CPV01} 61 0E 4F05A000000001 5F5001AA 990100 C10100 63 03 010203"));
    let payload = Payload::decode(&text).unwrap();
    assert_eq!(payload.objects().len(), 3);
    assert_eq!(payload.applications().next().unwrap().len(), 3);
    assert_eq!(payload.encode(), text);
}

#[test]
fn debug_shows_tags_and_lengths_but_no_value() {
    let payload = Payload::decode("hQVKUFFSMWEUTwgxMjM0NTY3OFcIODc2NTQzMjE=").unwrap();
    assert_eq!(format!("{payload:?}"), "Payload { scheme: Jpqr, objects: [Application([4F[8], 57[8]])] }");
}

#[test]
fn indicator_must_come_first_and_be_known() {
    assert_eq!(Payload::decode("").unwrap_err(), CpmError { at: 0, problem: Problem::FormatNotFirst });
    assert_eq!(broken("61 07 4F05A000000001 85 05 4350563031"), (0, Problem::FormatNotFirst));
    assert_eq!(broken("85 05 4350563032"), (2, Problem::UnknownFormat));
    assert_eq!(broken("85 04 43505630"), (2, Problem::UnknownFormat));
}

#[test]
fn object_that_may_stand_once_is_refused_the_second_time() {
    assert_eq!(broken(&format!("{CPV01} {CPV01}")), (7, Problem::Duplicate(Tag::FORMAT)));
    assert_eq!(broken(&format!("{CPV01} C10100 C10100")).0, 10);
    assert_eq!(broken(&format!("{CPV01} 62 00 62 00")), (9, Problem::Duplicate(Tag::COMMON)));
    let twice = format!("{CPV01} 61 0E 4F05A000000001 4F05A000000002");
    assert_eq!(broken(&twice), (16, Problem::Duplicate(Tag::ADF_NAME)));
}

#[test]
fn object_in_both_templates_is_refused_in_either_order() {
    let (application, common) = ("61 0A 4F05A000000001 5A0112", "62 03 5A0112");
    assert!(matches!(broken(&format!("{CPV01} {application} {common}")), (21, Problem::InBothTemplates(_))));
    assert!(matches!(broken(&format!("{CPV01} {common} {application}")), (21, Problem::InBothTemplates(_))));
}

#[test]
fn adf_name_has_5_to_16_bytes() {
    for length in [4, 17] {
        let hex = format!("{CPV01} 61 {:02X} 4F {length:02X} {}", length + 2, "A0".repeat(length));
        assert_eq!(broken(&hex), (9, Problem::AdfName(length)));
    }
    for length in [5, 16] {
        let hex = format!("{CPV01} 61 {:02X} 4F {length:02X} {}", length + 2, "A0".repeat(length));
        assert!(Payload::decode(&text_of(&hex)).is_ok());
    }
}

#[test]
fn bad_lengths_and_trailing_bytes_are_refused_where_they_stand() {
    assert_eq!(broken(&format!("{CPV01} 61 05 4F05A000")), (8, Problem::Truncated));
    assert_eq!(broken(&format!("{CPV01} 61 04 4F05A000")), (10, Problem::Truncated));
    assert_eq!(broken(&format!("{CPV01} 61 08 4F05A000000001 50")), (17, Problem::Truncated));
    assert_eq!(broken(&format!("{CPV01} 61 80")), (8, Problem::BadLength));
    assert_eq!(broken(&format!("{CPV01} 61 81 07 4F05A000000001")), (8, Problem::BadLength));
    assert_eq!(broken(&format!("{CPV01} 00")), (7, Problem::BadTag));
    assert_eq!(broken(&format!("{CPV01} 61 07 4F05A000000001 00")), (16, Problem::BadTag));
}

#[test]
fn bad_base64_is_refused_where_it_stands() {
    for (text, at) in [
        ("hQVDUFYwMQ", 8),
        ("hQVDUFYwMQ=", 8),
        ("hQVDUFYwMQ===", 12),
        ("hQVDUFYwMR==", 9),
        ("hQVD*FYwMQ==", 4),
        (" hQVDUFYwMQ==", 12),
        ("hQVDUFYwMQ==\n", 12),
        ("hQVDUFYw_Q==", 8),
    ] {
        assert_eq!(Payload::decode(text).unwrap_err(), CpmError { at, problem: Problem::Base64 }, "{text:?}");
    }
}

#[test]
fn payload_has_at_most_512_characters() {
    let filler = |length: usize| text_of(&format!("{CPV01} C1 82 {length:04X} {}", "00".repeat(length)));
    assert_eq!(filler(373).len(), 512);
    assert!(Payload::decode(&filler(373)).is_ok());
    assert_eq!(Payload::decode(&filler(374)).unwrap_err(), CpmError { at: 512, problem: Problem::TooLong });
}

#[test]
fn error_says_what_and_where() {
    let error = Payload::decode(&text_of(&format!("{CPV01} 61 06 4F04A0000000"))).unwrap_err();
    assert_eq!(error.to_string(), "an ADF name has 5 to 16 bytes, not 4 (at 9)");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,600}|[A-Za-z0-9+/]{0,520}={0,3}") {
        let _ = Payload::decode(&text);
    }

    #[test]
    fn whatever_is_read_is_written_back_byte_for_byte(tail in prop::collection::vec(any::<u8>(), 0..60)) {
        let text = BASE64.encode(&[b"\x85\x05CPV01", &tail[..]].concat());
        if let Ok(payload) = Payload::decode(&text) {
            prop_assert_eq!(payload.encode(), text);
        }
    }

    #[test]
    fn well_formed_objects_are_read_and_written_back(
        values in prop::collection::btree_map(0xc1_u8..=0xde, prop::collection::vec(any::<u8>(), 0..40), 0..8),
    ) {
        let mut bytes = b"\x85\x05JPQR1".to_vec();
        for (&tag, value) in values.iter().filter(|(tag, _)| **tag & 0x1f != 0x1f) {
            bytes.extend([tag, value.len() as u8]);
            bytes.extend(value);
        }
        let text = BASE64.encode(&bytes);
        let payload = Payload::decode(&text).unwrap();
        prop_assert_eq!(payload.objects().len(), values.len());
        prop_assert_eq!(payload.encode(), text);
    }
}
