//! The JSON Schema (draft 2020-12) of a scenario, for editors and other runners: made from the table of verbs, committed as
//! `docs/scenario.schema.json`.

use serde_json::{Map, Value, json};

use saifu_sandbox::policy::Policy;

use super::parse::MOST_ROUNDS;
use super::verbs::{Actor, Kind, REFUSAL, VERBS, Verb};

const NAME: &str = "^[a-z][a-z0-9-]*$";
const SPAN: &str = "^[1-9][0-9]*[smhd]$";
const REFERENCE: &str = r"^\$\{(wrong:)?[a-z][a-z0-9-]*\}$";

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let verbs: Vec<&str> = VERBS.iter().map(|verb| verb.name).collect();
    let choices: Vec<Value> = VERBS
        .iter()
        .map(|verb| json!({ "if": { "properties": { "do": { "const": verb.name } } }, "then": step(verb) }))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Saifu scenario",
        "type": "object",
        "required": ["name", "shows", "personas", "steps"],
        "additionalProperties": false,
        "properties": {
            "$schema": { "type": "string" },
            "name": { "type": "string", "pattern": NAME, "description": "The file's name without .json." },
            "shows": { "type": "string", "minLength": 1, "description": "What it shows, one sentence." },
            "personas": {
                "type": "object",
                "propertyNames": { "pattern": NAME },
                "additionalProperties": { "$ref": "#/$defs/persona" },
            },
            "policy": policy(),
            "steps": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "if": { "type": "object", "required": ["steps"] },
                    "then": { "$ref": "#/$defs/repeated" },
                    "else": { "$ref": "#/$defs/step" },
                },
            },
        },
        "$defs": {
            "persona": {
                "type": "object",
                "required": ["number"],
                "additionalProperties": false,
                "properties": {
                    "number": { "type": "string", "pattern": "^0[789]0-[0-9]{4}-[0-9]{4}$" },
                    "state": { "enum": ["new", "starter"], "description": "A starter has signed up." },
                    "balance_yen": { "type": "integer", "minimum": 1 },
                },
                "dependentSchemas": {
                    "balance_yen": { "required": ["state"], "properties": { "state": { "const": "starter" } } },
                },
            },
            "repeated": {
                "type": "object",
                "required": ["repeat", "steps"],
                "additionalProperties": false,
                "properties": {
                    "repeat": repeat(),
                    "steps": {
                        "type": "array",
                        "minItems": 1,
                        "items": { "allOf": [{ "$ref": "#/$defs/step" }, { "properties": { "repeat": false } }] },
                    },
                },
            },
            "step": {
                "type": "object",
                "required": ["do"],
                "properties": { "do": { "enum": verbs } },
                "allOf": choices,
            },
            "expectation": {
                "anyOf": [
                    { "type": ["string", "integer", "boolean"] },
                    {
                        "type": "object",
                        "minProperties": 1,
                        "additionalProperties": false,
                        "properties": { "gte": { "$ref": "#/$defs/bound" }, "lte": { "$ref": "#/$defs/bound" } },
                    },
                    only("absent"),
                    only("null"),
                ],
            },
            "bound": { "anyOf": [{ "type": "integer" }, { "type": "string", "pattern": REFERENCE }] },
        },
    })
}

fn only(field: &str) -> Value {
    let properties: Map<String, Value> = [(field.to_owned(), json!({ "const": true }))].into_iter().collect();
    json!({ "type": "object", "required": [field], "additionalProperties": false, "properties": properties })
}

fn step(verb: &Verb) -> Value {
    let fields: Vec<&str> = verb.gives.iter().chain(REFUSAL).copied().collect();
    let path = format!(r"^({})(\..+)?$", fields.join("|"));
    let mut properties = Map::new();
    let mut required = vec!["do"];
    properties.insert("do".into(), json!({ "const": verb.name, "description": verb.does }));
    match verb.actor {
        Actor::Persona => {
            required.push("as");
            properties.insert("as".into(), json!({ "type": "string", "pattern": NAME }));
        }
        Actor::Terminal(default) => {
            let kind = format!("^{}", default.trim_end_matches("-1"));
            properties.insert("as".into(), json!({ "type": "string", "pattern": kind, "default": default }));
        }
        Actor::Nobody => {}
    }
    for argument in verb.arguments {
        if argument.required {
            required.push(argument.name);
        }
        let value = match argument.kind {
            Kind::Text => json!({ "type": "string" }),
            Kind::Number => json!({
                "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "pattern": REFERENCE }],
            }),
            Kind::Flag => json!({ "type": "boolean" }),
            Kind::Span => json!({ "type": "string", "pattern": SPAN }),
            Kind::OneOf(words) => json!({ "enum": words }),
        };
        properties.insert(argument.name.into(), value);
    }
    properties.insert(
        "expect".into(),
        json!({
            "type": "object",
            "propertyNames": { "pattern": path },
            "additionalProperties": { "$ref": "#/$defs/expectation" },
        }),
    );
    properties.insert(
        "save".into(),
        json!({
            "type": "object",
            "propertyNames": { "pattern": NAME },
            "additionalProperties": { "type": "string", "pattern": path },
        }),
    );
    properties.insert("repeat".into(), repeat());
    if verb.reads {
        properties.insert("within".into(), json!({ "type": "string", "pattern": SPAN }));
    }
    json!({ "required": required, "additionalProperties": false, "properties": properties })
}

fn repeat() -> Value {
    json!({
        "type": "integer", "minimum": 1, "maximum": MOST_ROUNDS,
        "description": "So many rounds; `${index}` is the number of the round, from 1 on.",
    })
}

/// The policy's sections and fields; whether a number may be null is the runner's to say.
fn policy() -> Value {
    let whole = serde_json::to_value(Policy::default()).unwrap_or_default();
    let sections: Map<String, Value> = whole
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, section)| {
            let fields: Map<String, Value> = section
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| {
                    let kind = if value.is_boolean() { json!("boolean") } else { json!(["integer", "null"]) };
                    (name.clone(), json!({ "type": kind }))
                })
                .collect();
            (name.clone(), json!({ "type": "object", "additionalProperties": false, "properties": fields }))
        })
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": sections })
}
