//! `saifu wallet reset`: this device forgets the wallet, keys included. The account stays with the issuer.

use saifu::{Error, OpenError, VaultError, Wallet, WalletState};
use serde_json::json;

use super::open::{blocking, parts};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::presence;
use crate::report::Report;

pub(super) async fn run(insist: bool, context: &Context) -> Result<Report, Failure> {
    let folder = context.folder()?;
    let Some(settings) = folder.settings()? else { return Err(Error::NotSignedUp.into()) };
    let text = format!(
        "Delete the wallet `{}` and its keys from this device. The account stays with the issuer; signing up again with \
         other keys needs the issuer's help.",
        context.wallet.as_str()
    );
    // The issuer need not run: nothing is asked of it.
    let (host, config) = parts(&folder, settings.key_store, &settings.issuer).await?;
    presence::approve(context, &text, config.issuer.sandbox).await?;
    let (platform, runtime) = (host.platform(), tokio::runtime::Handle::current());
    let opened = {
        let (platform, config) = (platform.clone(), config.clone());
        blocking(move || Wallet::open(platform, config, runtime)).await?
    };
    match opened {
        Ok(wallet) => {
            let done = wallet.reset(insist).await;
            wallet.close().await;
            done?;
        }
        // In somebody's hands, which is no reason to delete it.
        Err(error @ (OpenError::Vault(VaultError::InUse) | OpenError::Config(_))) => return Err(error.into()),
        Err(_) if !insist => {
            let why =
                "the wallet does not open, so what is unfinished in it is not known; --insist deletes it all the same";
            return Err(LocalCode::Usage.detail(why));
        }
        Err(_) => blocking(move || Wallet::erase(&platform, &config.folder)).await??,
    }
    let document = json!({ "state": WalletState::NoAccount });
    Report::new(document, "This device has forgotten the wallet. Sign up with `saifu wallet signup --number N`.")
}
