//! `saifu explain`: what a code means and what to do, from the tables that made it; or why one try ended as it did.

mod tried;

use std::borrow::Cow;

use saifu_wire::{ProblemCode, Reason};
use serde::Serialize;
use serde_json::json;

use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::report::Report;

/// One meaning of a code; the same word may be in several tables.
#[derive(Serialize)]
struct Meaning {
    /// Who says it.
    from: &'static str,
    code: &'static str,
    /// The wallet's number, the HTTP status or the exit code.
    number: Option<u16>,
    title: Cow<'static, str>,
    next: &'static str,
}

pub(super) async fn run(code_or_id: &str, context: &Context) -> Result<Report, Failure> {
    let code = code_or_id.trim();
    if let Some(meaning) = meaning(&code.to_ascii_lowercase())? {
        return Ok(meaning);
    }
    if let Some(told) = tried::explain(code, context).await? {
        return Ok(told);
    }
    let close = closest(code).map(|close| format!("; did you mean `{close}`?")).unwrap_or_default();
    Err(LocalCode::BadInput.detail(format!("`{code}` is in no table, and no running sandbox knows it as a try{close}")))
}

/// What the tables say, if the code is in one.
fn meaning(code: &str) -> Result<Option<Report>, Failure> {
    let meanings: Vec<Meaning> = meanings().filter(|meaning| fits(meaning, code)).collect();
    if meanings.is_empty() {
        return Ok(None);
    }
    let lines = meanings.iter().map(|meaning| {
        let number = meaning.number.map(|number| format!(" {number}")).unwrap_or_default();
        format!("{} ({}{number}): {}\n  next: {}", meaning.code, meaning.from, meaning.title, meaning.next)
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    Report::new(json!({ "meanings": meanings }), text).map(Some)
}

fn fits(meaning: &Meaning, code: &str) -> bool {
    let number = meaning.number.filter(|_| meaning.from == "wallet").map(|number| number.to_string());
    meaning.code == code || number.as_deref() == Some(code)
}

/// Every code that is explained.
pub(super) fn codes() -> impl Iterator<Item = &'static str> {
    meanings().map(|meaning| meaning.code)
}

fn meanings() -> impl Iterator<Item = Meaning> {
    let issuer = ProblemCode::ALL.iter().map(|code| Meaning {
        from: "issuer",
        code: code.as_str(),
        number: Some(code.status()),
        title: code.title().into(),
        next: code.next(),
    });
    let till = Reason::ALL.iter().map(|reason| {
        // One text holds both: what happened, then what to do.
        let (title, next) = reason.text().split_once(". ").unwrap_or((reason.text(), ""));
        Meaning { from: "register or ATM", code: reason.as_str(), number: None, title: title.into(), next }
    });
    let wallet = saifu::Error::TABLE.iter().map(|(number, name, next)| Meaning {
        from: "wallet",
        code: name,
        number: Some(*number),
        title: format!("The wallet says: {}.", name.replace('-', " ")).into(),
        next,
    });
    let local = LocalCode::ALL.iter().map(|code| Meaning {
        from: "saifu, exit code",
        code: code.as_str(),
        number: Some(code.status().number().into()),
        title: code.title().into(),
        next: code.next(),
    });
    issuer.chain(till).chain(wallet).chain(local)
}

/// The code that shares most letters in place, if it is most of them.
fn closest(wanted: &str) -> Option<&'static str> {
    let common = |code: &str| code.split('-').filter(|word| wanted.split('-').any(|other| other == *word)).count();
    let best = meanings().map(|meaning| meaning.code).max_by_key(|code| common(code))?;
    (common(best) > 0).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_every_table_is_explained() {
        for meaning in meanings() {
            let report = super::meaning(meaning.code).unwrap().unwrap();
            assert!(report.text().contains(meaning.next), "{}", meaning.code);
        }
    }

    #[test]
    fn unknown_code_names_a_near_one() {
        assert!(super::meaning("number-token").unwrap().is_none());
        assert!(closest("number-token").unwrap().contains("number-"));
    }
}
