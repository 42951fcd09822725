//! What the journal remembers of a tree. sled may reopen older or emptier than it was and say nothing; the anchor, kept
//! outside it, tells.

/// The acknowledged contents of one tree of the cache. [`put_batch`](crate::Cache::put_batch) gives it, the caller
/// keeps it in the journal, and [`open`](crate::Cache::open) compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The tree's name.
    pub tree: String,
    /// Records in it.
    pub count: u64,
    /// The number of the last batch, from 1.
    pub last_sequence: u64,
    /// The exclusive or of a keyed hash of every record.
    pub digest: [u8; 32],
}

const VERSION: u8 = 1;

impl Anchor {
    /// For storage: `version 1 · count 8 · last sequence 8 · digest 32 · tree`, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [
            &[VERSION][..],
            &self.count.to_be_bytes(),
            &self.last_sequence.to_be_bytes(),
            &self.digest,
            self.tree.as_bytes(),
        ]
        .concat()
    }

    /// From [`to_bytes`](Self::to_bytes); `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let (digest, tree) = rest.split_first_chunk()?;
        (*version == VERSION).then_some(Self {
            tree: String::from_utf8(tree.to_vec()).ok()?,
            count: u64::from_be_bytes(*count),
            last_sequence: u64::from_be_bytes(*sequence),
            digest: *digest,
        })
    }
}

/// The running sums over a tree's records.
#[derive(Clone, Default)]
pub(super) struct Totals {
    pub(super) count: u64,
    pub(super) last_sequence: u64,
    pub(super) digest: [u8; 32],
    /// Bytes of keys and records.
    pub(super) live_bytes: u64,
}

impl Totals {
    pub(super) fn add(&mut self, key: &[u8], record: &[u8], mark: &[u8; 32]) {
        self.count = self.count.saturating_add(1);
        self.live_bytes = self.live_bytes.saturating_add(size(key, record));
        self.toggle(mark);
    }

    pub(super) fn remove(&mut self, key: &[u8], record: &[u8], mark: &[u8; 32]) {
        self.count = self.count.saturating_sub(1);
        self.live_bytes = self.live_bytes.saturating_sub(size(key, record));
        self.toggle(mark);
    }

    fn toggle(&mut self, mark: &[u8; 32]) {
        for (sum, byte) in self.digest.iter_mut().zip(mark) {
            *sum ^= byte;
        }
    }

    pub(super) fn anchor(&self, tree: &str) -> Anchor {
        Anchor { tree: tree.to_owned(), count: self.count, last_sequence: self.last_sequence, digest: self.digest }
    }
}

fn size(key: &[u8], record: &[u8]) -> u64 {
    u64::try_from(key.len().saturating_add(record.len())).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchor_survives_storage_and_nothing_else_is_one() {
        let anchor = Anchor { tree: "history".into(), count: 3, last_sequence: 2, digest: [9; 32] };
        let bytes = anchor.to_bytes();
        assert_eq!(Anchor::from_bytes(&bytes), Some(anchor));
        assert_eq!(Anchor::from_bytes(&bytes[..48]), None);
        assert_eq!(Anchor::from_bytes(&[&[2], &bytes[1..]].concat()), None);
        assert_eq!(Anchor::from_bytes(&[&bytes[..49], &[0xff]].concat()), None);
    }
}
