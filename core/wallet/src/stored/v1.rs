//! Version 1, as the first releases wrote it: frozen. It was postcard of the issuer's own types, enumerations by the place of
//! their variant. Nothing here changes any more; a fixture holds it to the bytes.

use serde::Deserialize;
use uuid::Uuid;

use super::v2;

#[derive(Deserialize)]
pub(super) struct State {
    account: Option<Account>,
    signing_up: Option<v2::SigningUp>,
    activated: Option<v2::Activated>,
    anchor: Option<v2::Anchor>,
    service_version: u64,
    home: Option<Home>,
    intents: Vec<Intent>,
    top_ups: Vec<TopUp>,
    history: History,
}

#[derive(Deserialize)]
struct Account {
    account: Uuid,
    device: Uuid,
    epoch: u64,
    number: String,
}

#[derive(Deserialize)]
struct Home {
    as_of: u64,
    last_event: u64,
    balance_yen: i64,
    points: i64,
    standing: Standing,
    frozen: bool,
    top_up_left_yen: i64,
    pay_left_yen: i64,
    /// Those of the account; the ones that this wallet began stand in the state itself.
    _top_ups: Vec<TopUp>,
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
enum Standing {
    Starter,
    CoolingOff,
    Normal,
}

#[derive(Deserialize)]
struct Notice {
    number: u64,
    at: u64,
    kind: NoticeKind,
    text: String,
}

#[derive(Deserialize)]
enum NoticeKind {
    Security,
    Money,
    Service,
}

#[derive(Deserialize)]
enum Channel {
    Atm,
}

#[derive(Deserialize)]
struct Intent {
    key: Uuid,
    channel: Channel,
    yen: i64,
    message: Vec<u8>,
    signature: Vec<u8>,
    since: u64,
    ends_by: u64,
}

#[derive(Deserialize)]
struct TopUp {
    intent: Uuid,
    channel: Channel,
    _state: TopUpState,
    yen: i64,
    _posted_yen: i64,
    number: Option<String>,
    since: u64,
    expires_at: u64,
}

#[derive(Deserialize)]
enum TopUpState {
    AwaitingCash,
    Done,
    Expired,
}

#[derive(Deserialize)]
struct History {
    after: u64,
    anchor: Option<Vec<u8>>,
}

/// A line of the history: schema 1 of the cache.
#[derive(Deserialize)]
pub(super) struct Entry {
    id: Uuid,
    number: u64,
    at: u64,
    kind: EntryKind,
    yen: i64,
    points: i64,
    merchant: Option<String>,
    state: EntryState,
    original: Option<Uuid>,
    intent: Option<Uuid>,
}

#[derive(Deserialize)]
enum EntryKind {
    Payment,
    TopUp,
    Refund,
    Reversal,
}

#[derive(Deserialize)]
enum EntryState {
    Done,
}

impl From<State> for v2::State {
    fn from(state: State) -> Self {
        let unknown = state.intents.into_iter().map(|intent| v2::Intent {
            key: intent.key,
            since: intent.since,
            ends_by: intent.ends_by,
            life: v2::Life::Unknown { message: intent.message, signature: intent.signature },
            detail: v2::Detail::TopUp { channel: intent.channel.word(), yen: intent.yen, number: None },
        });
        let accepted = state.top_ups.into_iter().map(|top_up| v2::Intent {
            key: top_up.intent,
            since: top_up.since,
            ends_by: top_up.expires_at,
            life: v2::Life::Accepted,
            detail: v2::Detail::TopUp { channel: top_up.channel.word(), yen: top_up.yen, number: top_up.number },
        });
        Self {
            account: state.account.map(|Account { account, device, epoch, number }| v2::Account {
                account,
                device,
                epoch,
                number,
                put_aside: None,
            }),
            signing_up: state.signing_up,
            activated: state.activated,
            anchor: state.anchor,
            service_version: state.service_version,
            era: None,
            picture: state.home.map(v2::Picture::from),
            intents: unknown.chain(accepted).collect(),
            history: v2::History {
                cache: 0,
                after: state.history.after,
                cached_to: state.history.after,
                anchor: state.history.anchor,
                tail: Vec::new(),
            },
        }
    }
}

impl From<Home> for v2::Picture {
    fn from(home: Home) -> Self {
        Self {
            as_of: home.as_of,
            last_event: home.last_event,
            balance_yen: home.balance_yen,
            points: home.points,
            standing: match home.standing {
                Standing::Starter => "starter",
                Standing::CoolingOff => "cooling-off",
                Standing::Normal => "normal",
            }
            .into(),
            frozen: home.frozen,
            top_up_left_yen: home.top_up_left_yen,
            pay_left_yen: home.pay_left_yen,
            notices: home.notices.into_iter().map(v2::Notice::from).collect(),
        }
    }
}

impl From<Notice> for v2::Notice {
    fn from(Notice { number, at, kind, text }: Notice) -> Self {
        let kind = match kind {
            NoticeKind::Security => "security",
            NoticeKind::Money => "money",
            NoticeKind::Service => "service",
        };
        Self { number, at, kind: kind.into(), text }
    }
}

impl Channel {
    fn word(&self) -> String {
        match self {
            Self::Atm => "atm".into(),
        }
    }
}

impl From<Entry> for v2::Entry {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            number: entry.number,
            at: entry.at,
            kind: match entry.kind {
                EntryKind::Payment => "payment",
                EntryKind::TopUp => "top-up",
                EntryKind::Refund => "refund",
                EntryKind::Reversal => "reversal",
            }
            .into(),
            yen: entry.yen,
            points: entry.points,
            merchant: entry.merchant,
            state: match entry.state {
                EntryState::Done => "done".into(),
            },
            original: entry.original,
            intent: entry.intent,
        }
    }
}
