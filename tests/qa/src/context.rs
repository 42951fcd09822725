//! What every command is given: where things are, and how to speak.

use std::path::PathBuf;

use saifu_sandbox::SandboxInfo;

use crate::cli::{Global, KeyStoreChoice, WalletName};
use crate::failure::Failure;
use crate::home::{Home, WalletFolder};
use crate::peers;
use crate::printer::Printer;

/// The global arguments, resolved.
pub(crate) struct Context {
    pub(crate) printer: Printer,
    pub(crate) home: Home,
    pub(crate) wallet: WalletName,
    /// Whether it was named, not only the default.
    pub(crate) wallet_named: bool,
    pub(crate) key_store: Option<KeyStoreChoice>,
    /// The issuer's `sandbox.json`.
    pub(crate) sandbox_file: PathBuf,
    /// Whether the owner approves everything beforehand.
    pub(crate) yes: bool,
}

impl Context {
    pub(crate) fn new(global: &Global, printer: Printer) -> Result<Self, Failure> {
        let home = Home::new(global.home.as_deref())?;
        let sandbox_file = global.sandbox.clone().unwrap_or_else(|| home.sandbox().join("sandbox.json"));
        Ok(Self {
            printer,
            home,
            wallet: global.wallet.clone(),
            wallet_named: global.wallet_named,
            key_store: global.key_store,
            sandbox_file,
            yes: global.yes,
        })
    }

    /// The running sandbox.
    pub(crate) fn sandbox(&self) -> Result<SandboxInfo, Failure> {
        peers::read_sandbox(&self.sandbox_file)
    }

    pub(crate) fn folder(&self) -> WalletFolder {
        self.home.wallet(&self.wallet)
    }
}
