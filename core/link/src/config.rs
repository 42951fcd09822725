use saifu_crypto::PublicKey;
use url::Url;

/// Whose certificates are believed before the pins are looked at.
#[derive(Debug, Clone)]
pub enum Roots {
    /// Mozilla's roots.
    WebPki,
    /// One certificate authority, PEM: a sandbox.
    Pem(String),
}

/// One issuer, as a wallet or a till knows it. Pins are SHA-256 of the SubjectPublicKeyInfo of the server's own key and of its
/// spare one (RFC 7858 §4.2 style pins).
#[derive(Debug, Clone)]
pub struct IssuerConfig {
    /// Where the API of this caller is served: scheme, host, port.
    pub api: Url,
    /// Where the signed service document is served.
    pub service: Url,
    /// Whose certificates are believed.
    pub roots: Roots,
    /// Pins of the API's server.
    pub pins: Vec<[u8; 32]>,
    /// Pins of the service document's server, so that it never needs the API's key.
    pub service_pins: Vec<[u8; 32]>,
    /// The key that signs service documents.
    pub service_key: PublicKey,
    /// Whether this issuer is a sandbox, where approvals may be given without asking.
    pub sandbox: bool,
}
