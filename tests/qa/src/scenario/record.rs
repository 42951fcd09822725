//! What the issuer's log says of a played scenario, and whether `explain` names the rule behind every refusal in it. The
//! world gathers it before each stop of the issuer, whose log ends with it.

use std::path::Path;

use saifu_wire::Name;
use serde_json::{Value, json};

use super::halt::Halt;
use crate::failure::{Failure, at};
use crate::files::{self, Readers};
use crate::peers::ControlApi;

/// The gathered lines, and what could not be explained.
#[derive(Default)]
pub(super) struct Record {
    lines: Vec<String>,
    unexplained: Vec<Value>,
}

impl Record {
    /// Takes what the running issuer has written since its start. Once for each start.
    pub(super) async fn gather(&mut self, control: &ControlApi) -> Result<(), Halt> {
        let mut after = 0;
        loop {
            let lines = control.log(after, &[]).await?;
            let Some(last) = lines.last().and_then(|line| line.get("number")).and_then(Value::as_u64) else {
                return Ok(());
            };
            after = last;
            for line in lines {
                if refused(&line) && !explained(control, &line).await? {
                    self.unexplained.push(line.clone());
                }
                self.lines.push(line.to_string());
            }
        }
    }

    /// Refusals that no rule stands behind: there should be none.
    pub(super) fn unexplained(&self) -> &[Value] {
        &self.unexplained
    }

    /// Writes the lines into `FOLDER/NAME.jsonl`.
    pub(super) fn write(&self, folder: &Path, name: &str) -> Result<(), Failure> {
        std::fs::create_dir_all(folder).map_err(at(folder))?;
        let file = folder.join(format!("{name}.jsonl"));
        let text: String = self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        files::write(&file, text.as_bytes(), Readers::Usual)
    }
}

fn refused(line: &Value) -> bool {
    line.get("code").is_some() || line.get("result") == Some(&json!("declined"))
}

/// Whether `explain`, asked about the trace, tells this refusal with the rule that decided.
async fn explained(control: &ControlApi, line: &Value) -> Result<bool, Halt> {
    let trace = line.get("trace").and_then(Value::as_str).unwrap_or_default();
    let trace = Name::new(trace).map_err(|error| Halt::Broken(format!("the log's trace: {error}")))?;
    let told = control.explain(&trace).await?;
    let earlier = told.get("earlier").and_then(Value::as_array).into_iter().flatten();
    Ok(std::iter::once(&told).chain(earlier).any(|one| is_of(one, line) && is_decided(one)))
}

fn is_of(told: &Value, line: &Value) -> bool {
    ["code", "result", "reason"].iter().all(|field| told.get(field) == line.get(field))
}

fn is_decided(told: &Value) -> bool {
    let rules = told.get("rules").and_then(Value::as_array).into_iter().flatten();
    let decided: Vec<&Value> = rules.filter(|rule| rule.get("ok") == Some(&json!(false))).collect();
    decided.first().is_some_and(|rule| rule.get("rule").is_some() && rule.get("rule") == told.get("decided_by"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_is_explained_by_the_first_rule_that_did_not_allow() {
        let rules = json!([{"rule": "a", "ok": true}, {"rule": "b", "ok": false}, {"rule": "c", "ok": false}]);
        assert!(is_decided(&json!({"decided_by": "b", "rules": rules})));
        assert!(!is_decided(&json!({"decided_by": "c", "rules": rules})));
        assert!(!is_decided(&json!({"decided_by": null, "rules": [{"rule": "a", "ok": true}]})));
        let line = json!({"result": "declined", "reason": "over-cap"});
        assert!(refused(&line) && is_of(&json!({"result": "declined", "reason": "over-cap", "at": 1}), &line));
        assert!(!is_of(&json!({"result": "declined", "reason": "stopped"}), &line));
    }
}
