//! Grey pixels, and PNG as the `png` crate reads and writes it.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, Encoder, Limits, Transformations};

/// White.
pub(super) const WHITE: u8 = 255;
/// Bytes that a decoder may take for itself.
const DECODER_BYTES: usize = 256 * 1024 * 1024;

/// A picture in shades of grey, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grey {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// One byte each, 0 is black.
    pub pixels: Vec<u8>,
}

impl Grey {
    /// All of one shade.
    #[must_use]
    pub fn plain(width: u32, height: u32, shade: u8) -> Self {
        Self { width, height, pixels: vec![shade; size(width, height)] }
    }

    /// The place of a pixel, if it is inside.
    fn at(&self, x: u32, y: u32) -> Option<usize> {
        let inside = x < self.width && y < self.height;
        inside.then(|| size(self.width, y).saturating_add(usize::try_from(x).unwrap_or(usize::MAX)))
    }

    /// One pixel; white outside.
    #[must_use]
    pub fn get(&self, x: u32, y: u32) -> u8 {
        self.at(x, y).and_then(|at| self.pixels.get(at)).copied().unwrap_or(WHITE)
    }

    /// Sets one pixel; outside nothing happens.
    pub fn set(&mut self, x: u32, y: u32, shade: u8) {
        if let Some(pixel) = self.at(x, y).and_then(|at| self.pixels.get_mut(at)) {
            *pixel = shade;
        }
    }

    /// As PNG.
    ///
    /// # Errors
    /// What the encoder says: a picture without pixels is none.
    pub fn to_png(&self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(ColorType::Grayscale);
        encoder.set_depth(BitDepth::Eight);
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&self.pixels));
        written.map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

fn size(width: u32, height: u32) -> usize {
    usize::try_from(u64::from(width).saturating_mul(u64::from(height))).unwrap_or(usize::MAX)
}

/// A picture that may be transparent, not yet on any ground.
pub(super) struct Layered {
    pub(super) width: u32,
    pub(super) height: u32,
    /// For each pixel its grey, times its opacity, and its opacity.
    pub(super) pixels: Vec<(u8, u8)>,
}

impl Layered {
    /// From red, green, blue and opacity, colours already times the opacity.
    pub(super) fn of_rgba(width: u32, height: u32, rgba: &[u8]) -> Self {
        let pixel = |pixel: &[u8; 4]| (luma([pixel[0], pixel[1], pixel[2]]), pixel[3]);
        Self { width, height, pixels: rgba.as_chunks().0.iter().map(pixel).collect() }
    }

    /// Reads a PNG of at most so many pixels a side and altogether.
    pub(super) fn of_png(bytes: &[u8], fits: impl Fn(u32, u32) -> Result<(), String>) -> Result<Self, String> {
        let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: DECODER_BYTES });
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        decoder.set_transformations(Transformations::normalize_to_color8());
        let about = decoder.read_header_info().map_err(|error| error.to_string())?;
        let (width, height) = (about.width, about.height);
        fits(width, height)?;
        let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
        let mut samples = vec![0; reader.output_buffer_size().ok_or("it is too large")?];
        let frame = reader.next_frame(&mut samples).map_err(|error| error.to_string())?;
        samples.truncate(frame.buffer_size());
        let times = |shade: u8, opacity: u8| scaled(shade, opacity);
        let pixels = match frame.color_type {
            ColorType::Grayscale => samples.iter().map(|grey| (*grey, 255)).collect(),
            ColorType::GrayscaleAlpha => {
                samples.as_chunks().0.iter().map(|[grey, opacity]| (times(*grey, *opacity), *opacity)).collect()
            }
            ColorType::Rgb => samples.as_chunks().0.iter().map(|rgb| (luma(*rgb), 255)).collect(),
            ColorType::Rgba => {
                let pixel = |[r, g, b, opacity]: &[u8; 4]| (times(luma([*r, *g, *b]), *opacity), *opacity);
                samples.as_chunks().0.iter().map(pixel).collect()
            }
            ColorType::Indexed => return Err("its palette was not resolved".into()),
        };
        Ok(Self { width, height, pixels })
    }

    /// Whether anything of the ground would be seen.
    pub(super) fn is_transparent(&self) -> bool {
        self.pixels.iter().any(|(_, opacity)| *opacity < 255)
    }

    /// On a ground of this shade.
    pub(super) fn on(&self, ground: u8) -> Grey {
        let pixel = |(grey, opacity): &(u8, u8)| grey.saturating_add(scaled(ground, 255_u8.saturating_sub(*opacity)));
        Grey { width: self.width, height: self.height, pixels: self.pixels.iter().map(pixel).collect() }
    }
}

/// A shade times an opacity.
fn scaled(shade: u8, opacity: u8) -> u8 {
    let product = u16::from(shade).saturating_mul(u16::from(opacity)).saturating_add(127) / 255;
    u8::try_from(product).unwrap_or(255)
}

/// How bright a colour is (ITU-R BT.709), in thousandths.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let part = |colour: u8, weight: u32| u32::from(colour).saturating_mul(weight);
    let sum = part(red, 213).saturating_add(part(green, 715)).saturating_add(part(blue, 72));
    u8::try_from(sum / 1_000).unwrap_or(255)
}
