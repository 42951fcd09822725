//! The journal's bytes, in and out. `FORMAT.md` beside the crate shows them as tables, which a test here reads and
//! compares. All integers are big-endian.
//!
//! ```text
//! file    header, frame, frame, …
//! header  magic 8 · version 2 · install 16 · generation 8 · key length 2 · sealed vault key n · CRC32C 4
//! frame   length 4 · sequence 8 · nonce 12 · head CRC32C 4 · text and tag (length) · CRC32C 4
//! ```
//!
//! A frame's head has a checksum of its own, so that a damaged length is told from a file that ends early: only the
//! second is what a crash leaves, and only that is cut off.

use saifu_crypto::aead::{NONCE_LEN, TAG_LEN};
use saifu_host::SealId;

use crate::VaultError;

pub(super) const MAGIC: [u8; 8] = *b"SAIFUJNL";
pub(super) const VERSION: u16 = 1;
/// What a state may have at most, bytes. A few thousand are usual.
pub const MAX_STATE: usize = 64 * 1024;
/// A sealed vault key is some tens of bytes on every platform; Keychain and Keystore texts stay far below this.
const MAX_SEALED_KEY: usize = 1024;
const HEADER_FIXED: usize = 36;
pub(super) const FRAME_HEAD: usize = 28;
const CRC_LEN: usize = 4;
/// The shortest entry: an empty state.
const MIN_FRAME: usize = FRAME_HEAD + TAG_LEN + CRC_LEN;
/// An append that a crash cut short may leave zeros where bytes were promised. An entry that ends in so many was cut short;
/// two whole ones in 2^40 end so of themselves. One that ends in fewer may have its whole text, and the seal decides.
const ZERO_TAIL: usize = CRC_LEN + 1;

/// What stands in clear before the frames.
pub(super) struct Header {
    pub(super) id: SealId,
    pub(super) sealed_key: Vec<u8>,
}

/// One state, sealed.
pub(super) struct Frame<'a> {
    pub(super) sequence: u64,
    pub(super) nonce: [u8; NONCE_LEN],
    pub(super) text: &'a [u8],
}

const fn corrupt(what: &'static str) -> VaultError {
    VaultError::Corrupt { what }
}

/// Takes bytes off the front; `None` when there are too few.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn slice(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }
}

fn with_crc(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes
}

/// Whether `bytes` ends in the CRC32C of what precedes it.
fn crc_holds(bytes: &[u8]) -> bool {
    bytes.split_last_chunk::<CRC_LEN>().is_some_and(|(body, crc)| crc32c::crc32c(body).to_be_bytes() == *crc)
}

impl Header {
    pub(super) fn encode(&self) -> Result<Vec<u8>, VaultError> {
        let too_large = VaultError::TooLarge { len: self.sealed_key.len(), most: MAX_SEALED_KEY };
        let key_len = match u16::try_from(self.sealed_key.len()) {
            Ok(len) if self.sealed_key.len() <= MAX_SEALED_KEY => len,
            _ => return Err(too_large),
        };
        Ok(with_crc(
            [
                &MAGIC[..],
                &VERSION.to_be_bytes(),
                &self.id.install,
                &self.id.generation.to_be_bytes(),
                &key_len.to_be_bytes(),
                &self.sealed_key,
            ]
            .concat(),
        ))
    }

    /// The header and its length. It was synchronised before it got its name, so a short one is damage, not a crash.
    pub(super) fn decode(file: &[u8]) -> Result<(Self, usize), VaultError> {
        let short = || corrupt("its header is cut off");
        let mut reader = Reader(file);
        if reader.array().ok_or_else(short)? != MAGIC {
            return Err(corrupt("it does not begin like a journal"));
        }
        let version = u16::from_be_bytes(reader.array().ok_or_else(short)?);
        let install = reader.array().ok_or_else(short)?;
        let generation = u64::from_be_bytes(reader.array().ok_or_else(short)?);
        let key_len = usize::from(u16::from_be_bytes(reader.array().ok_or_else(short)?));
        let whole = HEADER_FIXED.saturating_add(key_len).saturating_add(CRC_LEN);
        let sealed_key = reader.slice(key_len).ok_or_else(short)?.to_vec();
        if !file.get(..whole).is_some_and(crc_holds) {
            return Err(corrupt("its header's checksum is wrong"));
        }
        // After the checksum: a flipped bit must not send anybody to the app store.
        if version != VERSION {
            return Err(VaultError::Newer { version });
        }
        Ok((Self { id: SealId { install, generation }, sealed_key }, whole))
    }
}

impl Frame<'_> {
    pub(super) fn encode(&self) -> Result<Vec<u8>, VaultError> {
        let length = u32::try_from(self.text.len())
            .map_err(|_| VaultError::TooLarge { len: self.text.len(), most: MAX_STATE })?;
        let mut bytes = Vec::with_capacity(self.text.len().saturating_add(FRAME_HEAD + CRC_LEN));
        for field in [&length.to_be_bytes()[..], &self.sequence.to_be_bytes(), &self.nonce] {
            bytes.extend_from_slice(field);
        }
        let mut bytes = with_crc(bytes);
        bytes.extend_from_slice(self.text);
        Ok(with_crc(bytes))
    }
}

/// The last whole frame after the header of `header_len` bytes, having gone over all of them: every checksum, and
/// sequences rising by one. Of the last one only the seal tells for sure whether it is whole.
pub(super) fn newest(file: &[u8], header_len: usize) -> Result<Option<Frame<'_>>, VaultError> {
    let last_byte = file.iter().rposition(|byte| *byte != 0).map_or(0, |at| at.saturating_add(1));
    let (mut at, mut last) = (header_len, None::<Frame<'_>>);
    // Nothing shorter is an entry, so whatever it says it is an append cut short.
    while let Some(rest) = file.get(at..).filter(|rest| rest.len() >= MIN_FRAME) {
        let Some(head) = rest.get(..FRAME_HEAD).filter(|head| crc_holds(head)) else {
            // Zeros from within the head on.
            if last_byte < at.saturating_add(FRAME_HEAD) {
                break;
            }
            return Err(corrupt("the head of an entry does not match its checksum"));
        };
        let (length, sequence, nonce) = fields(head).ok_or(corrupt("the head of an entry is short"))?;
        if !(TAG_LEN..=MAX_STATE.saturating_add(TAG_LEN)).contains(&length) {
            return Err(corrupt("an entry has an impossible length"));
        }
        if last.as_ref().is_some_and(|before| before.sequence.checked_add(1) != Some(sequence)) {
            return Err(corrupt("its entries are out of order"));
        }
        let text_end = FRAME_HEAD.saturating_add(length);
        let Some(frame) = rest.get(..text_end.saturating_add(CRC_LEN)) else { break };
        let end = at.saturating_add(frame.len());
        if !crc_holds(frame) {
            match end.saturating_sub(last_byte) {
                0 => return Err(corrupt("an entry does not match its checksum")),
                // Only the checksum is incomplete.
                zeros if zeros < ZERO_TAIL => {}
                _ => break,
            }
        }
        last = Some(Frame { sequence, nonce, text: frame.get(FRAME_HEAD..text_end).unwrap_or_default() });
        at = end;
    }
    Ok(last)
}

fn fields(head: &[u8]) -> Option<(usize, u64, [u8; NONCE_LEN])> {
    let mut reader = Reader(head);
    let length = usize::try_from(u32::from_be_bytes(reader.array()?)).ok()?;
    Some((length, u64::from_be_bytes(reader.array()?), reader.array()?))
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "offsets of a few bytes")]
mod tests {
    use super::*;

    /// The rows `| name | offset | bytes |` of the table under this heading, in the order of the document.
    fn documented(heading: &str) -> Vec<(String, String, String)> {
        let document = include_str!("../../FORMAT.md");
        let section = document.split(heading).nth(1).expect(heading).split("\n## ").next().unwrap();
        let cells = |line: &str| line.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect::<Vec<_>>();
        let rows = section.lines().filter(|line| line.starts_with('|')).skip(2).map(cells);
        rows.map(|row| (row[0].clone(), row[1].clone(), row[2].clone())).collect()
    }

    /// Cuts `bytes` along the table and compares; `n` stands for the variable part's length.
    fn compare(heading: &str, bytes: &[u8], n: usize, expected: &[(&str, Vec<u8>)]) {
        let number = |text: &str| -> usize {
            text.split('+').map(|part| if part.trim() == "n" { n } else { part.trim().parse().expect(text) }).sum()
        };
        let rows = documented(heading);
        assert_eq!(rows.len(), expected.len(), "{heading}");
        let mut end = 0;
        for ((name, offset, len), (expected_name, value)) in rows.iter().zip(expected) {
            assert_eq!(name, expected_name);
            assert_eq!(number(offset), end, "{name} does not follow the field before it");
            end += number(len);
            assert_eq!(&bytes[number(offset)..end], &value[..], "{name}");
        }
        assert_eq!(end, bytes.len(), "the table covers every byte");
    }

    #[test]
    fn document_and_code_agree_on_every_byte() {
        let header = Header { id: SealId { install: [0xa1; 16], generation: 0x0203 }, sealed_key: vec![0xb2; 53] };
        let bytes = header.encode().unwrap();
        let crc = |bytes: &[u8]| crc32c::crc32c(&bytes[..bytes.len() - 4]).to_be_bytes().to_vec();
        compare(
            "## Journal header",
            &bytes,
            53,
            &[
                ("magic", b"SAIFUJNL".to_vec()),
                ("version", vec![0, 1]),
                ("install", vec![0xa1; 16]),
                ("generation", vec![0, 0, 0, 0, 0, 0, 2, 3]),
                ("key length", vec![0, 53]),
                ("sealed vault key", vec![0xb2; 53]),
                ("checksum", crc(&bytes)),
            ],
        );
        let frame = Frame { sequence: 0x0405, nonce: [0xc3; 12], text: &[0xd4; 40] }.encode().unwrap();
        compare(
            "## Journal frame",
            &frame,
            40,
            &[
                ("length", vec![0, 0, 0, 40]),
                ("sequence", vec![0, 0, 0, 0, 0, 0, 4, 5]),
                ("nonce", vec![0xc3; 12]),
                ("head checksum", crc(&frame[..28])),
                ("text and tag", vec![0xd4; 40]),
                ("checksum", crc(&frame)),
            ],
        );
    }

    #[test]
    fn header_of_a_later_version_is_named_only_when_it_is_whole() {
        let header = Header { id: SealId { install: [1; 16], generation: 1 }, sealed_key: vec![2; 40] };
        let mut bytes = header.encode().unwrap();
        bytes[9] = 2;
        assert!(matches!(Header::decode(&bytes), Err(VaultError::Corrupt { .. })), "a flipped bit is damage");
        bytes.truncate(bytes.len() - 4);
        assert!(matches!(Header::decode(&with_crc(bytes)), Err(VaultError::Newer { version: 2 })));
    }

    fn frame(sequence: u64, text: &[u8]) -> Vec<u8> {
        Frame { sequence, nonce: [5; 12], text }.encode().unwrap()
    }

    fn found(file: &[u8]) -> Option<u64> {
        newest(file, 0).unwrap().map(|frame| frame.sequence)
    }

    #[test]
    fn gap_in_the_sequence_is_damage() {
        let frame = |sequence| frame(sequence, &[0xd4; 40]);
        assert_eq!(found(&[frame(7), frame(8)].concat()), Some(8));
        for next in [7, 9, 0] {
            assert!(matches!(newest(&[frame(7), frame(next)].concat(), 0), Err(VaultError::Corrupt { .. })));
        }
    }

    /// Everything that a crash may leave of an append: any part of it, then zeros up to any length. Texts that end in zeros
    /// themselves, and a short one, are what could be mistaken.
    #[test]
    fn append_cut_short_in_any_way_is_passed_over_or_whole_but_for_its_checksum() {
        let mut zeros_at_end = [0xd4; 100];
        zeros_at_end[80..].fill(0);
        for text in [&[0xd4; 100][..], &zeros_at_end, &[0xd4; TAG_LEN], &[0; TAG_LEN]] {
            let (first, second) = (frame(1, &[0xd4; 40]), frame(2, text));
            let text_end = second.len() - CRC_LEN;
            for (kept, len) in (0..=second.len()).flat_map(|kept| (kept..=second.len()).map(move |len| (kept, len))) {
                let mut cut = second[..kept].to_vec();
                cut.resize(len, 0);
                let newest = found(&[&first[..], &cut].concat());
                let whole = cut[..] == second[..];
                let may_be_new = len == second.len() && cut[..text_end] == second[..text_end];
                let fits = if whole { newest == Some(2) } else { newest == Some(1) || may_be_new };
                assert!(fits, "{kept} of {} bytes, then zeros to {len}: {newest:?}", second.len());
            }
        }
    }

    #[test]
    fn zeros_before_a_good_entry_are_damage() {
        let whole = [frame(1, &[0xd4; 100]), frame(2, &[0xd4; 100])].concat();
        for at in 0..whole.len() / 2 - 16 {
            let mut within = whole.clone();
            within[at..at + 16].fill(0);
            assert!(newest(&within, 0).is_err(), "zeros at {at}");
        }
    }

    /// An entry whose last byte is zero, with a flipped bit, before an append of which only zeros are there.
    #[test]
    fn flipped_bit_before_an_unwritten_end_is_damage() {
        let good = (2..).map(|sequence| frame(sequence, &[0xd4; 40])).find(|frame| frame.ends_with(&[0])).unwrap();
        let first = frame(u64::from_be_bytes(good[4..12].try_into().unwrap()) - 1, &[0xd4; 40]);
        for bit in 0..(good.len() - CRC_LEN) * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            // What is left to the seal is the newest entry, never the one before it.
            let left = newest(&[&first[..], &bad, &[0; 60]].concat(), 0).map(|frame| frame.unwrap().text != [0xd4; 40]);
            assert!(matches!(left, Err(VaultError::Corrupt { .. }) | Ok(true)), "bit {bit}");
        }
    }
}
