//! What a client sends, taken apart: a request, a notification or a batch.
//!
//! An id is given back as it was written, to the letter; what JSON-RPC has no
//! id of that kind for is refused before anything is done.

use super::unique::check_names;
use crate::{
    access::Admitted,
    error::{self, Refusal},
};
use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::sync::Arc;

/// Longest id, in bytes of JSON.
const MAX_ID: usize = 256;

/// Longest name of a method, in bytes of JSON.
const MAX_NAME: usize = 128;

/// The id of an answer whose request had none that can be given back.
pub(super) const NO_ID: &str = "null";

/// What a client sent.
pub(super) enum Message {
    /// One request, or what is none.
    Single(Entry),
    /// Several.
    Batch(Vec<Entry>),
}

/// One of what was sent.
#[derive(Clone)]
pub(super) enum Entry {
    /// A request.
    Call(Call),
    /// A request that wants no answer.
    Notification,
    /// No request; the answer says why.
    Invalid(Refused),
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Its id as JSON.
    pub(super) id: String,
    pub(super) method: String,
    /// Its parameters as JSON.
    pub(super) params: Option<Bytes>,
    /// For whom it is done.
    pub(super) admitted: Arc<Admitted>,
}

/// Why something is no request.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    /// The id as JSON, if it can be given back.
    pub(super) id: String,
    pub(super) error: Refusal,
}

impl Entry {
    /// The id as JSON.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Call(call) => &call.id,
            Self::Notification => NO_ID,
            Self::Invalid(refused) => &refused.id,
        }
    }
}

impl Refused {
    pub(super) fn without_id(error: Refusal) -> Self {
        Self { id: NO_ID.to_owned(), error }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
}

/// A member that is there, were it `null`.
fn present<'de, D: Deserializer<'de>>(d: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(d).map(Some)
}

/// Reads a message; `max_batch` is the most requests of a batch.
pub(super) fn read(message: &Bytes, max_batch: usize) -> Result<Message, Refused> {
    let text = std::str::from_utf8(message)
        .map_err(|_| Refused::without_id(error::parse("the message is not UTF-8")))?;
    // Checks the syntax of the whole, which the walk for names relies on.
    let whole: &RawValue = serde_json::from_str(text)
        .map_err(|error| Refused::without_id(error::parse(&error.to_string())))?;
    let is_batch = whole.get().starts_with('[');
    if !is_batch {
        return Ok(Message::Single(entry(message, whole.get())));
    }
    let entries = members(whole.get(), max_batch)?;
    if entries.is_empty() {
        return Err(Refused::without_id(error::no_request("a batch has at least one request")));
    }
    Ok(Message::Batch(entries.into_iter().map(|one| entry(message, one.get())).collect()))
}

/// The members of a list, of which there may be `most`.
fn members(list: &str, most: usize) -> Result<Vec<&RawValue>, Refused> {
    struct Bounded(usize);
    impl<'de> serde::de::Visitor<'de> for Bounded {
        type Value = Option<Vec<&'de RawValue>>;

        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut list: A,
        ) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = list.next_element()? {
                if members.len() == self.0 {
                    while list.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                    return Ok(None);
                }
                members.push(member);
            }
            Ok(Some(members))
        }
    }
    let mut reader = serde_json::Deserializer::from_str(list);
    let read = reader.deserialize_seq(Bounded(most));
    let read = read.map_err(|error| Refused::without_id(error::parse(&error.to_string())))?;
    read.ok_or_else(|| Refused::without_id(error::batch_too_long(most)))
}

fn entry(message: &Bytes, text: &str) -> Entry {
    match request(message, text) {
        Ok(Some(call)) => Entry::Call(call),
        Ok(None) => Entry::Notification,
        Err(refused) => Entry::Invalid(refused),
    }
}

/// A request; `None` if it wants no answer.
fn request(message: &Bytes, text: &str) -> Result<Option<Call>, Refused> {
    let no_object = |error: serde_json::Error| {
        let words = format!("an object of jsonrpc, method, params and id, each once ({error})");
        Refused::without_id(error::no_request(&words))
    };
    if !text.starts_with('{') {
        let words = "an object of jsonrpc, method, params and id";
        return Err(Refused::without_id(error::no_request(words)));
    }
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(no_object)?;
    let id = envelope.id.map(|id| given_back(id.get())).transpose()?;
    let refuse = |words: &str| Refused {
        id: id.clone().unwrap_or_else(|| NO_ID.to_owned()),
        error: error::no_request(words),
    };
    check_names(text).map_err(|flaw| refuse(&flaw.to_string()))?;
    if envelope.jsonrpc.map(RawValue::get) != Some("\"2.0\"") {
        return Err(refuse("jsonrpc: \"2.0\""));
    }
    let method = envelope.method.map(RawValue::get).filter(|name| name.len() <= MAX_NAME);
    let method = method.and_then(|name| serde_json::from_str(name).ok());
    let no_name = || refuse(&format!("method: the name of a method, of at most {MAX_NAME} bytes"));
    let method: String = method.ok_or_else(no_name)?;
    let params = envelope.params.map(RawValue::get).filter(|params| *params != "null");
    if params.is_some_and(|params| !params.starts_with(['[', '{'])) {
        return Err(refuse("params: an array, or an object of names"));
    }
    let Some(id) = id else { return Ok(None) };
    let params = params.map(|params| message.slice_ref(params.as_bytes()));
    Ok(Some(Call { id, method, params, admitted: Admitted::nobody() }))
}

/// An id as it is given back: a text or a number as it was written, or null.
fn given_back(id: &str) -> Result<String, Refused> {
    let begins = |c: char| c == '"' || c == '-' || c.is_ascii_digit();
    if id.len() <= MAX_ID && (id == NO_ID || id.starts_with(begins)) {
        return Ok(id.to_owned());
    }
    let words = format!("id: a text or a number of at most {MAX_ID} bytes, or null");
    Err(Refused::without_id(error::no_request(&words)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_rpc_types::code;

    fn single(text: &str) -> Result<Option<String>, (String, i32, String)> {
        let fail = |refused: Refused| {
            Err((refused.id, refused.error.code(), refused.error.message().to_owned()))
        };
        match read(&Bytes::copy_from_slice(text.as_bytes()), 3) {
            Ok(Message::Single(Entry::Call(call))) => Ok(Some(call.id)),
            Ok(Message::Single(Entry::Notification)) => Ok(None),
            Ok(Message::Single(Entry::Invalid(refused))) | Err(refused) => fail(refused),
            Ok(Message::Batch(_)) => panic!("a batch: {text}"),
        }
    }

    #[test]
    fn an_id_is_given_back_as_it_was_written_or_refused() {
        for id in [
            "1764357745.123",
            "-1",
            "18446744073709551616",
            "1e400",
            "0.10",
            "null",
            r#""a\u0062""#,
            "\"\"",
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"system_name"}}"#);
            assert_eq!(single(&text), Ok(Some(id.to_owned())));
        }
        let long = format!("\"{}\"", "x".repeat(MAX_ID));
        for id in ["true", "false", "[1]", "{}", &long] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"system_name"}}"#);
            let (given, code, words) = single(&text).unwrap_err();
            assert_eq!((given.as_str(), code), (NO_ID, code::INVALID_REQUEST), "{id}");
            assert!(words.contains("id: a text or a number"), "{words}");
        }
        assert_eq!(single(r#"{"jsonrpc":"2.0","method":"system_name"}"#), Ok(None));
    }

    #[test]
    fn a_long_name_of_a_method_is_refused_and_not_copied() {
        let named = |length| {
            single(&format!(r#"{{"jsonrpc":"2.0","id":7,"method":"{}"}}"#, "x".repeat(length)))
        };
        assert_eq!(named(MAX_NAME - 2), Ok(Some("7".into())));
        let (id, code, words) = named(MAX_NAME - 1).unwrap_err();
        assert_eq!((id.as_str(), code), ("7", code::INVALID_REQUEST));
        assert!(words.contains("at most 128 bytes"), "{words}");
    }

    #[test]
    fn what_is_no_request_is_refused_with_its_id() {
        for (text, id, code, words) in [
            ("{", "null", code::PARSE, "EOF"),
            ("7", "null", code::INVALID_REQUEST, "an object of jsonrpc"),
            ("[]", "null", code::INVALID_REQUEST, "at least one"),
            ("[1,2,3,4]", "null", code::BATCH_TOO_LONG, "at most 3"),
            ("[1,2,3,4", "null", code::PARSE, "EOF"),
            (r#"{"id":7,"method":"a"}"#, "7", code::INVALID_REQUEST, "jsonrpc"),
            (r#"{"jsonrpc":2.0,"id":7,"method":"a"}"#, "7", code::INVALID_REQUEST, "jsonrpc"),
            (r#"{"jsonrpc":"2.0","id":7}"#, "7", code::INVALID_REQUEST, "method"),
            (r#"{"jsonrpc":"2.0","id":7,"method":1}"#, "7", code::INVALID_REQUEST, "method"),
            (
                r#"{"jsonrpc":"2.0","id":7,"method":"a","params":1}"#,
                "7",
                code::INVALID_REQUEST,
                "params: an array",
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"method":"a","method":"b"}"#,
                "null",
                code::INVALID_REQUEST,
                "duplicate field `method`",
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"x":1,"x":1,"method":"a"}"#,
                "7",
                code::INVALID_REQUEST,
                "\"x\" is not",
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"method":"a","params":[{"k":1,"k":2}]}"#,
                "7",
                code::INVALID_REQUEST,
                "\"k\" is not",
            ),
        ] {
            let (given, found, message) = single(text).unwrap_err();
            assert_eq!((given.as_str(), found), (id, code), "{text}: {message}");
            assert!(message.contains(words), "{text}: {message}");
        }
    }
}
