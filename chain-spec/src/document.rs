//! A chain spec with the digest by which a data directory knows it again.

use crate::{ChainSpec, SpecError};
use billchain_primitives::{Hash, sm3};
use serde_json::Value;

/// A chain spec as it was read or made, with its digest.
///
/// The digest is SM3 of the JSON with sorted keys and no white space. It is of the text
/// and not of what a release makes of it: a later release that knows more fields comes
/// to the same digest.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says.
    pub spec: ChainSpec,
    /// Its digest.
    pub digest: Hash,
}

impl Document {
    /// Reads and checks a document.
    pub fn from_json(text: &str) -> Result<Self, SpecError> {
        let spec = ChainSpec::from_json(text)?;
        let value: Value =
            serde_json::from_str(text).map_err(|error| SpecError::Json(error.to_string()))?;
        let mut canonical = String::new();
        write(&value, &mut canonical);
        Ok(Self { spec, digest: sm3(canonical.as_bytes()).into() })
    }

    /// The document that `spec` is written as.
    pub fn of(spec: &ChainSpec) -> Result<Self, SpecError> {
        Self::from_json(&spec.to_json()?)
    }
}

/// Writes JSON with sorted keys. `ChainSpec` bounds the depth: other JSON was refused.
fn write(value: &Value, to: &mut String) {
    let mut list = |open, close, items: Vec<(Option<&String>, &Value)>| {
        to.push(open);
        for (at, (key, item)) in items.into_iter().enumerate() {
            if at > 0 {
                to.push(',');
            }
            if let Some(key) = key {
                to.push_str(&Value::from(key.as_str()).to_string());
                to.push(':');
            }
            write(item, to);
        }
        to.push(close);
    };
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().map(|(key, item)| (Some(key), item)).collect();
            fields.sort_by_key(|(key, _)| *key);
            list('{', '}', fields);
        }
        Value::Array(items) => list('[', ']', items.iter().map(|item| (None, item)).collect()),
        plain => to.push_str(&plain.to_string()),
    }
}
