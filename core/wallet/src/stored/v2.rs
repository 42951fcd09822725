//! Version 2, the one that is written, and how it comes from what is held in memory. On the way back texts are checked as if
//! they came from outside.

use saifu_host::Reading;
use saifu_policy::TrustedTime;
use saifu_wire::messages as wire;
use saifu_wire::signed::Binding;
use saifu_wire::{
    AccountId, Amount, DeviceId, Era, IntentKey, Millis, Name, Open, PhoneNumber, Points, RequestId, Sensitive,
    SettlementId, Word, Yen,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Nonsense;
use crate::state::{self, Kept};

#[derive(Serialize, Deserialize)]
pub(super) struct State {
    pub(super) account: Option<Account>,
    pub(super) signing_up: Option<SigningUp>,
    pub(super) activated: Option<Activated>,
    pub(super) anchor: Option<Anchor>,
    pub(super) service_version: u64,
    pub(super) era: Option<String>,
    pub(super) picture: Option<Picture>,
    pub(super) intents: Vec<Intent>,
    pub(super) history: History,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) account: Uuid,
    pub(super) device: Uuid,
    pub(super) epoch: u64,
    pub(super) number: String,
    /// The issuer's word for why.
    pub(super) put_aside: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SigningUp {
    request: Uuid,
    number: String,
    since: u64,
    expires_at: u64,
    resend_at: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Activated {
    activation: Uuid,
    alias: String,
    alias_expires_at: u64,
    offline_seed: Kept,
    totp_secret: Kept,
    totp_digits: u8,
    totp_period: u64,
    unconfirmed: Option<Confirmation>,
}

#[derive(Serialize, Deserialize)]
struct Confirmation {
    signature: Vec<u8>,
    mac: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Anchor {
    issuer_ms: u64,
    wall_ms: u64,
    elapsed_ms: u64,
    boot_id: [u8; 16],
}

#[derive(Serialize, Deserialize)]
pub(super) struct Picture {
    pub(super) as_of: u64,
    pub(super) last_event: u64,
    pub(super) balance_yen: i64,
    pub(super) points: i64,
    pub(super) standing: String,
    pub(super) frozen: bool,
    pub(super) top_up_left_yen: i64,
    pub(super) pay_left_yen: i64,
    pub(super) notices: Vec<Notice>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Notice {
    pub(super) number: u64,
    pub(super) at: u64,
    pub(super) kind: String,
    pub(super) text: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Intent {
    pub(super) key: Uuid,
    pub(super) since: u64,
    pub(super) ends_by: u64,
    pub(super) life: Life,
    pub(super) detail: Detail,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Life {
    Unknown { message: Vec<u8>, signature: Vec<u8> },
    Accepted,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Detail {
    TopUp { channel: String, yen: i64, number: Option<String> },
}

#[derive(Serialize, Deserialize)]
pub(super) struct History {
    pub(super) cache: u64,
    pub(super) after: u64,
    pub(super) cached_to: u64,
    pub(super) anchor: Option<Vec<u8>>,
    pub(super) tail: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) id: Uuid,
    pub(super) number: u64,
    pub(super) at: u64,
    pub(super) kind: String,
    pub(super) yen: i64,
    pub(super) points: i64,
    pub(super) merchant: Option<String>,
    pub(super) state: String,
    pub(super) original: Option<Uuid>,
    pub(super) intent: Option<Uuid>,
}

impl From<&state::State> for State {
    fn from(state: &state::State) -> Self {
        Self {
            account: state.account.as_ref().map(Account::from),
            signing_up: state.signing_up.as_ref().map(SigningUp::from),
            activated: state.activated.as_ref().map(Activated::from),
            anchor: state.anchor.as_ref().map(Anchor::from),
            service_version: state.service_version,
            era: state.era.as_ref().map(|era| era.0.as_str().to_owned()),
            picture: state.picture.as_ref().map(Picture::from),
            intents: state.intents.iter().map(Intent::from).collect(),
            history: History {
                cache: state.history.cache,
                after: state.history.after,
                cached_to: state.history.cached_to,
                anchor: state.history.anchor.clone(),
                tail: state.history.tail.iter().map(Entry::from).collect(),
            },
        }
    }
}

impl TryFrom<State> for state::State {
    type Error = Nonsense;

    fn try_from(state: State) -> Result<Self, Nonsense> {
        let History { cache, after, cached_to, anchor, tail } = state.history;
        let tail = tail.into_iter().map(wire::HistoryEntry::try_from).collect::<Result<_, _>>()?;
        Ok(Self {
            account: state.account.map(state::Account::try_from).transpose()?,
            signing_up: state.signing_up.map(state::SigningUp::try_from).transpose()?,
            activated: state.activated.map(state::Activated::from),
            anchor: state.anchor.map(TrustedTime::from),
            service_version: state.service_version,
            era: state.era.map(|era| Name::new(era).map(Era).map_err(|_| Nonsense)).transpose()?,
            picture: state.picture.map(state::Picture::try_from).transpose()?,
            intents: state.intents.into_iter().map(state::Intent::try_from).collect::<Result<_, _>>()?,
            history: state::History { cache, after, cached_to, anchor, tail },
        })
    }
}

impl From<&state::Account> for Account {
    fn from(account: &state::Account) -> Self {
        let state::Account { binding, number, put_aside } = account;
        Self {
            account: binding.account.0,
            device: binding.device.0,
            epoch: binding.epoch,
            number: number.as_str().to_owned(),
            put_aside: put_aside.as_ref().map(|word| word.as_str().to_owned()),
        }
    }
}

impl TryFrom<Account> for state::Account {
    type Error = Nonsense;

    fn try_from(account: Account) -> Result<Self, Nonsense> {
        let Account { account, device, epoch, number, put_aside } = account;
        Ok(Self {
            binding: Binding { account: AccountId(account), device: DeviceId(device), epoch },
            number: phone(&number)?,
            put_aside: put_aside.map(open).transpose()?,
        })
    }
}

impl From<&state::SigningUp> for SigningUp {
    fn from(sign_up: &state::SigningUp) -> Self {
        Self {
            request: sign_up.request.0,
            number: sign_up.number.as_str().to_owned(),
            since: sign_up.since.0,
            expires_at: sign_up.expires_at.0,
            resend_at: sign_up.resend_at.0,
        }
    }
}

impl TryFrom<SigningUp> for state::SigningUp {
    type Error = Nonsense;

    fn try_from(sign_up: SigningUp) -> Result<Self, Nonsense> {
        Ok(Self {
            request: RequestId(sign_up.request),
            number: phone(&sign_up.number)?,
            since: Millis(sign_up.since),
            expires_at: Millis(sign_up.expires_at),
            resend_at: Millis(sign_up.resend_at),
        })
    }
}

impl From<&state::Activated> for Activated {
    fn from(activated: &state::Activated) -> Self {
        let confirmation =
            |open: &state::Confirmation| Confirmation { signature: open.signature.clone(), mac: open.mac.clone() };
        Self {
            activation: activated.activation.0,
            alias: activated.alias.expose().to_owned(),
            alias_expires_at: activated.alias_expires_at.0,
            offline_seed: activated.offline_seed.clone(),
            totp_secret: activated.totp_secret.clone(),
            totp_digits: activated.totp.digits,
            totp_period: activated.totp.period,
            unconfirmed: activated.unconfirmed.as_ref().map(confirmation),
        }
    }
}

impl From<Activated> for state::Activated {
    fn from(activated: Activated) -> Self {
        let confirmation = |Confirmation { signature, mac }| state::Confirmation { signature, mac };
        Self {
            activation: RequestId(activated.activation),
            alias: Sensitive::new(activated.alias),
            alias_expires_at: Millis(activated.alias_expires_at),
            offline_seed: activated.offline_seed,
            totp_secret: activated.totp_secret,
            totp: wire::TotpParameters { digits: activated.totp_digits, period: activated.totp_period },
            unconfirmed: activated.unconfirmed.map(confirmation),
        }
    }
}

impl From<&state::Picture> for Picture {
    fn from(picture: &state::Picture) -> Self {
        let notice = |notice: &wire::Notice| Notice {
            number: notice.number,
            at: notice.at.0,
            kind: notice.kind.as_str().to_owned(),
            text: notice.text.clone(),
        };
        Self {
            as_of: picture.as_of.0,
            last_event: picture.last_event,
            balance_yen: picture.balance_yen.0,
            points: picture.points.0,
            standing: picture.standing.as_str().to_owned(),
            frozen: picture.frozen,
            top_up_left_yen: picture.top_up_left_yen.0,
            pay_left_yen: picture.pay_left_yen.0,
            notices: picture.notices.iter().map(notice).collect(),
        }
    }
}

impl TryFrom<Picture> for state::Picture {
    type Error = Nonsense;

    fn try_from(picture: Picture) -> Result<Self, Nonsense> {
        let notice =
            |Notice { number, at, kind, text }| Ok(wire::Notice { number, at: Millis(at), kind: open(kind)?, text });
        Ok(Self {
            as_of: Millis(picture.as_of),
            last_event: picture.last_event,
            balance_yen: Yen(picture.balance_yen),
            points: Points(picture.points),
            standing: open(picture.standing)?,
            frozen: picture.frozen,
            top_up_left_yen: Yen(picture.top_up_left_yen),
            pay_left_yen: Yen(picture.pay_left_yen),
            notices: picture.notices.into_iter().map(notice).collect::<Result<_, _>>()?,
        })
    }
}

impl From<&state::Intent> for Intent {
    fn from(intent: &state::Intent) -> Self {
        let state::Detail::TopUp { channel, yen, number } = &intent.detail;
        Self {
            key: intent.key.0,
            since: intent.since.0,
            ends_by: intent.ends_by.0,
            life: match &intent.life {
                state::Life::Unknown { message, signature } => {
                    Life::Unknown { message: message.clone(), signature: signature.clone() }
                }
                state::Life::Accepted => Life::Accepted,
            },
            detail: Detail::TopUp {
                channel: channel.as_str().to_owned(),
                yen: yen.get(),
                number: number.as_ref().map(|number| number.expose().to_owned()),
            },
        }
    }
}

impl TryFrom<Intent> for state::Intent {
    type Error = Nonsense;

    fn try_from(intent: Intent) -> Result<Self, Nonsense> {
        let Detail::TopUp { channel, yen, number } = intent.detail;
        Ok(Self {
            key: IntentKey(intent.key),
            since: Millis(intent.since),
            ends_by: Millis(intent.ends_by),
            life: match intent.life {
                Life::Unknown { message, signature } => state::Life::Unknown { message, signature },
                Life::Accepted => state::Life::Accepted,
            },
            detail: state::Detail::TopUp {
                channel: open(channel)?,
                yen: Amount::new(yen).ok_or(Nonsense)?,
                number: number.map(Sensitive::new),
            },
        })
    }
}

impl From<&wire::HistoryEntry> for Entry {
    fn from(entry: &wire::HistoryEntry) -> Self {
        Self {
            id: entry.id.0,
            number: entry.number,
            at: entry.at.0,
            kind: entry.kind.as_str().to_owned(),
            yen: entry.yen.0,
            points: entry.points.0,
            merchant: entry.merchant.clone(),
            state: entry.state.as_str().to_owned(),
            original: entry.original.map(|id| id.0),
            intent: entry.intent.map(|key| key.0),
        }
    }
}

impl TryFrom<Entry> for wire::HistoryEntry {
    type Error = Nonsense;

    fn try_from(entry: Entry) -> Result<Self, Nonsense> {
        Ok(Self {
            id: SettlementId(entry.id),
            number: entry.number,
            at: Millis(entry.at),
            kind: open(entry.kind)?,
            yen: Yen(entry.yen),
            points: Points(entry.points),
            merchant: entry.merchant,
            state: open(entry.state)?,
            original: entry.original.map(SettlementId),
            intent: entry.intent.map(IntentKey),
        })
    }
}

impl From<&TrustedTime> for Anchor {
    fn from(time: &TrustedTime) -> Self {
        let (issuer_ms, Reading { wall_ms, elapsed_ms, boot_id }) = time.parts();
        Self { issuer_ms, wall_ms, elapsed_ms, boot_id }
    }
}

impl From<Anchor> for TrustedTime {
    fn from(anchor: Anchor) -> Self {
        let Anchor { issuer_ms, wall_ms, elapsed_ms, boot_id } = anchor;
        Self::anchored(issuer_ms, Reading { wall_ms, elapsed_ms, boot_id })
    }
}

fn phone(text: &str) -> Result<PhoneNumber, Nonsense> {
    PhoneNumber::parse(text).map_err(|_| Nonsense)
}

fn open<T: Word>(word: String) -> Result<Open<T>, Nonsense> {
    match T::ALL.iter().find(|known| known.as_str() == word) {
        Some(known) => Ok(Open::Known(*known)),
        None => Name::new(word).map(Open::Other).map_err(|_| Nonsense),
    }
}
