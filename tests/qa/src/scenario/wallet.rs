//! What each `wallet.…` verb does with the wallet of a persona, and the document it gives. A runner in another language
//! does these with its own wallets; everything else is the world's.

use std::time::Duration;

use saifu::{Channel, Event, EventBody, Home, Pending, Purpose};
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::halt::Halt;
use super::stage::Stage;
use crate::failure::{Failure, LocalCode};

/// How long the machine may take to bring an event that is on its way.
const EVENT_BOUND: Duration = Duration::from_secs(20);

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
            return Ok(json!({ "state": "killed" }));
        }
        "reopen" => {
            stage.open(who).await?;
            return Ok(json!({ "state": stage.person(who)?.wallet()?.home().state.as_str() }));
        }
        "confirm" => return confirm(stage, who, arguments).await,
        "top-up" => return top_up(stage, who, arguments).await,
        "follow" | "next-event" => return events(stage, verb, who, arguments).await,
        _ => {}
    }
    let person = stage.person(who)?;
    let wallet = person.wallet()?;
    Ok(match verb {
        "sign-up" => {
            let sign_up = wallet.sign_up(person.number.clone()).await?;
            json!({ "number": sign_up.number(), "expires_at": sign_up.expires_at(), "resend_at": sign_up.resend_at() })
        }
        "home" => home(&wallet.home()),
        "refresh" => home(&wallet.refresh().await?),
        "code" => {
            let purpose = if arguments.text("purpose") == Some("cash-in") { Purpose::CashIn } else { Purpose::Pay };
            let code = if arguments.flag("offline") {
                wallet.payment_code(purpose).map_err(Failure::from)?
            } else {
                wallet.next_code(purpose).await?
            };
            json!({
                "digits": code.digits(), "purpose": code.purpose, "cap_yen": code.cap_yen, "offline": code.offline,
                "issued_at": code.issued_at, "refresh_at": code.refresh_at, "expires_at": code.expires_at,
            })
        }
        "pending" => list(wallet.pending().iter().map(pending).collect()),
        "history" => list(wallet.history(usize::MAX).await?.iter().map(|entry| json!(entry)).collect()),
        "totp" => {
            let totp = wallet.totp()?;
            json!({ "code": totp.code, "valid_until": totp.valid_until })
        }
        "lock" => {
            wallet.lock();
            json!({ "state": "locked" })
        }
        "unlock" => {
            wallet.unlock().map_err(Failure::from)?;
            json!({ "state": wallet.home().state.as_str() })
        }
        other => return Err(Halt::Broken(format!("the runner does not know wallet.{other}"))),
    })
}

async fn confirm(stage: &mut Stage, who: &str, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    let number = stage.person(who)?.number.clone();
    let code = match arguments.text("code") {
        Some(code) => code.to_owned(),
        None => {
            let newest = stage.world.levers().sms(&number).await?.into_iter().rev().find_map(|sms| sms.code);
            newest.ok_or_else(|| Halt::Broken("there is no code in the inbox".into()))?
        }
    };
    let sign_up = stage.person(who)?.wallet()?.sign_up_in_progress();
    let sign_up = sign_up.ok_or_else(|| Halt::from(LocalCode::NoSignUp.bare()))?;
    let ready = sign_up.confirm(&code).await?;
    Ok(json!({ "device_id": ready.device }))
}

async fn top_up(stage: &mut Stage, who: &str, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    let approval = stage.person(who)?.wallet()?.top_up(Channel::Atm, arguments.yen()?).await?;
    if let Some(ms) = arguments.span_ms("thinking") {
        stage.world.advance(ms).await?;
    }
    let signature = stage.person(who)?.authorize(approval.message()).await?;
    let top_up = approval.confirm(signature).await?;
    Ok(json!({
        "intent": top_up.intent, "number": top_up.number, "state": top_up.state, "yen": top_up.yen,
        "since": top_up.since, "expires_at": top_up.expires_at,
    }))
}

async fn events(stage: &mut Stage, verb: &str, who: &str, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    let person = stage.person(who)?;
    if verb == "follow" {
        let events = person.wallet()?.events();
        person.wallet()?.follow().await?;
        person.events = Some(events);
        return Ok(json!({ "following": true }));
    }
    let events = person.events.as_mut().ok_or_else(|| Halt::Broken(format!("{who} follows no events")))?;
    let wanted = arguments.text("kind");
    let next = async {
        loop {
            match events.next().await {
                Some(event) if wanted.is_none_or(|kind| kind == kind_of(&event)) => return Some(event),
                Some(_) => {}
                None => return None,
            }
        }
    };
    match tokio::time::timeout(EVENT_BOUND, next).await {
        Ok(Some(event)) => Ok(json!(event)),
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

fn home(home: &Home) -> Value {
    json!({
        "state": home.state.as_str(), "standing": home.standing, "balance_yen": home.balance_yen,
        "balance_reason": home.balance_reason, "as_of": home.as_of, "age_ms": home.age_ms, "points": home.points,
        "notices": home.notices, "frozen": home.frozen, "device_id": home.device,
        "top_up_left_yen": home.top_up_left_yen, "pay_left_yen": home.pay_left_yen, "last_event": home.last_event,
    })
}

fn pending(pending: &Pending) -> Value {
    json!({
        "id": pending.id, "kind": pending.kind.as_str(), "yen": pending.yen, "number": pending.number,
        "since": pending.since, "ends_by": pending.ends_by, "next": pending.next,
    })
}

fn list(entries: Vec<Value>) -> Value {
    json!({ "count": entries.len(), "entries": entries })
}
