//! A refusal: a code, words, and when to come back.

use crate::code;
use std::time::Duration;

/// Why a caller is not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Denied {
    /// One of [`code`].
    pub code: i32,
    /// What was wrong and what was expected, in English.
    pub words: String,
    /// When it may be tried again, where time helps.
    pub retry_after: Option<Duration>,
}

impl Denied {
    /// Without a time.
    pub fn new(code: i32, words: impl Into<String>) -> Self {
        Self { code, words: words.into(), retry_after: None }
    }

    /// With the time after which it may be tried again.
    pub fn until(code: i32, words: impl Into<String>, retry_after: Duration) -> Self {
        Self { code, words: words.into(), retry_after: Some(retry_after) }
    }

    /// The HTTP status that says the same.
    pub fn status(&self) -> u16 {
        match self.code {
            code::NO_IDENTITY..=code::PARTICIPANT_INACTIVE => 401,
            code::CLASS_REFUSED..=code::ORIGIN_REFUSED | code::NOT_VISIBLE => 403,
            code::TOO_MANY | code::GUESSING => 429,
            _ => 503,
        }
    }
}
