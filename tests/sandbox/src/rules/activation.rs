//! The key agreement that gives a phone its offline seed and its in-app TOTP secret. New secrets are *pending* beside the
//! current ones until the phone proves that it has kept them, by a MAC or by using them; so a crash on either side never
//! leaves a phone without working secrets. At rest they are sealed; no stored answer holds one.

use rusqlite::params;
use saifu_code::{Alias, Totp};
use saifu_crypto::{EphemeralKey, PublicKey, Secret, constant_time_eq};
use saifu_wire::messages::{
    ActivationAnswer, ActivationConfirmRequest, ActivationConfirmed, ActivationRequest, TotpParameters,
};
use saifu_wire::signed::{self, ActivationSecrets};
use saifu_wire::{DeviceId, Problem, ProblemCode, RequestId, Sensitive};

use super::context::ms;
use super::{Binding, Cx, Refused, session};
use crate::words::words;

const SEED_LEN: usize = 32;
const TOTP_LEN: usize = 20;
/// Aliases are seven digits; with a million phones a draw is free nine times in ten.
const ALIAS_DRAWS: usize = 64;

words! {
    /// Whether the phone has shown that it has the secrets.
    State {
        Pending = "pending",
        Current = "current",
    }
}

/// Answers the phone's half of the agreement. Secrets that were pending are replaced; the current ones stay.
///
/// # Errors
/// `unknown-device`; `invalid-request` for a point that is not on the curve.
pub fn begin(cx: &Cx<'_>, binding: Binding, request: &ActivationRequest) -> Result<ActivationAnswer, Refused> {
    session::check(cx, binding)?;
    let no_point = |_| Problem::new(ProblemCode::InvalidRequest).detail("phone_point: not a P-256 point of 65 bytes");
    let phone = PublicKey::from_point(&request.phone_point.0).map_err(no_point)?;
    let ours = EphemeralKey::generate()?;
    let issuer_point = *ours.public_key().point();
    let id = RequestId(cx.new_id()?);
    let transcript = signed::activation(id, binding, phone.point(), &issuer_point);
    let secrets = ActivationSecrets::derive(&ours.agree(&phone).map_err(no_point)?, &transcript)?;
    let mac = secrets.confirmation(&transcript);
    let plain = Secret::new([secrets.offline_seed.expose(), secrets.totp.expose(), &mac].concat());
    let (alias, alias_hmac) = draw_alias(cx)?;
    let alias_expires_at = cx.now.plus(cx.policy.activation.alias_ms);
    cx.run("DELETE FROM activation WHERE device = ? AND state = 'pending'", [binding.device.as_bytes()])?;
    cx.run(
        "INSERT INTO activation (id, device, epoch, state, phone_point, issuer_point, sealed, alias_hmac, alias_until)
             VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?)",
        params![
            id.as_bytes(),
            binding.device.as_bytes(),
            i64::try_from(binding.epoch)?,
            phone.point(),
            issuer_point,
            cx.secrets.seal(cx.random, id.as_bytes(), plain.expose())?,
            alias_hmac,
            ms(alias_expires_at),
        ],
    )?;
    let totp = Totp::default();
    Ok(ActivationAnswer {
        activation: id,
        issuer_point: saifu_wire::Bytes(issuer_point.to_vec()),
        alias: Sensitive::new(alias.as_str()),
        alias_expires_at,
        totp: TotpParameters { digits: totp.digits(), period: totp.period() },
    })
}

fn draw_alias(cx: &Cx<'_>) -> Result<(Alias, [u8; 32]), Refused> {
    for _ in 0..ALIAS_DRAWS {
        let alias = Alias::from_random(cx.random)?;
        let hmac = cx.secrets.alias(alias.as_str());
        let taken: bool =
            cx.row("SELECT EXISTS (SELECT 1 FROM activation WHERE alias_hmac = ?)", [hmac], |row| row.get(0))?;
        if !taken {
            return Ok((alias, hmac));
        }
    }
    Err(ProblemCode::Overloaded.into())
}

/// Makes the pending secrets the current ones. Repeats give the same answer.
///
/// # Errors
/// `unknown-device`; `invalid-signature`; `no-activation` when it was replaced, belongs to another device or epoch, or the
/// proof does not fit.
pub fn confirm(
    cx: &Cx<'_>,
    binding: Binding,
    request: &ActivationConfirmRequest,
) -> Result<ActivationConfirmed, Refused> {
    let live = session::live(cx, binding)?;
    let id = request.activation;
    let (state, phone, issuer, sealed): (State, Vec<u8>, Vec<u8>, Vec<u8>) = cx
        .find(
            "SELECT state, phone_point, issuer_point, sealed FROM activation WHERE id = ? AND device = ? AND epoch = ?",
            params![id.as_bytes(), binding.device.as_bytes(), i64::try_from(binding.epoch)?],
            |row| row.try_into(),
        )?
        .ok_or(ProblemCode::NoActivation)?;
    let transcript = signed::activation(id, binding, &phone, &issuer);
    live.device_key.verify_der(&transcript, &request.signature.0).map_err(|_| ProblemCode::InvalidSignature)?;
    let plain = cx.secrets.open(id.as_bytes(), &sealed)?;
    let mac = plain.expose().get(SEED_LEN.saturating_add(TOTP_LEN)..).unwrap_or_default();
    if mac.is_empty() || !constant_time_eq(mac, &request.mac.0) {
        return Err(ProblemCode::NoActivation.into());
    }
    if state == State::Pending {
        promote(cx, binding.device)?;
    }
    Ok(ActivationConfirmed { activation: id })
}

fn promote(cx: &Cx<'_>, device: DeviceId) -> Result<(), Refused> {
    cx.run("DELETE FROM activation WHERE device = ? AND state = 'current'", [device.as_bytes()])?;
    cx.run("UPDATE activation SET state = 'current' WHERE device = ?", [device.as_bytes()])?;
    Ok(())
}

/// Whether this is a fresh in-app TOTP code of the device: the present step or a neighbour, later than any taken before.
/// Its step is taken. A code of pending secrets confirms them.
pub(crate) fn take_totp(cx: &Cx<'_>, device: DeviceId, code: &str) -> Result<bool, Refused> {
    let candidates: Vec<([u8; 16], State, Vec<u8>, i64)> = cx
        .conn
        .prepare_cached("SELECT id, state, sealed, last_totp_step FROM activation WHERE device = ? ORDER BY state")?
        .query_map([device.as_bytes()], |row| row.try_into())?
        .collect::<Result<_, _>>()?;
    for (id, state, sealed, last) in candidates {
        let plain = cx.secrets.open(&id, &sealed)?;
        let end = SEED_LEN.saturating_add(TOTP_LEN);
        let secret = Secret::copy_of(plain.expose().get(SEED_LEN..end).unwrap_or_default());
        let last = u64::try_from(last).ok().filter(|last| *last > 0 && !cx.policy.without.totp_step);
        let Some(step) = Totp::default().verify(&secret, code, cx.now.seconds(), last) else { continue };
        cx.run("UPDATE activation SET last_totp_step = ? WHERE id = ?", params![i64::try_from(step)?, id])?;
        if state == State::Pending {
            promote(cx, device)?;
        }
        return Ok(true);
    }
    Ok(false)
}
