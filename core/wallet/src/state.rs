//! What the journal holds: one small record, whole, in each append. The vault sees bytes; this is their meaning.
//!
//! Encoding: a big-endian u16 version, then postcard. Version 1 is the first.

use saifu_crypto::Secret;
use saifu_policy::TrustedTime;
use saifu_wire::messages::{Channel, Home, TopUp, TotpParameters};
use saifu_wire::signed::Binding;
use saifu_wire::{Amount, IntentKey, Millis, PhoneNumber, RequestId, Sensitive};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{Error, OpenError};

const VERSION: u16 = 1;

/// Secret bytes inside the state; serialized only into the sealed journal.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Kept(Zeroizing<Vec<u8>>);

impl Kept {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self(Zeroizing::new(secret.expose().to_vec()))
    }

    pub(crate) fn secret(&self) -> Secret {
        Secret::copy_of(&self.0)
    }
}

/// The account this wallet belongs to.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Account {
    pub(crate) binding: Binding,
    pub(crate) number: PhoneNumber,
}

/// A sign-up whose SMS code has not been entered.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct SigningUp {
    pub(crate) request: RequestId,
    pub(crate) number: PhoneNumber,
    pub(crate) since: Millis,
    pub(crate) expires_at: Millis,
    pub(crate) resend_at: Millis,
}

/// What an activation gave.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Activated {
    pub(crate) activation: RequestId,
    pub(crate) alias: Sensitive,
    pub(crate) alias_expires_at: Millis,
    pub(crate) offline_seed: Kept,
    pub(crate) totp_secret: Kept,
    pub(crate) totp: TotpParameters,
    /// The confirmation to send again until the issuer has it; `None` once it has.
    pub(crate) unconfirmed: Option<Confirmation>,
}

/// What proves that the phone has kept the secrets.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Confirmation {
    pub(crate) signature: Vec<u8>,
    pub(crate) mac: Vec<u8>,
}

/// An approved intent whose outcome is unknown. On disk before it is sent, gone when the issuer's word is on disk.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Intent {
    pub(crate) key: IntentKey,
    pub(crate) channel: Channel,
    pub(crate) yen: Amount,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) since: Millis,
    pub(crate) ends_by: Millis,
}

/// Everything.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct State {
    pub(crate) account: Option<Account>,
    pub(crate) signing_up: Option<SigningUp>,
    pub(crate) activated: Option<Activated>,
    pub(crate) anchor: Option<TrustedTime>,
    pub(crate) service_version: u64,
    pub(crate) home: Option<Home>,
    pub(crate) intents: Vec<Intent>,
    pub(crate) top_ups: Vec<TopUp>,
    pub(crate) history: HistoryAnchor,
}

/// Where the cached history ends, as far as the wallet knows for sure.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct HistoryAnchor {
    /// Every entry up to this event number is in the cache.
    pub(crate) after: u64,
    /// The cache's own anchor of that batch, as bytes.
    pub(crate) anchor: Option<Vec<u8>>,
}

impl State {
    /// The sign-up whose code can still be entered. One that is over stays on record a while: if its code was proven and only
    /// the answer was lost, the same code goes on.
    pub(crate) fn awaiting_code(&self, now: Millis) -> Option<&SigningUp> {
        self.signing_up.as_ref().filter(|sign_up| now < sign_up.expires_at)
    }

    pub(crate) fn encode(&self) -> Result<Secret, Error> {
        let mut bytes = VERSION.to_be_bytes().to_vec();
        let mut body = postcard::to_stdvec(self).map_err(|_| Error::Bug("the state does not encode"))?;
        bytes.extend_from_slice(&body);
        body.zeroize();
        Ok(Secret::new(bytes))
    }

    pub(crate) fn decode(secret: &Secret) -> Result<Self, OpenError> {
        let (version, body) = secret.expose().split_first_chunk::<2>().ok_or(OpenError::Damaged)?;
        match u16::from_be_bytes(*version) {
            VERSION => postcard::from_bytes(body).map_err(|_| OpenError::Damaged),
            found if found > VERSION => Err(OpenError::Newer { found }),
            _ => Err(OpenError::Damaged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_survives_its_encoding_and_foreign_bytes_are_refused() {
        let state = State { service_version: 7, ..State::default() };
        let encoded = state.encode().unwrap();
        assert_eq!(State::decode(&encoded).unwrap().service_version, 7);
        let newer = Secret::new([&[0, 2], &encoded.expose()[2..]].concat());
        assert!(matches!(State::decode(&newer), Err(OpenError::Newer { found: 2 })));
        for bad in [vec![], vec![0], vec![0, 0, 1], vec![0, 1, 9, 9, 9]] {
            assert!(matches!(State::decode(&Secret::new(bad)), Err(OpenError::Damaged)));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = State::decode(&Secret::new([vec![0, 1], bytes].concat()));
        }
    }
}
