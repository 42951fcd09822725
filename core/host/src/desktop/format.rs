//! The stored form of the keys, the same JSON in the keyring entry and in `keys.json`: base64 for keys (PKCS#8 for the
//! P-256 ones), hexadecimal for the installation. Reading is strict: an unknown field, another format number or a key
//! that does not parse is an error, never a guess.

use data_encoding::{BASE64, HEXLOWER};
use saifu_crypto::{KeyPair, Secret, aead};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::software::{Material, SealingKey};

const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    device: Option<Text>,
    authorization: Option<Text>,
    install: Option<String>,
    seals: Vec<StoredSeal>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSeal {
    generation: u64,
    key: Text,
}

/// Base64 of a secret, wiped when dropped.
struct Text(Zeroizing<String>);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl Text {
    fn of(secret: &Secret) -> Self {
        Self(Zeroizing::new(BASE64.encode(secret.expose())))
    }

    fn secret(&self) -> Result<Secret, &'static str> {
        BASE64.decode(self.0.as_bytes()).map(Secret::new).map_err(|_| "a key is not base64")
    }

    fn signing_key(&self) -> Result<Secret, &'static str> {
        let secret = self.secret()?;
        KeyPair::from_pkcs8(secret.duplicate()).map_err(|_| "a signing key is not PKCS#8 for P-256")?;
        Ok(secret)
    }
}

/// The bytes to store. The buffer is large enough never to move, so that no unwiped copy stays behind.
pub(super) fn encode(material: &Material) -> Zeroizing<Vec<u8>> {
    let stored = Stored {
        format: FORMAT,
        device: material.device.as_ref().map(Text::of),
        authorization: material.authorization.as_ref().map(Text::of),
        install: material.install.map(|install| HEXLOWER.encode(&install)),
        seals: material
            .seals
            .iter()
            .map(|seal| StoredSeal { generation: seal.generation, key: Text::of(&seal.key) })
            .collect(),
    };
    let room = material.seals.len().saturating_mul(128).saturating_add(2048);
    let mut out = Zeroizing::new(Vec::with_capacity(room));
    // Writing strings and numbers into memory has no way to fail; were there one, the reader refuses what is cut short.
    let _ = serde_json::to_writer(&mut *out, &stored);
    out
}

/// The keys, or why these bytes are none.
pub(super) fn decode(bytes: &[u8]) -> Result<Material, &'static str> {
    let stored: Stored = serde_json::from_slice(bytes).map_err(|_| "it is not the expected JSON")?;
    if stored.format != FORMAT {
        return Err("its format number is unknown");
    }
    let install = match &stored.install {
        None => None,
        Some(hex) => {
            let bytes = HEXLOWER.decode(hex.as_bytes()).map_err(|_| "the installation is not hexadecimal")?;
            Some(bytes.try_into().map_err(|_| "the installation is not 16 bytes")?)
        }
    };
    let mut seals: Vec<SealingKey> = Vec::with_capacity(stored.seals.len());
    for seal in &stored.seals {
        let key = seal.key.secret()?;
        if key.len() != aead::KEY_LEN {
            return Err("a sealing key is not 32 bytes");
        }
        if seals.last().is_some_and(|before| before.generation >= seal.generation) {
            return Err("the sealing keys are out of order");
        }
        seals.push(SealingKey { generation: seal.generation, key });
    }
    if install.is_none() != seals.is_empty() {
        return Err("an installation and its sealing keys come together");
    }
    Ok(Material {
        device: stored.device.as_ref().map(Text::signing_key).transpose()?,
        authorization: stored.authorization.as_ref().map(Text::signing_key).transpose()?,
        install,
        seals,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Material {
        Material {
            device: Some(KeyPair::generate().unwrap().pkcs8().duplicate()),
            authorization: None,
            install: Some([7; 16]),
            seals: vec![SealingKey { generation: 3, key: Secret::new(vec![9; 32]) }],
        }
    }

    #[test]
    fn stored_keys_read_back() {
        let (before, after) = (sample(), decode(&encode(&sample())).unwrap());
        assert_eq!(after.install, before.install);
        assert!(after.device.is_some() && after.authorization.is_none());
        assert_eq!(after.seals[0].key.expose(), before.seals[0].key.expose());
    }

    #[test]
    fn anything_but_the_exact_form_is_refused_with_its_reason() {
        let good = String::from_utf8(encode(&sample()).to_vec()).unwrap();
        let bad = |from: &str, to: &str| decode(good.replacen(from, to, 1).as_bytes()).err();
        assert_eq!(bad("\"format\":1", "\"format\":2"), Some("its format number is unknown"));
        assert_eq!(bad("{", "{\"more\":1,"), Some("it is not the expected JSON"));
        assert_eq!(bad("0707", "07zz"), Some("the installation is not hexadecimal"));
        assert_eq!(bad("0707", "07"), Some("the installation is not 16 bytes"));
        assert_eq!(bad("\"device\":\"", "\"device\":\"AAAA"), Some("a signing key is not PKCS#8 for P-256"));
        assert_eq!(bad("CQkJCQkJ", "CQ"), Some("a key is not base64"));
        assert_eq!(bad("CQkJCQkJCQkJ", "CQkJCQkJ"), Some("a sealing key is not 32 bytes"));
        assert_eq!(decode(&good.as_bytes()[..good.len() - 1]).err(), Some("it is not the expected JSON"));
    }
}
