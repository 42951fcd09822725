//! An issuer as a client knows it, out of what the sandbox says of itself.

use data_encoding::BASE64;
use saifu_crypto::PublicKey;
use saifu_link::{IssuerConfig, Roots};
use saifu_sandbox::SandboxInfo;

use crate::Result;

/// The issuer behind `api`, one of the addresses in `info`.
pub(crate) fn config(info: &SandboxInfo, api: &str) -> Result<IssuerConfig> {
    let mut pins = Vec::new();
    for pin in &info.pins {
        pins.push(BASE64.decode(pin.as_bytes())?.try_into().map_err(|_| "a pin is not 32 bytes long")?);
    }
    Ok(IssuerConfig {
        api: api.parse()?,
        service: info.service_url.parse()?,
        roots: Roots::Pem(info.ca_pem.clone()),
        pins,
        service_key: PublicKey::from_spki(&BASE64.decode(info.service_key.as_bytes())?)?,
        sandbox: true,
    })
}
