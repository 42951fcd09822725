//! Registers, ATMs and operators: who holds which key. The listener finds a terminal by the key of its proof.

use rusqlite::params;
use saifu_crypto::PublicKey;
use saifu_wire::messages::TerminalKind;
use saifu_wire::{Name, Problem, ProblemCode, dpop};

use super::{Cx, Refused};

/// A register, an ATM or an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub kind: TerminalKind,
    /// Whose it is.
    pub merchant: Name,
}

impl Terminal {
    /// Only a terminal of this kind may do this.
    pub(crate) fn require(&self, kind: TerminalKind) -> Result<(), Refused> {
        if self.kind == kind {
            return Ok(());
        }
        let detail = format!("this takes the key of a terminal of kind {}", kind.as_str());
        Err(Problem::new(ProblemCode::UnknownTerminal).detail(detail).into())
    }
}

/// The terminal with this key, by its JWK thumbprint (RFC 7638). Reads only.
///
/// # Errors
/// `internal` when a row cannot be read.
pub fn by_key(cx: &Cx<'_>, thumbprint: &str) -> Result<Option<Terminal>, Refused> {
    find(cx, "SELECT name, kind, merchant FROM terminal WHERE thumbprint = ?", thumbprint)
}

/// Enrols a terminal without an operator: the first ones of a new issuer. A repeat changes nothing.
///
/// # Errors
/// `invalid-request` when the key is none, or name or key belong to another terminal.
pub fn enrol_first(
    cx: &Cx<'_>,
    name: &Name,
    kind: TerminalKind,
    merchant: &Name,
    spki: &[u8],
) -> Result<Terminal, Refused> {
    let invalid = |detail: &str| Problem::new(ProblemCode::InvalidRequest).detail(detail);
    let key = PublicKey::from_spki(spki).map_err(|_| invalid("spki: not a P-256 key"))?;
    let thumbprint = dpop::thumbprint(&key);
    let terminal = Terminal { name: name.clone(), kind, merchant: merchant.clone() };
    let by_name = find(cx, "SELECT name, kind, merchant FROM terminal WHERE name = ?", name.as_str())?;
    let by_key = by_key(cx, &thumbprint)?;
    match (by_name, by_key) {
        (None, None) => {
            cx.run(
                "INSERT INTO terminal (name, kind, merchant, spki, thumbprint) VALUES (?, ?, ?, ?, ?)",
                params![name.as_str(), kind.as_str(), merchant.as_str(), spki, thumbprint],
            )?;
            Ok(terminal)
        }
        (Some(named), Some(keyed)) if named == keyed && named == terminal => Ok(terminal),
        (_, Some(_)) => Err(invalid("spki: another terminal has this key").into()),
        (Some(_), None) => Err(invalid("terminal: this name is taken").into()),
    }
}

fn find(cx: &Cx<'_>, sql: &str, by: &str) -> Result<Option<Terminal>, Refused> {
    let row: Option<(String, String, String)> = cx.find(sql, [by], |row| row.try_into())?;
    let Some((name, kind, merchant)) = row else { return Ok(None) };
    let kind = serde_json::from_value(kind.into())?;
    let name_of = |text: String| Name::new(text).map_err(|_| Refused::from(ProblemCode::Internal));
    Ok(Some(Terminal { name: name_of(name)?, kind, merchant: name_of(merchant)? }))
}
