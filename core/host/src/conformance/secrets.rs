use std::sync::Arc;

use saifu_crypto::Secret;

use super::{Findings, Inspection};
use crate::{KeyError, Secrets};

/// What [`Secrets::seal`] must take, bytes.
const LONGEST: usize = 4096;

/// Checks sealing, both steps of a renewal, and persistence. `reopen` gives the host as a restarted process would see it.
///
/// # Errors
/// [`Findings`].
pub fn check_secrets(secrets: &dyn Secrets, reopen: &dyn Fn() -> Arc<dyn Secrets>) -> Result<(), Findings> {
    let mut inspection = Inspection::default();
    run(secrets, reopen, &mut inspection);
    inspection.verdict()
}

fn run(secrets: &dyn Secrets, reopen: &dyn Fn() -> Arc<dyn Secrets>, inspection: &mut Inspection) -> Option<()> {
    if inspection.given(secrets.id(), "id")?.is_none() {
        let sealed = secrets.seal(&Secret::copy_of(b"early"));
        inspection.require(sealed.err() == Some(KeyError::Gone), "sealing before the first renew is Gone");
    }
    let first = inspection.given(secrets.renew(), "renew")?;
    inspection.given(secrets.retire(), "retire")?;
    inspection.require(secrets.id() == Ok(Some(first)), "id names the newest key");
    inspection.require(first.install != [0; 16], "the installation's id is random");
    sealing(secrets, inspection)?;

    let plain = Secret::copy_of(b"thirty-two bytes of a vault key!");
    let old = inspection.given(secrets.seal(&plain), "seal")?;
    let second = inspection.given(secrets.renew(), "renew")?;
    inspection.require(second.install == first.install, "renew keeps the installation");
    inspection.require(first.generation.checked_add(1) == Some(second.generation), "renew raises the generation by 1");
    inspection.require(opens(secrets, &old, &plain), "the older key unseals until it is retired");
    inspection.require(opens(&*reopen(), &old, &plain), "the older key survives a restart until it is retired");
    let new = inspection.given(secrets.seal(&plain), "seal")?;

    inspection.given(secrets.retire(), "retire")?;
    inspection.given(secrets.retire(), "retire with nothing to do")?;
    for host in [None, Some(reopen())] {
        let host = host.as_deref().unwrap_or(secrets);
        inspection.require(host.id() == Ok(Some(second)), "the newest key's name survives retire and restart");
        inspection.require(opens(host, &new, &plain), "the newest key survives retire and restart");
        let dead = host.unseal(&old).err();
        inspection.require(dead == Some(KeyError::Gone), "what a retired key sealed is Gone, also after a restart");
    }
    Some(())
}

fn opens(secrets: &dyn Secrets, sealed: &[u8], plain: &Secret) -> bool {
    secrets.unseal(sealed).is_ok_and(|opened| opened.expose() == plain.expose())
}

fn sealing(secrets: &dyn Secrets, inspection: &mut Inspection) -> Option<()> {
    for len in [1, 32, LONGEST] {
        let plain = Secret::new(vec![0xa5; len]);
        let sealed = inspection.given(secrets.seal(&plain), "seal")?;
        inspection.require(opens(secrets, &sealed, &plain), "unseal gives exactly what was sealed");
    }
    let plain = Secret::copy_of(b"thirty-two bytes of a vault key!");
    let sealed = inspection.given(secrets.seal(&plain), "seal")?;
    let twice = inspection.given(secrets.seal(&plain), "seal")?;
    inspection.require(sealed != twice, "sealing the same twice gives two texts");
    let in_clear = sealed.windows(plain.len()).any(|window| window == plain.expose());
    inspection.require(!in_clear, "a sealed text does not contain the secret");

    let mut refused = true;
    for at in 0..sealed.len() {
        let mut damaged = sealed.clone();
        if let Some(byte) = damaged.get_mut(at) {
            *byte ^= 1;
        }
        refused &= secrets.unseal(&damaged).is_err();
        refused &= sealed.get(..at).is_some_and(|short| secrets.unseal(short).is_err());
    }
    refused &= secrets.unseal(&[&sealed[..], &[0]].concat()).is_err();
    inspection.require(refused, "a sealed text that is changed, cut or extended anywhere does not open");
    Some(())
}
