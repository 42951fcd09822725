//! Test doubles: a host whose keys live in memory and fail on demand, and a clock that stands still until it is moved.
//! Both pass the conformance suite, so what holds for them holds for a real host.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use saifu_crypto::Secret;

use crate::software::{Material, MaterialStore, SealingKey, Software};
use crate::{Clock, KeyError, KeyInfo, Keys, Platform, Reading, Role, SealId, Secrets};

/// A host in memory. Clones share one state, so a clone is the same device after a restart.
#[derive(Clone, Default)]
pub struct MemoryHost(Arc<Software<Memory>>);

#[derive(Default)]
struct Memory(Mutex<State>);

#[derive(Default)]
struct State {
    material: Material,
    /// Calls that still succeed, and what the ones after them answer.
    failure: Option<(u64, KeyError)>,
}

impl Default for Software<Memory> {
    fn default() -> Self {
        Self(Memory::default())
    }
}

impl MemoryHost {
    /// A new device: no keys yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the wallet takes.
    #[must_use]
    pub fn platform(&self, clock: Arc<dyn Clock>) -> Platform {
        Platform { keys: self.0.clone(), secrets: self.0.clone(), clock }
    }

    /// Signs with the authorization key, as a shell does after its prompt.
    ///
    /// # Errors
    /// [`KeyError::Gone`] when there is no such key, or the failure set.
    pub fn authorize(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.0.authorize(message)
    }

    /// Every call fails with `error` until [`heal`](Self::heal).
    pub fn fail(&self, error: KeyError) {
        self.fail_after(0, error);
    }

    /// The next `calls` accesses to the keys succeed, all later ones fail with `error`: the moment a host dies in the
    /// middle of something. A call is one or two accesses (a look, then a change).
    pub fn fail_after(&self, calls: u64, error: KeyError) {
        self.state().failure = Some((calls, error));
    }

    /// Calls succeed again.
    pub fn heal(&self) {
        self.state().failure = None;
    }

    /// The platform destroys a signing key, as new biometrics do to the authorization key.
    pub fn lose(&self, role: Role) {
        let mut state = self.state();
        match role {
            Role::Device => state.material.device = None,
            Role::Authorization => state.material.authorization = None,
        }
    }

    /// The platform destroys the sealing keys but still knows their newest name.
    pub fn lose_sealing_keys(&self) {
        for seal in &mut self.state().material.seals {
            seal.key = Secret::new(vec![0; 32]);
        }
    }

    /// How many sealing keys there are: 1, or more while a renewal is under way.
    #[must_use]
    pub fn sealing_keys(&self) -> usize {
        self.state().material.seals.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn access(&mut self) -> Result<(), KeyError> {
        match &mut self.failure {
            Some((0, error)) => Err(*error),
            Some((left, _)) => {
                *left = left.saturating_sub(1);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Material {
    fn duplicate(&self) -> Self {
        let seal = |s: &SealingKey| SealingKey { generation: s.generation, key: s.key.duplicate() };
        Self {
            device: self.device.as_ref().map(Secret::duplicate),
            authorization: self.authorization.as_ref().map(Secret::duplicate),
            install: self.install,
            seals: self.seals.iter().map(seal).collect(),
        }
    }
}

impl MaterialStore for Memory {
    fn load(&self) -> Result<Material, KeyError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.access()?;
        Ok(state.material.duplicate())
    }

    fn update(&self, change: &mut dyn FnMut(&mut Material) -> Result<(), KeyError>) -> Result<(), KeyError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.access()?;
        let mut material = state.material.duplicate();
        change(&mut material)?;
        state.material = material;
        Ok(())
    }
}

impl Keys for MemoryHost {
    fn create(&self, role: Role) -> Result<KeyInfo, KeyError> {
        self.0.create(role)
    }
    fn info(&self, role: Role) -> Result<KeyInfo, KeyError> {
        self.0.info(role)
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.0.sign(message)
    }
    fn delete(&self, role: Role) -> Result<(), KeyError> {
        self.0.delete(role)
    }
}

impl Secrets for MemoryHost {
    fn seal(&self, plain: &Secret) -> Result<Vec<u8>, KeyError> {
        self.0.seal(plain)
    }
    fn unseal(&self, sealed: &[u8]) -> Result<Secret, KeyError> {
        self.0.unseal(sealed)
    }
    fn id(&self) -> Result<Option<SealId>, KeyError> {
        self.0.id()
    }
    fn renew(&self) -> Result<SealId, KeyError> {
        self.0.renew()
    }
    fn retire(&self) -> Result<(), KeyError> {
        self.0.retire()
    }
}

/// A clock that moves only when told. Shared by cloning the `Arc` it is put in.
#[derive(Debug)]
pub struct ManualClock(Mutex<Reading>);

impl ManualClock {
    /// Starts at this wall time (milliseconds since 1970), one minute after the device started.
    #[must_use]
    pub fn new(wall_ms: u64) -> Self {
        Self(Mutex::new(Reading { wall_ms, elapsed_ms: 60_000, boot_id: [1; 16] }))
    }

    /// Time passes, asleep or awake: wall and elapsed move alike.
    pub fn advance(&self, ms: u64) {
        let mut now = self.now();
        now.wall_ms = now.wall_ms.saturating_add(ms);
        now.elapsed_ms = now.elapsed_ms.saturating_add(ms);
    }

    /// The owner sets the wall clock; elapsed time does not care.
    pub fn set_wall(&self, wall_ms: u64) {
        self.now().wall_ms = wall_ms;
    }

    /// The device starts again: another boot id, elapsed time from 0.
    pub fn reboot(&self, boot_id: [u8; 16]) {
        let mut now = self.now();
        now.boot_id = boot_id;
        now.elapsed_ms = 0;
    }

    /// Sets everything at once, even to what no honest clock shows.
    pub fn set(&self, reading: Reading) {
        *self.now() = reading;
    }

    fn now(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn read(&self) -> Reading {
        *self.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_comes_when_set_and_goes_when_healed() {
        let host = MemoryHost::new();
        for error in [KeyError::Temporary, KeyError::UserDeclined, KeyError::NoScreenLock, KeyError::Gone] {
            host.fail(error);
            assert_eq!(host.id(), Err(error));
            host.heal();
        }
        host.fail_after(1, KeyError::Temporary);
        assert_eq!(host.id(), Ok(None));
        assert_eq!(host.renew(), Err(KeyError::Temporary));
        host.heal();
        assert_eq!(host.id(), Ok(None), "a failed renewal changes nothing");
    }

    #[test]
    fn lost_keys_are_gone() {
        let host = MemoryHost::new();
        host.create(Role::Authorization).unwrap();
        host.lose(Role::Authorization);
        assert_eq!(host.authorize(b"m"), Err(KeyError::Gone));
        host.renew().unwrap();
        let sealed = host.seal(&Secret::copy_of(b"s")).unwrap();
        host.lose_sealing_keys();
        assert_eq!(host.unseal(&sealed).err(), Some(KeyError::Gone));
        assert_eq!(host.id().unwrap().unwrap().generation, 1);
    }
}
