//! The OpenRPC document against the methods that are registered, and against
//! `docs/rpc.md`.

use crate::{Node, ask};
use billchain_rpc::RpcConfig;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs};

/// Names of all methods that a node has.
pub(crate) async fn registered() -> BTreeSet<String> {
    let node = Node::start(RpcConfig::default()).await;
    let answer = ask(&node.ws().await, "rpc_methods", json!([])).await;
    let names = answer["methods"].as_array().unwrap().iter();
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

async fn document() -> Value {
    let node = Node::start(RpcConfig::default()).await;
    ask(&node.ws().await, "rpc.discover", json!([])).await
}

fn described(document: &Value) -> Vec<String> {
    let methods = document["methods"].as_array().unwrap().iter();
    methods.map(|method| method["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_registered_method_is_described_and_every_described_one_is_registered() {
    let registered = registered().await;
    let list = described(&document().await);
    let described: BTreeSet<_> = list.iter().cloned().collect();
    assert_eq!(list.len(), described.len(), "no method is described twice");
    let missing: Vec<_> = registered.difference(&described).collect();
    assert!(missing.is_empty(), "these have no row: {missing:?}");
    let gone: Vec<_> = described.difference(&registered).collect();
    assert!(gone.is_empty(), "rows of these, which no node has: {gone:?}");
}

/// A reference to a part of the document that is there.
fn check_references(document: &Value, value: &Value, seen: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                let pointer = reference.strip_prefix('#').expect("within the document");
                assert!(document.pointer(pointer).is_some(), "{reference} is not there");
                seen.insert(pointer.to_owned());
            }
            object.values().for_each(|value| check_references(document, value, seen));
        }
        Value::Array(values) => {
            values.iter().for_each(|value| check_references(document, value, seen));
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_what_openrpc_asks_for() {
    let document = document().await;
    assert_eq!(document["openrpc"], "1.3.2");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    for method in document["methods"].as_array().unwrap() {
        let name = &method["name"];
        assert!(!method["summary"].as_str().unwrap().is_empty(), "{name}");
        assert!(method["result"]["schema"].is_object(), "{name}");
        let mut may_be_left_out = false;
        let mut names = BTreeSet::new();
        for param in method["params"].as_array().unwrap() {
            assert!(names.insert(param["name"].as_str().unwrap()), "{name}: {param}");
            assert!(param["schema"].is_object(), "{name}: {param}");
            // OpenRPC: required parameters come first.
            let required = param["required"].as_bool().unwrap();
            assert!(!(required && may_be_left_out), "{name}");
            may_be_left_out |= !required;
        }
    }
    let mut seen = BTreeSet::new();
    check_references(&document, &document, &mut seen);
    for part in ["schemas", "errors"] {
        for name in document["components"][part].as_object().unwrap().keys() {
            let pointer = format!("/components/{part}/{name}");
            assert!(seen.contains(&pointer), "{pointer} is used by no method");
        }
    }
    // What a field is written as, beside its own description.
    let bill = &document["components"]["schemas"]["BillView"]["properties"];
    for (field, schema) in [("xml_hash", "Hash"), ("total_fen", "Fen"), ("status", "BillStatus")] {
        let reference = format!("#/components/schemas/{schema}");
        assert_eq!(bill[field]["allOf"][0]["$ref"], reference, "{field}");
        assert!(bill[field]["description"].is_string(), "{field}");
    }
}

/// Names in backquotes that look like a method's.
fn named_in(text: &str, families: &BTreeSet<&str>) -> BTreeSet<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.split_once(['_', '.']).is_some_and(|(f, _)| families.contains(f)))
        .filter(|name| {
            !name.ends_with('*')
                && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.')
        })
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manual_has_every_method_of_the_domain_and_no_other() {
    let registered = registered().await;
    let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rpc.md");
    let text = fs::read_to_string(manual).unwrap();
    let families: BTreeSet<&str> =
        registered.iter().filter_map(|name| name.split(['_', '.']).next()).collect();
    let named = named_in(&text, &families);
    // Substrate's are documented by their family, and by Substrate.
    let substrates =
        ["system_", "chain_", "state_", "author_", "account_", "subscribe_", "unsubscribe_"];
    let missing: Vec<_> = registered
        .difference(&named)
        .filter(|name| !substrates.iter().any(|family| name.starts_with(family)))
        .collect();
    assert!(missing.is_empty(), "docs/rpc.md lacks {missing:?}");
    // Names stand in the first column; elsewhere are words of answers, too.
    let first_cells: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let gone: Vec<_> = first_cells.iter().filter(|name| !registered.contains(**name)).collect();
    assert!(gone.is_empty(), "docs/rpc.md names {gone:?}, which no node has");
}
