//! Parameters as clients write them.

use crate::error::{Answer, invalid};
use billchain_primitives::{AccountId, Hash};
use core::str::FromStr;
use jsonrpsee::types::Params;
use serde_json::Value;

/// The positional parameters of a request; missing ones count as `null`.
pub(crate) struct Args(Vec<Value>);

impl Args {
    /// Reads the parameters.
    pub(crate) fn of(params: &Params<'_>) -> Answer<Self> {
        match params.parse::<Option<Value>>()? {
            None => Ok(Self(Vec::new())),
            Some(Value::Array(values)) => Ok(Self(values)),
            Some(other) => {
                Err(invalid("params", "an array of positional parameters", &other.to_string()))
            }
        }
    }

    /// The parameter at `index`, `null` if it is missing.
    pub(crate) fn value(&self, index: usize) -> &Value {
        self.0.get(index).unwrap_or(&Value::Null)
    }

    /// A required string.
    pub(crate) fn text(&self, index: usize, name: &str) -> Answer<&str> {
        let value = self.value(index);
        value.as_str().ok_or_else(|| invalid(name, "a string", &value.to_string()))
    }

    /// A required string that parses.
    pub(crate) fn parsed<T>(&self, index: usize, name: &str) -> Answer<T>
    where
        T: FromStr<Err: core::fmt::Display>,
    {
        let text = self.text(index, name)?;
        text.parse().map_err(|error: T::Err| invalid(name, &error.to_string(), text))
    }

    /// Required bytes in hex.
    pub(crate) fn bytes(&self, index: usize, name: &str) -> Answer<Vec<u8>> {
        bytes(self.value(index), name)
    }

    /// A required 32-byte hash.
    pub(crate) fn hash(&self, index: usize, name: &str) -> Answer<Hash> {
        hash(self.value(index), name)
    }

    /// A 32-byte hash, or nothing.
    pub(crate) fn optional_hash(&self, index: usize, name: &str) -> Answer<Option<Hash>> {
        match self.value(index) {
            Value::Null => Ok(None),
            value => hash(value, name).map(Some),
        }
    }

    /// Required keys in hex, at most `max`.
    pub(crate) fn keys(&self, index: usize, name: &str, max: usize) -> Answer<Vec<Vec<u8>>> {
        let value = self.value(index);
        match value.as_array() {
            Some(list) if list.len() <= max => list.iter().map(|key| bytes(key, name)).collect(),
            Some(list) => {
                Err(invalid(name, &format!("at most {max} keys"), &list.len().to_string()))
            }
            None => Err(invalid(name, "an array of keys in hex", &value.to_string())),
        }
    }

    /// A required number.
    pub(crate) fn number(&self, index: usize, name: &str) -> Answer<u32> {
        number(self.value(index), name)
    }

    /// A number, or nothing.
    pub(crate) fn optional_number(&self, index: usize, name: &str) -> Answer<Option<u32>> {
        match self.value(index) {
            Value::Null => Ok(None),
            value => number(value, name).map(Some),
        }
    }

    /// A required account: SS58 or 0x hex.
    pub(crate) fn account(&self, index: usize, name: &str) -> Answer<AccountId> {
        let text = self.text(index, name)?;
        AccountId::from_str(text).map_err(|reason| {
            invalid(name, &format!("an SS58 address or 32 bytes in hex ({reason})"), text)
        })
    }
}

/// Bytes written as `0x` hex.
pub(crate) fn bytes(value: &Value, name: &str) -> Answer<Vec<u8>> {
    let found = || invalid(name, "bytes as 0x hex", &value.to_string());
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x")).ok_or_else(found)?;
    hex::decode(digits).map_err(|_| found())
}

/// A hash written as `0x` hex.
pub(crate) fn hash(value: &Value, name: &str) -> Answer<Hash> {
    let bytes = bytes(value, name)?;
    <[u8; 32]>::try_from(bytes.as_slice())
        .map(Hash::from)
        .map_err(|_| invalid(name, "32 bytes as 0x hex", &value.to_string()))
}

/// A number written as such or as `0x` hex.
pub(crate) fn number(value: &Value, name: &str) -> Answer<u32> {
    let found = || invalid(name, "a number from 0 to 4294967295", &value.to_string());
    match value {
        Value::String(text) => match text.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).map_err(|_| found()),
            None => Err(found()),
        },
        _ => value.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(found),
    }
}

/// Bytes as `0x` hex.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
