//! Money in: an intent that the owner approved becomes a hold, and the hold ends by cash or by itself. A key decides once
//! and for ever: it was accepted and repeats its answer, or it was given up and never will be.

use data_encoding::BASE64URL_NOPAD;
use rusqlite::{OptionalExtension as _, Row, params};
use saifu_wire::messages::{
    Channel, EventBody, IntentNonce, IntentOperation, ResolveAnswer, ResolveRequest, Resolved, Switch, TopUp,
    TopUpRequest, TopUpState,
};
use saifu_wire::{AccountId, DeviceId, IntentKey, Millis, Problem, ProblemCode, Sensitive, Yen, signed};
use uuid::Uuid;

use super::context::{figure, millis, ms};
use super::session::{self, Live};
use super::{Binding, Cx, Refused, due, events, limits, operator};
use crate::ledger::{self, GivenBack, Hold, Move, Owner, Unit};
use crate::policy::rule;
use crate::words::words;

const NUMBER_LIMIT: u64 = 100_000_000_000;
const NUMBER_DRAWS: u8 = 16;
const COLUMNS: &str = "id, account, key, device, state, yen, posted_yen, posting, number_draw, wrong_tries, at, \
                       first_expiry, expires_at";

/// A nonce for one approval of this device, and the issuer's time for the intent's key.
///
/// # Errors
/// `unknown-device`.
pub fn nonce(cx: &Cx<'_>, binding: Binding) -> Result<IntentNonce, Refused> {
    session::check(cx, binding)?;
    let nonce = BASE64URL_NOPAD.encode(&cx.draw::<16>()?);
    let expires_at = cx.now.plus(cx.policy.top_up.nonce_ms);
    cx.run(
        "INSERT INTO intent_nonce (hmac, account, device, epoch, expires_at) VALUES (?, ?, ?, ?, ?)",
        params![
            cx.secrets.nonce(&nonce),
            binding.account.as_bytes(),
            binding.device.as_bytes(),
            i64::try_from(binding.epoch)?,
            ms(expires_at)
        ],
    )?;
    Ok(IntentNonce { nonce: Sensitive::new(nonce), now: cx.now, expires_at })
}

/// Accepts an approved top-up. The same intent under the same key repeats the first answer, whatever happened since; a
/// refusal uses up neither key nor nonce.
///
/// # Errors
/// `unknown-device`, `key-voided`, `key-reused`, `key-time`, `stale-nonce`, `invalid-signature`, `frozen`, `switched-off`,
/// `over-limit` with its rule.
pub fn request(cx: &Cx<'_>, binding: Binding, key: IntentKey, request: &TopUpRequest) -> Result<TopUp, Refused> {
    cx.note(|notes| {
        (notes.what, notes.intent) = (Some("top-up"), Some(key));
        (notes.account, notes.device) = (Some(binding.account), Some(binding.device));
    });
    let live = session::live(cx, binding)?;
    let fingerprint = signed::top_up_fingerprint(request.channel, request.yen);
    if !cx.policy.without.replay_lookup {
        match known(cx, binding.account, IntentOperation::TopUp, key)? {
            Some(None) => return Err(ProblemCode::KeyVoided.into()),
            Some(Some(first)) if first != fingerprint => return Err(ProblemCode::KeyReused.into()),
            Some(Some(_)) => {
                cx.note_repeat();
                let row = find(cx, binding.account, key)?.ok_or(ProblemCode::Internal)?;
                return Ok(row.first_answer(cx));
            }
            None => {}
        }
    }
    check_key_time(cx, key)?;
    burn_nonce(cx, binding, request.nonce.expose())?;
    check_signature(cx, &live, binding, key, request)?;
    if !cx.check("account.frozen", !live.customer.frozen) {
        return Err(ProblemCode::Frozen.into());
    }
    operator::require(cx, switch_of(request.channel))?;
    due::end_holds(cx, Some(binding.account))?;
    check_source(cx, &live, request.channel)?;
    limits::require(cx, &limits::top_up(cx, &live.customer, request.yen.get())?)?;
    accept(cx, &live, binding, key, request, fingerprint)
}

fn switch_of(channel: Channel) -> Switch {
    match channel {
        Channel::Atm => Switch::TopUpAtm,
    }
}

/// What is known of a key: nothing, given up (`Some(None)`), or accepted with this fingerprint.
type Known = Option<Option<[u8; 32]>>;

fn known(cx: &Cx<'_>, account: AccountId, operation: IntentOperation, key: IntentKey) -> Result<Known, Refused> {
    let found = cx.find(
        "SELECT fingerprint FROM intent WHERE account = ? AND operation = ? AND key = ?",
        params![account.as_bytes(), operation.as_str(), key.as_bytes()],
        |row| row.get(0),
    )?;
    Ok(found)
}

fn check_key_time(cx: &Cx<'_>, key: IntentKey) -> Result<(), Refused> {
    let policy = &cx.policy.top_up;
    let refuse = |rule| Err(Problem::new(ProblemCode::KeyTime).rule(rule).into());
    match key.at() {
        None => Err(Problem::new(ProblemCode::KeyTime).detail("the key is not a UUIDv7").into()),
        Some(at) if !within(cx, rule::TOP_UP_KEY_AGE, policy.key_age_ms, cx.now.since(at)) => {
            refuse(rule::TOP_UP_KEY_AGE)
        }
        Some(at) if !within(cx, rule::TOP_UP_KEY_AHEAD, policy.key_ahead_ms, at.since(cx.now)) => {
            refuse(rule::TOP_UP_KEY_AHEAD)
        }
        Some(_) => Ok(()),
    }
}

/// A span of time, noted.
fn within(cx: &Cx<'_>, rule: &'static str, limit_ms: u64, seen_ms: u64) -> bool {
    cx.weigh(rule, figure(limit_ms), figure(seen_ms), seen_ms <= limit_ms)
}

fn burn_nonce(cx: &Cx<'_>, binding: Binding, nonce: &str) -> Result<(), Refused> {
    let burnt = cx.run(
        "DELETE FROM intent_nonce WHERE hmac = ? AND account = ? AND device = ? AND epoch = ? AND expires_at > ?",
        params![
            cx.secrets.nonce(nonce),
            binding.account.as_bytes(),
            binding.device.as_bytes(),
            i64::try_from(binding.epoch)?,
            cx.ms()
        ],
    )?;
    if burnt == 0 {
        note_stale(cx, nonce)?;
        return Err(ProblemCode::StaleNonce.into());
    }
    Ok(())
}

/// Notes why a nonce does not count: it is too old, or it is not this phone's, or no more.
fn note_stale(cx: &Cx<'_>, nonce: &str) -> Result<(), Refused> {
    let expired: Option<i64> = cx.find(
        "SELECT expires_at FROM intent_nonce WHERE hmac = ? AND expires_at <= ?",
        params![cx.secrets.nonce(nonce), cx.ms()],
        |row| row.get(0),
    )?;
    let life_ms = cx.policy.top_up.nonce_ms;
    match expired.map(|at| cx.now.since(millis(at).minus(life_ms))) {
        Some(age_ms) => cx.weigh("top_up.nonce_ms", figure(life_ms), figure(age_ms), false),
        None => cx.check("top_up.nonce", false),
    };
    Ok(())
}

fn check_signature(
    cx: &Cx<'_>,
    live: &Live,
    binding: Binding,
    key: IntentKey,
    request: &TopUpRequest,
) -> Result<(), Refused> {
    let message = signed::top_up(binding, key, request.channel, request.yen, request.nonce.expose());
    let by_owner = live.authorization_key.verify_der(&message, &request.signature.0).is_ok();
    let by_device = || cx.policy.without.key_role && live.device_key.verify_der(&message, &request.signature.0).is_ok();
    if cx.check("request.signature", by_owner || by_device()) {
        Ok(())
    } else {
        Err(ProblemCode::InvalidSignature.into())
    }
}

fn check_source(cx: &Cx<'_>, live: &Live, channel: Channel) -> Result<(), Refused> {
    let other = live.customer.first_channel.as_deref().is_some_and(|first| first != channel.as_str());
    let one_source = limits::in_force(cx, &live.customer).top_up.starter_one_source;
    if one_source && !cx.check(rule::TOP_UP_STARTER_ONE_SOURCE, !other) {
        return Err(Problem::new(ProblemCode::OverLimit).rule(rule::TOP_UP_STARTER_ONE_SOURCE).into());
    }
    Ok(())
}

fn accept(
    cx: &Cx<'_>,
    live: &Live,
    binding: Binding,
    key: IntentKey,
    request: &TopUpRequest,
    fingerprint: [u8; 32],
) -> Result<TopUp, Refused> {
    let account = binding.account;
    let debit = ledger::named(cx.conn, "rail:atm", Unit::Yen, Owner::Rail)?;
    let hold = ledger::hold(cx, Move { debit, credit: live.customer.yen, amount: request.yen.get() })?;
    let (draw, number_hmac) = draw_number(cx, account, key)?;
    let expires_at = cx.now.plus(cx.policy.atm.number_ms);
    cx.run(
        "INSERT INTO intent (account, operation, key, state, fingerprint, at) VALUES (?, ?, ?, 'accepted', ?, ?)",
        params![account.as_bytes(), IntentOperation::TopUp.as_str(), key.as_bytes(), fingerprint, cx.ms()],
    )?;
    cx.run(
        "INSERT INTO top_up (account, key, device, channel, state, yen, posting, number_hmac, number_draw, at,
             first_expiry, expires_at) VALUES (?, ?, ?, ?, 'awaiting', ?, ?, ?, ?, ?, ?, ?)",
        params![
            account.as_bytes(),
            key.as_bytes(),
            binding.device.as_bytes(),
            request.channel.as_str(),
            request.yen.get(),
            hold.0,
            number_hmac,
            draw,
            cx.ms(),
            ms(expires_at),
            ms(expires_at),
        ],
    )?;
    cx.run(
        "UPDATE account SET first_channel = ifnull(first_channel, ?) WHERE id = ?",
        params![request.channel.as_str(), account.as_bytes()],
    )?;
    Ok(find(cx, account, key)?.ok_or(ProblemCode::Internal)?.first_answer(cx))
}

/// Tells what became of an intent. One that never arrived is given up here and now, so that it never will be accepted.
///
/// # Errors
/// `unknown-device`; `key-time` for a key that is no UUIDv7.
pub fn resolve(cx: &Cx<'_>, binding: Binding, request: &ResolveRequest) -> Result<ResolveAnswer, Refused> {
    session::check(cx, binding)?;
    cx.note(|notes| notes.intent = Some(request.key));
    if request.key.at().is_none() {
        return Err(Problem::new(ProblemCode::KeyTime).detail("the key is not a UUIDv7").into());
    }
    due::end_holds(cx, Some(binding.account))?;
    match known(cx, binding.account, request.operation, request.key)? {
        Some(Some(_)) => {
            // A new operation does not compile until it says what its intent became.
            let top_up = match request.operation {
                IntentOperation::TopUp => {
                    find(cx, binding.account, request.key)?.ok_or(ProblemCode::Internal)?.present(cx)
                }
            };
            return Ok(ResolveAnswer { outcome: Resolved::Accepted.into(), top_up: Some(top_up) });
        }
        Some(None) => {}
        None => {
            cx.run(
                "INSERT INTO intent (account, operation, key, state, at) VALUES (?, ?, ?, 'voided', ?)",
                params![binding.account.as_bytes(), request.operation.as_str(), request.key.as_bytes(), cx.ms()],
            )?;
        }
    }
    Ok(ResolveAnswer { outcome: Resolved::Voided.into(), top_up: None })
}

/// The one-time number of a top-up: 11 digits of an HMAC and a Luhn digit. Nothing of it is stored but the HMAC it is
/// looked up by; `draw` tells apart numbers that would coincide.
fn number(cx: &Cx<'_>, account: AccountId, key: IntentKey, draw: u8) -> String {
    let [a, b, c, d, e, f, g, h, ..] = cx.secrets.atm(&[b"number", account.as_bytes(), key.as_bytes(), &[draw]]);
    let digits = format!("{:011}", u64::from_be_bytes([a, b, c, d, e, f, g, h]) % NUMBER_LIMIT);
    let check = saifu_code::luhn(digits.as_bytes()).map(char::from).unwrap_or_default();
    format!("{digits}{check}")
}

/// What a number typed at an ATM is looked up by.
pub(crate) fn number_hmac(cx: &Cx<'_>, number: &str) -> [u8; 32] {
    cx.secrets.atm(&[b"lookup", number.as_bytes()])
}

fn draw_number(cx: &Cx<'_>, account: AccountId, key: IntentKey) -> Result<(u8, [u8; 32]), Refused> {
    for draw in 0..NUMBER_DRAWS {
        let hmac = number_hmac(cx, &number(cx, account, key, draw));
        let taken: bool =
            cx.row("SELECT EXISTS (SELECT 1 FROM top_up WHERE number_hmac = ?)", [hmac], |row| row.get(0))?;
        if !taken {
            return Ok((draw, hmac));
        }
    }
    Err(ProblemCode::Overloaded.into())
}

words! {
    /// How far a top-up has come.
    pub(crate) HeldState {
        /// Its number may be typed.
        Awaiting = "awaiting",
        /// An ATM has checked number and TOTP and waits for cash.
        Authorized = "authorized",
        Done = "done",
        Expired = "expired",
    }
}

/// A top-up as stored.
pub(crate) struct Held {
    pub(crate) id: i64,
    pub(crate) account: AccountId,
    pub(crate) key: IntentKey,
    pub(crate) device: DeviceId,
    pub(crate) state: HeldState,
    pub(crate) yen: i64,
    posted_yen: i64,
    pub(crate) posting: Hold,
    number_draw: u8,
    pub(crate) wrong_tries: u32,
    pub(crate) at: Millis,
    pub(crate) first_expiry: Millis,
    pub(crate) expires_at: Millis,
}

impl Held {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            account: AccountId(Uuid::from_bytes(row.get(1)?)),
            key: IntentKey(Uuid::from_bytes(row.get(2)?)),
            device: DeviceId(Uuid::from_bytes(row.get(3)?)),
            state: row.get(4)?,
            yen: row.get(5)?,
            posted_yen: row.get(6)?,
            posting: Hold(row.get(7)?),
            number_draw: row.get(8)?,
            wrong_tries: row.get(9)?,
            at: millis(row.get(10)?),
            first_expiry: millis(row.get(11)?),
            expires_at: millis(row.get(12)?),
        })
    }

    fn view(&self, state: TopUpState, posted: i64, number: Option<String>, expires_at: Millis) -> TopUp {
        TopUp {
            intent: self.key,
            channel: Channel::Atm.into(),
            state: state.into(),
            yen: Yen(self.yen),
            posted_yen: Yen(posted),
            number: number.map(Sensitive::new),
            since: self.at,
            expires_at,
        }
    }

    /// The answer that the intent got when it arrived.
    fn first_answer(&self, cx: &Cx<'_>) -> TopUp {
        let number = number(cx, self.account, self.key, self.number_draw);
        self.view(TopUpState::AwaitingCash, 0, Some(number), self.first_expiry)
    }

    /// As it stands now.
    fn present(&self, cx: &Cx<'_>) -> TopUp {
        let state = match self.state {
            HeldState::Done => TopUpState::Done,
            HeldState::Expired => TopUpState::Expired,
            _ if cx.now >= self.expires_at => TopUpState::Expired,
            _ => TopUpState::AwaitingCash,
        };
        let number = (state == TopUpState::AwaitingCash).then(|| number(cx, self.account, self.key, self.number_draw));
        self.view(state, self.posted_yen, number, self.expires_at)
    }
}

fn find(cx: &Cx<'_>, account: AccountId, key: IntentKey) -> Result<Option<Held>, Refused> {
    let sql = format!("SELECT {COLUMNS} FROM top_up WHERE account = ? AND key = ?");
    let mut statement = cx.conn.prepare_cached(&sql)?;
    Ok(statement.query_row(params![account.as_bytes(), key.as_bytes()], Held::read).optional()?)
}

/// The top-up with this number, in whatever state.
pub(crate) fn by_number(cx: &Cx<'_>, number: &str) -> Result<Option<Held>, Refused> {
    let sql = format!("SELECT {COLUMNS} FROM top_up WHERE number_hmac = ?");
    let mut statement = cx.conn.prepare_cached(&sql)?;
    Ok(statement.query_row([number_hmac(cx, number)], Held::read).optional()?)
}

/// The top-up of this row.
pub(crate) fn by_id(cx: &Cx<'_>, id: i64) -> Result<Held, Refused> {
    let sql = format!("SELECT {COLUMNS} FROM top_up WHERE id = ?");
    Ok(cx.row(&sql, [id], Held::read)?)
}

/// Holds whose time is over, of one account or of all.
pub(crate) fn overdue(cx: &Cx<'_>, account: Option<AccountId>) -> Result<Vec<Held>, Refused> {
    let sql = format!(
        "SELECT {COLUMNS} FROM top_up WHERE state IN ('awaiting', 'authorized') AND expires_at <= ?1
         AND (?2 IS NULL OR account = ?2) ORDER BY expires_at, id"
    );
    let mut statement = cx.conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params![cx.ms(), account.map(|id| *id.as_bytes())], Held::read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Top-ups of an account that have not ended.
pub(crate) fn unfinished(cx: &Cx<'_>, account: AccountId) -> Result<Vec<TopUp>, Refused> {
    let sql = format!(
        "SELECT {COLUMNS} FROM top_up WHERE account = ? AND state IN ('awaiting', 'authorized') AND expires_at > ?
         ORDER BY id"
    );
    let mut statement = cx.conn.prepare_cached(&sql)?;
    let rows: Vec<Held> =
        statement.query_map(params![account.as_bytes(), cx.ms()], Held::read)?.collect::<Result<_, _>>()?;
    Ok(rows.iter().map(|row| row.present(cx)).collect())
}

/// Ends a hold without money, and tells the account.
pub(crate) fn give_back(cx: &Cx<'_>, held: &Held, why: GivenBack) -> Result<(), Refused> {
    ledger::give_back(cx, held.posting, why)?.ok_or(ProblemCode::Internal)?;
    cx.run("UPDATE top_up SET state = 'expired' WHERE id = ?", [held.id])?;
    events::emit(cx, held.account, |_| EventBody::TopUpExpired { intent: held.key })?;
    Ok(())
}
