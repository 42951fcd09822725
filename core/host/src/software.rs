//! Keys held in software: what the desktop host and the in-memory double have in common. A phone has hardware for this.
//!
//! [`Material`] is the keys themselves and knows no storage; [`Software`] makes [`Keys`] and [`Secrets`] of any
//! [`MaterialStore`]. Material is loaded for one operation and wiped after it, so that two processes on one store never
//! work with stale keys and a memory dump between operations holds none.
//!
//! A sealed text is `1 · generation u64 · nonce 12 · AES-256-GCM text and tag`, big-endian; the associated data names the
//! installation and the generation.

use saifu_crypto::{CryptoError, KeyPair, Random as _, Secret, SystemRandom, aead};

use crate::{KeyError, KeyInfo, Keys, Role, SealId, Secrets};

const SEALED_VERSION: u8 = 1;
const SEAL_CONTEXT: &[u8] = b"saifu/seal/v1";
/// What [`Secrets::seal`] takes at most, bytes.
const MAX_PLAIN: usize = 4096;

/// One generation of the sealing key.
pub(crate) struct SealingKey {
    pub(crate) generation: u64,
    pub(crate) key: Secret,
}

/// Everything a software host keeps. PKCS#8 for the two P-256 keys; sealing keys in rising generation.
#[derive(Default)]
pub(crate) struct Material {
    pub(crate) device: Option<Secret>,
    pub(crate) authorization: Option<Secret>,
    pub(crate) install: Option<[u8; 16]>,
    pub(crate) seals: Vec<SealingKey>,
}

/// Where material rests.
pub(crate) trait MaterialStore: Send + Sync {
    fn load(&self) -> Result<Material, KeyError>;

    /// Stores, durable on return, what `change` makes of the material; nothing when it fails. Excludes other updates.
    fn update(&self, change: &mut dyn FnMut(&mut Material) -> Result<(), KeyError>) -> Result<(), KeyError>;
}

fn refused(_: CryptoError) -> KeyError {
    KeyError::Temporary
}

impl Material {
    fn slot(&mut self, role: Role) -> &mut Option<Secret> {
        match role {
            Role::Device => &mut self.device,
            Role::Authorization => &mut self.authorization,
        }
    }

    fn pair(&self, role: Role) -> Result<KeyPair, KeyError> {
        let slot = match role {
            Role::Device => &self.device,
            Role::Authorization => &self.authorization,
        };
        KeyPair::from_pkcs8(slot.as_ref().ok_or(KeyError::Gone)?.duplicate()).map_err(refused)
    }

    fn info(&self, role: Role) -> Result<KeyInfo, KeyError> {
        Ok(KeyInfo { public_key: self.pair(role)?.public_key().clone(), hardware: false })
    }

    fn create(&mut self, role: Role) -> Result<KeyInfo, KeyError> {
        if self.slot(role).is_none() {
            *self.slot(role) = Some(KeyPair::generate().map_err(refused)?.pkcs8().duplicate());
        }
        self.info(role)
    }

    fn id(&self) -> Option<SealId> {
        Some(SealId { install: self.install?, generation: self.seals.last()?.generation })
    }

    fn seal(&self, plain: &Secret) -> Result<Vec<u8>, KeyError> {
        let (install, newest) = (self.install.ok_or(KeyError::Gone)?, self.seals.last().ok_or(KeyError::Gone)?);
        if plain.len() > MAX_PLAIN {
            return Err(KeyError::Temporary);
        }
        let nonce: [u8; aead::NONCE_LEN] = SystemRandom.bytes().map_err(refused)?;
        let context = seal_context(&install, newest.generation);
        let text = aead::seal(&newest.key, &nonce, &context, plain.expose()).map_err(refused)?;
        Ok([&[SEALED_VERSION][..], &newest.generation.to_be_bytes(), &nonce, &text].concat())
    }

    fn unseal(&self, sealed: &[u8]) -> Result<Secret, KeyError> {
        let install = self.install.ok_or(KeyError::Gone)?;
        let (version, rest) = sealed.split_first().ok_or(KeyError::Gone)?;
        let (generation, rest) = rest.split_first_chunk::<8>().ok_or(KeyError::Gone)?;
        let (nonce, text) = rest.split_first_chunk::<{ aead::NONCE_LEN }>().ok_or(KeyError::Gone)?;
        let generation = u64::from_be_bytes(*generation);
        let seal = self.seals.iter().find(|s| s.generation == generation).ok_or(KeyError::Gone)?;
        if *version != SEALED_VERSION {
            return Err(KeyError::Gone);
        }
        aead::open(&seal.key, nonce, &seal_context(&install, generation), text).map_err(|_| KeyError::Gone)
    }

    fn renew(&mut self) -> Result<SealId, KeyError> {
        let install = match self.install {
            Some(install) => install,
            None => SystemRandom.bytes().map_err(refused)?,
        };
        let newest = self.seals.last().map_or(0, |s| s.generation);
        let generation = newest.checked_add(1).ok_or(KeyError::Temporary)?;
        self.seals.push(SealingKey { generation, key: SystemRandom.secret(aead::KEY_LEN).map_err(refused)? });
        self.install = Some(install);
        Ok(SealId { install, generation })
    }

    fn retire(&mut self) {
        let older = self.seals.len().saturating_sub(1);
        self.seals.drain(..older);
    }
}

fn seal_context(install: &[u8; 16], generation: u64) -> Vec<u8> {
    [SEAL_CONTEXT, &install[..], &generation.to_be_bytes()].concat()
}

/// [`Keys`] and [`Secrets`] over a store of software keys.
pub(crate) struct Software<S>(pub(crate) S);

impl<S: MaterialStore> Software<S> {
    /// Signs with the authorization key. Not part of [`Keys`]: whoever calls it has asked the owner first.
    pub(crate) fn authorize(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.0.load()?.pair(Role::Authorization)?.sign_der(message).map_err(refused)
    }

    fn change<T>(&self, mut change: impl FnMut(&mut Material) -> Result<T, KeyError>) -> Result<T, KeyError> {
        let mut out = None;
        self.0.update(&mut |material| {
            out = Some(change(material)?);
            Ok(())
        })?;
        out.ok_or(KeyError::Temporary)
    }
}

impl<S: MaterialStore> Keys for Software<S> {
    fn create(&self, role: Role) -> Result<KeyInfo, KeyError> {
        match self.info(role) {
            Err(KeyError::Gone) => self.change(|material| material.create(role)),
            known => known,
        }
    }

    fn info(&self, role: Role) -> Result<KeyInfo, KeyError> {
        self.0.load()?.info(role)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.0.load()?.pair(Role::Device)?.sign_der(message).map_err(refused)
    }

    fn delete(&self, role: Role) -> Result<(), KeyError> {
        self.change(|material| {
            *material.slot(role) = None;
            Ok(())
        })
    }
}

impl<S: MaterialStore> Secrets for Software<S> {
    fn seal(&self, plain: &Secret) -> Result<Vec<u8>, KeyError> {
        self.0.load()?.seal(plain)
    }

    fn unseal(&self, sealed: &[u8]) -> Result<Secret, KeyError> {
        self.0.load()?.unseal(sealed)
    }

    fn id(&self) -> Result<Option<SealId>, KeyError> {
        Ok(self.0.load()?.id())
    }

    fn renew(&self) -> Result<SealId, KeyError> {
        self.change(Material::renew)
    }

    fn retire(&self) -> Result<(), KeyError> {
        if self.0.load()?.seals.len() < 2 {
            return Ok(());
        }
        self.change(|material| {
            material.retire();
            Ok(())
        })
    }
}
