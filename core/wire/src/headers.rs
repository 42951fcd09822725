//! Header names beyond those of HTTP itself.

/// A DPoP proof (RFC 9449 §4).
pub const DPOP: &str = "dpop";
/// The issuer's nonce for the next proof (RFC 9449 §8).
pub const DPOP_NONCE: &str = "dpop-nonce";
/// The key that makes a repeated request one request: a UUIDv7 for intents.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// One id from the tap to the posting, made by whoever starts; 1–64 name characters.
pub const TRACE: &str = "saifu-trace";
/// The issuer's clock in Unix milliseconds, on every answer.
pub const ISSUER_TIME: &str = "saifu-time";
/// The issuer's [`Era`](crate::Era), on the answer that opens the stream of events.
pub const ERA: &str = "saifu-era";
/// The last event a client has seen (server-sent events, HTML Living Standard §9.2).
pub const LAST_EVENT_ID: &str = "last-event-id";
/// The media type of a refusal (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";
/// The scheme of a bound access token in `Authorization` (RFC 9449 §7.1).
pub const DPOP_SCHEME: &str = "DPoP";
