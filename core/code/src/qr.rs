//! QR codes (ISO/IEC 18004) at error correction level M, drawn by `fast_qr`, which nothing outside this file sees. The
//! wallet shows payment codes and authenticator enrolments with it.

use fast_qr::{ECL, QRBuilder};

use crate::matrix::{Matrix, Packer};

/// Light modules to leave on all four sides.
pub const QUIET_ZONE: usize = 4;

/// Why a text cannot be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// Nothing to draw.
    #[error("there is nothing to draw")]
    Empty,
    /// More than the largest symbol holds: 2,331 bytes, or 5,596 digits.
    #[error("the text is too long for a QR code")]
    TooLong,
}

/// The smallest symbol that holds the text. Its version is (width − 17) / 4.
///
/// # Errors
/// [`QrError`].
pub fn encode(text: &str) -> Result<Matrix, QrError> {
    if text.is_empty() {
        return Err(QrError::Empty);
    }
    let code = QRBuilder::new(text).ecl(ECL::M).build().map_err(|_| QrError::TooLong)?;
    let count = code.size.saturating_mul(code.size);
    let mut modules = Packer::with_capacity(count);
    for module in code.data.iter().take(count) {
        modules.push(u16::from(module.value()), 1);
    }
    Ok(Matrix::new(modules, code.size, code.size, QUIET_ZONE))
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "helpers of tests: small numbers, and an overflow fails the test")]
mod tests {
    use super::*;

    const FINDER: [&str; 7] = ["#######", "#     #", "# ### #", "# ### #", "# ### #", "#     #", "#######"];

    fn finder_at(matrix: &Matrix, left: usize, top: usize) -> bool {
        FINDER.iter().enumerate().all(|(y, row)| {
            row.bytes().enumerate().all(|(x, mark)| matrix.is_dark(left + x, top + y) == (mark == b'#'))
        })
    }

    #[test]
    fn payment_code_fits_version_1_and_shows_three_finders() {
        // 24 digits are within the 34 that version 1 takes at level M.
        let matrix = encode("900000020123456789012345").unwrap();
        assert_eq!((matrix.width(), matrix.height(), matrix.quiet_zone()), (21, 21, 4));
        assert!(finder_at(&matrix, 0, 0) && finder_at(&matrix, 14, 0) && finder_at(&matrix, 0, 14));
        assert!(matrix.is_dark(8, 13), "the module that is always dark");
    }

    #[test]
    fn symbol_says_level_m() {
        // Both copies of the format information begin with the level, 00 for M, under the mask 10.
        let matrix = encode("900000020123456789012345").unwrap();
        assert_eq!((matrix.is_dark(0, 8), matrix.is_dark(1, 8)), (true, false));
        assert_eq!((matrix.is_dark(8, 20), matrix.is_dark(8, 19)), (true, false));
    }

    #[test]
    fn every_length_up_to_the_largest_symbol_is_drawn() {
        assert_eq!(encode(""), Err(QrError::Empty));
        for length in (1..=600).chain(2_300..=2_331) {
            let matrix = encode(&"a".repeat(length)).unwrap();
            assert!(matrix.width() <= 177 && finder_at(&matrix, 0, 0), "{length}");
        }
        assert_eq!(encode(&"a".repeat(2_332)), Err(QrError::TooLong));
        assert!(encode(&"7".repeat(5_596)).is_ok());
        assert_eq!(encode(&"7".repeat(5_597)), Err(QrError::TooLong));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_encoder_panic(text in ".{0,400}|[0-9A-Z $%*+./:-]{0,400}") {
            let _ = encode(&text);
        }
    }
}
