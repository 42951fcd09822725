//! What a terminal showed, as SVG: text in cells of one size, and drawings as rectangles, so that symbols in it can be
//! scanned whatever fonts are there.

use std::fmt::Write as _;

/// One line of the terminal.
pub(super) enum ScreenLine {
    /// Light text on dark.
    Text(String),
    /// A row of a symbol: black cells on white.
    Paper(String),
}

const CELL_WIDTH: usize = 8;
const CELL_HEIGHT: usize = 16;
const MARGIN: usize = 16;

pub(super) fn svg(lines: &[ScreenLine]) -> String {
    let columns = lines.iter().map(characters).max().unwrap_or(0);
    let width = columns.saturating_mul(CELL_WIDTH).saturating_add(MARGIN.saturating_mul(2));
    let height = lines.len().saturating_mul(CELL_HEIGHT).saturating_add(MARGIN.saturating_mul(2));
    let mut body = String::new();
    for (index, line) in lines.iter().enumerate() {
        let top = index.saturating_mul(CELL_HEIGHT).saturating_add(MARGIN);
        match line {
            ScreenLine::Text(text) => write_text(&mut body, text, top),
            ScreenLine::Paper(row) => write_cells(&mut body, row, top),
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#14181d\"/>\n\
         <g fill=\"#dfe5ea\" font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"13\">\n{body}</g>\n</svg>\n"
    )
}

fn characters(line: &ScreenLine) -> usize {
    match line {
        ScreenLine::Text(text) | ScreenLine::Paper(text) => text.chars().count(),
    }
}

/// Each word at its own cell, so that columns stay aligned in any font.
fn write_text(body: &mut String, text: &str, top: usize) {
    let baseline = top.saturating_add(12);
    let mut column = 0_usize;
    for word in text.split(' ') {
        let length = word.chars().count();
        if length > 0 {
            let x = column.saturating_mul(CELL_WIDTH).saturating_add(MARGIN);
            let across = length.saturating_mul(CELL_WIDTH);
            let word = word.replace('&', "&amp;").replace('<', "&lt;");
            // Writing into a String cannot fail, here and below.
            let _ = writeln!(body, r#"<text x="{x}" y="{baseline}" textLength="{across}">{word}</text>"#);
        }
        column = column.saturating_add(length).saturating_add(1);
    }
}

fn write_cells(body: &mut String, row: &str, top: usize) {
    let across = row.chars().count().saturating_mul(CELL_WIDTH);
    let _ = writeln!(body, r##"<rect x="{MARGIN}" y="{top}" width="{across}" height="{CELL_HEIGHT}" fill="#fff"/>"##);
    let mut path = String::new();
    for (column, cell) in row.chars().enumerate() {
        // Left, top, width and height of the dark part, in halves of a cell.
        let (left, above, wide, tall) = match cell {
            '█' => (0, 0, 2, 2),
            '▌' => (0, 0, 1, 2),
            '▐' => (1, 0, 1, 2),
            '▀' => (0, 0, 2, 1),
            '▄' => (0, 1, 2, 1),
            _ => continue,
        };
        let half = |halves: usize, whole: usize| halves.saturating_mul(whole) / 2;
        let x = column.saturating_mul(CELL_WIDTH).saturating_add(MARGIN).saturating_add(half(left, CELL_WIDTH));
        let y = top.saturating_add(half(above, CELL_HEIGHT));
        let (width, height) = (half(wide, CELL_WIDTH), half(tall, CELL_HEIGHT));
        let _ = write!(path, "M{x} {y}h{width}v{height}h-{width}z");
    }
    let _ = writeln!(body, r##"<path fill="#000" shape-rendering="crispEdges" d="{path}"/>"##);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_in_the_picture_can_be_scanned() {
        let matrix = saifu_code::code128::encode("900000020123456789012345").unwrap();
        let cells = crate::picture::bars(&matrix);
        let mut lines: Vec<ScreenLine> = cells.rows().iter().map(|row| ScreenLine::Paper(row.clone())).collect();
        lines.insert(0, ScreenLine::Text("before <&".into()));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("demo.svg");
        std::fs::write(&file, svg(&lines)).unwrap();
        assert_eq!(crate::picture::read(&file).unwrap()[0].text, "900000020123456789012345");
    }
}
