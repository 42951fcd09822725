//! TLS: the normal verification first, then the pin of the server's own key. A pinned key further up the chain would let
//! anybody with a certificate of that authority in, so only the leaf counts. What day it is, the host's clock says.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use saifu_crypto::{constant_time_eq, sha256};
use saifu_host::Clock;

use crate::{LinkError, Roots};

#[derive(Debug)]
struct PinnedLeaf {
    inner: Arc<WebPkiServerVerifier>,
    pins: Vec<[u8; 32]>,
}

impl ServerCertVerifier for PinnedLeaf {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |at| self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, at);
        let verified = match verify(now) {
            // A day on which it was valid tells whether the date is all that is wrong.
            Err(Error::InvalidCertificate(fault)) => match valid_at(&fault) {
                Some(day) => verify(day).and(Err(Error::InvalidCertificate(fault))),
                None => return Err(Error::InvalidCertificate(fault)),
            },
            other => other,
        };
        let spki = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        let digest = sha256(spki.as_ref());
        if self.pins.iter().any(|pin| constant_time_eq(pin, &digest)) {
            verified
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Whether a certificate is refused because of the day alone.
pub(crate) fn is_date(fault: &CertificateError) -> bool {
    valid_at(fault).is_some()
}

/// A day on which a certificate was valid that is not valid now.
fn valid_at(fault: &CertificateError) -> Option<UnixTime> {
    match fault {
        CertificateError::ExpiredContext { not_after, .. } => Some(*not_after),
        CertificateError::NotValidYetContext { not_before, .. } => Some(*not_before),
        _ => None,
    }
}

/// The host's wall clock, as TLS asks for it.
struct WallClock(Arc<dyn Clock>);

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(self.0.read().wall_ms)))
    }
}

impl std::fmt::Debug for WallClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WallClock")
    }
}

/// The authorities of an issuer, for all of its origins.
pub(crate) struct Trusted {
    provider: Arc<CryptoProvider>,
    inner: Arc<WebPkiServerVerifier>,
}

impl Trusted {
    pub(crate) fn new(from: &Roots) -> Result<Self, LinkError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        match from {
            Roots::WebPki => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Roots::Pem(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                    let malformed = |()| LinkError::Untrusted("the configured certificate authority is malformed");
                    let certificate = certificate.map_err(|_| ()).map_err(malformed)?;
                    roots.add(certificate).map_err(|_| ()).map_err(malformed)?;
                }
            }
        }
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|_| LinkError::Untrusted("no certificate authority is configured"))?;
        Ok(Self { provider, inner })
    }

    /// For talking to the server with one of these keys and to nobody else. Over HTTP/1.1, which is said (RFC 7301): reqwest
    /// offers nothing of itself beside a configuration that it is given, and is built without HTTP/2 (decision 013).
    pub(crate) fn config(&self, pins: &[[u8; 32]], clock: &Arc<dyn Clock>) -> Result<ClientConfig, LinkError> {
        let verifier = Arc::new(PinnedLeaf { inner: Arc::clone(&self.inner), pins: pins.to_vec() });
        let time = Arc::new(WallClock(Arc::clone(clock)));
        let mut config = ClientConfig::builder_with_details(Arc::clone(&self.provider), time)
            .with_safe_default_protocol_versions()
            .map_err(|_| LinkError::System)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// A client with connections of its own.
pub(crate) fn client(config: &ClientConfig) -> reqwest::ClientBuilder {
    let client = reqwest::Client::builder().tls_backend_preconfigured(config.clone());
    client.https_only(true).no_proxy().redirect(reqwest::redirect::Policy::none())
}
