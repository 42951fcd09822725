use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use saifu_wire::{Era, Millis, Problem, ProblemCode, headers};

use super::Subscription;

/// An answer before the headers that every one has.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
}

/// What it says.
pub(super) enum Content {
    /// All of it.
    Whole(Bytes),
    /// Events, as they come.
    Events(Subscription),
    /// None: the connection ends.
    Nothing,
}

impl Answer {
    /// 200 with this value.
    pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<Self, Problem> {
        let text = serde_json::to_vec(value).map_err(|_| ProblemCode::Internal)?;
        Ok(Self::of(StatusCode::OK, "application/json", text.into()))
    }

    /// With another status.
    pub(super) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// A public JSON text.
    pub(super) fn document(text: String) -> Self {
        Self::of(StatusCode::OK, "application/json", text.into())
    }

    /// A text that caches may keep for as long as its tag stays the same; nothing of it where the caller has it already.
    pub(super) fn tagged(text: String, tag: &str, known: bool) -> Self {
        let mut answer = Self::document(if known { String::new() } else { text });
        if known {
            answer.status = StatusCode::NOT_MODIFIED;
            answer.headers.remove(header::CONTENT_TYPE);
        }
        set(&mut answer.headers, "etag", tag);
        set(&mut answer.headers, "cache-control", "no-cache");
        answer
    }

    /// Server-sent events, whose numbers count in this era.
    pub(super) fn events(subscription: Subscription, era: &Era) -> Self {
        let mut answer = Self::of(StatusCode::OK, "text/event-stream", Bytes::new());
        set(&mut answer.headers, headers::ERA, era.0.as_str());
        answer.content = Content::Events(subscription);
        answer
    }

    /// A refusal (RFC 9457); `allow` is what the path would take.
    pub(super) fn refusal(problem: &Problem, allow: Option<&'static str>) -> Self {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let text = serde_json::to_vec(problem).unwrap_or_default();
        let mut answer = Self::of(status, headers::PROBLEM_JSON, text.into());
        if let Some(challenge) = problem.code.known().and_then(challenge) {
            set(&mut answer.headers, "www-authenticate", challenge);
        }
        if let Some(ms) = problem.retry_after_ms {
            set(&mut answer.headers, "retry-after", &ms.div_ceil(1_000).to_string());
        }
        if let Some(allow) = allow {
            set(&mut answer.headers, "allow", allow);
        }
        answer
    }

    /// No answer at all. The status is for callers without a connection that could end.
    pub(super) fn cut() -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, headers: HeaderMap::new(), content: Content::Nothing }
    }

    /// A status and nothing else.
    pub(super) fn bare(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: HeaderMap::new(), content: Content::Whole(Bytes::new()) }
    }

    fn of(status: StatusCode, media_type: &'static str, content: Bytes) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        Self { status, headers, content: Content::Whole(content) }
    }
}

/// What every answer carries. Nothing of an account stays in a cache.
pub(super) fn stamp(headers: &mut HeaderMap, now: Millis, trace: &str) {
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    set(headers, headers::ISSUER_TIME, &now.0.to_string());
    set(headers, headers::TRACE, trace);
}

/// Sets a header whose value is ours; one that HTTP cannot carry is left out.
pub(super) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// What a 401 asks for (RFC 9449 §7.1 and §8).
fn challenge(code: ProblemCode) -> Option<&'static str> {
    match code {
        ProblemCode::UseDpopNonce => Some(r#"DPoP error="use_dpop_nonce", algs="ES256""#),
        ProblemCode::InvalidDpopProof => Some(r#"DPoP error="invalid_dpop_proof", algs="ES256""#),
        ProblemCode::InvalidToken => Some(r#"DPoP error="invalid_token", algs="ES256""#),
        ProblemCode::UnknownDevice | ProblemCode::UnknownTerminal => Some(r#"DPoP algs="ES256""#),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_401_says_how_to_authenticate() {
        for code in ProblemCode::ALL {
            let answer = Answer::refusal(&Problem::new(*code), None);
            assert_eq!(answer.headers.contains_key("www-authenticate"), code.status() == 401, "{}", code.as_str());
        }
    }

    #[test]
    fn waiting_times_are_rounded_up_to_seconds() {
        let answer = Answer::refusal(&Problem::new(ProblemCode::TooSoon).retry_after(59_001), None);
        assert_eq!(answer.headers.get("retry-after").unwrap(), "60");
    }
}
