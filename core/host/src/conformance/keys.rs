use std::sync::Arc;

use super::{Findings, Inspection};
use crate::{KeyError, Keys, Role};

const ROLES: [Role; 2] = [Role::Device, Role::Authorization];

/// Checks key making, the device key's signatures, persistence and deletion. `reopen` gives the host as a restarted
/// process would see it.
///
/// # Errors
/// [`Findings`].
pub fn check_keys(keys: &dyn Keys, reopen: &dyn Fn() -> Arc<dyn Keys>) -> Result<(), Findings> {
    let mut inspection = Inspection::default();
    run(keys, reopen, &mut inspection);
    inspection.verdict()
}

fn run(keys: &dyn Keys, reopen: &dyn Fn() -> Arc<dyn Keys>, inspection: &mut Inspection) -> Option<()> {
    for role in ROLES {
        inspection.given(keys.delete(role), "delete")?;
        inspection.given(keys.delete(role), "deleting an absent key")?;
        inspection.require(keys.info(role).err() == Some(KeyError::Gone), "info of an absent key is Gone");
    }
    inspection.require(keys.sign(b"m").err() == Some(KeyError::Gone), "signing with an absent key is Gone");

    let device = inspection.given(keys.create(Role::Device), "create")?;
    let authorization = inspection.given(keys.create(Role::Authorization), "create")?;
    inspection.require(device.public_key != authorization.public_key, "the two roles have two keys");
    for (role, made) in [(Role::Device, &device), (Role::Authorization, &authorization)] {
        let again = inspection.given(keys.create(role), "create of an existing key")?;
        inspection.require(again == *made, "create reports the key there is");
        inspection.require(keys.info(role).as_ref() == Ok(made), "info reports the key that create made");
    }

    for message in [&b""[..], b"m", &[0x5a; 32], &[7; 100_000]] {
        let signature = inspection.given(keys.sign(message), "sign")?;
        let verified = device.public_key.verify_der(message, &signature).is_ok();
        inspection.require(verified, "a signature is DER over SHA-256 of the whole message, by the device key");
        let elsewhere = authorization.public_key.verify_der(message, &signature).is_ok();
        inspection.require(!elsewhere, "the device key signs, not the authorization key");
    }

    let reopened = reopen();
    inspection.require(reopened.info(Role::Device).as_ref() == Ok(&device), "keys survive a restart");
    let signature = inspection.given(reopened.sign(b"later"), "sign after a restart")?;
    inspection.require(device.public_key.verify_der(b"later", &signature).is_ok(), "a restarted host signs alike");

    inspection.given(keys.delete(Role::Authorization), "delete")?;
    inspection.require(keys.info(Role::Authorization).err() == Some(KeyError::Gone), "a deleted key is Gone");
    inspection.require(keys.info(Role::Device).as_ref() == Ok(&device), "deleting one key leaves the other");
    let fresh = inspection.given(keys.create(Role::Authorization), "create after delete")?;
    inspection.require(fresh.public_key != authorization.public_key, "a deleted key never comes back");
    for role in ROLES {
        inspection.given(keys.delete(role), "delete")?;
        inspection.require(reopen().info(role).err() == Some(KeyError::Gone), "deletion survives a restart");
    }
    Some(())
}

/// A shell's way to the authorization key: takes the message, gives the signature.
pub type Authorize<'a> = dyn Fn(&[u8]) -> Result<Vec<u8>, KeyError> + 'a;

/// Checks the authorization signature, which is outside [`Keys`]: `authorize` is the shell's way to it, prompt included.
///
/// # Errors
/// [`Findings`].
pub fn check_authorization(keys: &dyn Keys, authorize: &Authorize<'_>) -> Result<(), Findings> {
    let mut inspection = Inspection::default();
    run_authorization(keys, authorize, &mut inspection);
    inspection.verdict()
}

fn run_authorization(keys: &dyn Keys, authorize: &Authorize<'_>, inspection: &mut Inspection) -> Option<()> {
    let device = inspection.given(keys.create(Role::Device), "create")?;
    let authorization = inspection.given(keys.create(Role::Authorization), "create")?;
    let signature = inspection.given(authorize(b"an intent"), "authorize")?;
    let verified = authorization.public_key.verify_der(b"an intent", &signature).is_ok();
    inspection.require(verified, "an authorization is DER over SHA-256 of the message, by the authorization key");
    let by_device = device.public_key.verify_der(b"an intent", &signature).is_ok();
    inspection.require(!by_device, "the device key never authorizes");
    inspection.given(keys.delete(Role::Authorization), "delete")?;
    inspection.require(authorize(b"m").err() == Some(KeyError::Gone), "authorizing with a deleted key is Gone");
    inspection.given(keys.delete(Role::Device), "delete")
}
