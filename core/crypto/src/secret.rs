//! The one container for bytes that must not leak, used by every crate above.

use zeroize::Zeroizing;

/// Bytes that must not leak: wiped on drop, not `Debug`, not `Clone`, not serializable, read only by [`expose`](Self::expose).
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; the caller's buffer is moved, not copied.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A secret copied from a slice; wiping the slice stays the caller's duty.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }

    /// The bytes. The name is there to be searched for.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// A second owner of the same bytes; explicit, so that copies can be counted in review.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::copy_of(&self.0)
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it holds no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
