//! What each verb of the world does, and the document it gives: the terminals, the control API, the issuer itself. Wallets are
//! not here: they are their runner's.

use saifu_sandbox::rules::world::Happening;
use saifu_wire::messages::{
    AtmAuthorizeRequest, AtmDepositRequest, Outcome, RefundRequest, SettleRequest, SwitchRequest, VoidRequest,
};
use saifu_wire::{Name, Operation, PhoneNumber, Sensitive};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::arguments::Arguments;
use super::halt::Halt;
use super::world::World;
use crate::report::with;

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
    let txid = arguments.txid()?;
    let answer = match verb {
        "register.scan" => {
            let (digits, yen) = (Sensitive::new(arguments.needed("digits")?), arguments.yen()?);
            ask(world, who, Operation::Settle, &SettleRequest { txid: txid.clone(), digits, yen }).await?
        }
        "register.void" => ask(world, who, Operation::SettleVoid, &VoidRequest { txid: txid.clone() }).await?,
        "register.refund" => {
            let settlement = arguments.needed("settlement")?.parse();
            let settlement = settlement.map_err(|_| Halt::Broken("`settlement` is no id of a settlement".into()))?;
            let body = RefundRequest { txid: txid.clone(), settlement, yen: arguments.yen()? };
            ask(world, who, Operation::Refund, &body).await?
        }
        "atm.authorize" | "atm.deposit" => {
            let (number, totp) = (arguments.needed("number")?, arguments.needed("totp")?);
            let (number, totp) = (Sensitive::new(number), Sensitive::new(totp));
            let asked = AtmAuthorizeRequest { txid: txid.clone(), number, totp };
            let allowed = ask(world, who, Operation::AtmAuthorize, &asked).await?;
            match (verb, allowed.get("result") == Some(&json!(Outcome::Approved))) {
                ("atm.authorize", _) => allowed,
                (_, false) => with(allowed, "settlement", Value::Null),
                (_, true) => {
                    let body = AtmDepositRequest { txid: txid.clone(), yen: arguments.yen()? };
                    ask(world, who, Operation::AtmDeposit, &body).await?
                }
            }
        }
        "operator.switch" => {
            let switch = serde_json::from_value(json!(arguments.needed("switch")?))
                .map_err(|_| Halt::Broken("`switch` is no switch".into()))?;
            let reason = arguments.text("reason").unwrap_or_default().to_owned();
            let body = SwitchRequest { switch, on: arguments.flag("on"), reason };
            return ask(world, who, Operation::SwitchSet, &body).await;
        }
        other => return Err(Halt::Broken(format!("the world does not know {other}"))),
    };
    Ok(with(answer, "txid", txid))
}

/// With the rule that declined. A terminal is not told, so it is asked for as a tester would: by the transaction.
async fn with_rule(world: &World, outcome: Value) -> Result<Value, Halt> {
    let declined = outcome.get("result") == Some(&json!(Outcome::Declined));
    let txid = outcome.get("txid").and_then(Value::as_str).filter(|_| declined);
    let rule = match txid.map(Name::new).transpose().map_err(|error| Halt::Broken(error.to_string()))? {
        Some(txid) => world.control().explain(&txid).await?.get("decided_by").cloned(),
        None => None,
    };
    Ok(with(outcome, "rule", rule))
}

async fn ask(world: &mut World, who: &str, operation: Operation, body: &impl Serialize) -> Result<Value, Halt> {
    Ok(world.terminal(who)?.ask(operation, body).await?)
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
            None => return Ok(world.control().get("clock", &[]).await?),
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
            return Ok(world.control().post("faults", &fault).await?);
        }
        "sandbox.clear-faults" => return Ok(world.control().clear_faults().await?),
        "sandbox.held" => return Ok(json!({ "held": world.held().await? })),
        "sandbox.event" => {
            let happening = happening(arguments)?;
            return Ok(world.control().post("events", &happening).await?);
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
    let mut fields = arguments.0.clone();
    if fields.remove("by").is_some() {
        fields.insert("by_ms".into(), json!(arguments.span_ms("by")));
    }
    if let Some(text) = arguments.text("number") {
        let number = PhoneNumber::parse(text).map_err(|error| Halt::Broken(format!("`number`: {error}")))?;
        fields.insert("number".into(), json!(number));
    }
    let happening: Happening =
        serde_json::from_value(fields.into()).map_err(|error| Halt::Broken(error.to_string()))?;
    happening.check().map_err(Halt::Broken)?;
    Ok(happening)
}
