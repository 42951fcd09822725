//! Which device speaks: the certificate that opens a session, and the check that it is still the one that may.

use rusqlite::params;
use saifu_crypto::PublicKey;
use saifu_wire::messages::{SessionRequest, Switch};
use saifu_wire::{Problem, ProblemCode, signed};

use super::account::{self, Customer};
use super::{Binding, Cx, Refused, operator};

const APP_VERSION_MAX: usize = 32;

/// A live device and its account.
pub(crate) struct Live {
    pub(crate) customer: Customer,
    pub(crate) device_key: PublicKey,
    pub(crate) authorization_key: PublicKey,
}

/// Accepts the device key's certificate for a session key. `nonce` is the DPoP nonce of the request and `thumbprint` its
/// key's. The caller makes the session's id and tokens; [`check`] tells on each later request whether it still stands.
///
/// # Errors
/// `switched-off`, `invalid-request`, `unknown-device`, `invalid-signature`.
pub fn open(cx: &Cx<'_>, request: &SessionRequest, nonce: &str, thumbprint: &str) -> Result<Binding, Refused> {
    operator::require(cx, Switch::Session)?;
    let version = &request.app_version;
    if version.is_empty()
        || version.len() > APP_VERSION_MAX
        || !version.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
    {
        return Err(Problem::new(ProblemCode::InvalidRequest)
            .detail("app_version: 1 to 32 printable characters")
            .into());
    }
    let binding = Binding { account: request.account, device: request.device, epoch: request.epoch };
    let live = live(cx, binding)?;
    let message = signed::session(nonce, binding, thumbprint, version);
    live.device_key.verify_der(&message, &request.signature.0).map_err(|_| ProblemCode::InvalidSignature)?;
    Ok(binding)
}

/// Whether this is still the account's live device, in its present epoch.
///
/// # Errors
/// `unknown-device`.
pub fn check(cx: &Cx<'_>, binding: Binding) -> Result<(), Refused> {
    let epoch = i64::try_from(binding.epoch).map_err(|_| ProblemCode::UnknownDevice)?;
    let live: bool = cx.row(
        "SELECT EXISTS (SELECT 1 FROM device d JOIN account a ON a.id = d.account
             WHERE d.id = ? AND a.id = ? AND a.epoch = ? AND d.epoch = a.epoch AND d.state = 'live')",
        params![binding.device.as_bytes(), binding.account.as_bytes(), epoch],
        |row| row.get(0),
    )?;
    if live { Ok(()) } else { Err(ProblemCode::UnknownDevice.into()) }
}

/// As [`check`], with what the rules need to go on.
pub(crate) fn live(cx: &Cx<'_>, binding: Binding) -> Result<Live, Refused> {
    check(cx, binding)?;
    let customer = account::customer(cx, binding.account)?.ok_or(ProblemCode::UnknownDevice)?;
    let (device, authorization): (Vec<u8>, Vec<u8>) = cx
        .find("SELECT device_spki, authorization_spki FROM device WHERE id = ?", [binding.device.as_bytes()], |row| {
            row.try_into()
        })?
        .ok_or(ProblemCode::UnknownDevice)?;
    Ok(Live {
        customer,
        device_key: PublicKey::from_spki(&device)?,
        authorization_key: PublicKey::from_spki(&authorization)?,
    })
}
