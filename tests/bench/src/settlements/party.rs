//! Whoever asks the issuer without a socket: a phone, an ATM, an operator. Real proofs, real bodies, no transport.

use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, Response};
use saifu_crypto::{KeyPair, Random as _, Secret, SystemRandom};
use saifu_wire::dpop::{self, Claims};
use saifu_wire::{IntentKey, Listener, Operation, Sensitive, headers};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Scene;
use crate::Result;

/// A key and the nonce for its next proof.
pub(super) struct Party {
    pub(super) key: KeyPair,
    scene: Scene,
    nonce: Option<String>,
}

/// What goes along with a request.
#[derive(Clone, Copy, Default)]
pub(super) struct With<'a> {
    pub(super) token: Option<&'a Sensitive>,
    pub(super) intent: Option<IntentKey>,
}

impl Party {
    pub(super) fn new(scene: &Scene, key: KeyPair) -> Self {
        Self { key, scene: scene.clone(), nonce: None }
    }

    /// A terminal whose private key `sandbox.json` tells.
    pub(super) fn terminal(scene: &Scene, pkcs8_base64: &str) -> Result<Self> {
        let pkcs8 = Secret::new(BASE64.decode(pkcs8_base64.as_bytes())?);
        Ok(Self::new(scene, KeyPair::from_pkcs8(pkcs8)?))
    }

    pub(super) fn scene(&self) -> &Scene {
        &self.scene
    }

    /// The nonce that the last answer brought.
    pub(super) fn nonce(&self) -> Result<&str> {
        self.nonce.as_deref().ok_or_else(|| "no answer has brought a nonce".into())
    }

    /// Takes the issuer's present nonce, for requests that are signed now and sent within the minute.
    pub(super) async fn greet(&mut self, operation: Operation) -> Result<()> {
        self.nonce = None;
        let request = self.build(operation, Bytes::from_static(b"{}"), With::default())?;
        self.send(operation, request).await.map(drop)
    }

    /// Asks, once more if the issuer wants its nonce, and reads the answer, which must be a good one.
    pub(super) async fn ask<A: DeserializeOwned>(
        &mut self,
        operation: Operation,
        body: &impl Serialize,
        with: With<'_>,
    ) -> Result<A> {
        if self.nonce.is_none() {
            self.greet(operation).await?;
        }
        let request = self.build(operation, serde_json::to_vec(body)?.into(), with)?;
        let response = self.send(operation, request).await?;
        if response.status().is_success() {
            return Ok(serde_json::from_slice(response.body())?);
        }
        let answer = String::from_utf8_lossy(response.body());
        Err(format!("{}: {} {answer}", operation.name(), response.status()).into())
    }

    /// A request with a fresh proof.
    pub(super) fn build(&self, operation: Operation, body: Bytes, with: With<'_>) -> Result<Request<Bytes>> {
        let origin = match operation.listener() {
            Listener::Register => &self.scene.info.register_url,
            Listener::Customer | Listener::Service => &self.scene.info.customer_url,
        };
        let claims = Claims {
            method: operation.method(),
            uri: &format!("{origin}{}", operation.path()),
            body: &body,
            nonce: self.nonce.as_deref(),
            access_token: with.token.map(Sensitive::expose),
        };
        let now = self.scene.issuer.now();
        let proof = dpop::build(&self.key, &claims, SystemRandom.bytes()?, now.seconds())?;
        let mut request = Request::builder()
            .method(operation.method())
            .uri(operation.path())
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(headers::DPOP, proof);
        if let Some(token) = with.token {
            let value = format!("{} {}", headers::DPOP_SCHEME, token.expose());
            request = request.header(http::header::AUTHORIZATION, value);
        }
        if let Some(intent) = with.intent {
            request = request.header(headers::IDEMPOTENCY_KEY, intent.to_string());
        }
        Ok(request.body(body)?)
    }

    async fn send(&mut self, operation: Operation, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let issuer = &self.scene.issuer;
        let response = issuer.handle(issuer.now(), operation.listener(), request).await;
        if let Some(nonce) = response.headers().get(headers::DPOP_NONCE) {
            self.nonce = Some(nonce.to_str()?.to_owned());
        }
        Ok(response)
    }
}
