//! Questions and answers in JSON, bounded and checked field by field.
//!
//! `POST /v1/evaluate` takes `{"key": id, "elements": [hex…]}` and answers
//! `{"key": id, "index": n, "elements": [hex…], "proof": hex}`. Elements are compressed
//! points of P-256, 33 bytes; a proof is 64 bytes; a key's id is 16 digits. `GET /v1/keys`
//! answers `{"keys": [{"id", "purpose", "index", "public"}]}`, the public keys in hex of
//! [`PublicKeys::to_bytes`]. What goes wrong is answered `{"error": text}`.

use billchain_oprf::{Element, Evaluation, MAX_BATCH, Proof, PublicKeys};
use serde::{Deserialize, Serialize};

/// Longest body of a question or an answer, in bytes: an element takes 69.
pub const MAX_BODY: usize = 72 * MAX_BATCH + 1024;
/// Digits of a key's id.
pub const KEY_ID_LEN: usize = 16;

/// Why a body is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// More bytes than a largest batch has.
    #[error("{found} bytes: expected at most {MAX_BODY}")]
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// No JSON of this form.
    #[error("no {what}: {problem}")]
    Json {
        /// What was expected.
        what: &'static str,
        /// What is wrong, with line and column.
        problem: String,
    },
    /// A field with a wrong value.
    #[error("{field}: {problem}")]
    Field {
        /// The field; of an element with its position.
        field: String,
        /// What was expected.
        problem: String,
    },
}

impl WireError {
    fn field(field: impl Into<String>, problem: impl ToString) -> Self {
        Self::Field { field: field.into(), problem: problem.to_string() }
    }
}

/// Elements to be multiplied by a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The key's id.
    pub key: String,
    /// 1 to [`MAX_BATCH`] elements.
    pub elements: Vec<Element>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuestionJson {
    key: String,
    elements: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerJson {
    key: String,
    index: u8,
    elements: Vec<String>,
    proof: String,
}

/// What an operator says of one of its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyView {
    /// The key's id.
    pub id: String,
    /// `evaluation` or `rotation`.
    pub purpose: String,
    /// The operator's number.
    pub index: u8,
    /// [`PublicKeys::to_bytes`] in hex.
    pub public: String,
}

/// The keys of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysView {
    /// All of them.
    pub keys: Vec<KeyView>,
}

impl Question {
    /// Reads a question.
    ///
    /// # Errors
    /// A [`WireError`] that names the field.
    pub fn from_json(bytes: &[u8]) -> Result<Self, WireError> {
        let json: QuestionJson = read("question", bytes)?;
        key_id(&json.key)?;
        Ok(Self { key: json.key, elements: elements(&json.elements)? })
    }

    /// The body that is sent.
    pub fn to_json(&self) -> Vec<u8> {
        let elements = self.elements.iter().map(|e| hex::encode(e.to_bytes())).collect();
        write(&QuestionJson { key: self.key.clone(), elements })
    }
}

/// Reads an answer and the id of its key. Whether it is true, its proof says.
///
/// # Errors
/// A [`WireError`] that names the field.
pub fn answer_from_json(bytes: &[u8]) -> Result<(String, Evaluation), WireError> {
    let json: AnswerJson = read("answer", bytes)?;
    key_id(&json.key)?;
    let proof = hex::decode(&json.proof).map_err(|e| WireError::field("proof", e))?;
    let proof = Proof::from_bytes(&proof).map_err(|e| WireError::field("proof", e))?;
    let elements = elements(&json.elements)?;
    Ok((json.key, Evaluation { index: json.index, elements, proof }))
}

/// The body of an answer.
pub fn answer_to_json(key: &str, answer: &Evaluation) -> Vec<u8> {
    write(&AnswerJson {
        key: key.to_owned(),
        index: answer.index,
        elements: answer.elements.iter().map(|e| hex::encode(e.to_bytes())).collect(),
        proof: hex::encode(answer.proof.to_bytes()),
    })
}

/// Reads public keys in hex, as files and configurations have them.
///
/// # Errors
/// What is wrong with them, in words.
pub fn public_keys(text: &str) -> Result<PublicKeys, String> {
    let bytes = hex::decode(text.trim()).map_err(|error| error.to_string())?;
    PublicKeys::from_bytes(&bytes).map_err(|error| error.to_string())
}

fn read<T: for<'de> Deserialize<'de>>(what: &'static str, bytes: &[u8]) -> Result<T, WireError> {
    if bytes.len() > MAX_BODY {
        return Err(WireError::TooLong { found: bytes.len() });
    }
    serde_json::from_slice(bytes)
        .map_err(|error| WireError::Json { what, problem: error.to_string() })
}

fn write<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("text and numbers are JSON")
}

fn key_id(id: &str) -> Result<(), WireError> {
    if id.len() != KEY_ID_LEN || !id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(WireError::field("key", "expected 16 digits of lower-case hex"));
    }
    Ok(())
}

fn elements(texts: &[String]) -> Result<Vec<Element>, WireError> {
    if texts.is_empty() || texts.len() > MAX_BATCH {
        let problem = format!("{} of them: expected 1 to {MAX_BATCH}", texts.len());
        return Err(WireError::field("elements", problem));
    }
    let element = |(at, text): (usize, &String)| {
        let wrong = |problem: String| WireError::field(format!("elements[{at}]"), problem);
        let bytes = hex::decode(text).map_err(|error| wrong(error.to_string()))?;
        Element::from_bytes(&bytes).map_err(|error| wrong(error.to_string()))
    };
    texts.iter().enumerate().map(element).collect()
}
