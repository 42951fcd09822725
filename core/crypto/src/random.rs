//! Where chance comes from. Callers take the source as an argument, so that a test can repeat a run.

use std::sync::atomic::{AtomicU64, Ordering};

use ring::rand::SecureRandom as _;

use crate::{CryptoError, Secret, hmac_sha256};

/// The one door for chance. Two ways through it: [`SystemRandom`] in every product, [`SeededRandom`] where a run must
/// repeat. Signature nonces and generated keys always come from the operating system.
pub trait Random: Send + Sync {
    /// Fills the buffer.
    ///
    /// # Errors
    /// [`CryptoError::Unavailable`] when the source gives nothing.
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError>;

    /// `N` random bytes.
    ///
    /// # Errors
    /// As [`fill`](Self::fill).
    fn bytes<const N: usize>(&self) -> Result<[u8; N], CryptoError>
    where
        Self: Sized,
    {
        let mut out = [0; N];
        self.fill(&mut out)?;
        Ok(out)
    }

    /// A secret of `len` random bytes.
    ///
    /// # Errors
    /// As [`fill`](Self::fill).
    fn secret(&self, len: usize) -> Result<Secret, CryptoError>
    where
        Self: Sized,
    {
        let mut out = vec![0; len];
        self.fill(&mut out)?;
        Ok(Secret::new(out))
    }
}

impl Random for std::sync::Arc<dyn Random> {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        (**self).fill(out)
    }
}

/// The operating system's source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        ring::rand::SystemRandom::new().fill(out).map_err(|_| CryptoError::Unavailable)
    }
}

/// A repeatable source for tests and the seeded sandbox: HMAC-SHA-256(seed, counter). Never in a shipped product.
#[derive(Debug)]
pub struct SeededRandom {
    seed: [u8; 8],
    counter: AtomicU64,
}

impl SeededRandom {
    /// The same seed gives the same bytes in the same order.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed: seed.to_be_bytes(), counter: AtomicU64::new(0) }
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        for chunk in out.chunks_mut(32) {
            let block = hmac_sha256(&self.seed, &[&self.counter.fetch_add(1, Ordering::Relaxed).to_be_bytes()]);
            for (to, from) in chunk.iter_mut().zip(block) {
                *to = from;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_source_repeats_and_never_repeats_itself() {
        let (a, b) = (SeededRandom::new(7), SeededRandom::new(7));
        let first: [u8; 40] = a.bytes().unwrap();
        assert_eq!(first, b.bytes::<40>().unwrap());
        assert_ne!(first, a.bytes::<40>().unwrap());
        assert_ne!(first, SeededRandom::new(8).bytes::<40>().unwrap());
    }
}
