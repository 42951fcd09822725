//! What the world does to us, on demand of quality assurance: messages that come late or never, a number that gets another
//! holder, the end of a day. The control API makes these happen; the rules only see what follows from them. They lie in the
//! database, so a restart and a snapshot keep what is still to come.
//!
//! The reason is kept and shown, and decides nothing.

use rusqlite::params;
use saifu_wire::{Millis, PhoneNumber, Problem, ProblemCode};
use serde::{Deserialize, Serialize};

use super::context::millis;
use super::day_end::{self, DayEnd};
use super::{Cx, Refused};
use crate::words::words;

/// The longest that a message is late: as long as messages are kept.
const LONGEST_DELAY_MS: u64 = 7 * 86_400_000;
/// The most messages that one event is about.
const MOST_MESSAGES: u32 = 1_000;

words! {
    /// What happens.
    pub Kind {
        /// The next messages arrive later.
        SmsLate = "sms-late",
        /// The next messages never arrive.
        SmsLost = "sms-lost",
        /// The number belongs to somebody else from now on: what arrives from now on is in the new holder's inbox.
        NumberRecycled = "number-recycled",
        /// The issuer's day ends: what every terminal was told since the last one, against the ledger.
        DayEnd = "day-end",
    }
}

words! {
    /// Why it happens.
    pub Because {
        /// The network has more messages than it can carry.
        NetworkBusy = "network-busy",
        /// The phone is in another country's network.
        Roaming = "roaming",
        /// The phone is switched off.
        PhoneOff = "phone-off",
        /// The network lost them.
        NetworkFault = "network-fault",
        /// The phone has no room for another message.
        PhoneFull = "phone-full",
        /// The operator takes them for spam.
        Filtered = "filtered",
        /// The holder ended the contract.
        GivenUp = "given-up",
        /// The operator ended the contract.
        Unpaid = "unpaid",
        /// The hour has come.
        Scheduled = "scheduled",
        /// Somebody of the issuer asked for it.
        Requested = "requested",
    }
}

impl Kind {
    /// The reasons that there are for it.
    #[must_use]
    pub fn reasons(self) -> &'static [Because] {
        match self {
            Self::SmsLate => &[Because::NetworkBusy, Because::Roaming, Because::PhoneOff],
            Self::SmsLost => &[Because::NetworkFault, Because::PhoneFull, Because::Filtered],
            Self::NumberRecycled => &[Because::GivenUp, Because::Unpaid],
            Self::DayEnd => &[Because::Scheduled, Because::Requested],
        }
    }
}

/// Something to happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Happening {
    /// What.
    pub event: Kind,
    /// Why.
    pub because: Because,
    /// Whose messages, or which number; messages to any number if it is absent.
    #[serde(default)]
    pub number: Option<PhoneNumber>,
    /// How much later messages arrive, in milliseconds.
    #[serde(default)]
    pub by_ms: Option<u64>,
    /// How many messages; one if it is absent.
    #[serde(default)]
    pub times: Option<u32>,
}

impl Happening {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// What is wrong with it, one sentence.
    pub fn check(&self) -> Result<(), String> {
        let Self { event, because, number, by_ms, times } = self;
        let name = event.as_str();
        let reasons = event.reasons();
        if !reasons.contains(because) {
            let all: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
            return Err(format!("{name} happens because of {}", all.join(", ")));
        }
        let about_messages = matches!(event, Kind::SmsLate | Kind::SmsLost);
        match event {
            Kind::SmsLate if !by_ms.is_some_and(|ms| (1..=LONGEST_DELAY_MS).contains(&ms)) => {
                return Err(format!("{name} needs a delay over 0 and of 7 days at most"));
            }
            Kind::NumberRecycled if number.is_none() => return Err(format!("{name} needs a number")),
            Kind::DayEnd if number.is_some() => return Err(format!("{name} is about no number")),
            _ => {}
        }
        if *event != Kind::SmsLate && by_ms.is_some() {
            return Err(format!("{name} knows no delay"));
        }
        if times.is_some_and(|times| !about_messages || !(1..=MOST_MESSAGES).contains(&times)) {
            return Err("a count is of messages, from 1 to 1,000".into());
        }
        Ok(())
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Happened {
    /// Its number, rising.
    pub id: i64,
    /// When.
    pub at: Millis,
    /// What was asked for.
    #[serde(flatten)]
    pub what: Happening,
    /// Messages that it is still waiting for.
    pub left: u32,
}

/// What came into being with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Made {
    /// The number's holder from now on, the first one being 1; `null` unless it was recycled.
    pub holder: Option<usize>,
    /// The totals of the day that ended; `null` for everything else.
    pub day_end: Option<DayEnd>,
}

/// Lets it happen.
///
/// # Errors
/// `invalid-request` when it makes no sense.
pub fn happen(cx: &Cx<'_>, what: &Happening) -> Result<(Happened, Made), Refused> {
    what.check().map_err(|why| Problem::new(ProblemCode::InvalidRequest).detail(why))?;
    let about_messages = matches!(what.event, Kind::SmsLate | Kind::SmsLost);
    let times = about_messages.then(|| what.times.unwrap_or(1));
    let what = Happening { times, ..what.clone() };
    let day_end = if what.event == Kind::DayEnd { Some(day_end::totals(cx)?) } else { None };
    let (hmac, sealed) = match &what.number {
        None => (None, None),
        Some(number) => {
            let hmac = cx.secrets.phone(number.as_str());
            (Some(hmac), Some(cx.secrets.seal(cx.random, &hmac, number.as_str().as_bytes())?))
        }
    };
    let late = what.by_ms.map(i64::try_from).transpose()?;
    let id = cx
        .conn
        .prepare_cached(
            "INSERT INTO world_event (event, because, at, number_hmac, number_sealed, late_ms, times, waiting, last_sms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT ifnull(max(id), 0) FROM sms))",
        )?
        .insert(params![
            what.event.as_str(),
            what.because.as_str(),
            cx.ms(),
            hmac,
            sealed,
            late,
            times,
            times.unwrap_or(0)
        ])?;
    let holder = match hmac.filter(|_| what.event == Kind::NumberRecycled) {
        Some(hmac) => Some(handovers(cx, &hmac)?.len().saturating_add(1)),
        None => None,
    };
    Ok((Happened { id, at: cx.now, what, left: times.unwrap_or(0) }, Made { holder, day_end }))
}

/// Everything that happened, oldest first. Reads only.
///
/// # Errors
/// `internal` when a row cannot be read.
pub fn all(cx: &Cx<'_>) -> Result<Vec<Happened>, Refused> {
    let mut statement = cx.conn.prepare_cached(
        "SELECT id, event, because, at, number_hmac, number_sealed, late_ms, times, waiting FROM world_event ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let number = match (row.get::<_, Option<[u8; 32]>>(4)?, row.get::<_, Option<Vec<u8>>>(5)?) {
            (Some(hmac), Some(sealed)) => {
                let plain = cx.secrets.open(&hmac, &sealed)?;
                std::str::from_utf8(plain.expose()).ok().and_then(|text| PhoneNumber::parse(text).ok())
            }
            _ => None,
        };
        let bad = |_: String| ProblemCode::Internal;
        let what = Happening {
            event: row.get::<_, String>(1)?.parse().map_err(bad)?,
            because: row.get::<_, String>(2)?.parse().map_err(bad)?,
            number,
            by_ms: row.get::<_, Option<i64>>(6)?.map(i64::unsigned_abs),
            times: row.get(7)?,
        };
        all.push(Happened { id: row.get(0)?, at: millis(row.get(3)?), what, left: row.get(8)? });
    }
    Ok(all)
}

/// When the day last ended; `None` on the first day.
pub(super) fn last_day_end(cx: &Cx<'_>) -> Result<Option<Millis>, Refused> {
    let last: Option<i64> = cx.row("SELECT max(at) FROM world_event WHERE event = 'day-end'", [], |row| row.get(0))?;
    Ok(last.map(millis))
}

/// When a message that is sent now arrives; `None` if never. The oldest event that waits for such a message decides. It
/// knows numbers, not accounts: the work is the same whether or not the number has one.
pub(super) fn arrival(cx: &Cx<'_>, number_hmac: &[u8; 32]) -> Result<Option<Millis>, Refused> {
    let met: Option<Option<i64>> = cx.find(
        "UPDATE world_event SET waiting = waiting - 1 WHERE id = (
                 SELECT id FROM world_event WHERE waiting > 0 AND (number_hmac IS NULL OR number_hmac = ?)
                 ORDER BY id LIMIT 1)
             RETURNING late_ms",
        [number_hmac],
        |row| row.get(0),
    )?;
    Ok(match met {
        None => Some(cx.now),
        Some(late) => late.map(|ms| cx.now.plus(ms.unsigned_abs())),
    })
}

/// A moment at which a number got another holder.
pub(super) struct Handover {
    at: Millis,
    /// The newest message that had been sent by then.
    last_sms: i64,
}

impl Handover {
    /// Whether a message arrived after it. A clock that is held gives many messages one time, so their numbers decide then.
    pub(super) fn before(&self, arrived_at: Millis, sms: i64) -> bool {
        arrived_at > self.at || arrived_at == self.at && sms > self.last_sms
    }
}

/// The handovers of a number, oldest first.
pub(super) fn handovers(cx: &Cx<'_>, number_hmac: &[u8; 32]) -> Result<Vec<Handover>, Refused> {
    let mut statement = cx.conn.prepare_cached(
        "SELECT at, last_sms FROM world_event WHERE event = 'number-recycled' AND number_hmac = ? ORDER BY id",
    )?;
    let found =
        statement.query_map([number_hmac], |row| Ok(Handover { at: millis(row.get(0)?), last_sms: row.get(1)? }))?;
    Ok(found.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<(), String> {
        serde_json::from_str::<Happening>(json).map_err(|error| error.to_string())?.check()
    }

    #[test]
    fn every_reason_belongs_to_exactly_one_event_and_words_read_back() {
        for because in Because::ALL {
            let of = Kind::ALL.iter().filter(|kind| kind.reasons().contains(because)).count();
            assert_eq!((of, because.as_str().parse()), (1, Ok(*because)));
        }
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn senseless_events_are_refused() {
        read(r#"{"event":"sms-late","because":"roaming","by_ms":1}"#).unwrap();
        read(r#"{"event":"number-recycled","because":"unpaid","number":"+819012345678"}"#).unwrap();
        for bad in [
            r#"{"event":"sms-late","because":"roaming"}"#,
            r#"{"event":"sms-late","because":"roaming","by_ms":0}"#,
            r#"{"event":"sms-late","because":"roaming","by_ms":604800001}"#,
            r#"{"event":"sms-late","because":"filtered","by_ms":1}"#,
            r#"{"event":"sms-lost","because":"filtered","by_ms":1}"#,
            r#"{"event":"sms-lost","because":"filtered","times":0}"#,
            r#"{"event":"sms-lost","because":"bored"}"#,
            r#"{"event":"number-recycled","because":"unpaid"}"#,
            r#"{"event":"number-recycled","because":"unpaid","number":"+819012345678","times":1}"#,
            r#"{"event":"day-end","because":"scheduled","number":"+819012345678"}"#,
            r#"{"event":"day-end","because":"scheduled","yen":1}"#,
            r#"{"event":"phone-lost","because":"scheduled"}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
