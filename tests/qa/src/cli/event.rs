//! `saifu sandbox event`: what the world does to us.

use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use saifu_sandbox::rules::world::{Because, Kind};
use saifu_wire::PhoneNumber;

use super::arguments;

/// What happens, why, to whom.
#[derive(Debug, Args)]
pub struct EventArgs {
    /// What happens [default: show what has happened]
    #[arg(value_name = "NAME", value_parser = words::<Kind>(Kind::WORDS), requires = "because")]
    pub event: Option<Kind>,
    /// Why; which event has which reasons stands below
    #[arg(long, value_name = "REASON", value_parser = words::<Because>(Because::WORDS), requires = "event")]
    pub because: Option<Because>,
    /// Only messages to this number [default: any]; for `number-recycled`, which number
    #[arg(long, value_name = "N", value_parser = arguments::phone_number, requires = "event")]
    pub number: Option<PhoneNumber>,
    /// How much later the messages arrive: 90s, 6m, 2h; 7 days at most
    #[arg(long, value_name = "SPAN", value_parser = arguments::duration_ms, requires = "event")]
    pub by: Option<u64>,
    /// So many messages, 1,000 at most [default: 1]
    #[arg(long, value_name = "N", requires = "event")]
    pub times: Option<u32>,
}

fn words<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|text| text.parse())
}

/// The reasons of every event, a line each, for the help.
fn reasons() -> String {
    let line = |kind: &Kind| {
        let reasons: Vec<&str> = kind.reasons().iter().map(|reason| reason.as_str()).collect();
        format!("  {:<15}  {}", kind.as_str(), reasons.join(", "))
    };
    Kind::ALL.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What stands below the help.
pub(super) fn after_help() -> String {
    format!(
        "Reasons:\n{}\n\nExamples:\n  saifu sandbox event sms-late --by 6m --because phone-off\n  saifu sandbox event \
         number-recycled --number 090-1234-5678 --because given-up\n  saifu sandbox event day-end --because scheduled",
        reasons()
    )
}
