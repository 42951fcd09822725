//! From a phone number to an account. [`begin`] never looks an account up, so it cannot tell whether the number has one:
//! same answer, same work, same counters. Only who proves the number by its SMS code learns it, in [`confirm`].

use rusqlite::params;
use saifu_crypto::{PublicKey, constant_time_eq};
use saifu_wire::messages::{
    NoticeKind, SignUpAnswer, SignUpConfirmAnswer, SignUpConfirmRequest, SignUpRequest, Standing, Switch,
};
use saifu_wire::signed::{self, Binding};
use saifu_wire::{AccountId, DeviceId, PhoneNumber, Problem, ProblemCode, RequestId};
use uuid::Uuid;

use super::context::{figure, millis, ms};
use super::{Cx, Refused, account, events, limits, operator, sms};
use crate::ledger::{self, Owner, Unit};
use crate::policy::rule;
use crate::words::words;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// `+81` and five digits: the block of one operator.
const PREFIX_LEN: usize = 8;
const LEAST_WAIT_MS: u64 = 1_000;
/// The same keys asking again so soon are one request that a bad network repeated.
const REPEAT_MS: u64 = 30_000;

/// Queues an SMS code for a number. The same keys asking for the same number again within 30 s get the same answer and no
/// second message, so that a lost answer costs nobody a minute.
///
/// # Errors
/// `switched-off`, `invalid-request` for keys that are none or one key in both roles, `invalid-signature`,
/// `device-in-use`, `too-soon`, `too-many-tries`. None depends on whether the number has an account, but for the very device
/// that is bound to it: whoever has its key knows that already.
pub fn begin(cx: &Cx<'_>, request: &SignUpRequest, thumbprint: &str) -> Result<SignUpAnswer, Refused> {
    operator::require(cx, Switch::SignUp)?;
    check_keys(request, thumbprint)?;
    let number_hmac = cx.secrets.phone(request.number.as_str());
    bound(cx, &request.device_spki.0, &request.authorization_spki.0, &number_hmac)?;
    let prefix = request.number.as_str().get(..PREFIX_LEN).unwrap_or_default();
    if let Some(answer) = repeated(cx, &number_hmac, request)? {
        return Ok(answer);
    }
    check_counters(cx, &number_hmac, prefix)?;

    let policy = &cx.policy.sign_up;
    let id = RequestId(cx.new_id()?);
    let code = draw_code(cx)?;
    let answer = SignUpAnswer {
        request: id,
        expires_at: cx.now.plus(policy.code_ms),
        resend_at: cx.now.plus(policy.resend_ms.unwrap_or(0)),
    };
    cx.run(
        "UPDATE sign_up SET state = 'replaced' WHERE number_hmac = ? AND device_spki = ? AND state = 'open'",
        params![number_hmac, request.device_spki.0],
    )?;
    cx.run(
        "INSERT INTO sign_up (id, number_hmac, number_sealed, prefix, device_spki, authorization_spki, code_hmac, at,
             expires_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')",
        params![
            id.as_bytes(),
            number_hmac,
            cx.secrets.seal(cx.random, &number_hmac, request.number.as_str().as_bytes())?,
            prefix,
            request.device_spki.0,
            request.authorization_spki.0,
            code_hmac(cx, id, &code),
            cx.ms(),
            ms(answer.expires_at),
        ],
    )?;
    let minutes = policy.code_ms / 60_000;
    let text = format!(
        "Saifu: {code} signs a new phone up with your number. Valid for {minutes} minutes. \
         Nobody from Saifu ever asks for it: tell it to no one."
    );
    sms::send(cx, &number_hmac, text, Some(code))?;
    Ok(answer)
}

/// What these keys were answered a moment ago.
fn repeated(cx: &Cx<'_>, number_hmac: &[u8; 32], request: &SignUpRequest) -> Result<Option<SignUpAnswer>, Refused> {
    let answer = cx.find(
        "SELECT id, at, expires_at FROM sign_up WHERE number_hmac = ? AND device_spki = ? AND authorization_spki = ?
             AND state = 'open' AND at > ? ORDER BY at DESC LIMIT 1",
        params![number_hmac, request.device_spki.0, request.authorization_spki.0, ms(cx.now.minus(REPEAT_MS))],
        |row| {
            Ok(SignUpAnswer {
                request: RequestId(Uuid::from_bytes(row.get(0)?)),
                resend_at: millis(row.get(1)?).plus(cx.policy.sign_up.resend_ms.unwrap_or(0)),
                expires_at: millis(row.get(2)?),
            })
        },
    )?;
    Ok(answer)
}

fn check_keys(request: &SignUpRequest, thumbprint: &str) -> Result<(), Refused> {
    let invalid = |detail: &str| Problem::new(ProblemCode::InvalidRequest).detail(detail);
    let device = PublicKey::from_spki(&request.device_spki.0).map_err(|_| invalid("device_spki: not a P-256 key"))?;
    let authorization = PublicKey::from_spki(&request.authorization_spki.0)
        .map_err(|_| invalid("authorization_spki: not a P-256 key"))?;
    if device == authorization {
        return Err(invalid("authorization_spki: must be another key than the device key").into());
    }
    let message = signed::sign_up(&request.number, &request.device_spki.0, &request.authorization_spki.0, thumbprint);
    device.verify_der(&message, &request.signature.0).map_err(|_| ProblemCode::InvalidSignature)?;
    Ok(())
}

/// The device that has both keys, if its account has this number: a phone that lost what it knew, or never heard of its
/// account. Keys that are bound in any other way are refused.
fn bound(cx: &Cx<'_>, device: &[u8], authorization: &[u8], number_hmac: &[u8; 32]) -> Result<Option<Binding>, Refused> {
    let in_use: bool = cx.row(
        "SELECT EXISTS (SELECT 1 FROM device_key WHERE spki IN (?, ?))",
        params![device, authorization],
        |row| row.get(0),
    )?;
    if !in_use {
        return Ok(None);
    }
    let own = cx.find(
        "SELECT a.id, d.id, d.epoch FROM device d JOIN account a ON a.id = d.account WHERE d.device_spki = ?
             AND d.authorization_spki = ? AND d.state = 'live' AND d.epoch = a.epoch AND a.number_hmac = ?",
        params![device, authorization, number_hmac],
        |row| {
            Ok(Binding {
                account: AccountId(Uuid::from_bytes(row.get(0)?)),
                device: DeviceId(Uuid::from_bytes(row.get(1)?)),
                epoch: row.get::<_, i64>(2)?.unsigned_abs(),
            })
        },
    )?;
    own.map(Some).ok_or_else(|| ProblemCode::DeviceInUse.into())
}

/// The counters know numbers, not accounts.
fn check_counters(cx: &Cx<'_>, number_hmac: &[u8; 32], prefix: &str) -> Result<(), Refused> {
    let policy = &cx.policy.sign_up;
    let hour_ago = ms(cx.now.minus(HOUR));
    let all: u32 = cx.row("SELECT count(*) FROM sign_up WHERE at > ?", [hour_ago], |row| row.get(0))?;
    let of_prefix: u32 =
        cx.row("SELECT count(*) FROM sign_up WHERE prefix = ? AND at > ?", params![prefix, hour_ago], |row| {
            row.get(0)
        })?;
    let (of_number, first, last): (u32, i64, i64) = cx.row(
        "SELECT count(*), ifnull(min(at), 0), ifnull(max(at), 0) FROM sign_up WHERE number_hmac = ? AND at > ?",
        params![number_hmac, ms(cx.now.minus(DAY))],
        |row| row.try_into(),
    )?;

    let too_many = |rule, wait: u64| Problem::new(ProblemCode::TooManyTries).rule(rule).retry_after(wait);
    let counted = |rule, seen: u32, limit: Option<u32>| {
        limit.is_none_or(|limit| cx.weigh(rule, limit.into(), i64::from(seen).saturating_add(1), seen < limit))
    };
    if !counted(rule::SIGN_UP_ALL_AN_HOUR, all, policy.all_an_hour) {
        return Err(too_many(rule::SIGN_UP_ALL_AN_HOUR, HOUR).into());
    }
    if !counted(rule::SIGN_UP_PREFIX_AN_HOUR, of_prefix, policy.prefix_an_hour) {
        return Err(too_many(rule::SIGN_UP_PREFIX_AN_HOUR, HOUR).into());
    }
    if !counted(rule::SIGN_UP_NUMBER_A_DAY, of_number, policy.number_a_day) {
        let wait = millis(first).plus(DAY).since(cx.now);
        return Err(too_many(rule::SIGN_UP_NUMBER_A_DAY, wait).into());
    }
    let Some(gap) = policy.resend_ms.filter(|_| of_number > 0) else { return Ok(()) };
    let wait = millis(last).plus(gap).since(cx.now);
    if !cx.weigh(rule::SIGN_UP_RESEND, figure(gap), figure(cx.now.since(millis(last))), wait == 0) {
        return Err(Problem::new(ProblemCode::TooSoon).rule(rule::SIGN_UP_RESEND).retry_after(wait).into());
    }
    Ok(())
}

/// Six uniform digits: 2^64 draws over 10^6 values differ by less than one in 10^13.
fn draw_code(cx: &Cx<'_>) -> Result<String, Refused> {
    Ok(format!("{:06}", u64::from_be_bytes(cx.draw()?) % 1_000_000))
}

fn code_hmac(cx: &Cx<'_>, request: RequestId, code: &str) -> [u8; 32] {
    cx.secrets.code(&[b"sms", request.as_bytes(), code.as_bytes()])
}

words! {
    /// How far a sign-up has come.
    State {
        /// Its code may be entered.
        Open = "open",
        /// A newer one of the same phone has taken its place.
        Replaced = "replaced",
        Done = "done",
        /// The number has another holder.
        Taken = "taken",
    }
}

struct Row {
    number_hmac: [u8; 32],
    number_sealed: Vec<u8>,
    device_spki: Vec<u8>,
    authorization_spki: Vec<u8>,
    code_hmac: [u8; 32],
    expires_at: i64,
    tries: u32,
    state: State,
    proven_at: Option<i64>,
    answer: Option<String>,
}

fn find(cx: &Cx<'_>, request: RequestId) -> Result<Option<Row>, Refused> {
    let row = cx.find(
        "SELECT number_hmac, number_sealed, device_spki, authorization_spki, code_hmac, expires_at, tries, state,
             proven_at, answer FROM sign_up WHERE id = ?",
        [request.as_bytes()],
        |row| {
            Ok(Row {
                number_hmac: row.get(0)?,
                number_sealed: row.get(1)?,
                device_spki: row.get(2)?,
                authorization_spki: row.get(3)?,
                code_hmac: row.get(4)?,
                expires_at: row.get(5)?,
                tries: row.get(6)?,
                state: row.get(7)?,
                proven_at: row.get(8)?,
                answer: row.get(9)?,
            })
        },
    )?;
    Ok(row)
}

/// Proves the number and opens an account, or says that there is one already. The right code by the same key repeats the
/// answer for a day, so that a phone killed in between goes on; after that, a new sign-up by the same two keys leads to the
/// same account.
///
/// # Errors
/// `sign-up-expired`, `invalid-signature`, `wrong-code`, `too-many-tries`, `number-taken`, `device-in-use`,
/// `switched-off`.
pub fn confirm(cx: &Cx<'_>, request: &SignUpConfirmRequest, thumbprint: &str) -> Result<SignUpConfirmAnswer, Refused> {
    let policy = &cx.policy.sign_up;
    let row = find(cx, request.request)?.ok_or(ProblemCode::SignUpExpired)?;
    PublicKey::from_spki(&row.device_spki)?
        .verify_der(&signed::sign_up_confirm(request.request, thumbprint), &request.signature.0)
        .map_err(|_| ProblemCode::InvalidSignature)?;
    if !(cx.check("sign_up.newest", row.state != State::Replaced) && in_time(cx, &row)) {
        return Err(ProblemCode::SignUpExpired.into());
    }
    let tries = i64::from(row.tries).saturating_add(1);
    if !cx.weigh(rule::SIGN_UP_TRIES, policy.tries.into(), tries, row.tries < policy.tries) {
        let problem = Problem::new(ProblemCode::TooManyTries).rule(rule::SIGN_UP_TRIES);
        return Err(problem.detail("ask for a new code").retry_after(LEAST_WAIT_MS).into());
    }
    if !constant_time_eq(&code_hmac(cx, request.request, request.code.expose()), &row.code_hmac) {
        cx.run("UPDATE sign_up SET tries = tries + 1 WHERE id = ?", [request.request.as_bytes()])?;
        let left = policy.tries.saturating_sub(row.tries).saturating_sub(1);
        return Err(Refused::keep(Problem::new(ProblemCode::WrongCode).detail(format!("{left} tries left"))));
    }
    match row.state {
        State::Done => Ok(serde_json::from_str(&row.answer.unwrap_or_default())?),
        State::Taken => Err(ProblemCode::NumberTaken.into()),
        State::Open | State::Replaced => proven(cx, request.request, &row),
    }
}

/// Whether the code may still be entered, or its answer be repeated.
fn in_time(cx: &Cx<'_>, row: &Row) -> bool {
    let policy = &cx.policy.sign_up;
    let (rule, since, limit) = match row.proven_at {
        None => ("sign_up.code_ms", millis(row.expires_at).minus(policy.code_ms), policy.code_ms),
        Some(at) => ("sign_up.repeat_ms", millis(at), policy.repeat_ms),
    };
    cx.weigh(rule, figure(limit), figure(cx.now.since(since)), cx.now < since.plus(limit))
}

/// The number is the asker's.
fn proven(cx: &Cx<'_>, request: RequestId, row: &Row) -> Result<SignUpConfirmAnswer, Refused> {
    operator::require(cx, Switch::SignUp)?;
    let own = bound(cx, &row.device_spki, &row.authorization_spki, &row.number_hmac)?;
    let holder: Option<[u8; 16]> =
        cx.find("SELECT id FROM account WHERE number_hmac = ?", [row.number_hmac], |row| row.get(0))?;
    let end = |state: State, answer: Option<String>| {
        cx.run(
            "UPDATE sign_up SET state = ?, proven_at = ?, answer = ? WHERE id = ?",
            params![state, cx.ms(), answer, request.as_bytes()],
        )
    };
    let answer = match (own, holder) {
        (Some(own), _) => known_account(cx, own)?,
        (None, None) => open_account(cx, row)?,
        (None, Some(holder)) => {
            end(State::Taken, None)?;
            warn_holder(cx, AccountId(Uuid::from_bytes(holder)), row)?;
            return Err(Refused::keep(ProblemCode::NumberTaken));
        }
    };
    end(State::Done, Some(serde_json::to_string(&answer)?))?;
    Ok(answer)
}

fn warn_holder(cx: &Cx<'_>, holder: AccountId, row: &Row) -> Result<(), Refused> {
    let holder = account::owner(cx, holder)?;
    let number = cx.secrets.open(&row.number_hmac, &row.number_sealed)?;
    let masked = std::str::from_utf8(number.expose()).ok().and_then(|text| PhoneNumber::parse(text).ok());
    let text = format!(
        "On {} a phone that is not yours entered the SMS code of your number {} to open an account. \
         Nothing about your account changed. If it was not you, freeze the account in the app or call support.",
        events::spoken_time(cx),
        masked.map(|number| number.masked()).unwrap_or_default()
    );
    events::tell(cx, &holder, NoticeKind::Security, text, true)
}

fn known_account(cx: &Cx<'_>, binding: Binding) -> Result<SignUpConfirmAnswer, Refused> {
    let Binding { account, device, epoch } = binding;
    cx.note(|notes| (notes.account, notes.device) = (Some(account), Some(device)));
    Ok(SignUpConfirmAnswer { account, device, epoch, standing: standing(cx, account)?.into() })
}

fn standing(cx: &Cx<'_>, account: AccountId) -> Result<Standing, Refused> {
    Ok(account::customer(cx, account)?.map_or(Standing::Starter, |it| limits::standing(cx, &it)))
}

fn open_account(cx: &Cx<'_>, row: &Row) -> Result<SignUpConfirmAnswer, Refused> {
    const FIRST_EPOCH: u64 = 1;
    let account = AccountId(cx.new_id()?);
    let device = DeviceId(cx.new_id()?);
    cx.note(|notes| (notes.account, notes.device) = (Some(account), Some(device)));
    let epoch = i64::try_from(FIRST_EPOCH)?;
    let yen = ledger::open(cx.conn, &format!("customer:{account}:yen"), Unit::Yen, Owner::Customer)?;
    let points = ledger::open(cx.conn, &format!("customer:{account}:points"), Unit::Points, Owner::Customer)?;
    cx.run(
        "INSERT INTO account (id, number_hmac, number_sealed, created_at, epoch, yen, points)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![account.as_bytes(), row.number_hmac, row.number_sealed, cx.ms(), epoch, yen.0, points.0],
    )?;
    cx.run(
        "INSERT INTO device (id, account, epoch, state, level, device_spki, authorization_spki, bound_at)
             VALUES (?, ?, ?, 'live', 'software', ?, ?, ?)",
        params![device.as_bytes(), account.as_bytes(), epoch, row.device_spki, row.authorization_spki, cx.ms()],
    )?;
    for spki in [&row.device_spki, &row.authorization_spki] {
        cx.run("INSERT INTO device_key (spki, device) VALUES (?, ?)", params![spki, device.as_bytes()])?;
    }
    Ok(SignUpConfirmAnswer { account, device, epoch: FIRST_EPOCH, standing: standing(cx, account)?.into() })
}
