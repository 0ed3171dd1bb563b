//! Answers as they are sent.

use super::envelope::Refused;
use crate::{
    budget::Room,
    error::{self, Answer, Refusal},
    method::Answered,
};
use billchain_rpc_types::code;

/// What an answer has around its result, and the longest refusal.
pub(super) const AROUND: usize = 6 << 10;
/// Longest answer of a batch's request that is refused, or of a method that
/// there is not.
pub(super) const LEAST: usize = 1 << 10;
/// The answer to a message, with what it holds until it was written.
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) room: Room,
    pub(super) began: Option<Vec<Answered>>,
}

/// The answer to one request.
pub(super) struct Part {
    pub(super) text: String,
    refused: Option<i32>,
    pub(super) began: Option<Answered>,
}

impl Part {
    /// The answer to the request with this id.
    pub(super) fn of(id: String, answer: Answer<String>) -> Self {
        match answer {
            Ok(result) => {
                let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
                Self { text, refused: None, began: None }
            }
            Err(error) => Self::refused(&Refused { id, error }),
        }
    }

    pub(super) fn refused(refused: &Refused) -> Self {
        Self { text: refused.text(), refused: Some(refused.error.code()), began: None }
    }

    pub(super) fn is_refusal(&self) -> bool {
        self.refused.is_some()
    }

    /// The code of its refusal, if it is one.
    pub(super) fn code(&self) -> Option<i32> {
        self.refused
    }

    pub(super) fn is_too_long(&self) -> bool {
        self.refused == Some(code::ANSWER_TOO_LONG)
    }
}

impl Refused {
    /// As JSON.
    pub(super) fn text(&self) -> String {
        error_text(&self.id, &self.error)
    }
}

pub(super) fn error_text(id: &str, error: &Refusal) -> String {
    let error = serde_json::to_string(&error::short(error)).unwrap_or_else(|_| "null".into());
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)
}
