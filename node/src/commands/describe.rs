//! `billchain describe`: what the SDKs are generated from. It prints the calls, errors and types of
//! the runtime, by its metadata, and the methods of the JSON-RPC, as one JSON object.
//!
//! `clients/description.json` is what this prints, which a test holds; `clients/generate.py` writes
//! the SDKs' calls and types from it.

mod types;

use anyhow::{Context, Result, bail};
use billchain_runtime::{Runtime, VERSION};
use frame_metadata::RuntimeMetadata;
use serde_json::{Value, json};

/// Prints the description.
pub(crate) fn run() -> Result<()> {
    print!("{}", text()?);
    Ok(())
}

/// The description as it is kept in a file.
fn text() -> Result<String> {
    let mut text = String::new();
    write(&description()?, 0, &mut text);
    text.push('\n');
    Ok(text)
}

fn description() -> Result<Value> {
    let RuntimeMetadata::V14(metadata) = Runtime::metadata().1 else {
        bail!("expected metadata of version 14 from the runtime, found another version");
    };
    let (pallets, types) = types::describe(&metadata, billchain_rpc::TEXTS);
    let types: serde_json::Map<_, _> =
        types.into_iter().map(|(id, described)| (id.to_string(), described)).collect();
    let rules = json!({
        "name": VERSION.spec_name,
        "version": VERSION.spec_version,
        "transaction_version": VERSION.transaction_version,
    });
    let openrpc =
        serde_json::to_value(billchain_rpc::interface()).context("the OpenRPC document")?;
    Ok(json!({ "rules": rules, "pallets": pallets, "types": types, "openrpc": openrpc }))
}

/// JSON with names in order, and a line for each entry: changes of the chain are seen as such.
fn write(value: &Value, depth: usize, text: &mut String) {
    let entries: Vec<(Option<&String>, &Value)> = match value {
        Value::Object(object) => {
            let mut entries: Vec<_> =
                object.iter().map(|(key, value)| (Some(key), value)).collect();
            entries.sort_by_key(|(key, _)| *key);
            entries
        }
        Value::Array(entries) => entries.iter().map(|value| (None, value)).collect(),
        plain => return text.push_str(&plain.to_string()),
    };
    let (open, close) = if value.is_object() { ('{', '}') } else { ('[', ']') };
    text.push(open);
    let count = entries.len();
    for (at, (key, value)) in entries.into_iter().enumerate() {
        new_line(depth + 1, text);
        if let Some(key) = key {
            text.push_str(&format!("{}: ", Value::from(key.as_str())));
        }
        write(value, depth + 1, text);
        if at + 1 < count {
            text.push(',');
        }
    }
    if count > 0 {
        new_line(depth, text);
    }
    text.push(close);
}

fn new_line(depth: usize, text: &mut String) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', depth));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, fs, path::Path};

    #[test]
    fn the_description_that_the_sdks_are_made_from_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/description.json");
        let text = text().expect("metadata of version 14");
        if env::var_os("BILLCHAIN_RENEW_VECTORS").is_some() {
            fs::write(&path, &text).expect("the file can be written");
        }
        let kept = fs::read_to_string(&path).expect("the description");
        assert!(
            kept == text,
            "clients/description.json is another than `billchain describe` prints: renew it with \
             BILLCHAIN_RENEW_VECTORS=1, then run ./clients/generate.py"
        );
    }
}
