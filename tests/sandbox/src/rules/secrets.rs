use data_encoding::BASE64URL_NOPAD;
use saifu_crypto::{CryptoError, Random, Secret, aead, hkdf_sha256, hmac_sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const MASTER_LEN: usize = 32;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Not a key file of this version.
    #[error(
        "this is not a key file of this version of the sandbox: restore the right one, or start over with an empty folder"
    )]
    Format,
    /// The cryptographic library refused.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// The keys that lie outside the database, so that a copy of it forges nothing: one master key, and from it one key for
/// each purpose (HKDF-SHA-256, one label each). No `Debug`, no `Serialize`; wiped when dropped.
pub struct Secrets {
    master: Secret,
    code: Secret,
    phone: Secret,
    atm: Secret,
    nonce: Secret,
    alias: Secret,
    sealing: Secret,
}

#[derive(serde::Serialize, serde::Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    format: u32,
    master: String,
}

impl Secrets {
    /// Fresh keys.
    ///
    /// # Errors
    /// [`CryptoError::Unavailable`] when there is no randomness.
    pub fn generate(random: &dyn Random) -> Result<Self, CryptoError> {
        let mut master = vec![0; MASTER_LEN];
        random.fill(&mut master)?;
        Self::derive(Secret::new(master))
    }

    /// The text for a key file that only its owner can read.
    ///
    /// # Errors
    /// Never in practice; passed on from the serializer.
    pub fn to_json(&self) -> Result<Zeroizing<String>, serde_json::Error> {
        let file = KeyFile { format: 1, master: BASE64URL_NOPAD.encode(self.master.expose()) };
        serde_json::to_string(&file).map(Zeroizing::new)
    }

    /// The keys of a key file.
    ///
    /// # Errors
    /// [`SecretsError`].
    pub fn from_json(text: &str) -> Result<Self, SecretsError> {
        let file: KeyFile = serde_json::from_str(text).map_err(|_| SecretsError::Format)?;
        let master = BASE64URL_NOPAD.decode(file.master.as_bytes()).map_err(|_| SecretsError::Format)?;
        let master = Secret::new(master);
        if file.format != 1 || master.len() != MASTER_LEN {
            return Err(SecretsError::Format);
        }
        Ok(Self::derive(master)?)
    }

    fn derive(master: Secret) -> Result<Self, CryptoError> {
        let key = |label: &str| hkdf_sha256(b"saifu/sandbox/v1", &master, label.as_bytes(), 32);
        Ok(Self {
            code: key("code")?,
            phone: key("phone")?,
            atm: key("atm")?,
            nonce: key("nonce")?,
            alias: key("alias")?,
            sealing: key("sealing")?,
            master,
        })
    }

    /// What a payment code or an SMS code is stored as. Parts are of fixed length or the last one.
    pub(crate) fn code(&self, parts: &[&[u8]]) -> [u8; 32] {
        hmac_sha256(self.code.expose(), parts)
    }

    /// What a phone number is looked up by.
    pub(crate) fn phone(&self, number: &str) -> [u8; 32] {
        hmac_sha256(self.phone.expose(), &[number.as_bytes()])
    }

    /// The source of an ATM number, and what one is looked up by.
    pub(crate) fn atm(&self, parts: &[&[u8]]) -> [u8; 32] {
        hmac_sha256(self.atm.expose(), parts)
    }

    /// What an intent's nonce is stored as.
    pub(crate) fn nonce(&self, nonce: &str) -> [u8; 32] {
        hmac_sha256(self.nonce.expose(), &[nonce.as_bytes()])
    }

    /// What an offline alias is looked up by.
    pub(crate) fn alias(&self, alias: &str) -> [u8; 32] {
        hmac_sha256(self.alias.expose(), &[alias.as_bytes()])
    }

    /// `nonce 12 · AES-256-GCM text and tag`; `context` names the row, so a text cannot be moved to another.
    pub(crate) fn seal(&self, random: &dyn Random, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut nonce = [0; aead::NONCE_LEN];
        random.fill(&mut nonce)?;
        Ok([&nonce[..], &aead::seal(&self.sealing, &nonce, context, plain)?].concat())
    }

    /// Opens what [`seal`](Self::seal) made.
    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Secret, CryptoError> {
        let (nonce, text) = sealed.split_first_chunk().ok_or(CryptoError::Unverified)?;
        aead::open(&self.sealing, nonce, context, text)
    }
}

#[cfg(test)]
mod tests {
    use saifu_crypto::SeededRandom;

    use super::*;

    #[test]
    fn key_file_brings_the_same_keys_back() {
        let made = Secrets::generate(&SeededRandom::new(1)).unwrap();
        let read = Secrets::from_json(&made.to_json().unwrap()).unwrap();
        assert_eq!(made.phone("+819012345678"), read.phone("+819012345678"));
        let sealed = made.seal(&SeededRandom::new(2), b"row", b"text").unwrap();
        assert_eq!(read.open(b"row", &sealed).unwrap().expose(), b"text");
        assert!(read.open(b"another row", &sealed).is_err());
    }

    #[test]
    fn foreign_key_files_are_refused() {
        for bad in ["", "{}", r#"{"format":2,"master":"AAAA"}"#, r#"{"format":1,"master":"AAAA"}"#] {
            assert!(matches!(Secrets::from_json(bad), Err(SecretsError::Format)), "{bad}");
        }
    }
}
