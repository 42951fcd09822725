//! What operators ask: enrolment of terminals, switches.

use crate::open::words;
use crate::{Bytes, Name, Open};

/// What a terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TerminalKind {
    /// A till.
    Register,
    /// A cash machine.
    Atm,
    /// A person at the issuer.
    Operator,
}

/// Enrols a register or an ATM.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// Its name.
    pub terminal: Name,
    /// What it is.
    pub kind: TerminalKind,
    /// Whose it is.
    pub merchant: Name,
    /// Its key, DER SubjectPublicKeyInfo; no other terminal may have it.
    pub spki: Bytes,
}

/// An enrolled terminal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolledAnswer {
    /// Its name.
    pub terminal: Name,
}

/// What can be stopped, each on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// New accounts.
    SignUp,
    /// New sessions.
    Session,
    /// Top-up with cash at an ATM: new intents and deposits.
    TopUpAtm,
    /// New payment codes.
    Code,
    /// Settlement at tills.
    Settlement,
}

/// Stops or restarts a service.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SwitchRequest {
    /// Which.
    pub switch: Switch,
    /// Whether it runs from now on.
    pub on: bool,
    /// What the customers read, at most 200 characters.
    pub reason: String,
}

/// A switch as it stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SwitchState {
    /// Which.
    pub switch: Open<Switch>,
    /// Whether it runs.
    pub on: bool,
    /// What the customers read.
    pub reason: String,
}

words! {
    TerminalKind { Register = "register", Atm = "atm", Operator = "operator", }
    Switch {
        SignUp = "sign-up",
        Session = "session",
        TopUpAtm = "top-up-atm",
        Code = "code",
        Settlement = "settlement",
    }
}
