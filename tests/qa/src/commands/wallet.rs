//! `saifu wallet …`: a customer's phone on a desktop. The wallet is the one that ships; what a phone's hardware would do
//! comes from the desktop host.

mod code;
mod events;
mod home;
mod lists;
pub(super) mod open;
mod reset;
mod screen;
mod sign_up;
mod top_up;

pub(super) use events::FOLLOWING;
pub(crate) use home::document;
pub(crate) use lists::unfinished;

use serde_json::json;

use crate::cli::{TopUpCommand, WalletCommand};
use crate::context::Context;
use crate::failure::Failure;
use crate::peers::sandbox_clock;
use crate::report::Report;
use crate::tracing_setup::Recording;

pub(super) async fn run(command: WalletCommand, context: &Context) -> Result<Report, Failure> {
    let clock = sandbox_clock(&context.sandbox_file()?, Some(context.wallet.as_str()))?;
    let _recording = Recording::of(&context.folder()?, clock);
    match command {
        WalletCommand::Signup { number, no_wait } => sign_up::sign_up(number, no_wait, context).await,
        WalletCommand::Confirm { code } => sign_up::confirm(code, context).await,
        WalletCommand::Home => context.did("wallet.home", json!({}), home::home(context)).await,
        WalletCommand::Refresh => context.did("wallet.refresh", json!({}), home::refresh(context)).await,
        WalletCommand::Code(args) => code::run(args, context).await,
        WalletCommand::Topup(TopUpCommand::Atm { yen }) => {
            context.did("wallet.top-up", json!({ "yen": yen }), top_up::atm(yen, context)).await
        }
        WalletCommand::History { limit } => {
            context.did("wallet.history", json!({}), lists::history(limit, context)).await
        }
        WalletCommand::Pending => context.did("wallet.pending", json!({}), lists::pending(context)).await,
        WalletCommand::Events { follow } => events::run(follow, context).await,
        WalletCommand::Totp => context.did("wallet.totp", json!({}), lists::totp(context)).await,
        WalletCommand::Reset { insist } => context.did("wallet.reset", json!({}), reset::run(insist, context)).await,
    }
}
