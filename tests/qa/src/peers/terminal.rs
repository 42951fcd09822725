//! A register or an ATM: a link to the issuer that proves the terminal's own key. It knows no wallet.

use std::path::Path;

use data_encoding::{BASE64, HEXLOWER};
use saifu_crypto::{KeyPair, Random as _, Secret, SystemRandom};
use saifu_link::{Auth, Link, Request};
use saifu_policy::Class;
use saifu_sandbox::SandboxInfo;
use saifu_wire::messages::TerminalKind;
use saifu_wire::{Name, Operation};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{RememberedIssuer, sandbox_clock};
use crate::context::Context;
use crate::failure::{Failure, LocalCode};

/// A terminal that the sandbox knows.
pub(crate) struct Terminal {
    name: Name,
    link: Link,
    /// Of this one transaction at the counter, however many requests it takes.
    trace: String,
}

impl Terminal {
    /// The named terminal, or the sandbox's first one of that kind.
    pub(crate) fn open(context: &Context, kind: TerminalKind, named: Option<&Name>) -> Result<Self, Failure> {
        Self::connect(&context.sandbox()?, &context.sandbox_file()?, kind, named)
    }

    /// The same, of the sandbox that is described there.
    pub(crate) fn connect(
        info: &SandboxInfo,
        sandbox_file: &Path,
        kind: TerminalKind,
        named: Option<&Name>,
    ) -> Result<Self, Failure> {
        let found = info.terminals.iter().find(|terminal| match named {
            Some(name) => terminal.terminal == *name,
            None => terminal.kind == kind,
        });
        let Some(found) = found else { return Err(unknown(info, named, kind)) };
        let wrong = || LocalCode::BadInput.detail(format!("{}: the key of {}", sandbox_file.display(), found.terminal));
        let pkcs8 = BASE64.decode(found.key.as_bytes()).map(Secret::new).map_err(|_| wrong())?;
        let key = KeyPair::from_pkcs8(pkcs8).map_err(|_| wrong())?;
        let issuer = RememberedIssuer::new(info, sandbox_file).config_at(&info.register_url)?;
        let version = concat!("saifu-qa/", env!("CARGO_PKG_VERSION"));
        let link = Link::with_key(issuer, sandbox_clock(sandbox_file, None)?, version, key)?;
        Ok(Self { name: found.terminal.clone(), link, trace: saifu_link::new_trace() })
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    /// From here on it is about another transaction.
    pub(crate) fn next_transaction(&mut self) {
        self.trace = saifu_link::new_trace();
    }

    /// Asks, and repeats once if no answer comes: the issuer answers one transaction once.
    pub(crate) async fn ask<A: DeserializeOwned>(
        &self,
        operation: Operation,
        body: &impl Serialize,
    ) -> Result<A, Failure> {
        let asked = self.link.call(Request::new(operation, Auth::Proof, Class::Terminal), body);
        Ok(saifu_link::traced_as(self.trace.clone(), asked).await?)
    }
}

fn unknown(info: &SandboxInfo, named: Option<&Name>, kind: TerminalKind) -> Failure {
    let names: Vec<&str> = info.terminals.iter().map(|terminal| terminal.terminal.as_str()).collect();
    let wanted = named.map_or_else(|| format!("terminal of kind {}", kind.as_str()), ToString::to_string);
    LocalCode::BadInput.detail(format!("--terminal: the sandbox has no {wanted}; it has {}", names.join(", ")))
}

/// A transaction id that no other run has.
pub(crate) fn new_txid(prefix: &str) -> Result<Name, Failure> {
    let random: [u8; 8] = SystemRandom.bytes().map_err(|error| LocalCode::Bug.detail(error.to_string()))?;
    Name::new(format!("{prefix}-{}", HEXLOWER.encode(&random)))
        .map_err(|error| LocalCode::Bug.detail(error.to_string()))
}
