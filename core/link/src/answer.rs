//! Reading what came back: answers, refusals, and what a broken connection means.

use http::header::RETRY_AFTER;
use reqwest::Response;
use rustls::CertificateError;
use saifu_wire::Problem;
use serde::de::DeserializeOwned;

use crate::LinkError;
use crate::pins::is_date;

const LARGEST_ANSWER: usize = 1024 * 1024;

/// Whether anything was sent decides what may be concluded.
pub(crate) fn lost(error: &reqwest::Error) -> LinkError {
    tracing::debug!(target: "saifu::link", connect = error.is_connect(), timeout = error.is_timeout(), "lost");
    match certificate_error(error) {
        Some(fault) if is_date(fault) => LinkError::WrongClock,
        Some(_) => LinkError::Untrusted("its certificate is not the pinned one"),
        None if error.is_connect() || error.is_builder() => LinkError::Offline,
        None => LinkError::NoAnswer,
    }
}

/// Looks through the wrappers of the layers in between; an I/O error hides what it carries from `source`.
fn certificate_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a CertificateError> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return match tls {
            rustls::Error::InvalidCertificate(fault) => Some(fault),
            _ => None,
        };
    }
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(carried) => certificate_error(carried),
        None => error.source().and_then(certificate_error),
    }
}

/// A refusal's problem, or what its absence means.
pub(crate) async fn refusal(response: Response) -> LinkError {
    let status = response.status().as_u16();
    let retry_after =
        response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|s| s.parse::<u64>().ok());
    match read_json::<Problem>(response).await {
        Ok(mut problem) => {
            problem.retry_after_ms = problem.retry_after_ms.or(retry_after.map(|s| s.saturating_mul(1_000)));
            problem.into()
        }
        Err(_) if status >= 500 => LinkError::NoAnswer,
        Err(_) => LinkError::Untrusted("a refusal without a reason"),
    }
}

/// Reads a body of at most 1 MiB.
pub(crate) async fn read_json<A: DeserializeOwned>(mut response: Response) -> Result<A, LinkError> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) <= LARGEST_ANSWER => {
                body.extend_from_slice(&chunk)
            }
            Ok(Some(_)) => return Err(LinkError::Untrusted("an answer is too long")),
            Ok(None) => break,
            Err(_) => return Err(LinkError::NoAnswer),
        }
    }
    serde_json::from_slice(&body).map_err(|_| LinkError::Untrusted("a malformed answer"))
}
