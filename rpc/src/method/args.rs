//! Parameters as clients write them.

use crate::{
    caller::View,
    error::{Answer, invalid},
};
use billchain_primitives::{AccountId, Hash, SceneId};
use core::{ops::RangeInclusive, str::FromStr};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;

/// Most entries of one page of a list.
pub(crate) const MAX_PAGE: usize = 100;
/// Longest text of an account; `0x` and 64 digits are the longest valid one.
const MAX_ACCOUNT_TEXT: usize = 128;

/// The parameters of a request, in the order of the method's; missing ones
/// count as `null`.
pub(crate) struct Args {
    /// Bytes of the JSON that they were read from.
    length: usize,
    values: Vec<Value>,
    answer_bytes: usize,
    view: View,
}

impl Args {
    /// Reads the parameters of a method that has those named `names`: an array
    /// of at most as many, or an object of such names.
    pub(crate) fn read(params: Option<&str>, names: &[&str], answer_bytes: usize) -> Answer<Self> {
        let length = params.map_or(0, str::len);
        let of = |values| Self { length, values, answer_bytes, view: View::Whole };
        let Some(text) = params else { return Ok(of(Vec::new())) };
        let value = serde_json::from_str(text)
            .map_err(|error| invalid("params", &format!("JSON ({error})"), text))?;
        match value {
            Value::Null => Ok(of(Vec::new())),
            Value::Array(values) if values.len() <= names.len() => Ok(of(values)),
            Value::Array(values) => {
                let known = if names.is_empty() { "none".into() } else { names.join(", ") };
                let expected = format!("at most {} parameters: {known}", names.len());
                Err(invalid("params", &expected, &format!("{} parameters", values.len())))
            }
            Value::Object(mut named) => {
                let values = names.iter().map(|name| named.remove(*name).unwrap_or_default());
                let values = values.collect();
                match named.keys().next() {
                    None => Ok(of(values)),
                    Some(unknown) => {
                        Err(invalid("params", &format!("names of {}", names.join(", ")), unknown))
                    }
                }
            }
            other => {
                let expected = "an array of parameters, or an object of their names";
                Err(invalid("params", expected, &other.to_string()))
            }
        }
    }

    /// As who looks gave them.
    pub(crate) fn seen_by(self, view: View) -> Self {
        Self { view, ..self }
    }

    /// Who looks at the answer.
    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// Length of the JSON that they were read from, in bytes.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Longest answer, in bytes.
    pub(crate) fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    /// The parameter at `index`, `null` if it is missing.
    pub(crate) fn value(&self, index: usize) -> &Value {
        self.values.get(index).unwrap_or(&Value::Null)
    }

    /// A required string.
    pub(crate) fn text(&self, index: usize, name: &str) -> Answer<&str> {
        text(self.value(index), name)
    }

    /// A required string that parses.
    pub(crate) fn parsed<T>(&self, index: usize, name: &str) -> Answer<T>
    where
        T: FromStr<Err: core::fmt::Display>,
    {
        parse(self.value(index), name)
    }

    /// A string that parses, or nothing.
    pub(crate) fn optional<T>(&self, index: usize, name: &str) -> Answer<Option<T>>
    where
        T: FromStr<Err: core::fmt::Display>,
    {
        match self.value(index) {
            Value::Null => Ok(None),
            _ => self.parsed(index, name).map(Some),
        }
    }

    /// Bytes in hex, or nothing.
    pub(crate) fn optional_bytes(&self, index: usize, name: &str) -> Answer<Option<Vec<u8>>> {
        match self.value(index) {
            Value::Null => Ok(None),
            value => bytes(value, name).map(Some),
        }
    }

    /// How many entries a page may have: 1 to [`MAX_PAGE`], which is also the
    /// answer to nothing.
    pub(crate) fn limit(&self, index: usize) -> Answer<usize> {
        let value = self.value(index);
        if value.is_null() {
            return Ok(MAX_PAGE);
        }
        match number(value, "limit")? as usize {
            limit @ 1..=MAX_PAGE => Ok(limit),
            other => {
                Err(invalid("limit", &format!("a number from 1 to {MAX_PAGE}"), &other.to_string()))
            }
        }
    }

    /// Required bytes in hex.
    pub(crate) fn bytes(&self, index: usize, name: &str) -> Answer<Vec<u8>> {
        bytes(self.value(index), name)
    }

    /// Encoded arguments of a runtime API in hex. Clients write none as an empty text, too.
    pub(crate) fn call_parameters(&self, index: usize) -> Answer<Vec<u8>> {
        match self.value(index) {
            Value::String(text) if text.is_empty() => Ok(Vec::new()),
            value => bytes(value, "callParameters"),
        }
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

    /// Required keys in hex, at most `max`, each once.
    pub(crate) fn keys(&self, index: usize, name: &str, max: usize) -> Answer<Vec<Vec<u8>>> {
        let value = self.value(index);
        match value.as_array() {
            Some(list) if list.len() <= max => {
                let mut known = BTreeSet::new();
                let keys = list.iter().map(|key| {
                    let bytes = bytes(key, name)?;
                    match known.insert(bytes.clone()) {
                        true => Ok(bytes),
                        false => Err(invalid(name, "each key once", &key.to_string())),
                    }
                });
                keys.collect()
            }
            Some(list) => {
                Err(invalid(name, &format!("at most {max} keys"), &list.len().to_string()))
            }
            None => Err(invalid(name, "an array of keys in hex", &value.to_string())),
        }
    }

    /// A number within `bounds`, or nothing.
    pub(crate) fn optional_number(
        &self,
        index: usize,
        name: &str,
        bounds: RangeInclusive<u32>,
    ) -> Answer<Option<u32>> {
        let value = self.value(index);
        if value.is_null() {
            return Ok(None);
        }
        let number = number(value, name)?;
        if bounds.contains(&number) {
            return Ok(Some(number));
        }
        let expected = format!("a number from {} to {}", bounds.start(), bounds.end());
        Err(invalid(name, &expected, &number.to_string()))
    }

    /// A required number.
    pub(crate) fn number(&self, index: usize, name: &str) -> Answer<u32> {
        number(self.value(index), name)
    }

    /// A required number of a scene.
    pub(crate) fn scene(&self, index: usize) -> Answer<SceneId> {
        let number = self.number(index, "scene")?;
        u16::try_from(number)
            .map(SceneId)
            .map_err(|_| invalid("scene", "a number from 0 to 65535", &number.to_string()))
    }

    /// The number of a scene, or nothing.
    pub(crate) fn optional_scene(&self, index: usize) -> Answer<Option<SceneId>> {
        match self.value(index) {
            Value::Null => Ok(None),
            _ => self.scene(index).map(Some),
        }
    }

    /// A required parameter that JSON can be read as; `what` says in words
    /// what it is.
    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        index: usize,
        name: &str,
        what: &str,
    ) -> Answer<T> {
        let value = self.value(index);
        serde_json::from_value(value.clone())
            .map_err(|error| invalid(name, &format!("{what} ({error})"), &value.to_string()))
    }

    /// A required account: SS58 or 0x hex.
    pub(crate) fn account(&self, index: usize, name: &str) -> Answer<AccountId> {
        let text = self.text(index, name)?;
        let refusal =
            |reason| invalid(name, &format!("an SS58 address or 32 bytes in hex ({reason})"), text);
        // Reading base 58 takes time with the square of its length.
        if text.len() > MAX_ACCOUNT_TEXT {
            return Err(refusal("too long"));
        }
        AccountId::from_str(text).map_err(refusal)
    }
}

/// A string.
fn text<'a>(value: &'a Value, name: &str) -> Answer<&'a str> {
    value.as_str().ok_or_else(|| invalid(name, "a string", &value.to_string()))
}

/// A string that parses.
pub(crate) fn parse<T>(value: &Value, name: &str) -> Answer<T>
where
    T: FromStr<Err: core::fmt::Display>,
{
    let text = text(value, name)?;
    text.parse().map_err(|error: T::Err| invalid(name, &error.to_string(), text))
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
    let mut text = vec![b'0'; 2 + 2 * bytes.len()];
    text[1] = b'x';
    // Fails on a wrong length only, and gives digits only.
    let written = hex::encode_to_slice(bytes, &mut text[2..]);
    written.ok().and_then(|()| String::from_utf8(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_hex() {
        assert_eq!(to_hex(&[]), "0x");
        assert_eq!(to_hex(&[0, 0x0f, 0xa0]), "0x000fa0");
    }

    #[test]
    fn an_account_is_read_from_a_short_text_only() {
        let account = |text: &str| {
            let params = format!("[{text:?}]");
            Args::read(Some(&params), &["account"], 1_024).unwrap().account(0, "account")
        };
        let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        let hex = "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";
        assert_eq!(account(alice), account(hex));
        assert!(account(alice).is_ok());
        // Some megabytes of base 58 would keep a thread busy for hours.
        let error = account(&"5".repeat(4 << 20)).unwrap_err();
        assert!(error.message().contains("too long"), "{error}");
        assert!(error.message().len() < 400);
    }

    #[test]
    fn parameters_that_the_method_does_not_have_are_refused() {
        let read = |text: &str| Args::read(Some(text), &["code", "number"], 1_024);
        let value =
            |args: Answer<Args>| args.map(|args| args.values).map_err(|e| e.message().to_owned());
        assert_eq!(value(read("[1]")), Ok(vec![1.into()]));
        assert_eq!(value(read("[1,2]")), Ok(vec![1.into(), 2.into()]));
        assert_eq!(value(read(r#"{"number":2,"code":1}"#)), Ok(vec![1.into(), 2.into()]));
        assert_eq!(value(read(r#"{"number":2}"#)), Ok(vec![Value::Null, 2.into()]));
        for (text, words) in [
            ("[1,2,3]", "at most 2 parameters: code, number, found \"3 parameters\""),
            (r#"{"code":1,"nummer":2}"#, "names of code, number, found \"nummer\""),
            ("7", "an array of parameters, or an object of their names"),
            (r#""0x""#, "an array of parameters"),
        ] {
            let refused = value(read(text)).unwrap_err();
            assert!(refused.contains(words), "{text}: {refused}");
        }
    }
}
