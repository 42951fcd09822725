//! What the wallet holds in memory and, whole, in each entry of the journal. How it is written is [`stored`](crate::stored)'s
//! business, so that a field of the issuer's API can change without a wallet that no longer opens.

use saifu_crypto::Secret;
use saifu_policy::TrustedTime;
use saifu_wire::messages::{Channel, HistoryEntry, Notice, Standing, TotpParameters};
use saifu_wire::signed::Binding;
use saifu_wire::{Amount, Era, IntentKey, Millis, Open, PhoneNumber, Points, ProblemCode, RequestId, Sensitive, Yen};
use zeroize::Zeroizing;

use crate::{Error, OpenError, stored};

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
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Account {
    pub(crate) binding: Binding,
    pub(crate) number: PhoneNumber,
    /// Why the issuer no longer knows this device, as far as it last said so.
    pub(crate) put_aside: Option<Open<ProblemCode>>,
}

/// A sign-up whose SMS code has not been entered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SigningUp {
    pub(crate) request: RequestId,
    pub(crate) number: PhoneNumber,
    pub(crate) since: Millis,
    pub(crate) expires_at: Millis,
    pub(crate) resend_at: Millis,
}

/// What an activation gave.
#[derive(Clone)]
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
#[derive(Clone)]
pub(crate) struct Confirmation {
    pub(crate) signature: Vec<u8>,
    pub(crate) mac: Vec<u8>,
}

/// What the issuer last said of the account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Picture {
    pub(crate) as_of: Millis,
    pub(crate) last_event: u64,
    pub(crate) balance_yen: Yen,
    pub(crate) points: Points,
    pub(crate) standing: Open<Standing>,
    pub(crate) frozen: bool,
    pub(crate) top_up_left_yen: Yen,
    pub(crate) pay_left_yen: Yen,
    pub(crate) notices: Vec<Notice>,
}

/// Something that the owner approved, from the moment it is on disk until its end is. Every kind has the same life; what is
/// its own stands in the detail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Intent {
    pub(crate) key: IntentKey,
    pub(crate) since: Millis,
    /// Until then it ends by itself.
    pub(crate) ends_by: Millis,
    pub(crate) life: Life,
    pub(crate) detail: Detail,
}

/// How far an intent has come. A final one is no longer here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Life {
    /// Approved and perhaps sent: only the issuer knows whether it arrived. What was approved, and by which signature.
    Unknown { message: Vec<u8>, signature: Vec<u8> },
    /// The issuer has it.
    Accepted,
}

/// What an intent is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Detail {
    /// Money in. At an ATM it has a one-time number once it is accepted.
    TopUp { channel: Open<Channel>, yen: Amount, number: Option<Sensitive> },
}

/// The history on this phone, as far as the journal knows it.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct History {
    /// Which cache this is, from 0: a new number begins an empty one, sealed under a key of its own.
    pub(crate) cache: u64,
    /// Every entry up to this event number is here: in the cache, or in `tail`.
    pub(crate) after: u64,
    /// Every entry up to this event number is in the cache.
    pub(crate) cached_to: u64,
    /// The cache's own anchor of its last batch, as bytes.
    pub(crate) anchor: Option<Vec<u8>>,
    /// The newest entries, oldest first, which reach the cache together later.
    pub(crate) tail: Vec<HistoryEntry>,
}

/// Everything.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) account: Option<Account>,
    pub(crate) signing_up: Option<SigningUp>,
    pub(crate) activated: Option<Activated>,
    pub(crate) anchor: Option<TrustedTime>,
    pub(crate) service_version: u64,
    /// Which of the issuer's eras the event numbers belong to.
    pub(crate) era: Option<Era>,
    pub(crate) picture: Option<Picture>,
    pub(crate) intents: Vec<Intent>,
    pub(crate) history: History,
}

impl Intent {
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.life, Life::Unknown { .. })
    }
}

impl State {
    /// The sign-up whose code can still be entered. One that is over stays on record a while: if its code was proven and only
    /// the answer was lost, the same code goes on.
    pub(crate) fn awaiting_code(&self, now: Millis) -> Option<&SigningUp> {
        self.signing_up.as_ref().filter(|sign_up| now < sign_up.expires_at)
    }

    /// The newest event that the wallet knows of.
    pub(crate) fn last_event(&self) -> u64 {
        self.picture.as_ref().map_or(0, |picture| picture.last_event)
    }

    /// Whether every entry that the wallet knows to exist is on this phone.
    pub(crate) fn history_is_complete(&self) -> bool {
        self.picture.as_ref().is_some_and(|picture| self.history.after >= picture.last_event)
    }

    /// Begins the history anew: what the cache holds is another account's, of another era, or cannot be read.
    pub(crate) fn forget_history(&mut self) {
        self.history = History { cache: self.history.cache.saturating_add(1), ..History::default() };
    }

    pub(crate) fn encode(&self) -> Result<Secret, Error> {
        stored::write(self)
    }

    pub(crate) fn decode(secret: &Secret) -> Result<Self, OpenError> {
        stored::read(secret)
    }
}
