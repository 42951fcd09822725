use saifu_crypto::{constant_time_eq, hmac_sha256};
use saifu_wire::Millis;

/// How long one nonce is given out, in milliseconds of the issuer's clock. It is accepted for that long once more.
const BUCKET_MS: u64 = 60_000;

/// The nonces of DPoP proofs (RFC 9449 §8): an HMAC over the minute, so none has to be kept.
pub(super) struct Nonces {
    key: [u8; 32],
}

impl Nonces {
    /// `key` is random and lives as long as the process: a nonce from before a restart is worth nothing.
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The nonce for the next proof.
    pub(super) fn current(&self, now: Millis) -> String {
        self.of(bucket(now))
    }

    /// The minute that a fresh nonce belongs to.
    pub(super) fn bucket_of(&self, nonce: &str, now: Millis) -> Option<u64> {
        let current = bucket(now);
        [current, current.saturating_sub(1)]
            .into_iter()
            .find(|bucket| constant_time_eq(self.of(*bucket).as_bytes(), nonce.as_bytes()))
    }

    fn of(&self, bucket: u64) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&hmac_sha256(&self.key, &[b"dpop-nonce", &bucket.to_be_bytes()]))
    }
}

/// The minute of a time.
pub(super) fn bucket(now: Millis) -> u64 {
    now.0 / BUCKET_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonce_lives_through_its_own_minute_and_the_next() {
        let nonces = Nonces::new([1; 32]);
        let made = Millis(600_000);
        let nonce = nonces.current(made);
        assert_eq!(nonces.current(made.plus(59_999)), nonce);
        assert_eq!(nonces.bucket_of(&nonce, made), Some(10));
        assert_eq!(nonces.bucket_of(&nonce, made.plus(119_999)), Some(10));
        assert_eq!(nonces.bucket_of(&nonce, made.plus(120_000)), None);
        assert_eq!(nonces.bucket_of(&nonce, made.minus(1)), None);
        assert_eq!(Nonces::new([2; 32]).bucket_of(&nonce, made), None);
    }
}
