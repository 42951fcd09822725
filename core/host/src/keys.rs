use saifu_crypto::PublicKey;

use crate::KeyError;

/// Which of the two keys of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Signs without a prompt: sign-up, session certificates, activation, freeze.
    Device,
    /// Signs only with the owner's presence: intents. The shell prompts.
    Authorization,
}

/// What a host tells of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// The public half (P-256).
    pub public_key: PublicKey,
    /// Whether the platform keeps it in hardware. A claim only: the issuer believes evidence, never this.
    pub hardware: bool,
}

/// The two P-256 keys of this device, never exportable.
///
/// An implementation MUST
/// - sign **messages**: it hashes with SHA-256 itself and never takes a bare digest;
/// - return ASN.1 DER signatures, which verify under the key that [`info`](Self::info) reports;
/// - keep the two roles' keys distinct, and keep each across restarts until [`delete`](Self::delete);
/// - say [`KeyError::Gone`] only when the platform itself says that the key no longer exists.
pub trait Keys: Send + Sync {
    /// Makes the key of this role if there is none, else reports the one there is (so that a killed sign-up goes on).
    ///
    /// # Errors
    /// [`KeyError`], as the platform says.
    fn create(&self, role: Role) -> Result<KeyInfo, KeyError>;

    /// The key of this role.
    ///
    /// # Errors
    /// [`KeyError::Gone`] when there is none.
    fn info(&self, role: Role) -> Result<KeyInfo, KeyError>;

    /// Signs with the device key; never prompts.
    ///
    /// # Errors
    /// [`KeyError`], as the platform says.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Removes the key of this role; removing an absent one is fine.
    ///
    /// # Errors
    /// [`KeyError::Temporary`].
    fn delete(&self, role: Role) -> Result<(), KeyError>;
}
