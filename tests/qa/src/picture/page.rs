//! A white page with symbols one under the other, written as PNG or SVG: whole pixels per module, quiet zones kept.

use std::fmt::Write as _;
use std::path::Path;

use saifu_code::Matrix;

use super::grey::{Grey, WHITE};
use crate::failure::{Failure, LocalCode};
use crate::files::{self, Readers};

const BLACK: u8 = 0;
/// Bars are this many of their modules tall: more than the 15 % of the width that ISO/IEC 15417 asks for.
const BAR_MODULES: u32 = 40;
/// White above and below bars, in modules.
const BAR_MARGIN: u32 = 5;

/// A picture format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Portable Network Graphics, grey.
    Png,
    /// Scalable Vector Graphics.
    Svg,
}

impl Format {
    /// By the file's ending.
    ///
    /// # Errors
    /// [`LocalCode::BadInput`] for any other ending.
    pub fn of(path: &Path) -> Result<Self, Failure> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        match ending.as_str() {
            "png" => Ok(Self::Png),
            "svg" => Ok(Self::Svg),
            _ => Err(LocalCode::BadInput.detail(format!("{}: the name must end in .png or .svg", path.display()))),
        }
    }
}

struct Block<'a> {
    matrix: &'a Matrix,
    /// Pixels of a module.
    scale: u32,
    /// Modules a row is tall.
    row: u32,
    /// White modules left and right, and above and below.
    quiet: (u32, u32),
}

impl Block<'_> {
    fn width(&self) -> u32 {
        small(self.matrix.width()).saturating_add(self.quiet.0.saturating_mul(2)).saturating_mul(self.scale)
    }

    fn height(&self) -> u32 {
        let rows = small(self.matrix.height()).saturating_mul(self.row);
        rows.saturating_add(self.quiet.1.saturating_mul(2)).saturating_mul(self.scale)
    }
}

/// Symbols never have more modules than fit.
fn small(modules: usize) -> u32 {
    u32::try_from(modules).unwrap_or(u32::MAX)
}

/// A dark rectangle, in pixels.
struct Rect {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

/// Symbols one under the other, centred.
#[derive(Default)]
pub struct Page<'a> {
    blocks: Vec<Block<'a>>,
    caption: Option<String>,
}

impl<'a> Page<'a> {
    /// An empty page.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a bar code; `scale` is the width of a module in pixels.
    #[must_use]
    pub fn bars(mut self, matrix: &'a Matrix, scale: u32) -> Self {
        let quiet = (small(matrix.quiet_zone()), BAR_MARGIN);
        self.blocks.push(Block { matrix, scale, row: BAR_MODULES, quiet });
        self
    }

    /// Adds a QR code; `scale` is the size of a module in pixels.
    #[must_use]
    pub fn qr(mut self, matrix: &'a Matrix, scale: u32) -> Self {
        let quiet = small(matrix.quiet_zone());
        self.blocks.push(Block { matrix, scale, row: 1, quiet: (quiet, quiet) });
        self
    }

    /// Digits below the symbols, in groups of four; SVG only.
    #[must_use]
    pub fn caption(mut self, digits: &str) -> Self {
        self.caption = Some(in_groups(digits));
        self
    }

    fn size(&self) -> (u32, u32) {
        let width = self.blocks.iter().map(Block::width).max().unwrap_or(1);
        let height = self.blocks.iter().map(Block::height).fold(0, u32::saturating_add).max(1);
        (width, height)
    }

    /// Dark runs of each row, left to right.
    fn rects(&self) -> Vec<Rect> {
        let (page_width, _) = self.size();
        let mut rects = Vec::new();
        let mut top = 0_u32;
        for block in &self.blocks {
            let side = block.quiet.0.saturating_mul(block.scale);
            let left = page_width.saturating_sub(block.width()).wrapping_div(2).saturating_add(side);
            let first = top.saturating_add(block.quiet.1.saturating_mul(block.scale));
            let height = block.row.saturating_mul(block.scale);
            for y in 0..block.matrix.height() {
                for (start, length) in dark_runs(block.matrix, y) {
                    rects.push(Rect {
                        x: left.saturating_add(small(start).saturating_mul(block.scale)),
                        y: first.saturating_add(small(y).saturating_mul(height)),
                        width: small(length).saturating_mul(block.scale),
                        height,
                    });
                }
            }
            top = top.saturating_add(block.height());
        }
        rects
    }

    /// The pixels.
    #[must_use]
    pub fn pixels(&self) -> Grey {
        let (width, height) = self.size();
        let mut image = Grey::plain(width, height, WHITE);
        for rect in self.rects() {
            for y in rect.y..rect.y.saturating_add(rect.height) {
                for x in rect.x..rect.x.saturating_add(rect.width) {
                    image.set(x, y, BLACK);
                }
            }
        }
        image
    }

    /// The page as SVG 1.1, a unit for each pixel.
    #[must_use]
    pub fn svg(&self) -> String {
        let (width, mut height) = self.size();
        let mut caption = String::new();
        if let Some(digits) = &self.caption {
            let baseline = height.saturating_add(14);
            height = height.saturating_add(30);
            // Writing into a String cannot fail, here and below.
            let _ = writeln!(
                caption,
                r#"<text x="{}" y="{baseline}" font-family="monospace" font-size="18" text-anchor="middle">{digits}</text>"#,
                width / 2
            );
        }
        let mut path = String::new();
        for Rect { x, y, width, height } in self.rects() {
            let _ = write!(path, "M{x} {y}h{width}v{height}h-{width}z");
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <path shape-rendering=\"crispEdges\" fill=\"#000\" d=\"{path}\"/>\n{caption}</svg>\n"
        )
    }

    /// Writes the page in the format of the file's ending.
    ///
    /// # Errors
    /// [`LocalCode::BadInput`] for another ending, [`LocalCode::FileFailed`].
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let bytes = match Format::of(path)? {
            Format::Svg => self.svg().into_bytes(),
            Format::Png => self.pixels().to_png().map_err(|error| LocalCode::Bug.detail(format!("PNG: {error}")))?,
        };
        files::write(path, &bytes, Readers::Usual)
    }
}

fn dark_runs(matrix: &Matrix, y: usize) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for x in (0..matrix.width()).filter(|x| matrix.is_dark(*x, y)) {
        match runs.last_mut() {
            Some((start, length)) if start.saturating_add(*length) == x => *length = length.saturating_add(1),
            _ => runs.push((x, 1)),
        }
    }
    runs
}

/// `1234 5678 …`, as people read digits aloud.
#[must_use]
pub(crate) fn in_groups(digits: &str) -> String {
    let characters: Vec<char> = digits.chars().collect();
    let groups: Vec<String> = characters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "900000020123456789012345";

    #[test]
    fn page_has_whole_pixels_and_its_quiet_zone() {
        let matrix = saifu_code::code128::encode(DIGITS).unwrap();
        let image = Page::new().bars(&matrix, 3).pixels();
        assert_eq!((image.width, image.height), (187 * 3, 50 * 3));
        let row: Vec<bool> = (0..187 * 3).map(|x| image.get(x, 75) == BLACK).collect();
        for (module, pixels) in row.chunks(3).enumerate() {
            let dark = module >= 10 && matrix.is_dark(module - 10, 0);
            assert_eq!(pixels, [dark; 3], "module {module}");
        }
    }

    #[test]
    fn svg_shows_the_digits_in_groups_of_four() {
        let matrix = saifu_code::qr::encode(DIGITS).unwrap();
        assert!(Page::new().qr(&matrix, 8).caption(DIGITS).svg().contains(">9000 0002 0123 4567 8901 2345<"));
    }

    #[test]
    fn other_endings_are_refused() {
        assert_eq!(Format::of(Path::new("a.PNG")).unwrap(), Format::Png);
        for bad in ["a.jpg", "a", ".png", "a.png.txt"] {
            assert!(Format::of(Path::new(bad)).is_err(), "{bad}");
        }
    }
}
