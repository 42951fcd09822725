//! `saifu sandbox policy`: every limit, what it is for everybody and for this wallet, and what it means.

use saifu_sandbox::policy::RULES;
use saifu_wire::Yen;
use serde::Serialize;
use serde_json::{Value, json};

use crate::commands::log::device;
use crate::commands::table;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::report::Report;

#[derive(Serialize)]
struct Rule {
    rule: &'static str,
    /// For this wallet; null: off.
    value: Value,
    /// As in the policy file.
    everybody: Value,
    means: &'static str,
}

pub(in crate::commands) async fn run(context: &Context) -> Result<Report, Failure> {
    let control = context.control()?;
    let everybody = control.policy(None).await?;
    let (wallet, own) = match device(context).await {
        Ok(device) => (Some(context.wallet.as_str()), control.policy(Some(&device)).await?),
        Err(failure) if failure.code() == saifu::Error::NotSignedUp.name() && !context.wallet_named => {
            (None, everybody.clone())
        }
        Err(failure) => return Err(failure),
    };
    let mut rules = Vec::new();
    for (rule, means) in RULES {
        let at = format!("/{}", rule.replace('.', "/"));
        let value = |of: &Value| of.pointer(&at).cloned();
        let (Some(value), Some(everybody)) = (value(&own), value(&everybody)) else {
            return Err(LocalCode::Untrusted.detail(format!("a sandbox of another version: it has no {rule}")));
        };
        rules.push(Rule { rule, value, everybody, means: means.trim() });
    }
    let rows = rules.iter().map(|it| vec![it.rule.to_owned(), shown(it), it.means.to_owned()]);
    let column = wallet.map_or_else(|| "for everybody".to_owned(), |wallet| format!("for `{wallet}`"));
    let mut text = table(&["rule", &column, "means"], rows);
    let differ = rules.iter().filter(|it| it.value != it.everybody);
    for it in differ {
        text.push_str(&format!("\n* {} is {} for others", it.rule, words(it.rule, &it.everybody)));
    }
    Report::new(json!({ "wallet": wallet, "rules": rules }), text)
}

fn shown(rule: &Rule) -> String {
    let mark = if rule.value == rule.everybody { "" } else { " *" };
    format!("{}{mark}", words(rule.rule, &rule.value))
}

/// With the unit that the rule's name ends in.
fn words(rule: &str, value: &Value) -> String {
    match value {
        Value::Null => "off".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => match number.as_i64() {
            Some(yen) if rule.contains("yen") => Yen(yen).to_string(),
            Some(ms) if rule.ends_with("_ms") => span(ms),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// Milliseconds in the largest unit that they are whole in.
fn span(ms: i64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let whole = units.into_iter().find(|(unit, _)| ms >= *unit && ms.checked_rem(*unit) == Some(0));
    whole.map_or_else(|| format!("{ms} ms"), |(unit, name)| format!("{} {name}", ms.checked_div(unit).unwrap_or(ms)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_with_their_unit() {
        for (rule, value, text) in [
            ("pay.day_yen", json!(20_000), "¥20,000"),
            ("pay.day_yen", json!(null), "off"),
            ("points.yen_a_point", json!(200), "¥200"),
            ("code.life_ms", json!(300_000), "5 min"),
            ("standing.starter_ms", json!(259_200_000), "3 d"),
            ("top_up.nonce_ms", json!(90_001), "90001 ms"),
            ("sign_up.tries", json!(3), "3"),
            ("tell.sms_first_top_up", json!(true), "yes"),
        ] {
            assert_eq!(words(rule, &value), text, "{rule}");
        }
    }
}
