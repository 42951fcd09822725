//! Symbols in terminal cells, large enough for a phone's camera: two modules a cell, black on white by explicit colours so
//! that a dark terminal does not turn them around.

use saifu_code::Matrix;

/// Rows of cells a bar code is tall.
const BAR_ROWS: usize = 7;
/// Black on white from the 256-colour palette, whose first 16 a theme may change and whose last 240 none does.
const PAPER: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// A drawing: rows of block characters, dark where a module is dark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells(Vec<String>);

impl Cells {
    /// The rows, without colours.
    #[must_use]
    pub fn rows(&self) -> &[String] {
        &self.0
    }

    /// Columns needed.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.first().map_or(0, |row| row.chars().count())
    }

    /// The same, or a sentence where a screen of so many columns would break its rows: a bar code in pieces cannot be scanned.
    #[must_use]
    pub fn fitting(&self, columns: usize, colours: bool) -> String {
        if self.width() <= columns {
            return self.text(colours);
        }
        format!(
            "The bar code needs {} columns, this terminal has {columns}; tills read the QR code too.\n",
            self.width()
        )
    }

    /// The rows as text; with colours, each is black on white whatever the terminal's theme.
    #[must_use]
    pub fn text(&self, colours: bool) -> String {
        let (on, off) = if colours { (PAPER, RESET) } else { ("", "") };
        self.0.iter().map(|row| format!("{on}{row}{off}\n")).collect()
    }
}

/// A bar code: two modules a column, so a payment code takes 94 columns with its quiet zones.
#[must_use]
pub fn bars(matrix: &Matrix) -> Cells {
    let modules = matrix.width().saturating_add(matrix.quiet_zone().saturating_mul(2));
    let top = matrix.quiet_zone();
    let row = (0..modules).step_by(2).map(|x| {
        let halves = (is_dark(matrix, x, top), is_dark(matrix, x.saturating_add(1), top));
        cell(halves, '▌', '▐')
    });
    Cells(vec![row.collect(); BAR_ROWS])
}

/// A square symbol: one module a column, two a row.
#[must_use]
pub fn square(matrix: &Matrix) -> Cells {
    let modules = matrix.width().saturating_add(matrix.quiet_zone().saturating_mul(2));
    let row = |y: usize| {
        let halves = |x| (is_dark(matrix, x, y), is_dark(matrix, x, y.saturating_add(1)));
        (0..modules).map(|x| cell(halves(x), '▀', '▄')).collect()
    };
    Cells((0..modules).step_by(2).map(row).collect())
}

/// Counted from the corner of the quiet zone.
fn is_dark(matrix: &Matrix, x: usize, y: usize) -> bool {
    let quiet = matrix.quiet_zone();
    x >= quiet && y >= quiet && matrix.is_dark(x.saturating_sub(quiet), y.saturating_sub(quiet))
}

fn cell(halves: (bool, bool), first: char, second: char) -> char {
    match halves {
        (true, true) => '█',
        (true, false) => first,
        (false, true) => second,
        (false, false) => ' ',
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "pixels of a small picture")]
mod tests {
    use super::*;
    use crate::picture::grey::{Grey, WHITE};
    use crate::picture::read::symbols;

    const DIGITS: &str = "900000020123456789012345";

    /// What a camera sees: cells twice as tall as wide.
    fn photograph(cells: &Cells) -> Grey {
        let (cell_width, cell_height) = (8_u32, 16_u32);
        let (columns, rows) = (cells.width() as u32, cells.rows().len() as u32);
        let mut image = Grey::plain(columns * cell_width, rows * cell_height, WHITE);
        for (y, row) in cells.rows().iter().enumerate() {
            for (x, cell) in row.chars().enumerate() {
                for (pixel_x, pixel_y) in (0..cell_width).flat_map(|px| (0..cell_height).map(move |py| (px, py))) {
                    let (left, top) = (pixel_x < cell_width / 2, pixel_y < cell_height / 2);
                    let dark = match cell {
                        '█' => true,
                        '▌' => left,
                        '▐' => !left,
                        '▀' => top,
                        '▄' => !top,
                        _ => false,
                    };
                    if dark {
                        image.set(x as u32 * cell_width + pixel_x, y as u32 * cell_height + pixel_y, 0);
                    }
                }
            }
        }
        image
    }

    #[test]
    fn bars_on_a_screen_of_94_columns_are_read_back() {
        let cells = bars(&saifu_code::code128::encode(DIGITS).unwrap());
        assert_eq!(cells.width(), 94);
        assert_eq!(symbols(photograph(&cells)).first().map(|symbol| symbol.text.as_str()), Some(DIGITS));
    }

    #[test]
    fn bars_are_drawn_whole_or_not_at_all() {
        let cells = bars(&saifu_code::code128::encode(DIGITS).unwrap());
        assert_eq!(cells.fitting(94, false), cells.text(false));
        let said = cells.fitting(80, true);
        assert!(said.lines().all(|line| line.chars().count() <= 80) && !said.contains('█'), "{said}");
    }

    #[test]
    fn qr_on_a_screen_is_read_back() {
        let cells = square(&saifu_code::qr::encode(DIGITS).unwrap());
        assert_eq!((cells.width(), cells.rows().len()), (29, 15));
        assert_eq!(symbols(photograph(&cells)).first().map(|symbol| symbol.text.as_str()), Some(DIGITS));
    }

    #[test]
    fn colours_are_explicit_or_absent() {
        let cells = square(&saifu_code::qr::encode("7").unwrap());
        assert!(cells.text(true).lines().all(|line| line.starts_with(PAPER) && line.ends_with(RESET)));
        assert!(!cells.text(false).contains('\x1b'));
    }
}
