//! What each verb does with the wallet that a driver of Rust holds, and the document it gives. A driver in another language has
//! this one file again.

use std::time::Duration;

use saifu::{Channel, Error, Event, EventBody, HistoryEntry, Home, Open, PhoneNumber, Purpose, Wallet};
use saifu_host::KeyError;
use saifu_wire::Word;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::driver::Phone;
use super::halt::Halt;
use crate::commands::{document, unfinished};
use crate::failure::{Failure, LocalCode};
use crate::report::with;

/// How long the machine may take to bring an event that is on its way.
const EVENT_BOUND: Duration = Duration::from_secs(20);

/// Does what the runner asks.
pub(super) async fn perform(phone: &mut Phone, verb: &str, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    let wallet = &phone.wallet;
    Ok(match verb {
        "wallet.sign-up" => {
            let number = PhoneNumber::parse(&arguments.needed("number")?);
            let sign_up = wallet.sign_up(number.map_err(|error| Halt::Broken(error.to_string()))?).await?;
            json!({
                "number": sign_up.number(), "expires_at": sign_up.expires_at(), "resend_at": sign_up.resend_at(),
                "expires_in_ms": sign_up.expires_in_ms(), "resend_in_ms": sign_up.resend_in_ms(),
            })
        }
        "wallet.confirm" => {
            let sign_up = wallet.sign_up_in_progress().ok_or_else(|| Halt::from(LocalCode::NoSignUp.bare()))?;
            json!({ "device_id": sign_up.confirm(&arguments.needed("code")?).await?.device })
        }
        "wallet.home" => home(&wallet.home()),
        "wallet.refresh" => {
            wallet.refresh().await?;
            // What goes on beside it belongs to this step, so that a run repeats request by request.
            wallet.settled().await;
            home(&wallet.home())
        }
        "wallet.code" => code(wallet, arguments).await?,
        "wallet.prepare-top-up" => {
            phone.approval = Some(wallet.top_up(Channel::Atm, arguments.yen()?).await?);
            json!({})
        }
        "wallet.approve-top-up" => approve(phone).await?,
        "wallet.pending" => list(wallet.pending().iter().map(unfinished).collect()),
        "wallet.history" => list(wallet.history(usize::MAX).await?.entries.iter().map(entry).collect()),
        "wallet.totp" => {
            let totp = wallet.totp()?;
            json!({
                "code": totp.code, "valid_until": totp.valid_until, "valid_for_ms": totp.valid_for_ms, "trust": totp.trust,
            })
        }
        "wallet.follow" => {
            let events = wallet.events();
            wallet.follow()?;
            wallet.followed().await?;
            wallet.settled().await;
            phone.events = Some(events);
            json!({ "following": true })
        }
        "wallet.next-event" => next_event(phone, arguments.text("kind")).await?,
        "wallet.lock" => {
            wallet.lock();
            json!({ "state": "locked" })
        }
        "wallet.unlock" => {
            wallet.unlock().map_err(Error::from)?;
            json!({ "state": wallet.home().state.as_str() })
        }
        "wallet.patience" => {
            let ms = arguments.number("ms").ok_or_else(|| Halt::Broken("`ms` is no number".into()))?;
            wallet.set_patience(Duration::from_millis(ms));
            json!({ "ms": ms })
        }
        "wallet.key-fails" => {
            let how = arguments.text("how").and_then(|how| KeyError::ALL.iter().find(|error| error.as_str() == how));
            let how = *how.ok_or_else(|| Halt::Broken("`how` is no failure of a key".into()))?;
            let times = arguments.number("times").unwrap_or(1);
            phone.host.fail(how, times);
            json!({ "how": how.as_str(), "times": times })
        }
        other => return Err(Halt::Broken(format!("this driver does not know {other}"))),
    })
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
        "refresh_in_ms": code.refresh_in_ms, "fetch_next": code.fetch_next,
    }))
}

/// The owner's agreement, with the key that only the owner may use.
async fn approve(phone: &mut Phone) -> Result<Value, Halt> {
    let approval = phone.approval.take().ok_or_else(|| Halt::Broken("no top-up waits for its owner".into()))?;
    let (host, message) = (phone.host.clone(), approval.message().to_vec());
    let signed = tokio::task::spawn_blocking(move || host.authorize(&message)).await;
    let signature = signed.map_err(|error| Halt::Broken(error.to_string()))?.map_err(Error::from)?;
    let top_up = approval.confirm(signature).await?;
    Ok(with(json!(top_up), "state", word(&top_up.state)))
}

async fn next_event(phone: &mut Phone, wanted: Option<&str>) -> Result<Value, Halt> {
    let events = phone.events.as_mut().ok_or_else(|| Halt::Broken("this wallet follows no events".into()))?;
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
        Ok(Some(event)) => {
            // What an event makes the wallet ask belongs to this step, so that a run repeats request by request.
            phone.wallet.settled().await;
            Ok(told(&event))
        }
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
    match &event.body {
        EventBody::Entry { entry: line } => with(json!(event), "entry", entry(line)),
        EventBody::Notice { notice, .. } => with(json!(event), "notice", word(notice)),
        EventBody::Declined { .. } | EventBody::TopUpExpired { .. } | EventBody::Other => json!(event),
    }
}

fn entry(entry: &HistoryEntry) -> Value {
    with(with(json!(entry), "kind", word(&entry.kind)), "state", word(&entry.state))
}

fn home(home: &Home) -> Value {
    let notices = home.notices.iter().map(|it| with(json!(it), "kind", word(&it.kind)));
    let told = with(document(home), "notices", notices.collect::<Vec<_>>());
    let told = with(told, "standing", home.standing.as_ref().map(word));
    with(told, "following", home.following.as_str())
}

fn list(entries: Vec<Value>) -> Value {
    json!({ "count": entries.len(), "entries": entries })
}
