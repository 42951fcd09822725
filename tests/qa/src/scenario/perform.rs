//! What each verb does, and the document it gives. A refusal is a document too; what is broken is not.

use std::time::Duration;

use saifu::{Amount, Channel, Error, Event, EventBody, Home, Pending, Purpose};
use saifu_wire::messages::{
    AtmAuthorizeAnswer, AtmAuthorizeRequest, AtmDepositRequest, Outcome, RefundRequest, SettleAnswer, SettleRequest,
    SwitchRequest, SwitchState, VoidRequest,
};
use saifu_wire::{Name, Operation, Sensitive, SettlementId};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::parse::span_ms;
use super::stage::Stage;
use crate::failure::{Failure, LocalCode};
use crate::peers::new_txid;

/// How long the machine may take to bring an event that is on its way.
const EVENT_BOUND: Duration = Duration::from_secs(20);

/// Why a verb gave no result.
pub(super) enum Halt {
    /// Somebody refused: the document says who and why.
    Refused(Value),
    /// The scenario or the machine is at fault.
    Broken(String),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Refused(match &error {
            Error::Refused(problem) => json!({
                "error": problem.code, "title": problem.title, "detail": problem.detail, "rule": problem.rule,
                "retry_after_ms": problem.retry_after_ms,
            }),
            other => refusal(other.name(), &other.to_string(), None),
        })
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        let title = json!(failure).get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
        Self::Refused(refusal(failure.code(), &title, failure.detail()))
    }
}

fn refusal(code: &str, title: &str, detail: Option<&str>) -> Value {
    json!({ "error": code, "title": title, "detail": detail, "rule": null, "retry_after_ms": null })
}

/// Does one step. `who` is the persona or terminal, `arguments` have their saved values.
pub(super) async fn perform(
    stage: &mut Stage,
    verb: &str,
    who: &str,
    arguments: &Map<String, Value>,
) -> Result<Value, Halt> {
    let arguments = Arguments(arguments);
    match verb.split_once('.') {
        Some(("wallet", verb)) => wallet(stage, verb, who, &arguments).await,
        Some(("register" | "atm" | "operator", _)) => terminal(stage, verb, who, &arguments).await,
        _ => sandbox(stage, verb, who, &arguments).await,
    }
}

struct Arguments<'a>(&'a Map<String, Value>);

impl Arguments<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A text that the parser has made sure of; a saved number reads as its digits.
    fn needed(&self, name: &str) -> Result<String, Halt> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            _ => Err(Halt::Broken(format!("`{name}` is no text"))),
        }
    }

    fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    fn span_ms(&self, name: &str) -> Option<u64> {
        self.text(name).and_then(span_ms)
    }

    fn yen(&self) -> Result<Amount, Halt> {
        let amount = self.0.get("yen").and_then(Value::as_i64).and_then(Amount::new);
        amount.ok_or_else(|| Halt::Broken("`yen` is no amount between 1 and 9999999".into()))
    }

    fn name(&self, name: &str) -> Result<Name, Halt> {
        Name::new(self.needed(name)?).map_err(|error| Halt::Broken(format!("`{name}`: {error}")))
    }

    fn txid(&self) -> Result<Name, Halt> {
        if self.0.contains_key("txid") { self.name("txid") } else { Ok(new_txid("scenario")?) }
    }
}

async fn wallet(stage: &mut Stage, verb: &str, who: &str, arguments: &Arguments<'_>) -> Result<Value, Halt> {
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
            let newest = stage.levers().sms(&number).await?.into_iter().rev().find_map(|sms| sms.code);
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
        stage.advance(ms).await?;
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

async fn terminal(stage: &mut Stage, verb: &str, who: &str, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    let number = || arguments.needed("number").map(Sensitive::new);
    let totp = || arguments.needed("totp").map(Sensitive::new);
    Ok(match verb {
        "register.scan" => {
            let (txid, digits) = (arguments.txid()?, Sensitive::new(arguments.needed("digits")?));
            let body = SettleRequest { txid: txid.clone(), digits, yen: arguments.yen()? };
            settled(&ask(stage, who, Operation::Settle, &body).await?, &txid)
        }
        "register.void" => {
            let txid = arguments.txid()?;
            settled(&ask(stage, who, Operation::SettleVoid, &VoidRequest { txid: txid.clone() }).await?, &txid)
        }
        "register.refund" => {
            let txid = arguments.txid()?;
            let settlement: SettlementId = serde_json::from_value(json!(arguments.needed("settlement")?))
                .map_err(|_| Halt::Broken("`settlement` is no id of a settlement".into()))?;
            let body = RefundRequest { txid: txid.clone(), settlement, yen: arguments.yen()? };
            settled(&ask(stage, who, Operation::Refund, &body).await?, &txid)
        }
        "atm.authorize" | "atm.deposit" => {
            let txid = arguments.txid()?;
            let body = AtmAuthorizeRequest { txid: txid.clone(), number: number()?, totp: totp()? };
            let allowed: AtmAuthorizeAnswer = ask(stage, who, Operation::AtmAuthorize, &body).await?;
            let AtmAuthorizeAnswer { result, reason, yen, until } = allowed;
            if verb == "atm.authorize" {
                return Ok(json!({ "result": result, "reason": reason, "yen": yen, "until": until, "txid": txid }));
            }
            if result != Outcome::Approved {
                return Ok(settled(&SettleAnswer { result, reason, settlement: None, yen }, &txid));
            }
            let body = AtmDepositRequest { txid: txid.clone(), yen: arguments.yen()? };
            settled(&ask(stage, who, Operation::AtmDeposit, &body).await?, &txid)
        }
        "operator.switch" => {
            let switch = serde_json::from_value(json!(arguments.needed("switch")?))
                .map_err(|_| Halt::Broken("`switch` is no switch".into()))?;
            let reason = arguments.text("reason").unwrap_or_default().to_owned();
            let body = SwitchRequest { switch, on: arguments.flag("on"), reason };
            let state: SwitchState = ask(stage, who, Operation::SwitchSet, &body).await?;
            json!(state)
        }
        other => return Err(Halt::Broken(format!("the runner does not know {other}"))),
    })
}

async fn ask<A: DeserializeOwned>(
    stage: &mut Stage,
    who: &str,
    operation: Operation,
    body: &impl serde::Serialize,
) -> Result<A, Halt> {
    Ok(stage.terminal(who)?.ask(operation, body).await?)
}

fn settled(answer: &SettleAnswer, txid: &Name) -> Value {
    let SettleAnswer { result, reason, settlement, yen } = answer;
    json!({ "result": result, "reason": reason, "settlement": settlement, "yen": yen, "txid": txid })
}

async fn sandbox(stage: &mut Stage, verb: &str, who: &str, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    match verb {
        "sandbox.clock" => match arguments.span_ms("advance") {
            Some(ms) => return stage.advance(ms).await,
            None => return Ok(stage.levers().clock().await?),
        },
        "sandbox.sms" => {
            let number = stage.person(who)?.number.clone();
            let messages = stage.levers().sms(&number).await?;
            return Ok(json!({ "count": messages.len(), "newest": messages.last(), "messages": messages }));
        }
        "sandbox.fault" => {
            let times = arguments.0.get("times").cloned().unwrap_or_else(|| json!(1));
            let fault = json!({ "on": arguments.text("on"), "do": arguments.text("act"), "times": times });
            let fault = serde_json::from_value(fault).map_err(|error| Halt::Broken(error.to_string()))?;
            return Ok(stage.levers().add_fault(&fault).await?);
        }
        "sandbox.restart" => {
            stage.stop().await?;
            stage.start().await?;
        }
        "sandbox.stop" => stage.stop().await?,
        "sandbox.start" => stage.start().await?,
        other => return Err(Halt::Broken(format!("the runner does not know {other}"))),
    }
    Ok(json!({ "running": stage.runs() }))
}
