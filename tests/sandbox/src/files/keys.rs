use std::net::IpAddr;
use std::path::Path;

use data_encoding::BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use saifu_crypto::{KeyPair, Secret, SystemRandom, sha256};
use saifu_wire::Name;
use saifu_wire::messages::TerminalKind;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{FORMAT, FolderError, read_json, write_json};
use crate::rules::Secrets;

/// The terminals of every sandbox: name, kind, merchant.
const TERMINALS: [(&str, TerminalKind, &str); 6] = [
    ("register-1", TerminalKind::Register, "shop-1"),
    ("register-2", TerminalKind::Register, "shop-1"),
    ("register-3", TerminalKind::Register, "shop-2"),
    ("atm-1", TerminalKind::Atm, "bank-1"),
    ("atm-2", TerminalKind::Atm, "bank-1"),
    ("operator-1", TerminalKind::Operator, "issuer"),
];

/// A terminal and its private key.
pub(crate) struct TerminalKey {
    pub(crate) terminal: Name,
    pub(crate) kind: TerminalKind,
    pub(crate) merchant: Name,
    pub(crate) key: KeyPair,
}

/// What a TLS server shows and what its clients pin.
pub(crate) struct Tls {
    /// The leaf and its authority, as TLS sends them.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// The leaf's key.
    pub(crate) leaf: KeyPair,
    /// SHA-256 of the SubjectPublicKeyInfo of the leaf, then of its spare key.
    pub(crate) pins: [[u8; 32]; 2],
}

/// Every key that the issuer has outside its database.
pub(crate) struct Keys {
    /// The certificate that clients trust.
    pub(crate) ca_pem: String,
    /// Of customers and terminals.
    pub(crate) api: Tls,
    /// Of the service document's origin, which never has the API's key.
    pub(crate) origin: Tls,
    /// Signs the service document.
    pub(crate) service: KeyPair,
    /// The terminals of the first start.
    pub(crate) terminals: Vec<TerminalKey>,
}

/// `issuer-keys.json`. Keys are PKCS#8 and certificates DER, in base64.
#[derive(serde::Serialize, serde::Deserialize, Zeroize, ZeroizeOnDrop)]
struct Stored {
    format: u32,
    ca_key: String,
    ca_certificate: String,
    leaf_key: String,
    /// Has no certificate yet; its pin is known to clients, so that a lost leaf key can be replaced.
    spare_leaf_key: String,
    /// Of the service document's origin; absent in a file of before it had its own.
    #[serde(default)]
    origin: Option<StoredLeaf>,
    service_key: String,
    /// [`Secrets`] as they write themselves.
    rules_secrets: String,
    terminals: Vec<StoredTerminal>,
}

#[derive(serde::Serialize, serde::Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredLeaf {
    key: String,
    spare_key: String,
}

#[derive(serde::Serialize, serde::Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredTerminal {
    terminal: String,
    key: String,
}

impl Keys {
    /// With the rules' keys, which go to the rules alone.
    /// Certificates are made at every start, for the names that this one is known by; the pins are those of the keys.
    pub(super) fn open(path: &Path, host: Option<IpAddr>) -> Result<(Self, Secrets), FolderError> {
        let bad = |what| FolderError::BadKeys { path: path.to_owned(), what };
        let kept = read_json::<Stored>(path)?;
        if let Some(found) = kept.as_ref().map(|kept| kept.format).filter(|format| *format != FORMAT) {
            return Err(FolderError::Format { path: path.to_owned(), found });
        }
        let whole = kept.as_ref().is_some_and(|kept| kept.origin.is_some());
        let mut stored = kept.map_or_else(Stored::generate, Ok).map_err(bad)?;
        if !whole {
            stored.add_origin().map_err(bad)?;
            write_json(path, &stored)?;
        }
        let rules = Secrets::from_json(&stored.rules_secrets).map_err(|_| bad("the rules' secrets"))?;
        Ok((Self::read(&stored, host).map_err(bad)?, rules))
    }

    fn read(stored: &Stored, host: Option<IpAddr>) -> Result<Self, &'static str> {
        let ca = decode(&stored.ca_certificate, "the authority's certificate")?;
        let authority = pair(&stored.ca_key, "the authority's key")?;
        let tls = |key, spare| {
            let (leaf, spare) = (pair(key, "a leaf key")?, pair(spare, "a spare leaf key")?);
            let certificate = certify(&authority, &leaf, host).map_err(|_| NOT_MADE)?;
            let chain = vec![CertificateDer::from(certificate), CertificateDer::from(ca.clone())];
            Ok::<_, &'static str>(Tls { chain, pins: [pin(&leaf), pin(&spare)], leaf })
        };
        let mut terminals = Vec::new();
        for (terminal, kind, merchant) in TERMINALS {
            let kept = stored.terminals.iter().find(|kept| kept.terminal == terminal).ok_or("a terminal's key")?;
            terminals.push(TerminalKey {
                terminal: name(terminal)?,
                kind,
                merchant: name(merchant)?,
                key: pair(&kept.key, "a terminal's key")?,
            });
        }
        let origin = stored.origin.as_ref().ok_or("the service origin's key")?;
        Ok(Self {
            ca_pem: pem(&ca),
            api: tls(&stored.leaf_key, &stored.spare_leaf_key)?,
            origin: tls(&origin.key, &origin.spare_key)?,
            service: pair(&stored.service_key, "the service key")?,
            terminals,
        })
    }
}

fn decode(text: &str, what: &'static str) -> Result<Vec<u8>, &'static str> {
    BASE64.decode(text.as_bytes()).map_err(|_| what)
}

fn pair(text: &str, what: &'static str) -> Result<KeyPair, &'static str> {
    KeyPair::from_pkcs8(Secret::new(decode(text, what)?)).map_err(|_| what)
}

fn encode(pair: &KeyPair) -> String {
    BASE64.encode(pair.pkcs8().expose())
}

fn fresh() -> Result<KeyPair, &'static str> {
    KeyPair::generate().map_err(|_| "the system gave no randomness")
}

impl Stored {
    fn generate() -> Result<Self, &'static str> {
        let (ca, leaf) = (fresh()?, fresh()?);
        let ca_certificate = certify_authority(&ca).map_err(|_| NOT_MADE)?;
        let mut terminals = Vec::new();
        for (terminal, _, _) in TERMINALS {
            terminals.push(StoredTerminal { terminal: terminal.into(), key: encode(&fresh()?) });
        }
        let rules = Secrets::generate(&SystemRandom).map_err(|_| "the system gave no randomness")?;
        let rules = rules.to_json().map_err(|_| "the rules' secrets")?;
        Ok(Self {
            format: FORMAT,
            ca_key: encode(&ca),
            ca_certificate: BASE64.encode(&ca_certificate),
            leaf_key: encode(&leaf),
            spare_leaf_key: encode(&fresh()?),
            origin: None,
            service_key: encode(&fresh()?),
            rules_secrets: String::clone(&rules),
            terminals,
        })
    }

    /// Gives the service document's origin its keys.
    fn add_origin(&mut self) -> Result<(), &'static str> {
        self.origin = Some(StoredLeaf { key: encode(&fresh()?), spare_key: encode(&fresh()?) });
        Ok(())
    }
}

const NOT_MADE: &str = "the certificates could not be made";

fn signer(pair: &KeyPair) -> Result<rcgen::KeyPair, rcgen::Error> {
    let key = PrivatePkcs8KeyDer::from(pair.pkcs8().expose());
    rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256)
}

/// All certificates are valid from 1975 to 4096: a clock that is moved must not break TLS.
fn authority() -> CertificateParams {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, "Saifu sandbox authority");
    authority
}

fn certify_authority(ca: &KeyPair) -> Result<Vec<u8>, rcgen::Error> {
    Ok(authority().self_signed(&signer(ca)?)?.der().to_vec())
}

/// What an emulator of Android calls this machine's loopback.
pub(crate) const EMULATOR: &str = "10.0.2.2";

/// A leaf for this machine.
fn certify(ca: &KeyPair, leaf: &KeyPair, host: Option<IpAddr>) -> Result<Vec<u8>, rcgen::Error> {
    let names = ["localhost", "127.0.0.1", "::1", EMULATOR].map(str::to_owned).into_iter();
    let mut server = CertificateParams::new(names.chain(host.map(|host| host.to_string())).collect::<Vec<_>>())?;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    server.distinguished_name.push(DnType::CommonName, "Saifu sandbox");
    let issuer = rcgen::Issuer::new(authority(), signer(ca)?);
    Ok(server.signed_by(&signer(leaf)?, &issuer)?.der().to_vec())
}

fn pin(pair: &KeyPair) -> [u8; 32] {
    sha256(&pair.public_key().to_spki())
}

fn name(text: &str) -> Result<Name, &'static str> {
    Name::new(text).map_err(|_| "a terminal's name")
}

/// RFC 7468 §2: base64 in lines of 64 characters.
fn pem(der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str("-----END CERTIFICATE-----\n");
    out
}
