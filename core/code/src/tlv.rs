//! BER-TLV data objects as payment cards use them (EMV Book 3 annex B): tags of one to three bytes, definite lengths
//! in their shortest form. [`cpm`](crate::cpm) reads and writes its payload with it.

use std::fmt;

use crate::cpm::error::{CpmError, Problem};

/// The tag of a data object, such as 4F or 5F20.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(u32);

impl Tag {
    pub(crate) const FORMAT: Self = Self(0x85);
    pub(crate) const APPLICATION: Self = Self(0x61);
    pub(crate) const COMMON: Self = Self(0x62);
    pub(crate) const ADF_NAME: Self = Self(0x4f);
    pub(crate) const LABEL: Self = Self(0x50);
    pub(crate) const TRACK_2: Self = Self(0x57);

    /// The tag's bytes as one number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }

    fn bytes(self) -> impl Iterator<Item = u8> {
        self.0.to_be_bytes().into_iter().skip_while(|b| *b == 0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}", self.0)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// One object and where it begins, counted in bytes from the start of the payload.
pub(crate) struct Object<'a> {
    pub(crate) at: usize,
    pub(crate) tag: Tag,
    pub(crate) value: &'a [u8],
    /// Where the value begins.
    pub(crate) value_at: usize,
}

/// Walks over the objects of one level.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads bytes that begin at `at` of the payload.
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { rest: bytes, at }
    }

    /// The next object, or `None` exactly at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Object<'a>>, CpmError> {
        let at = self.at;
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.tag()?;
        let length_at = self.at;
        let length = self.length()?;
        let value_at = self.at;
        let (value, rest) =
            self.rest.split_at_checked(length).ok_or(CpmError { at: length_at, problem: Problem::Truncated })?;
        self.rest = rest;
        self.at = value_at.saturating_add(length);
        Ok(Some(Object { at, tag, value, value_at }))
    }

    fn byte(&mut self) -> Result<u8, CpmError> {
        let (byte, rest) = self.rest.split_first().ok_or(CpmError { at: self.at, problem: Problem::Truncated })?;
        self.rest = rest;
        self.at = self.at.saturating_add(1);
        Ok(*byte)
    }

    fn tag(&mut self) -> Result<Tag, CpmError> {
        let bad = CpmError { at: self.at, problem: Problem::BadTag };
        let first = self.byte()?;
        if first == 0 {
            return Err(bad);
        }
        let mut number = u32::from(first);
        let mut more = first & 0x1f == 0x1f;
        while more {
            if number > 0xffff {
                return Err(bad);
            }
            let next = self.byte()?;
            number = number << 8 | u32::from(next);
            more = next & 0x80 != 0;
        }
        Ok(Tag(number))
    }

    fn length(&mut self) -> Result<usize, CpmError> {
        let bad = CpmError { at: self.at, problem: Problem::BadLength };
        let (length, shortest_from) = match self.byte()? {
            short @ 0..=0x7f => (usize::from(short), 0),
            0x81 => (usize::from(self.byte()?), 0x80),
            0x82 => (usize::from(u16::from_be_bytes([self.byte()?, self.byte()?])), 0x100),
            _ => return Err(bad),
        };
        if length < shortest_from { Err(bad) } else { Ok(length) }
    }
}

/// Appends one object. Values are far below 64 KiB: a payload has at most 512 characters.
pub(crate) fn write(out: &mut Vec<u8>, tag: Tag, value: &[u8]) {
    out.extend(tag.bytes());
    let [.., high, low] = value.len().to_be_bytes();
    match (high, low) {
        (0, 0..=0x7f) => out.push(low),
        (0, _) => out.extend([0x81, low]),
        _ => out.extend([0x82, high, low]),
    }
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(bytes: &[u8]) -> Result<(u32, usize), CpmError> {
        let mut reader = Reader::new(bytes, 0);
        let object = reader.next()?.unwrap();
        assert!(reader.next()?.is_none());
        Ok((object.tag.number(), object.value.len()))
    }

    fn fails(bytes: &[u8], at: usize, problem: Problem) {
        assert_eq!(only(bytes), Err(CpmError { at, problem }), "{bytes:02x?}");
    }

    #[test]
    fn objects_of_every_tag_and_length_form_survive() {
        for (tag, header) in [(0x4f, 1), (0x5f20, 2), (0x9f_81_01, 3)] {
            for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff] {
                let mut out = Vec::new();
                write(&mut out, Tag(tag), &vec![7; length]);
                let length_bytes = 1 + usize::from(length > 0x7f) + usize::from(length > 0xff);
                assert_eq!(out.len(), header + length_bytes + length);
                assert_eq!(only(&out), Ok((tag, length)));
            }
        }
    }

    #[test]
    fn broken_objects_are_refused_where_they_break() {
        fails(&[0x00, 0x00], 0, Problem::BadTag);
        fails(&[0x9f, 0x81, 0x82, 0x03, 0x00], 0, Problem::BadTag);
        fails(&[0x4f], 1, Problem::Truncated);
        fails(&[0x5f], 1, Problem::Truncated);
        fails(&[0x4f, 0x02, 0x01], 1, Problem::Truncated);
        fails(&[0x4f, 0x81], 2, Problem::Truncated);
        fails(&[0x4f, 0x80], 1, Problem::BadLength);
        fails(&[0x4f, 0x83, 0x00, 0x00, 0x01, 0x00], 1, Problem::BadLength);
        fails(&[0x4f, 0x81, 0x01, 0x00], 1, Problem::BadLength);
        fails(&[0x4f, 0x82, 0x00, 0x01, 0x00], 1, Problem::BadLength);
        fails(&[0x4f, 0x01, 0x00, 0x50], 4, Problem::Truncated);
    }
}
