//! An issuer as a client knows it, out of what the sandbox says of itself.

use data_encoding::BASE64;
use saifu_crypto::PublicKey;
use saifu_link::{IssuerConfig, Roots};
use saifu_sandbox::SandboxInfo;

use crate::Result;

/// The issuer behind `api`, one of the addresses in `info`.
pub(crate) fn config(info: &SandboxInfo, api: &str) -> Result<IssuerConfig> {
    Ok(IssuerConfig {
        api: api.parse()?,
        service: info.service_url.parse()?,
        roots: Roots::Pem(info.ca_pem.clone()),
        pins: pins(&info.pins)?,
        service_pins: pins(&info.service_pins)?,
        service_key: PublicKey::from_spki(&BASE64.decode(info.service_key.as_bytes())?)?,
        sandbox: true,
    })
}

fn pins(texts: &[String]) -> Result<Vec<[u8; 32]>> {
    let mut pins = Vec::new();
    for text in texts {
        pins.push(BASE64.decode(text.as_bytes())?.try_into().map_err(|_| "a pin is not 32 bytes long")?);
    }
    Ok(pins)
}
