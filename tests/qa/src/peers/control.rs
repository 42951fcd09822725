//! The control API of a running sandbox: plain HTTP on loopback with a token. Only quality assurance has it; neither the
//! customers' nor the registers' listener leads there.

use std::sync::Arc;
use std::time::Duration;

use saifu_sandbox::faults::Fault;
use saifu_sandbox::rules::world::Happening;
use saifu_sandbox::{IssuerSnapshot, SandboxInfo};
use saifu_wire::{Millis, PhoneNumber, Problem};
use serde::de::DeserializeOwned;
use url::Url;

use crate::commands::Invented;
use crate::failure::{Failure, LocalCode};

/// A client of the control API.
pub(crate) struct ControlApi {
    http: reqwest::Client,
    url: Url,
    token: String,
}

/// A message in an inbox.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
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

    /// The messages that arrived for the present holder of a number, in the order of arrival.
    pub(crate) async fn sms(&self, number: &PhoneNumber) -> Result<Vec<Sms>, Failure> {
        self.inbox(number, None).await
    }

    /// The same for an earlier holder of the number, the first being 1.
    pub(crate) async fn inbox(&self, number: &PhoneNumber, holder: Option<usize>) -> Result<Vec<Sms>, Failure> {
        let mut url = self.at("sms")?;
        url.query_pairs_mut().append_pair("number", number.as_str());
        if let Some(holder) = holder {
            url.query_pairs_mut().append_pair("holder", &holder.to_string());
        }
        let inbox: Inbox = self.send(self.http.get(url)).await?;
        Ok(inbox.messages)
    }

    /// Somebody who has no account yet.
    pub(crate) async fn person(&self, label: &str) -> Result<Invented, Failure> {
        let mut url = self.at("person")?;
        url.query_pairs_mut().append_pair("label", label);
        self.send(self.http.get(url)).await
    }

    /// The issuer as files.
    pub(crate) async fn snapshot(&self) -> Result<IssuerSnapshot, Failure> {
        self.send(self.http.get(self.at("snapshot")?)).await
    }

    /// The clock as it stands.
    pub(crate) async fn clock(&self) -> Result<serde_json::Value, Failure> {
        self.send(self.http.get(self.at("clock")?)).await
    }

    /// Moves the clock; the answer comes when everything due has run.
    pub(crate) async fn move_clock(&self, body: &serde_json::Value) -> Result<serde_json::Value, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| LocalCode::Bug.detail(error.to_string()))?;
        let request = self.http.post(self.at("clock")?).header("content-type", "application/json").body(body);
        self.send(request).await
    }

    /// The ledger's own check of itself.
    pub(crate) async fn audit(&self) -> Result<serde_json::Value, Failure> {
        self.send(self.http.get(self.at("audit")?)).await
    }

    /// The limits in force; of a device, as they apply to it.
    pub(crate) async fn policy(&self, device: Option<&str>) -> Result<serde_json::Value, Failure> {
        let mut url = self.at("policy")?;
        if let Some(device) = device {
            url.query_pairs_mut().append_pair("device", device);
        }
        self.send(self.http.get(url)).await
    }

    /// The faults that wait.
    pub(crate) async fn faults(&self) -> Result<serde_json::Value, Failure> {
        self.send(self.http.get(self.at("faults")?)).await
    }

    /// Adds a fault.
    pub(crate) async fn add_fault(&self, fault: &Fault) -> Result<serde_json::Value, Failure> {
        let body = serde_json::to_vec(fault).map_err(|error| LocalCode::Bug.detail(error.to_string()))?;
        let request = self.http.post(self.at("faults")?).header("content-type", "application/json").body(body);
        self.send(request).await
    }

    /// Lets the world do something.
    pub(crate) async fn event(&self, happening: &Happening) -> Result<serde_json::Value, Failure> {
        let body = serde_json::to_vec(happening).map_err(|error| LocalCode::Bug.detail(error.to_string()))?;
        let request = self.http.post(self.at("events")?).header("content-type", "application/json").body(body);
        self.send(request).await
    }

    /// What the world did so far.
    pub(crate) async fn events(&self) -> Result<serde_json::Value, Failure> {
        self.send(self.http.get(self.at("events")?)).await
    }

    /// Forgets every fault.
    pub(crate) async fn clear_faults(&self) -> Result<serde_json::Value, Failure> {
        self.send(self.http.delete(self.at("faults")?)).await
    }

    /// Everything that was tried under this id, newest first; nothing if it never arrived.
    pub(crate) async fn tries(&self, id: &saifu_wire::Name) -> Result<Vec<serde_json::Value>, Failure> {
        let mut newest = match self.explain(id).await {
            Err(failure) if failure.code() == "not-found" => return Ok(Vec::new()),
            told => told?,
        };
        let earlier = newest.as_object_mut().and_then(|told| told.remove("earlier"));
        let earlier = earlier.and_then(|earlier| earlier.as_array().cloned()).unwrap_or_default();
        Ok([newest].into_iter().chain(earlier).collect())
    }

    /// The postings under a terminal's transaction id, oldest first.
    pub(crate) async fn postings(&self, txid: &saifu_wire::Name) -> Result<Vec<serde_json::Value>, Failure> {
        let tries = self.tries(txid).await?.into_iter().rev();
        let postings = tries.filter_map(|told| told.get("postings").and_then(serde_json::Value::as_array).cloned());
        Ok(postings.flatten().collect())
    }

    /// Lines of the issuer's log after this number, some at a time.
    pub(crate) async fn log(&self, after: u64, filter: &[(&str, String)]) -> Result<Vec<serde_json::Value>, Failure> {
        #[derive(serde::Deserialize)]
        struct Answer {
            lines: Vec<serde_json::Value>,
        }
        let mut url = self.at("log")?;
        url.query_pairs_mut().append_pair("after", &after.to_string()).extend_pairs(filter);
        let answer: Answer = self.send(self.http.get(url)).await?;
        Ok(answer.lines)
    }

    /// Why a try ended as it did.
    pub(crate) async fn explain(&self, id: &saifu_wire::Name) -> Result<serde_json::Value, Failure> {
        self.send(self.http.get(self.explaining(id)?)).await
    }

    /// In the query: as a part of the path `..` would lead elsewhere, encoded or not.
    fn explaining(&self, id: &saifu_wire::Name) -> Result<Url, Failure> {
        let mut url = self.at("explain")?;
        url.query_pairs_mut().append_pair("of", id.as_str());
        Ok(url)
    }

    fn at(&self, path: &'static str) -> Result<Url, Failure> {
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
