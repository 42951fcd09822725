//! The house rules (`crate::tidy`) as a suite: each rule is one check.

use super::{Desk, Suite};
use crate::report::{Outcome, Report};
use crate::tidy;

pub(super) fn suites() -> Vec<Suite> {
    vec![Suite::new("tidy", |desk: &Desk<'_>| {
        let mut report = Report::default();
        let mut log = String::new();
        for (rule, findings) in tidy::check(desk.workspace)? {
            log.push_str(&format!("{rule}: {} findings\n{}\n", findings.len(), findings.join("\n")));
            report.check(findings.is_empty(), || format!("{rule}:\n  {}", findings.join("\n  ")));
        }
        std::fs::write(&*desk.log.borrow(), log)?;
        Ok(Outcome::Ran(report))
    })]
}
