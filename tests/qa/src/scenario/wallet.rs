//! What each `wallet.…` verb does with the wallet of a persona, and the document it gives. A runner in another language
//! does these with its own wallets; everything else is the world's.

use std::time::Duration;

use saifu::{Channel, Error, Event, EventBody, HistoryEntry, Home, Open, Pending, Purpose, Wallet};
use saifu_host::KeyError;
use saifu_vault::JOURNAL_FILE;
use saifu_wire::Word;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::halt::Halt;
use super::stage::{Person, Stage};
use crate::failure::{Failure, LocalCode};

/// How long the machine may take to bring an event that is on its way.
const EVENT_BOUND: Duration = Duration::from_secs(20);

/// How often it is looked whether the issuer holds a request by now.
const HELD_PAUSE: Duration = Duration::from_millis(5);

/// Does one step. `verb` is the name behind `wallet.`, `who` the persona.
pub(super) async fn perform(
    stage: &mut Stage,
    verb: &str,
    who: &str,
    arguments: &Arguments<'_>,
) -> Result<Value, Halt> {
    match verb {
        "kill" => {
            stage.kill(who).await?;
            Ok(json!({ "state": "killed" }))
        }
        "reopen" => {
            stage.open(who).await?;
            Ok(json!({ "state": stage.person(who)?.wallet()?.home().state.as_str() }))
        }
        "damage" => {
            stage.person(who)?.damage()?;
            Ok(json!({ "file": JOURNAL_FILE }))
        }
        "key-fails" => key_fails(stage.person(who)?, arguments),
        "follow" | "next-event" => events(stage, verb, who, arguments).await,
        _ if arguments.flag("killed") => killed(stage, verb, who, arguments).await,
        "sign-up" | "confirm" | "code" | "top-up" => send(stage, verb, who, arguments).await,
        _ => look(stage.person(who)?.wallet()?, verb, arguments).await,
    }
}

/// Ends the wallet in the middle of a call: as soon as the issuer holds a request of it. Nothing of the call goes on then.
async fn killed(stage: &mut Stage, verb: &str, who: &str, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    let world = &stage.world;
    let held = async {
        while world.held().await? == 0 {
            tokio::time::sleep(HELD_PAUSE).await;
        }
        Ok::<(), Halt>(())
    };
    tokio::select! {
        held = held => held?,
        ended = send(stage, verb, who, arguments) => {
            let why = if let Err(Halt::Broken(why)) = ended { why } else { "the call ended".into() };
            return Err(Halt::Broken(format!("{why} before the issuer held it")));
        }
    }
    stage.kill(who).await?;
    Ok(json!({ "state": "killed" }))
}

/// The calls that a kill may meet.
async fn send(stage: &Stage, verb: &str, who: &str, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    let person = stage.person(who)?;
    let wallet = person.wallet()?;
    match verb {
        "sign-up" => {
            let sign_up = wallet.sign_up(person.number.clone()).await?;
            Ok(json!({
                "number": sign_up.number(), "expires_at": sign_up.expires_at(), "resend_at": sign_up.resend_at(),
            }))
        }
        "confirm" => confirm(stage, person, arguments).await,
        "code" => code(wallet, arguments).await,
        "top-up" => top_up(stage, person, arguments).await,
        other => Err(Halt::Broken(format!("nothing can be lost of wallet.{other}"))),
    }
}

async fn look(wallet: &Wallet, verb: &str, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    Ok(match verb {
        "home" => home(&wallet.home()),
        "refresh" => {
            wallet.refresh().await?;
            // What goes on beside it belongs to this step, so that a run repeats request by request.
            wallet.settled().await;
            home(&wallet.home())
        }
        "pending" => list(wallet.pending().iter().map(pending).collect()),
        "history" => list(wallet.history(usize::MAX).await?.entries.iter().map(entry).collect()),
        "totp" => {
            let totp = wallet.totp()?;
            json!({ "code": totp.code, "valid_until": totp.valid_until, "trust": totp.trust.as_str() })
        }
        "lock" => {
            wallet.lock();
            json!({ "state": "locked" })
        }
        "unlock" => {
            wallet.unlock().map_err(Error::from)?;
            json!({ "state": wallet.home().state.as_str() })
        }
        "patience" => {
            let ms = arguments.number("ms").ok_or_else(|| Halt::Broken("`ms` is no number".into()))?;
            wallet.set_patience(Duration::from_millis(ms));
            json!({ "ms": ms })
        }
        other => return Err(Halt::Broken(format!("the runner does not know wallet.{other}"))),
    })
}

fn key_fails(person: &Person, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    let how = arguments.text("how").and_then(|how| KeyError::ALL.iter().find(|error| error.as_str() == how));
    let how = *how.ok_or_else(|| Halt::Broken("`how` is no failure of a key".into()))?;
    let times = arguments.number("times").unwrap_or(1);
    person.host.fail(how, times);
    Ok(json!({ "how": how.as_str(), "times": times }))
}

async fn code(wallet: &Wallet, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    let purpose = if arguments.text("purpose") == Some("cash-in") { Purpose::CashIn } else { Purpose::Pay };
    let code = if arguments.flag("offline") {
        wallet.payment_code(purpose).map_err(Failure::from)?
    } else {
        wallet.next_code(purpose).await?
    };
    Ok(json!({
        "digits": code.digits(), "purpose": code.purpose, "cap_yen": code.cap_yen, "offline": code.offline,
        "issued_at": code.issued_at, "refresh_at": code.refresh_at, "expires_at": code.expires_at,
    }))
}

async fn confirm(stage: &Stage, person: &Person, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    let code = match arguments.text("code") {
        Some(code) => code.to_owned(),
        None => {
            let newest = stage.world.levers().sms(&person.number).await?.into_iter().rev().find_map(|sms| sms.code);
            newest.ok_or_else(|| Halt::Broken("there is no code in the inbox".into()))?
        }
    };
    let wallet = person.wallet()?;
    let sign_up = wallet.sign_up_in_progress().ok_or_else(|| Halt::from(LocalCode::NoSignUp.bare()))?;
    let ready = sign_up.confirm(&code).await?;
    Ok(json!({ "device_id": ready.device }))
}

async fn top_up(stage: &Stage, person: &Person, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    let approval = person.wallet()?.top_up(Channel::Atm, arguments.yen()?).await?;
    if let Some(ms) = arguments.span_ms("thinking") {
        stage.world.advance(ms).await?;
    }
    let signature = person.authorize(approval.message()).await?;
    let top_up = approval.confirm(signature).await?;
    Ok(json!({
        "intent": top_up.intent, "number": top_up.number, "state": word(&top_up.state), "yen": top_up.yen,
        "since": top_up.since, "expires_at": top_up.expires_at,
    }))
}

async fn events(stage: &mut Stage, verb: &str, who: &str, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    let person = stage.person_mut(who)?;
    if verb == "follow" {
        let events = person.wallet()?.events();
        person.wallet()?.follow()?;
        person.wallet()?.followed().await?;
        person.wallet()?.settled().await;
        person.events = Some(events);
        return Ok(json!({ "following": true }));
    }
    let events = person.events.as_mut().ok_or_else(|| Halt::Broken(format!("{who} follows no events")))?;
    let wanted = arguments.text("kind");
    let next = async {
        loop {
            match events.next_event().await {
                Some(event) if wanted.is_none_or(|kind| kind == kind_of(&event)) => return Some(event),
                Some(_) => {}
                None => return None,
            }
        }
    };
    match tokio::time::timeout(EVENT_BOUND, next).await {
        Ok(Some(event)) => Ok(told(&event)),
        Ok(None) => Err(Halt::Broken("the events have ended".into())),
        Err(_) => Err(Halt::Broken(format!("no such event came within {} s", EVENT_BOUND.as_secs()))),
    }
}

fn kind_of(event: &Event) -> &'static str {
    match event.body {
        EventBody::Entry { .. } => "entry",
        EventBody::Declined { .. } => "declined",
        EventBody::TopUpExpired { .. } => "top-up-expired",
        EventBody::Notice { .. } => "notice",
        EventBody::Other => "other",
    }
}

/// A word as every language has it: one that this version does not know is `other`.
fn word<T: Word>(word: &Open<T>) -> &'static str {
    word.known().map_or("other", T::as_str)
}

fn told(event: &Event) -> Value {
    let mut told = json!(event);
    let known = match &event.body {
        EventBody::Entry { entry: line } => Some(("entry", entry(line))),
        EventBody::Notice { notice, .. } => Some(("notice", json!(word(notice)))),
        EventBody::Declined { .. } | EventBody::TopUpExpired { .. } | EventBody::Other => None,
    };
    if let (Some((name, value)), Some(told)) = (known, told.as_object_mut()) {
        told.insert(name.into(), value);
    }
    told
}

fn entry(entry: &HistoryEntry) -> Value {
    json!({
        "id": entry.id, "number": entry.number, "at": entry.at, "kind": word(&entry.kind), "yen": entry.yen,
        "points": entry.points, "merchant": entry.merchant, "state": word(&entry.state), "original": entry.original,
        "intent": entry.intent,
    })
}

fn home(home: &Home) -> Value {
    let notices: Vec<Value> = home
        .notices
        .iter()
        .map(|it| json!({ "number": it.number, "at": it.at, "kind": word(&it.kind), "text": it.text }))
        .collect();
    json!({
        "state": home.state.as_str(), "standing": home.standing.as_ref().map(word), "balance_yen": home.balance_yen,
        "balance_reason": home.balance_reason, "as_of": home.as_of, "age_ms": home.age_ms, "points": home.points,
        "notices": notices, "frozen": home.frozen, "device_id": home.device,
        "top_up_left_yen": home.top_up_left_yen, "pay_left_yen": home.pay_left_yen, "last_event": home.last_event,
        "way_out": home.state.way_out(), "put_aside": home.put_aside, "trust": home.trust.as_str(),
        "history_incomplete": home.history_incomplete, "following": home.following.as_str(),
    })
}

fn pending(pending: &Pending) -> Value {
    json!({
        "id": pending.id, "kind": pending.what.as_str(), "yen": pending.what.yen(), "number": pending.what.number(),
        "since": pending.since, "ends_by": pending.ends_by, "next": pending.next,
    })
}

fn list(entries: Vec<Value>) -> Value {
    json!({ "count": entries.len(), "entries": entries })
}
