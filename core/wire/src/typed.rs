//! Digits and amounts as people type, paste and dictate them: what stands between digits is passed over, full-width forms are
//! read as the plain ones. Digits of other scripts are not read: no keyboard of this service's country gives them for a number.

use crate::{Amount, Sensitive};

/// A text that is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount is whole yen between 1 and 9999999, written 1280, 1,280, ¥1,280 or 1280円")]
pub struct AmountError;

/// An amount as people write it: plain digits or groups of three, in full-width forms too, with one ¥ before or one 円 behind.
/// Here nothing is passed over: `12,5` is somebody's 12.5, and no guess is made about money.
///
/// # Errors
/// [`AmountError`] for everything else.
pub fn amount(typed: &str) -> Result<Amount, AmountError> {
    let unsigned = match (typed.strip_prefix(['¥', '￥']), typed.strip_suffix('円')) {
        (Some(_), Some(_)) => return Err(AmountError),
        (Some(rest), None) | (None, Some(rest)) => rest,
        (None, None) => typed,
    };
    let plain: String = unsigned.chars().map(plain).collect();
    let groups: Vec<&str> = plain.split(',').collect();
    let (first, rest) = groups.split_first().ok_or(AmountError)?;
    let grouped = rest.is_empty() || (first.len() <= 3 && rest.iter().all(|group| group.len() == 3));
    let digits = groups.concat();
    if !grouped || first.is_empty() || first.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AmountError);
    }
    digits.parse().ok().and_then(Amount::new).ok_or(AmountError)
}

/// The same text without what only stands between digits, full-width forms as the plain ones: for codes and numbers whose form
/// somebody else knows.
#[must_use]
pub fn joined(typed: &str) -> String {
    typed.chars().filter(|c| !is_between(*c)).map(plain).collect()
}

/// The code from an SMS: six digits, whatever stands between and around them.
#[must_use]
pub fn sms_code(typed: &str) -> Option<Sensitive> {
    const DIGITS: usize = 6;
    let mut digits = String::with_capacity(DIGITS);
    for c in typed.chars().filter(|c| !is_between(*c)) {
        let digit = plain(c);
        if !digit.is_ascii_digit() || digits.len() == DIGITS {
            return None;
        }
        digits.push(digit);
    }
    (digits.len() == DIGITS).then(|| Sensitive::new(digits))
}

/// A full-width form (U+FF01–FF5E) as the plain one; everything else as it is.
pub(crate) fn plain(c: char) -> char {
    match c {
        '！'..='～' => u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32).unwrap_or(c),
        _ => c,
    }
}

/// Whether a character only stands between digits: blanks, dashes, dots, brackets, and what nobody sees.
pub(crate) fn is_between(c: char) -> bool {
    c.is_whitespace() || is_dash(c) || is_bracket(c) || is_unseen(c) || matches!(plain(c), '.' | '・' | '･')
}

pub(crate) fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '－' | '\u{2010}'
            ..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{2500}' | '\u{2501}' | 'ー' | 'ｰ' | '\u{FE58}' | '\u{FE63}'
    )
}

fn is_bracket(c: char) -> bool {
    matches!(
        plain(c),
        '(' | ')' | '[' | ']' | '｢' | '｣' | '「' | '」' | '〔' | '〕' | '【' | '】' | '\u{FE59}' | '\u{FE5A}'
    )
}

/// Marks of direction, joiners, soft hyphens, byte-order marks, variation selectors: a paste brings them along.
pub(crate) fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sms_codes_are_read_as_people_type_them() {
        for typed in [
            "123456",
            "123-456",
            " 123 456\n",
            "１２３４５６",
            "１２３－４５６",
            "1２3４5６",
            "123\u{a0}456",
            "123\t456",
            "\u{200e}123456\u{200f}",
            "\u{2066}123456\u{2069}",
            "\u{feff}123456",
            "123\u{2010}456",
            "123\u{2015}456",
            "123\u{2212}456",
            "123\u{ff70}456",
            "（123456）",
            "「123456」",
            "123.456",
            "1\u{ad}23456",
        ] {
            assert_eq!(sms_code(typed).map(|code| code.expose().to_owned()).as_deref(), Some("123456"), "{typed:?}");
        }
    }

    #[test]
    fn anything_but_six_digits_is_no_code() {
        for typed in ["", "12345", "1234567", "12345a", "G-123456", "+123456", "١٢٣٤٥٦", "一二三四五六", "①②③④⑤⑥"]
        {
            assert!(sms_code(typed).is_none(), "{typed:?}");
        }
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for typed in [
            "1280",
            "1,280",
            "¥1,280",
            "￥1280",
            "1280円",
            "1,280円",
            "１２８０",
            "１，２８０",
            "￥１，２８０",
            "１２８０円",
            "1２80",
        ] {
            assert_eq!(amount(typed).map(Amount::get), Ok(1_280), "{typed}");
        }
        let ends = ["1", "¥999", "9,999,999"].map(|typed| amount(typed).map(Amount::get));
        assert_eq!(ends, [Ok(1), Ok(999), Ok(9_999_999)]);
    }

    /// Control: with commas taken away before reading, as it was, `12,5` is ¥125.
    #[test]
    fn no_guess_is_made_about_money() {
        for typed in [
            "",
            "0",
            "-1",
            "+5",
            "1.5",
            "1e3",
            "0x10",
            "10000000",
            "99999999999999999999",
            "12,5",
            "12,80",
            "1,,,5",
            ",500",
            "500,",
            "1,2345",
            "1234,567",
            "0,500",
            "0500",
            "1280,000",
            "¥",
            "円",
            "¥¥¥5",
            "¥+5",
            "¥-5",
            "¥5円",
            "円5",
            "5¥",
            "5円円",
            "5 円",
            "¥ 5",
            "1 280",
            " 5",
            "5\n",
            "1、280",
            "1.280",
            "1'280",
            "１２，５",
            "一",
            "١٢",
            "\\5",
            "JPY5",
            "¥\u{200e}5",
        ] {
            assert_eq!(amount(typed), Err(AmountError), "{typed:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_shown_of_an_amount_is_read_as_that_amount(yen in 1..=Amount::MAX) {
            let shown = Amount::new(yen).unwrap().yen().to_string();
            proptest::prop_assert_eq!(amount(&shown).map(Amount::get), Ok(yen));
            proptest::prop_assert_eq!(amount(&yen.to_string()).map(Amount::get), Ok(yen));
        }

        #[test]
        fn no_text_makes_the_reader_of_amounts_panic(text in "\\PC{0,20}|[¥￥]?[0-9０-９,，]{0,12}円?") {
            let _ = amount(&text);
        }

        #[test]
        fn no_text_makes_the_reader_panic_and_what_it_reads_is_six_digits(text in "\\PC{0,20}|[0-9０-９ \u{2010}\u{200e}-]{0,12}") {
            if let Some(code) = sms_code(&text) {
                proptest::prop_assert!(code.expose().len() == 6 && code.expose().bytes().all(|b| b.is_ascii_digit()));
            }
        }
    }
}
