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

use crate::cli::{TopUpCommand, WalletCommand};
use crate::context::Context;
use crate::failure::Failure;
use crate::peers::sandbox_clock;
use crate::report::Report;
use crate::tracing_setup::Recording;

pub(super) async fn run(command: WalletCommand, context: &Context) -> Result<Report, Failure> {
    let clock = sandbox_clock(&context.sandbox_file()?, Some(context.wallet.as_str()));
    let _recording = Recording::of(&context.folder()?, clock);
    match command {
        WalletCommand::Signup(args) => sign_up::sign_up(args, context).await,
        WalletCommand::Confirm(args) => sign_up::confirm(args, context).await,
        WalletCommand::Home => home::home(context).await,
        WalletCommand::Refresh => home::refresh(context).await,
        WalletCommand::Code(args) => code::run(args, context).await,
        WalletCommand::Topup(TopUpCommand::Atm(args)) => top_up::atm(args, context).await,
        WalletCommand::History(args) => lists::history(args, context).await,
        WalletCommand::Pending => lists::pending(context).await,
        WalletCommand::Events(args) => events::run(args, context).await,
        WalletCommand::Totp => lists::totp(context).await,
        WalletCommand::Reset(args) => reset::run(args, context).await,
    }
}
