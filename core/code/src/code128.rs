//! Code 128 (ISO/IEC 15417) for an even number of digits, which code set C packs two to a symbol character: the bar
//! code the wallet shows at a register.
//!
//! Written here because the whole of it is one table and one sum; the `barcoders` crate, which draws all three code
//! sets, is the oracle in the tests.

use crate::matrix::{Matrix, Packer};

/// Light modules left and right of the bars.
pub const QUIET_ZONE: usize = 10;

const START_C: u8 = 105;
const STOP: u8 = 106;
const CHECK_MODULUS: u32 = 103;

/// Bars and spaces of each symbol character: eleven modules from the highest bit down, 1 is a bar; the stop character,
/// which is the last, has thirteen.
#[rustfmt::skip]
const PATTERNS: [u16; 107] = [
    0x6cc, 0x66c, 0x666, 0x498, 0x48c, 0x44c, 0x4c8, 0x4c4, 0x464, 0x648, 0x644, 0x624, 0x59c, 0x4dc, 0x4ce, 0x5cc,
    0x4ec, 0x4e6, 0x672, 0x65c, 0x64e, 0x6e4, 0x674, 0x76e, 0x74c, 0x72c, 0x726, 0x764, 0x734, 0x732, 0x6d8, 0x6c6,
    0x636, 0x518, 0x458, 0x446, 0x588, 0x468, 0x462, 0x688, 0x628, 0x622, 0x5b8, 0x58e, 0x46e, 0x5d8, 0x5c6, 0x476,
    0x776, 0x68e, 0x62e, 0x6e8, 0x6e2, 0x6ee, 0x758, 0x746, 0x716, 0x768, 0x762, 0x71a, 0x77a, 0x642, 0x78a, 0x530,
    0x50c, 0x4b0, 0x486, 0x42c, 0x426, 0x590, 0x584, 0x4d0, 0x4c2, 0x434, 0x432, 0x612, 0x650, 0x7ba, 0x614, 0x47a,
    0x53c, 0x4bc, 0x49e, 0x5e4, 0x4f4, 0x4f2, 0x7a4, 0x794, 0x792, 0x6de, 0x6f6, 0x7b6, 0x578, 0x51e, 0x45e, 0x5e8,
    0x5e2, 0x7a8, 0x7a2, 0x5de, 0x5ee, 0x75e, 0x7ae, 0x684, 0x690, 0x69c, 0x18eb,
];

/// Why a text cannot be drawn in code set C.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Code128Error {
    /// Nothing to draw.
    #[error("there is nothing to draw")]
    Empty,
    /// Code set C knows digits only.
    #[error("character {at} is not a digit")]
    NotADigit {
        /// Where, counted from 0.
        at: usize,
    },
    /// Code set C draws pairs.
    #[error("an even number of digits is needed, {got} were given")]
    OddLength {
        /// How many there were.
        got: usize,
    },
}

/// The symbol characters by value: start C (105), a value for each pair of digits, the check character, stop (106).
///
/// # Errors
/// [`Code128Error`].
pub fn values(digits: &str) -> Result<Vec<u8>, Code128Error> {
    if digits.is_empty() {
        return Err(Code128Error::Empty);
    }
    if let Some(at) = digits.bytes().position(|b| !b.is_ascii_digit()) {
        return Err(Code128Error::NotADigit { at });
    }
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else {
        return Err(Code128Error::OddLength { got: digits.len() });
    };
    let mut values = Vec::with_capacity(pairs.len().saturating_add(3));
    values.push(START_C);
    values.extend(pairs.iter().map(|[tens, ones]| (tens & 0x0f).saturating_mul(10).saturating_add(ones & 0x0f)));
    let (mut check, mut weight) = (u32::from(START_C), 0_u32);
    for value in values.iter().skip(1) {
        weight = weight.saturating_add(1) % CHECK_MODULUS;
        check = u32::from(*value).saturating_mul(weight).saturating_add(check) % CHECK_MODULUS;
    }
    values.push(check as u8);
    values.push(STOP);
    Ok(values)
}

/// The bars: one row of 11 modules for each pair of digits and 35 more, so 167 for a payment code.
///
/// # Errors
/// [`Code128Error`].
pub fn encode(digits: &str) -> Result<Matrix, Code128Error> {
    let values = values(digits)?;
    let width = values.len().saturating_mul(11).saturating_add(2);
    let mut modules = Packer::with_capacity(width);
    for value in values {
        let pattern = PATTERNS.get(usize::from(value)).copied().unwrap_or_default();
        modules.push(pattern, if value == STOP { 13 } else { 11 });
    }
    Ok(Matrix::new(modules, width, 1, QUIET_ZONE))
}

#[cfg(test)]
mod tests {
    use barcoders::sym::code128::Code128;
    use proptest::prelude::*;

    use super::*;

    fn bars(digits: &str) -> Vec<u8> {
        let matrix = encode(digits).unwrap();
        (0..matrix.width()).map(|x| u8::from(matrix.is_dark(x, 0))).collect()
    }

    #[test]
    fn symbol_values_match_published_codes() {
        assert_eq!(
            values("900000020123456789012345").unwrap(),
            [105, 90, 0, 0, 2, 1, 23, 45, 67, 89, 1, 23, 45, 20, 106]
        );
        for (digits, check) in [("9000818188123456", 3), ("315899001234567890", 64), ("90000002123456789012", 44)] {
            let values = values(digits).unwrap();
            assert_eq!(values[values.len() - 2..], [check, 106]);
        }
    }

    #[test]
    fn payment_code_is_167_modules_wide() {
        let matrix = encode("900000020123456789012345").unwrap();
        assert_eq!((matrix.width(), matrix.height(), matrix.quiet_zone()), (167, 1, 10));
        assert_eq!(matrix.bits().len(), 21);
    }

    #[test]
    fn text_outside_code_set_c_is_refused() {
        assert_eq!(encode(""), Err(Code128Error::Empty));
        assert_eq!(encode("123"), Err(Code128Error::OddLength { got: 3 }));
        assert_eq!(encode("12a4"), Err(Code128Error::NotADigit { at: 2 }));
        assert_eq!(encode("12３4"), Err(Code128Error::NotADigit { at: 2 }));
    }

    #[test]
    fn every_pair_and_every_check_character_is_drawn_as_barcoders_draws_it() {
        let mut checks = [false; 103];
        for pair in 0..10_000 {
            let digits = format!("{pair:04}");
            checks[usize::from(values(&digits).unwrap()[3])] = true;
            assert_eq!(bars(&digits), Code128::new(format!("\u{106}{digits}")).unwrap().encode(), "{digits}");
        }
        assert_eq!(checks, [true; 103]);
    }

    proptest! {
        #[test]
        fn any_length_is_drawn_as_barcoders_draws_it(digits in "([0-9][0-9]){1,120}") {
            prop_assert_eq!(bars(&digits), Code128::new(format!("\u{106}{digits}")).unwrap().encode());
        }

        #[test]
        fn no_text_makes_the_encoder_panic(text in ".{0,40}|[0-9]{0,300}") {
            let _ = encode(&text);
        }
    }
}
