//! The service document: fetched from an origin of its own, over connections of its own, so that neither a dead origin nor a
//! slow one holds up anything else.

use std::sync::Arc;
use std::time::Duration;

use saifu_crypto::PublicKey;
use saifu_host::Clock;
use saifu_policy::Class;
use saifu_wire::messages::{ServiceDocument, SignedDocument};
use saifu_wire::{Operation, signed};
use url::Url;

use crate::answer::read_json;
use crate::exchange::{accepted, exchange};
use crate::pins::{Trusted, client};
use crate::{IssuerConfig, LinkError};

/// The longest that a document may take, its connection included.
const TIME: Duration = Duration::from_secs(5);

/// Where the document is served, and who signs it.
pub(crate) struct Origin {
    http: reqwest::Client,
    url: Url,
    key: PublicKey,
}

impl Origin {
    pub(crate) fn new(issuer: &IssuerConfig, trusted: &Trusted, clock: &Arc<dyn Clock>) -> Result<Self, LinkError> {
        Ok(Self {
            http: client(&trusted.config(&issuer.service_pins, clock)?)
                .timeout(TIME)
                .build()
                .map_err(|_| LinkError::System)?,
            url: issuer.service.join(Operation::ServiceDocument.path()).map_err(|_| LinkError::System)?,
            key: issuer.service_key.clone(),
        })
    }

    /// The document, if its signature verifies and it is not older than `at_least`.
    pub(crate) async fn document(&self, at_least: u64) -> Result<ServiceDocument, LinkError> {
        let request = self.http.get(self.url.clone());
        let (response, trace) = exchange(Operation::ServiceDocument, Class::Background, request).await?;
        let response = accepted(Operation::ServiceDocument, &trace, response).await?;
        let document: SignedDocument = read_json(response).await?;
        let bytes = signed::service_document(document.document.as_bytes());
        self.key
            .verify_der(&bytes, &document.signature.0)
            .map_err(|_| LinkError::Untrusted("the service document's signature does not verify"))?;
        let document: ServiceDocument =
            serde_json::from_str(&document.document).map_err(|_| LinkError::Untrusted("malformed service document"))?;
        if document.version < at_least {
            return Err(LinkError::Untrusted("the service document is older than the last one"));
        }
        Ok(document)
    }
}
