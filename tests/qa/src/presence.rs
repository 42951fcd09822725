//! Asking the person at the terminal, and never anybody who is not there.

use std::io::IsTerminal as _;

use inquire::{Confirm, InquireError, Text};

use crate::context::Context;
use crate::failure::{Failure, LocalCode};

/// Whether a question would reach a person.
pub(crate) fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Whether an approval can be had at all: asked before anything is prepared. `--yes` answers for the owner, but only
/// where the issuer is a sandbox.
pub(crate) fn possible(context: &Context, sandbox: bool) -> Result<(), Failure> {
    match (context.yes, sandbox, somebody_is_there()) {
        (true, false, _) => Err(LocalCode::YesRefused.bare()),
        (true, true, _) | (false, _, true) => Ok(()),
        (false, _, false) => Err(LocalCode::NeedsApproval.detail("the flag is --yes")),
    }
}

/// Shows the approval's text, then asks.
pub(crate) async fn approve(context: &Context, text: &str, sandbox: bool) -> Result<(), Failure> {
    possible(context, sandbox)?;
    // Approved beforehand, it is a remark like others.
    if context.yes {
        context.printer.note(text)
    } else {
        context.printer.say(text)
    }
    if context.yes || confirmed("Approve?").await? { Ok(()) } else { Err(LocalCode::NotApproved.bare()) }
}

/// A yes or no; no by default.
pub(crate) async fn confirmed(question: &'static str) -> Result<bool, Failure> {
    prompt(move || Confirm::new(question).with_default(false).prompt()).await.map(|answer| answer.unwrap_or(false))
}

/// A typed line, or `None` if the person gave up. Without a terminal it fails and names the option to give instead.
pub(crate) async fn typed(question: &'static str, option: &'static str) -> Result<Option<String>, Failure> {
    if !somebody_is_there() {
        return Err(LocalCode::NeedsAnswer.detail(format!("the option is {option}")));
    }
    prompt(move || Text::new(question).prompt()).await
}

async fn prompt<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, InquireError> + Send + 'static,
) -> Result<Option<T>, Failure> {
    let answer = tokio::task::spawn_blocking(ask).await;
    match answer.map_err(|_| LocalCode::Bug.detail("the prompt failed"))? {
        Ok(answer) => Ok(Some(answer)),
        Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => Ok(None),
        Err(error) => Err(LocalCode::NeedsAnswer.detail(error.to_string())),
    }
}
