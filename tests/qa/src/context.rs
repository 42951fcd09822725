//! What every command is given: where things are, and how to speak.

use std::path::{Path, PathBuf};

use saifu_sandbox::SandboxInfo;

use crate::cli::{Global, KeyStoreChoice, WalletName};
use crate::failure::{Failure, LocalCode};
use crate::home::{Home, WalletFolder};
use crate::peers::{self, ControlApi};
use crate::printer::Printer;
use crate::restoring;

/// The global arguments, resolved.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) printer: Printer,
    /// Missing where this user has none; a command that uses none does not ask.
    home: Option<Home>,
    pub(crate) wallet: WalletName,
    /// Whether it was named, not only the default.
    pub(crate) wallet_named: bool,
    pub(crate) key_store: Option<KeyStoreChoice>,
    /// The issuer's `sandbox.json`, if it was named.
    named_sandbox: Option<PathBuf>,
    /// Whether the owner approves everything beforehand.
    pub(crate) yes: bool,
}

impl Context {
    pub(crate) fn new(global: &Global, printer: Printer) -> Self {
        Self {
            printer,
            home: Home::new(global.home.as_deref()),
            wallet: global.wallet.clone(),
            wallet_named: global.wallet_named,
            key_store: global.key_store,
            named_sandbox: global.sandbox.clone(),
            yes: global.yes,
        }
    }

    /// The same sandbox for somebody else: with another home folder perhaps, without a word, with nobody to ask.
    pub(crate) fn quiet(&self, home: Home) -> Result<Self, Failure> {
        Ok(Self {
            printer: Printer::new(true, true),
            named_sandbox: Some(self.sandbox_file()?),
            home: Some(home),
            wallet: self.wallet.clone(),
            wallet_named: self.wallet_named,
            key_store: self.key_store.or(Some(KeyStoreChoice::File)),
            yes: true,
        })
    }

    /// The same with the sandbox that is described there.
    pub(crate) fn at(&self, sandbox_file: &Path) -> Self {
        Self { named_sandbox: Some(sandbox_file.to_owned()), ..self.clone() }
    }

    /// The home folder.
    pub(crate) fn home(&self) -> Result<&Home, Failure> {
        let home = self.home.as_ref().ok_or_else(|| {
            LocalCode::Usage.detail("this user has no home folder; name one with --home DIR or SAIFU_HOME")
        })?;
        restoring::finish(home)?;
        Ok(home)
    }

    /// The issuer's `sandbox.json`.
    pub(crate) fn sandbox_file(&self) -> Result<PathBuf, Failure> {
        match &self.named_sandbox {
            Some(file) => Ok(file.clone()),
            None => Ok(self.home()?.sandbox().join("sandbox.json")),
        }
    }

    /// The running sandbox.
    pub(crate) fn sandbox(&self) -> Result<SandboxInfo, Failure> {
        peers::read_sandbox(&self.sandbox_file()?)
    }

    /// The control API of the running sandbox.
    pub(crate) fn control(&self) -> Result<ControlApi, Failure> {
        ControlApi::new(&self.sandbox()?)
    }

    pub(crate) fn folder(&self) -> Result<WalletFolder, Failure> {
        Ok(self.home()?.wallet(&self.wallet))
    }
}
