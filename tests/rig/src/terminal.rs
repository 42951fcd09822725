//! Tills and ATMs by the core's own link, and the issuer as such a link knows it.

use std::sync::Arc;

use data_encoding::BASE64;
use saifu_crypto::{KeyPair, PublicKey, Secret};
use saifu_host::desktop::DesktopClock;
use saifu_link::{Auth, IssuerConfig, Link, LinkError, Request, Roots};
use saifu_policy::Class;
use saifu_sandbox::SandboxInfo;
use saifu_wire::messages::{
    AtmAuthorizeAnswer, AtmAuthorizeRequest, AtmDepositRequest, Outcome, SettleAnswer, SettleRequest,
};
use saifu_wire::{Amount, Name, Operation, Sensitive};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The issuer behind `api`, one of the addresses in `info`.
pub fn config(info: &SandboxInfo, api: &str) -> IssuerConfig {
    let pin = |pin: &String| BASE64.decode(pin.as_bytes()).unwrap().try_into().unwrap();
    IssuerConfig {
        api: api.parse().unwrap(),
        service: info.service_url.parse().unwrap(),
        roots: Roots::Pem(info.ca_pem.clone()),
        pins: info.pins.iter().map(pin).collect(),
        service_pins: info.service_pins.iter().map(pin).collect(),
        service_key: PublicKey::from_spki(&BASE64.decode(info.service_key.as_bytes()).unwrap()).unwrap(),
        sandbox: true,
    }
}

/// The private key of a terminal that every sandbox has.
pub fn key(info: &SandboxInfo, name: &str) -> KeyPair {
    let entry = info.terminals.iter().find(|terminal| terminal.terminal.as_str() == name).unwrap();
    KeyPair::from_pkcs8(Secret::new(BASE64.decode(entry.key.as_bytes()).unwrap())).unwrap()
}

/// A terminal with this key.
pub fn link(info: &SandboxInfo, key: KeyPair) -> Arc<Link> {
    let clock = Arc::new(DesktopClock::new());
    Arc::new(Link::with_key(config(info, &info.register_url), clock, "rig", key).unwrap())
}

/// Asks as a terminal does.
pub async fn ask<A: DeserializeOwned>(
    terminal: &Link,
    operation: Operation,
    body: &impl Serialize,
) -> Result<A, LinkError> {
    terminal.call(Request::new(operation, Auth::Proof, Class::Terminal), body).await
}

/// An ATM checks number and TOTP, then posts the cash.
pub async fn deposit(
    atm: &Link,
    txid: &str,
    number: &Sensitive,
    totp: &Sensitive,
    yen: i64,
) -> Result<SettleAnswer, LinkError> {
    let txid = Name::new(txid).unwrap();
    let body = AtmAuthorizeRequest { txid: txid.clone(), number: number.clone(), totp: totp.clone() };
    let AtmAuthorizeAnswer { result, reason, yen: held, .. } = ask(atm, Operation::AtmAuthorize, &body).await?;
    if result != Outcome::Approved {
        return Ok(SettleAnswer { result, reason, settlement: None, yen: held });
    }
    ask(atm, Operation::AtmDeposit, &AtmDepositRequest { txid, yen: Amount::new(yen).unwrap() }).await
}

/// A register settles a code.
pub async fn settle(register: &Link, txid: &str, digits: &str, yen: i64) -> Result<SettleAnswer, LinkError> {
    ask(register, Operation::Settle, &scan(txid, &Sensitive::new(digits), yen)).await
}

/// A settlement of these digits.
pub fn scan(txid: &str, digits: &Sensitive, yen: i64) -> SettleRequest {
    SettleRequest { txid: Name::new(txid).unwrap(), digits: digits.clone(), yen: Amount::new(yen).unwrap() }
}
