//! One record of the cache, sealed: `version 1 · schema 2 · key 2 · nonce 12 · text and tag`, big-endian, as `FORMAT.md`
//! shows. The text is the batch's sequence and the value. Tree, key and the numbers in clear are bound to it, so that a
//! record opens nowhere but where it was put.

use saifu_crypto::aead::{self, NONCE_LEN, TAG_LEN};
use saifu_crypto::{Random as _, Secret, SystemRandom, hmac_sha256};

use crate::VaultError;

const VERSION: u8 = 1;
/// The one key there is; another number is for a key that replaces it record by record.
const KEY_NUMBER: u16 = 1;
const CLEAR: usize = 5;
/// Of `CLEAR`, what a mark over a record's place has where the schema stands: the record that follows has the true one.
const MARK_SCHEMA: u16 = 1;
const SEQUENCE_LEN: usize = 8;
const CONTEXT: &[u8] = b"saifu/cache/v1";
const MARK_CONTEXT: &[u8] = b"saifu/cache/mark/v1";

/// Seals and opens records, and marks them for the anchors.
pub(super) struct Sealer {
    key: Secret,
}

impl Sealer {
    pub(super) fn new(key: &Secret) -> Self {
        Self { key: key.duplicate() }
    }

    pub(super) fn seal(
        &self,
        place: Place<'_>,
        schema: u16,
        sequence: u64,
        value: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let nonce: [u8; NONCE_LEN] = SystemRandom.bytes()?;
        let clear = clear(schema);
        let plain = Secret::new([&sequence.to_be_bytes()[..], value].concat());
        let text = aead::seal(&self.key, &nonce, &place.context(&clear), plain.expose())?;
        Ok([&clear[..], &nonce, &text].concat())
    }

    /// The schema, the sequence and the value, or nothing if this is not a record put in this place.
    pub(super) fn open(&self, place: Place<'_>, record: &[u8]) -> Option<(u16, u64, Secret)> {
        let (clear_part, rest) = record.split_first_chunk::<CLEAR>()?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>()?;
        let [_, s0, s1, ..] = *clear_part;
        let schema = u16::from_be_bytes([s0, s1]);
        if *clear_part != clear(schema) || text.len() < TAG_LEN {
            return None;
        }
        let plain = aead::open(&self.key, nonce, &place.context(clear_part), text).ok()?;
        let (sequence, value) = plain.expose().split_first_chunk::<SEQUENCE_LEN>()?;
        Some((schema, u64::from_be_bytes(*sequence), Secret::copy_of(value)))
    }

    /// 32 bytes that stand for this record in a tree's digest. Keyed, so that nobody can make two sets of records meet.
    pub(super) fn mark(&self, place: Place<'_>, record: &[u8]) -> [u8; 32] {
        hmac_sha256(self.key.expose(), &[MARK_CONTEXT, &place.context(&clear(MARK_SCHEMA)), record])
    }
}

fn clear(schema: u16) -> [u8; CLEAR] {
    let ([s0, s1], [k0, k1]) = (schema.to_be_bytes(), KEY_NUMBER.to_be_bytes());
    [VERSION, s0, s1, k0, k1]
}

/// Where a record belongs.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) tree: &'a str,
    pub(super) key: &'a [u8],
}

impl Place<'_> {
    fn context(self, clear: &[u8; CLEAR]) -> Vec<u8> {
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
        [CONTEXT, &len(self.tree.as_bytes()), self.tree.as_bytes(), &len(self.key), self.key, clear].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'static> = Place { tree: "history", key: b"0001" };

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&Secret::new(vec![byte; 32]))
    }

    #[test]
    fn document_and_code_agree_on_every_byte() {
        let record = sealer(1).seal(HERE, 0x0203, 7, b"value").unwrap();
        let document = include_str!("../../FORMAT.md");
        let section = document.split("## Cache record").nth(1).unwrap().split("\n## ").next().unwrap();
        let rows: Vec<Vec<&str>> = section
            .lines()
            .filter(|line| line.starts_with('|'))
            .skip(2)
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect();
        let n = SEQUENCE_LEN + b"value".len() + TAG_LEN;
        let mut end = 0;
        for (row, (name, value)) in rows.iter().zip([
            ("version", Some(vec![1])),
            ("schema", Some(vec![2, 3])),
            ("key", Some(vec![0, 1])),
            ("nonce", None),
            ("text and tag", None),
        ]) {
            assert_eq!(row[0], name);
            assert_eq!(row[1], end.to_string(), "{name}");
            let len = if row[2] == "n" { n } else { row[2].parse().unwrap() };
            if let Some(value) = value {
                assert_eq!(&record[end..end + len], &value[..], "{name}");
            }
            end += len;
        }
        assert_eq!((rows.len(), end), (5, record.len()));
    }

    #[test]
    fn record_opens_only_in_its_place_under_its_key_and_unchanged() {
        let record = sealer(1).seal(HERE, 3, 7, b"value").unwrap();
        let (schema, sequence, value) = sealer(1).open(HERE, &record).unwrap();
        assert_eq!((schema, sequence, value.expose()), (3, 7, &b"value"[..]));
        assert!(sealer(2).open(HERE, &record).is_none());
        assert!(sealer(1).open(Place { tree: "coupons", ..HERE }, &record).is_none());
        assert!(sealer(1).open(Place { key: b"0002", ..HERE }, &record).is_none());
        // The lengths are bound too: moving a letter from one name to the other changes the place.
        assert!(sealer(1).open(Place { tree: "history0", key: b"001" }, &record).is_none());
        for bit in 0..record.len() * 8 {
            let mut bad = record.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(sealer(1).open(HERE, &bad).is_none(), "bit {bit}");
        }
        for len in 0..record.len() {
            assert!(sealer(1).open(HERE, &record[..len]).is_none());
        }
    }
}
