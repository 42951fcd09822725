//! Refusals of the API: one table gives each code its number of the HTTP status, its sentence and what to do next.

use crate::open::if_it_fits;
use crate::{Open, Word};

macro_rules! problems {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:literal, $title:literal, $next:literal;)*) => {
        /// Why the issuer refused. Codes are public and never change their meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum ProblemCode {
            $(#[doc = $title] #[serde(rename = $code)] $variant,)*
        }

        impl ProblemCode {
            /// Every code the issuer gives.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The HTTP status it comes with.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// What happened, one sentence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What to do next, one sentence.
            #[must_use]
            pub fn next(self) -> &'static str {
                match self { $(Self::$variant => $next,)* }
            }
        }

        impl Word for ProblemCode {
            const ALL: &'static [Self] = Self::ALL;

            fn as_str(self) -> &'static str {
                self.as_str()
            }
        }
    };
}

problems! {
    InvalidRequest = "invalid-request", 400, "The request is malformed.", "Correct the field that the detail names.";
    UseDpopNonce = "use-dpop-nonce", 401, "The proof needs the issuer's current nonce.", "Repeat with the nonce of this answer.";
    InvalidDpopProof = "invalid-dpop-proof", 401, "The proof of possession is stale, replayed or does not fit the request.", "Make a new proof for this very request.";
    InvalidToken = "invalid-token", 401, "The access token is unknown, expired or bound to another key.", "Open a new session.";
    UnknownDevice = "unknown-device", 401, "No live device has this key.", "Sign up on this phone; the same phone gets its account back.";
    UnknownTerminal = "unknown-terminal", 401, "No register, ATM or operator is enrolled with this key.", "Enrol the terminal with the operator.";
    InvalidSignature = "invalid-signature", 403, "The signature is not this device's over exactly these bytes.", "Approve again.";
    WrongCode = "wrong-code", 403, "The code is not the one that was sent.", "Enter the newest code from the SMS.";
    Frozen = "frozen", 403, "The account is frozen.", "Unfreeze it in the app, or ask support.";
    OverLimit = "over-limit", 403, "A limit does not allow this.", "Wait, or choose a smaller amount; the detail names the limit.";
    NotFound = "not-found", 404, "There is nothing here.", "Check the address or the id.";
    MethodNotAllowed = "method-not-allowed", 405, "This path does not take that method.", "Use the method of the API document.";
    NumberTaken = "number-taken", 409, "This number belongs to an account on another phone.", "Add this phone from the old one, or recover the account.";
    DeviceInUse = "device-in-use", 409, "This key already belongs to an account.", "Reset the wallet, then sign up: it makes new keys.";
    StaleNonce = "stale-nonce", 409, "The approval's nonce was used or has expired.", "Approve again.";
    KeyVoided = "key-voided", 409, "This intent was given up and will never happen.", "Start again with a new approval.";
    NoActivation = "no-activation", 409, "There is no activation to confirm, or its proof does not fit.", "Start the activation again.";
    SignUpExpired = "sign-up-expired", 410, "The SMS code has expired.", "Start the sign-up again.";
    TooLarge = "too-large", 413, "The request is larger than 16 KiB.", "Send less.";
    UnsupportedMediaType = "unsupported-media-type", 415, "The body is not JSON.", "Send application/json.";
    KeyReused = "key-reused", 422, "The key was used for another intent.", "Use one key for one intent.";
    KeyTime = "key-time", 422, "The key's time lies too far from now.", "Take a fresh nonce and make a new key from its time.";
    TooManyTries = "too-many-tries", 429, "Too many tries.", "Wait until the time in Retry-After.";
    TooSoon = "too-soon", 429, "The last code was sent a moment ago.", "Wait until the time in Retry-After.";
    Internal = "internal", 500, "The issuer failed.", "Try again in a moment; what moves money is asked about first.";
    SwitchedOff = "switched-off", 503, "This service is stopped for now.", "See the notice; try again later.";
    Overloaded = "overloaded", 503, "The issuer is busy.", "Try again after the time in Retry-After.";
}

impl Open<ProblemCode> {
    /// What to do next, one sentence.
    #[must_use]
    pub fn next(&self) -> &'static str {
        self.known().map_or("Update the app.", ProblemCode::next)
    }
}

/// A refusal's body (RFC 9457, `application/problem+json`). Personal data never enters it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `urn:saifu:problem:CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// [`ProblemCode::title`].
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// The stable code.
    pub code: Open<ProblemCode>,
    /// What exactly, for a person: a field, a limit.
    #[serde(default, deserialize_with = "if_it_fits", skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The rule that decided, where one did: its name in the policy file.
    #[serde(default, deserialize_with = "if_it_fits", skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Milliseconds until another try makes sense; Retry-After carries it in seconds.
    #[serde(default, deserialize_with = "if_it_fits", skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Problem {
    /// A refusal with its standard sentence.
    #[must_use]
    pub fn new(code: ProblemCode) -> Self {
        Self {
            kind: format!("urn:saifu:problem:{}", code.as_str()),
            title: code.title().into(),
            status: code.status(),
            code: code.into(),
            detail: None,
            rule: None,
            retry_after_ms: None,
        }
    }

    /// Says what exactly.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Names the rule that decided.
    #[must_use]
    pub fn rule(mut self, rule: impl Into<String>) -> Self {
        self.rule = Some(rule.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
}

impl From<ProblemCode> for Problem {
    fn from(code: ProblemCode) -> Self {
        Self::new(code)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.title)?;
        match &self.detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_reads_back() {
        let mut seen = std::collections::BTreeSet::new();
        for code in ProblemCode::ALL {
            assert!(seen.insert(code.as_str()), "{} twice", code.as_str());
            assert!((400..=599).contains(&code.status()) && code.title().ends_with('.') && code.next().ends_with('.'));
            let json = serde_json::to_string(&Problem::new(*code)).unwrap();
            assert_eq!(serde_json::from_str::<Problem>(&json).unwrap().code, *code);
        }
    }

    #[test]
    fn unknown_code_of_a_newer_issuer_still_reads() {
        let json = r#"{"type":"x","title":"t","status":400,"code":"brand-new","extra":1}"#;
        let problem: Problem = serde_json::from_str(json).unwrap();
        assert_eq!((problem.code.known(), problem.code.as_str()), (None, "brand-new"));
        assert_eq!(problem.code.next(), "Update the app.");
    }
}
