//! The control API of a running sandbox: plain HTTP on loopback with a token. Only quality assurance has it; neither the
//! customers' nor the registers' listener leads there.

use std::sync::Arc;
use std::time::Duration;

use saifu_sandbox::SandboxInfo;
use saifu_wire::{Millis, Name, PhoneNumber, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::failure::{Failure, LocalCode};

/// A client of the control API.
pub(crate) struct ControlApi {
    http: reqwest::Client,
    url: Url,
    token: String,
}

/// A message in an inbox.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
pub(crate) struct Sms {
    pub(crate) at: Millis,
    pub(crate) arrived_at: Millis,
    pub(crate) number: String,
    pub(crate) text: String,
    /// The one-time code in it, if it has one.
    #[serde(default)]
    pub(crate) code: Option<String>,
}

#[derive(serde::Deserialize)]
struct Inbox {
    messages: Vec<Sms>,
}

impl ControlApi {
    pub(crate) fn new(info: &SandboxInfo) -> Result<Self, Failure> {
        let bug = |what: String| LocalCode::Bug.detail(what);
        // The client is built with a provider of its own even for plain HTTP: without one it panics.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| bug(error.to_string()))?
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| bug(error.to_string()))?;
        let url = Url::parse(&info.lever_url).map_err(|_| LocalCode::BadInput.detail("lever_url is not a URL"))?;
        Ok(Self { http, url, token: info.lever_token.clone() })
    }

    /// Reads what is there under this name.
    pub(crate) async fn get<A: DeserializeOwned>(&self, what: &str, query: &[(&str, &str)]) -> Result<A, Failure> {
        let mut url = self.at(what)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(self.http.get(url)).await
    }

    /// Changes it; the answer comes when everything that follows has happened.
    pub(crate) async fn post(&self, what: &str, body: &impl Serialize) -> Result<Value, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| LocalCode::Bug.detail(error.to_string()))?;
        self.send(self.http.post(self.at(what)?).header("content-type", "application/json").body(body)).await
    }

    /// Forgets every fault.
    pub(crate) async fn clear_faults(&self) -> Result<Value, Failure> {
        self.send(self.http.delete(self.at("faults")?)).await
    }

    /// Moves the clock of everybody ahead.
    pub(crate) async fn advance(&self, ms: u64) -> Result<Value, Failure> {
        self.post("clock", &json!({ "advance_ms": ms })).await
    }

    /// The messages that arrived for a holder of a number, the first being 1, or for its present one: in the order of arrival.
    pub(crate) async fn inbox(&self, number: &PhoneNumber, holder: Option<usize>) -> Result<Vec<Sms>, Failure> {
        let holder = holder.map(|holder| holder.to_string());
        let holder = holder.as_deref().map(|holder| ("holder", holder));
        let query: Vec<(&str, &str)> = [("number", number.as_str())].into_iter().chain(holder).collect();
        Ok(self.get::<Inbox>("sms", &query).await?.messages)
    }

    /// The newest one-time code that arrived at a number.
    pub(crate) async fn newest_code(&self, number: &PhoneNumber) -> Result<Option<String>, Failure> {
        Ok(self.inbox(number, None).await?.into_iter().rev().find_map(|sms| sms.code))
    }

    /// The limits in force; of a device, as they apply to it.
    pub(crate) async fn policy(&self, device: Option<&str>) -> Result<Value, Failure> {
        self.get("policy", device.map(|device| ("device", device)).as_slice()).await
    }

    /// Everything that was tried under this id, newest first; nothing if it never arrived.
    pub(crate) async fn tries(&self, id: &Name) -> Result<Vec<Value>, Failure> {
        let mut newest = match self.explain(id).await {
            Err(failure) if failure.code() == "not-found" => return Ok(Vec::new()),
            told => told?,
        };
        let earlier = newest.as_object_mut().and_then(|told| told.remove("earlier"));
        let earlier = earlier.and_then(|earlier| earlier.as_array().cloned()).unwrap_or_default();
        Ok([newest].into_iter().chain(earlier).collect())
    }

    /// The postings under a terminal's transaction id, oldest first.
    pub(crate) async fn postings(&self, txid: &Name) -> Result<Vec<Value>, Failure> {
        let tries = self.tries(txid).await?.into_iter().rev();
        let postings = tries.filter_map(|told| told.get("postings").and_then(Value::as_array).cloned());
        Ok(postings.flatten().collect())
    }

    /// Lines of the issuer's log after this number, some at a time.
    pub(crate) async fn log(&self, after: u64, filter: &[(&str, String)]) -> Result<Vec<Value>, Failure> {
        #[derive(serde::Deserialize)]
        struct Page {
            lines: Vec<Value>,
        }
        let after = after.to_string();
        let filter = filter.iter().map(|(name, value)| (*name, value.as_str()));
        let query: Vec<(&str, &str)> = [("after", after.as_str())].into_iter().chain(filter).collect();
        Ok(self.get::<Page>("log", &query).await?.lines)
    }

    /// Why a try ended as it did. In the query: as a part of the path `..` would lead elsewhere, encoded or not.
    pub(crate) async fn explain(&self, id: &Name) -> Result<Value, Failure> {
        self.get("explain", &[("of", id.as_str())]).await
    }

    fn at(&self, path: &str) -> Result<Url, Failure> {
        self.url.join(path).map_err(|_| LocalCode::BadInput.detail("lever_url is not a URL"))
    }

    async fn send<A: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<A, Failure> {
        let lost = |error: reqwest::Error| {
            if error.is_connect() { LocalCode::Offline.bare() } else { LocalCode::NoAnswer.bare() }
        };
        let response = request.bearer_auth(&self.token).send().await.map_err(lost)?;
        let refused = !response.status().is_success();
        let body = response.bytes().await.map_err(lost)?;
        if refused {
            let problem = serde_json::from_slice::<Problem>(&body);
            return Err(problem.map_or_else(|_| LocalCode::Untrusted.bare(), |problem| Failure::refused(&problem)));
        }
        serde_json::from_slice(&body).map_err(|_| LocalCode::Untrusted.detail("a malformed answer of the control API"))
    }
}
