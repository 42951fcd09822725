use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use crate::files::Tls;

/// TLS 1.2 and 1.3 with a leaf's key; HTTP/2 or HTTP/1.1, as the client prefers (RFC 7301).
pub(super) fn acceptor(tls: &Tls) -> Result<TlsAcceptor, rustls::Error> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(tls.leaf.pkcs8().expose().to_vec()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(tls.chain.clone(), key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
