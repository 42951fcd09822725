//! What each verb of the world does, and the document it gives: the terminals, the control API, the issuer itself. Wallets are
//! not here: they are their runner's.

use saifu_sandbox::rules::world::Happening;
use saifu_wire::messages::{
    AtmAuthorizeAnswer, AtmAuthorizeRequest, AtmDepositRequest, Outcome, RefundRequest, SettleAnswer, SettleRequest,
    SwitchRequest, SwitchState, VoidRequest,
};
use saifu_wire::{Name, Operation, PhoneNumber, Sensitive, SettlementId};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::arguments::Arguments;
use super::halt::Halt;
use super::world::World;

/// Does one step. `who` is the persona or terminal, `number` the persona's; `arguments` have their saved values.
pub(super) async fn perform(
    world: &mut World,
    verb: &str,
    who: &str,
    number: Option<&PhoneNumber>,
    arguments: &Map<String, Value>,
) -> Result<Value, Halt> {
    let arguments = Arguments(arguments);
    match verb.split_once('.') {
        Some(("register" | "atm", _)) => {
            let outcome = terminal(world, verb, who, &arguments).await?;
            with_rule(world, outcome).await
        }
        Some(("operator", _)) => terminal(world, verb, who, &arguments).await,
        _ => sandbox(world, verb, number, &arguments).await,
    }
}

async fn terminal(world: &mut World, verb: &str, who: &str, arguments: &Arguments<'_>) -> Result<Value, Halt> {
    let number = || arguments.needed("number").map(Sensitive::new);
    let totp = || arguments.needed("totp").map(Sensitive::new);
    Ok(match verb {
        "register.scan" => {
            let (txid, digits) = (arguments.txid()?, Sensitive::new(arguments.needed("digits")?));
            let body = SettleRequest { txid: txid.clone(), digits, yen: arguments.yen()? };
            settled(&ask(world, who, Operation::Settle, &body).await?, &txid)
        }
        "register.void" => {
            let txid = arguments.txid()?;
            settled(&ask(world, who, Operation::SettleVoid, &VoidRequest { txid: txid.clone() }).await?, &txid)
        }
        "register.refund" => {
            let txid = arguments.txid()?;
            let settlement: SettlementId = serde_json::from_value(json!(arguments.needed("settlement")?))
                .map_err(|_| Halt::Broken("`settlement` is no id of a settlement".into()))?;
            let body = RefundRequest { txid: txid.clone(), settlement, yen: arguments.yen()? };
            settled(&ask(world, who, Operation::Refund, &body).await?, &txid)
        }
        "atm.authorize" | "atm.deposit" => {
            let txid = arguments.txid()?;
            let body = AtmAuthorizeRequest { txid: txid.clone(), number: number()?, totp: totp()? };
            let allowed: AtmAuthorizeAnswer = ask(world, who, Operation::AtmAuthorize, &body).await?;
            let AtmAuthorizeAnswer { result, reason, yen, until } = allowed;
            if verb == "atm.authorize" {
                return Ok(json!({ "result": result, "reason": reason, "yen": yen, "until": until, "txid": txid }));
            }
            if result != Outcome::Approved {
                return Ok(settled(&SettleAnswer { result, reason, settlement: None, yen }, &txid));
            }
            let body = AtmDepositRequest { txid: txid.clone(), yen: arguments.yen()? };
            settled(&ask(world, who, Operation::AtmDeposit, &body).await?, &txid)
        }
        "operator.switch" => {
            let switch = serde_json::from_value(json!(arguments.needed("switch")?))
                .map_err(|_| Halt::Broken("`switch` is no switch".into()))?;
            let reason = arguments.text("reason").unwrap_or_default().to_owned();
            let body = SwitchRequest { switch, on: arguments.flag("on"), reason };
            let state: SwitchState = ask(world, who, Operation::SwitchSet, &body).await?;
            json!(state)
        }
        other => return Err(Halt::Broken(format!("the world does not know {other}"))),
    })
}

/// With the rule that declined. A terminal is not told, so it is asked for as a tester would: by the transaction.
async fn with_rule(world: &World, mut outcome: Value) -> Result<Value, Halt> {
    let declined = outcome.get("result") == Some(&json!(Outcome::Declined));
    let txid = outcome.get("txid").and_then(Value::as_str).filter(|_| declined);
    let rule = match txid.map(Name::new).transpose().map_err(|error| Halt::Broken(error.to_string()))? {
        Some(txid) => world.control().explain(&txid).await?.get("decided_by").cloned(),
        None => None,
    };
    if let Some(fields) = outcome.as_object_mut() {
        fields.insert("rule".into(), rule.unwrap_or_default());
    }
    Ok(outcome)
}

async fn ask<A: DeserializeOwned>(
    world: &mut World,
    who: &str,
    operation: Operation,
    body: &impl serde::Serialize,
) -> Result<A, Halt> {
    Ok(world.terminal(who)?.ask(operation, body).await?)
}

fn settled(answer: &SettleAnswer, txid: &Name) -> Value {
    let SettleAnswer { result, reason, settlement, yen } = answer;
    json!({ "result": result, "reason": reason, "settlement": settlement, "yen": yen, "txid": txid })
}

async fn sandbox(
    world: &mut World,
    verb: &str,
    number: Option<&PhoneNumber>,
    arguments: &Arguments<'_>,
) -> Result<Value, Halt> {
    match verb {
        "sandbox.clock" => match arguments.span_ms("advance") {
            Some(ms) => return world.advance(ms).await,
            None => return Ok(world.control().clock().await?),
        },
        "sandbox.sms" => {
            let number = number.ok_or_else(|| Halt::Broken("the persona's number is missing".into()))?;
            let holder = arguments.0.get("holder").and_then(Value::as_u64).and_then(|holder| holder.try_into().ok());
            let messages = world.control().inbox(number, holder).await?;
            return Ok(json!({ "count": messages.len(), "newest": messages.last(), "messages": messages }));
        }
        "sandbox.fault" => {
            let times = arguments.0.get("times").cloned().unwrap_or_else(|| json!(1));
            let fault = json!({ "on": arguments.text("on"), "do": arguments.text("act"), "times": times });
            let fault = serde_json::from_value(fault).map_err(|error| Halt::Broken(error.to_string()))?;
            return Ok(world.control().add_fault(&fault).await?);
        }
        "sandbox.clear-faults" => return Ok(world.control().clear_faults().await?),
        "sandbox.held" => return Ok(json!({ "held": world.held().await? })),
        "sandbox.event" => {
            let happening = happening(arguments)?;
            return Ok(world.control().event(&happening).await?);
        }
        "sandbox.restart" => {
            world.stop().await?;
            world.start().await?;
        }
        "sandbox.stop" => world.stop().await?,
        "sandbox.start" => world.start().await?,
        other => return Err(Halt::Broken(format!("the world does not know {other}"))),
    }
    Ok(json!({ "running": world.runs() }))
}

fn happening(arguments: &Arguments<'_>) -> Result<Happening, Halt> {
    let broken = |error: String| Halt::Broken(error);
    let number = match arguments.text("number") {
        Some(text) => Some(PhoneNumber::parse(text).map_err(|error| Halt::Broken(format!("`number`: {error}")))?),
        None => None,
    };
    let times = arguments.0.get("times").and_then(Value::as_u64).map(u32::try_from).transpose();
    let happening = Happening {
        event: arguments.needed("event")?.parse().map_err(broken)?,
        because: arguments.needed("because")?.parse().map_err(broken)?,
        number,
        by_ms: arguments.span_ms("by"),
        times: times.map_err(|error| Halt::Broken(format!("`times`: {error}")))?,
    };
    happening.check().map_err(broken)?;
    Ok(happening)
}
