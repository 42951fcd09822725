//! Digits as people type, paste and dictate them: what stands between them is passed over, full-width forms are read as the
//! plain ones. Digits of other scripts are not read: no keyboard of this service's country gives them for a number.

use crate::Sensitive;

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

fn is_dash(c: char) -> bool {
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
fn is_unseen(c: char) -> bool {
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

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic_and_what_it_reads_is_six_digits(text in "\\PC{0,20}|[0-9０-９ \u{2010}\u{200e}-]{0,12}") {
            if let Some(code) = sms_code(&text) {
                proptest::prop_assert!(code.expose().len() == 6 && code.expose().bytes().all(|b| b.is_ascii_digit()));
            }
        }
    }
}
