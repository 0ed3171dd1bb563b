//! What is wrong with a twin, or with the bytes that it is to be made of.

use std::fmt;

/// Why there is no twin of some bytes, or some text is no twin.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// The text is not JSON of this sort.
    #[error("the twin is not in the JSON that is expected: {0}")]
    Json(serde_json::Error),
    /// A field is not in its form.
    #[error(transparent)]
    Field(#[from] Wrong),
    /// It is longer than it may be.
    #[error("the {what} has {bytes} bytes, expected at most {most}")]
    TooLong {
        /// What.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
}

/// A field that is not in its form.
#[derive(Debug)]
pub struct Wrong {
    /// Names of the fields that lead there.
    at: String,
    /// What was found, and what is expected.
    why: String,
}

impl Wrong {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self { at: String::new(), why: why.into() }
    }

    /// The same, one field further out.
    pub(crate) fn within(mut self, field: &str) -> Self {
        let dot = if self.at.is_empty() || self.at.starts_with('[') { "" } else { "." };
        self.at = format!("{field}{dot}{}", self.at);
        self
    }

    /// The same, in a list.
    pub(crate) fn at_place(self, place: usize) -> Self {
        self.within(&format!("[{place}]"))
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.as_str() {
            "" => f.write_str(&self.why),
            at => write!(f, "field {at}: {}", self.why),
        }
    }
}

impl std::error::Error for Wrong {}
