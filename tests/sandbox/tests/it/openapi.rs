//! The API document is a promise to whoever writes a client: changes to it are looked at.

use std::collections::BTreeSet;
use std::path::Path;

use saifu_sandbox::openapi;
use saifu_wire::messages::Switch;
use saifu_wire::{Operation, ProblemCode, Reason};
use serde_json::Value;

#[test]
fn api_document_is_the_one_in_docs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let text = format!("{:#}\n", openapi::document());
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "docs/openapi.json is out of date: run the test with UPDATE_SNAPSHOTS=1 and review the change"
    );
}

#[test]
fn api_document_has_every_operation_and_every_refusal() {
    let document = openapi::document();
    for operation in Operation::ALL {
        let item = &document["paths"][operation.path()][operation.method().to_lowercase()];
        assert_eq!(item["operationId"], operation.name());
    }
    let refusals = document["components"]["responses"]["Refusal"]["description"].as_str().unwrap();
    for code in ProblemCode::ALL {
        assert!(refusals.contains(&format!("`{}`", code.as_str())), "{}", code.as_str());
    }
}

#[test]
fn enumerations_of_the_api_document_are_written_as_on_the_wire() {
    let document = openapi::document();
    let values = |schema: &str| document["components"]["schemas"][schema]["enum"].clone();
    assert_eq!(values("ProblemCode"), serde_json::to_value(ProblemCode::ALL).unwrap());
    assert_eq!(values("Reason"), serde_json::to_value(Reason::ALL).unwrap());
    assert_eq!(values("Switch"), serde_json::to_value(Switch::ALL).unwrap());
    // Of the rest, none looks like a name in the code.
    let mut names = Vec::new();
    enumerated(&document["components"]["schemas"], &mut names);
    assert!(names.len() > 60);
    for name in names {
        assert!(!name.chars().any(char::is_uppercase), "{name}");
    }
}

fn enumerated(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Array(values)) = map.get("enum") {
                names.extend(values.iter().map(|value| value.as_str().unwrap().to_owned()));
            }
            map.values().for_each(|value| enumerated(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| enumerated(value, names)),
        _ => {}
    }
}

#[test]
fn every_reference_of_the_api_document_leads_somewhere() {
    let document = openapi::document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 50, "only {} references", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                found.insert(reference.clone());
            }
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}
