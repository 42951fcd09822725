//! The OpenAPI 3.1 document, made from the table of operations and the schemas of the wire types, so that it cannot say
//! anything else than the code. Served on the customers' listener and kept as a snapshot in `docs/openapi.json`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use saifu_wire::messages::{
    ActivationAnswer, ActivationConfirmRequest, ActivationConfirmed, ActivationRequest, AtmAuthorizeAnswer,
    AtmAuthorizeRequest, AtmDepositRequest, CodeAnswer, CodeRequest, EnrolRequest, EnrolledAnswer, Event, HistoryPage,
    HistoryQuery, Home, IntentNonce, IntentNonceRequest, RefundRequest, ResolveAnswer, ResolveRequest, SessionAnswer,
    SessionRequest, SettleAnswer, SettleRequest, SignUpAnswer, SignUpConfirmAnswer, SignUpConfirmRequest,
    SignUpRequest, SignedDocument, SwitchRequest, SwitchState, TokenAnswer, TokenRequest, TopUp, TopUpRequest,
    VoidRequest,
};
use saifu_wire::{Listener, Operation, Problem, ProblemCode, Reason, headers};
use serde_json::{Value, json};
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams as _, PartialSchema, ToSchema};

use crate::auth::{Access, access};

/// The document, as served.
pub(crate) fn text() -> String {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| format!("{:#}\n", document())).clone()
}

/// The OpenAPI document of the whole API, on all listeners.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut paths = BTreeMap::<&str, BTreeMap<String, Value>>::new();
    for operation in Operation::ALL {
        let item = path_item(*operation, &mut schemas);
        paths.entry(operation.path()).or_default().insert(operation.method().to_lowercase(), item);
    }
    let problem = schemas.refer::<Problem>();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Saifu issuer",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What a wallet, a register, an ATM and an operator ask of the issuer. Amounts are whole yen, \
                times are milliseconds since 1970 on the issuer's clock, binary is base64url without padding.",
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "tags": [
            { "name": "customer", "description": "Customers' phones, on the customers' listener." },
            { "name": "register", "description": "Registers, ATMs and operators, on the registers' listener." },
            { "name": "service", "description": "The signed service document, on an origin of its own." },
        ],
        "paths": paths,
        "components": {
            "schemas": schemas.0,
            "headers": headers(),
            "responses": {
                "Refusal": {
                    "description": refusals(),
                    "headers": {
                        "DPoP-Nonce": { "$ref": "#/components/headers/DPoP-Nonce" },
                        "Saifu-Time": { "$ref": "#/components/headers/Saifu-Time" },
                        "Retry-After": { "$ref": "#/components/headers/Retry-After" },
                    },
                    "content": { headers::PROBLEM_JSON: { "schema": problem } },
                },
            },
            "securitySchemes": {
                "proof": {
                    "type": "apiKey", "in": "header", "name": "DPoP",
                    "description": "A DPoP proof (RFC 9449): ES256, with the issuer's nonce and `bd`, the SHA-256 of the body.",
                },
                "token": {
                    "type": "http", "scheme": "DPoP",
                    "description": "An access token bound to the proof's key (RFC 9449 §7.1).",
                },
            },
        },
    });
    enumerate(&mut document, "ProblemCode", ProblemCode::ALL.iter().map(|code| code.as_str()));
    enumerate(&mut document, "Reason", Reason::ALL.iter().map(|reason| reason.as_str()));
    unlink(&mut document);
    document
}

/// The values of a table's type. The schema derived for it knows the names in the code only, since the table is a macro.
fn enumerate<'a>(document: &mut Value, schema: &str, values: impl Iterator<Item = &'a str>) {
    if let Some(found) = document.pointer_mut(&format!("/components/schemas/{schema}/enum")) {
        *found = values.collect();
    }
}

/// Descriptions come from the code's own documentation; links into it lead nowhere here and become plain code.
fn unlink(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = unlinked(text);
            }
            map.values_mut().for_each(unlink);
        }
        Value::Array(values) => values.iter_mut().for_each(unlink),
        _ => {}
    }
}

/// `` [`name`](path) `` and `` [`name`] `` become `` `name` ``.
fn unlinked(text: &str) -> String {
    let mut parts = text.split("[`");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push('`');
        match part.split_once("`]") {
            None => out.push_str(part),
            Some((name, rest)) => {
                let rest = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest);
                out.push_str(name);
                out.push('`');
                out.push_str(rest);
            }
        }
    }
    out
}

/// What an operation takes and gives.
struct Shape {
    request: Option<Value>,
    answer: Value,
    media_type: &'static str,
}

/// Schemas of named types, by name.
#[derive(Default)]
struct Schemas(BTreeMap<String, RefOr<Schema>>);

impl Schemas {
    /// A reference to the type's schema, which is kept with all that it refers to.
    fn refer<T: ToSchema + PartialSchema>(&mut self) -> Value {
        let mut all = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut all);
        self.0.extend(all);
        json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
    }

    fn of<R: ToSchema + PartialSchema, A: ToSchema + PartialSchema>(&mut self) -> Shape {
        Shape { request: Some(self.refer::<R>()), answer: self.refer::<A>(), media_type: "application/json" }
    }

    fn reading<A: ToSchema + PartialSchema>(&mut self) -> Shape {
        Shape { request: None, answer: self.refer::<A>(), media_type: "application/json" }
    }

    /// One row for each operation; a new one does not compile without its row.
    fn shape(&mut self, operation: Operation) -> Shape {
        match operation {
            Operation::SignUp => self.of::<SignUpRequest, SignUpAnswer>(),
            Operation::SignUpConfirm => self.of::<SignUpConfirmRequest, SignUpConfirmAnswer>(),
            Operation::Session => self.of::<SessionRequest, SessionAnswer>(),
            Operation::Token => self.of::<TokenRequest, TokenAnswer>(),
            Operation::Activation => self.of::<ActivationRequest, ActivationAnswer>(),
            Operation::ActivationConfirm => self.of::<ActivationConfirmRequest, ActivationConfirmed>(),
            Operation::Home => self.reading::<Home>(),
            Operation::History => self.reading::<HistoryPage>(),
            Operation::Events => Shape { media_type: "text/event-stream", ..self.reading::<Event>() },
            Operation::IntentNonce => self.of::<IntentNonceRequest, IntentNonce>(),
            Operation::IntentResolve => self.of::<ResolveRequest, ResolveAnswer>(),
            Operation::TopUp => self.of::<TopUpRequest, TopUp>(),
            Operation::Code => self.of::<CodeRequest, CodeAnswer>(),
            Operation::Settle => self.of::<SettleRequest, SettleAnswer>(),
            Operation::SettleVoid => self.of::<VoidRequest, SettleAnswer>(),
            Operation::Refund => self.of::<RefundRequest, SettleAnswer>(),
            Operation::AtmAuthorize => self.of::<AtmAuthorizeRequest, AtmAuthorizeAnswer>(),
            Operation::AtmDeposit => self.of::<AtmDepositRequest, SettleAnswer>(),
            Operation::TerminalEnrol => self.of::<EnrolRequest, EnrolledAnswer>(),
            Operation::SwitchSet => self.of::<SwitchRequest, SwitchState>(),
            Operation::ServiceDocument => self.reading::<SignedDocument>(),
        }
    }
}

fn path_item(operation: Operation, schemas: &mut Schemas) -> Value {
    let Shape { request, answer, media_type } = schemas.shape(operation);
    let status = if operation == Operation::SignUp { "202" } else { "200" };
    let tag = match operation.listener() {
        Listener::Customer => "customer",
        Listener::Register => "register",
        Listener::Service => "service",
    };
    let security = match access(operation) {
        Access::Open => json!([]),
        Access::Token => json!([{ "proof": [], "token": [] }]),
        Access::Key | Access::Session | Access::Terminal(_) => json!([{ "proof": [] }]),
    };
    let mut headers = json!({
        "DPoP-Nonce": { "$ref": "#/components/headers/DPoP-Nonce" },
        "Saifu-Time": { "$ref": "#/components/headers/Saifu-Time" },
    });
    if let (Operation::Events, Some(headers)) = (operation, headers.as_object_mut()) {
        headers.insert("Saifu-Era".into(), json!({ "$ref": "#/components/headers/Saifu-Era" }));
    }
    let mut item = json!({
        "operationId": operation.name(),
        "tags": [tag],
        "description": description(operation),
        "security": security,
        "parameters": parameters(operation),
        "responses": {
            status: {
                "description": "Done.",
                "headers": headers,
                "content": { media_type: { "schema": answer } },
            },
            "default": { "$ref": "#/components/responses/Refusal" },
        },
    });
    if let (Some(request), Some(item)) = (request, item.as_object_mut()) {
        let body = json!({ "required": true, "content": { "application/json": { "schema": request } } });
        item.insert("requestBody".into(), body);
    }
    item
}

fn description(operation: Operation) -> &'static str {
    match access(operation) {
        Access::Open => "Public.",
        Access::Key => "Asks for a proof by a key; the body says whose.",
        Access::Session => "Asks for a proof by the key of the session.",
        Access::Token => "Asks for a proof by the key of the session, and its access token.",
        Access::Terminal(_) => "Asks for a proof by the key of an enrolled terminal of the right kind.",
    }
}

fn parameters(operation: Operation) -> Vec<Value> {
    let header = |name: &str, required: bool, description: &str, schema: Value| json!({ "name": name, "in": "header", "required": required, "description": description, "schema": schema });
    let mut parameters = vec![header(
        headers::TRACE,
        false,
        "One id from the tap to the posting.",
        json!({ "type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$" }),
    )];
    match operation {
        Operation::History => {
            let query = HistoryQuery::into_params(|| Some(ParameterIn::Query));
            parameters.extend(query.iter().filter_map(|parameter| serde_json::to_value(parameter).ok()));
        }
        Operation::Events => parameters.push(header(
            headers::LAST_EVENT_ID,
            false,
            "The number of the last event the caller has; events after it are sent.",
            json!({ "type": "integer", "minimum": 0 }),
        )),
        Operation::TopUp => parameters.push(header(
            headers::IDEMPOTENCY_KEY,
            true,
            "The key of the intent, a UUIDv7: repeated, the first answer is repeated.",
            json!({ "type": "string", "format": "uuid" }),
        )),
        _ => {}
    }
    parameters
}

fn headers() -> Value {
    json!({
        "DPoP-Nonce": { "description": "The nonce for the next proof (RFC 9449 §8).", "schema": { "type": "string" } },
        "Saifu-Time": {
            "description": "The issuer's clock in milliseconds since 1970.",
            "schema": { "type": "integer", "minimum": 0 },
        },
        "Saifu-Era": {
            "description": "The era that event numbers count in: another one when the issuer began anew or from a copy.",
            "schema": { "$ref": "#/components/schemas/Era" },
        },
        "Retry-After": { "description": "Seconds until another try makes sense.", "schema": { "type": "integer" } },
    })
}

/// Every code, with what to do next.
fn refusals() -> String {
    let mut text =
        String::from("A refusal (RFC 9457).\n\n| Status | Code | Meaning | Next |\n| --- | --- | --- | --- |\n");
    for code in ProblemCode::ALL {
        text.push_str(&format!("| {} | `{}` | {} | {} |\n", code.status(), code.as_str(), code.title(), code.next()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_into_the_code_become_plain_code() {
        assert_eq!(unlinked("over [`signed::x`](crate::signed::x), DER."), "over `signed::x`, DER.");
        assert_eq!(unlinked("one [`Event`] as JSON (`id`)"), "one `Event` as JSON (`id`)");
        assert_eq!(unlinked("plain [text]"), "plain [text]");
    }
}
