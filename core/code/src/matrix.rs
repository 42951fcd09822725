//! The drawing every symbol ends as, handed to the shells and to the command line's PNG and SVG writers.

use std::fmt;

/// A symbol as shells draw it: black and white modules, always dark on light, whole pixels each. It shows a secret, so
/// `Debug` gives its size only.
#[derive(Clone, PartialEq, Eq)]
pub struct Matrix {
    bits: Vec<u8>,
    width: usize,
    height: usize,
    quiet_zone: usize,
}

impl Matrix {
    pub(crate) fn new(modules: Packer, width: usize, height: usize, quiet_zone: usize) -> Self {
        Self { bits: modules.finish(), width, height, quiet_zone }
    }

    /// The modules row after row with no gap between rows, eight a byte, the first in the highest bit, 1 is dark.
    #[must_use]
    pub fn bits(&self) -> &[u8] {
        &self.bits
    }

    /// Modules in a row, without the quiet zone.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows: 1 for a linear symbol, which is drawn as tall as the screen allows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Light modules to leave on every side (left and right for a linear symbol).
    #[must_use]
    pub fn quiet_zone(&self) -> usize {
        self.quiet_zone
    }

    /// Whether a module is dark; outside the symbol everything is light.
    #[must_use]
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        if x >= self.width || y >= self.height {
            return false;
        }
        let index = y.saturating_mul(self.width).saturating_add(x);
        self.bits.get(index / 8).is_some_and(|byte| byte & (0x80 >> (index % 8)) != 0)
    }
}

impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matrix({} x {}, quiet zone {})", self.width, self.height, self.quiet_zone)
    }
}

/// Packs modules as [`Matrix::bits`] has them.
pub(crate) struct Packer {
    bits: Vec<u8>,
    pending: u32,
    pending_len: u32,
}

impl Packer {
    /// Makes room for so many modules.
    pub(crate) fn with_capacity(modules: usize) -> Self {
        Self { bits: Vec::with_capacity(modules.div_ceil(8)), pending: 0, pending_len: 0 }
    }

    /// Appends the lowest `len` bits of a pattern, at most 16, the highest of them first.
    pub(crate) fn push(&mut self, pattern: u16, len: u32) {
        self.pending = self.pending << len | u32::from(pattern);
        self.pending_len = self.pending_len.saturating_add(len);
        while self.pending_len >= 8 {
            self.pending_len = self.pending_len.saturating_sub(8);
            self.bits.push((self.pending >> self.pending_len) as u8);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.pending_len > 0 {
            self.push(0, 8_u32.saturating_sub(self.pending_len));
        }
        self.bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_run_on_from_row_to_row() {
        let modules = [true, false, true, /* */ false, true, false, /* */ true, true, true];
        let mut packer = Packer::with_capacity(9);
        for module in modules {
            packer.push(u16::from(module), 1);
        }
        let matrix = Matrix::new(packer, 3, 3, 4);
        assert_eq!(matrix.bits(), [0b1010_1011, 0b1000_0000]);
        let read: Vec<bool> = (0..9).map(|i| matrix.is_dark(i % 3, i / 3)).collect();
        assert_eq!(read, modules);
        assert!(!matrix.is_dark(3, 0) && !matrix.is_dark(0, 3));
        assert_eq!(format!("{matrix:?}"), "Matrix(3 x 3, quiet zone 4)");
    }
}
