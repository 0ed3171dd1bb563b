//! Answers of the other side: what each means for the entry.

use billchain_crypto::sm2;
use billchain_workers::{
    Failure,
    tools::{Answer, HttpProblem},
};
use serde::de::DeserializeOwned;

/// Most bytes of an answer that go onto record of a failure.
const KEPT: usize = 1_024;

/// A failure that may pass, with the answer.
pub fn passing(what: impl ToString, body: &[u8]) -> Failure {
    Failure::Passing { what: what.to_string(), answer: kept(body) }
}

/// A refusal of this entry.
pub fn refused(what: impl ToString, body: &[u8]) -> Failure {
    Failure::Refused { what: what.to_string(), answer: kept(body) }
}

fn kept(body: &[u8]) -> Vec<u8> {
    body[..body.len().min(KEPT)].to_vec()
}

/// There was no answer.
pub fn unanswered(problem: HttpProblem) -> Failure {
    Failure::passing(problem)
}

/// What a status means that is not 2xx: the entry is at fault where HTTP says so (400, 404,
/// 405, 409, 410, 413, 415, 422), else it is the line, the other side or our settings, which
/// may be mended: 401 and 403 too.
pub fn by_status(answer: &Answer) -> Result<(), Failure> {
    match answer.status {
        200..=299 => Ok(()),
        status @ (400 | 404 | 405 | 409 | 410 | 413 | 415 | 422) => {
            Err(refused(format!("status {status}: {}", said(&answer.body)), &answer.body))
        }
        status => Err(passing(format!("status {status}: {}", said(&answer.body)), &answer.body)),
    }
}

/// The JSON of a body. One that is none comes from something on the way, so it passes.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| passing(format!("the answer is not as expected: {error}"), body))
}

/// The first words of a body, for the operator.
pub fn said(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(120)])
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

/// Whether `signature` (128 digits of hex) is one of `text` by `key`.
pub fn is_signed(key: &[u8; 33], text: &str, signature: &str) -> bool {
    let signature = hex::decode(signature).ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
    signature.is_some_and(|signature| {
        sm2::verify(key, sm2::DEFAULT_ID, text.as_bytes(), &signature).is_ok()
    })
}
