//! Questions and answers of this pallet.

use billchain_primitives::{Bill, history::HistoryProblem};

/// Most bills asked for at once.
pub const MAX_QUERIES: usize = 500;

/// What checking a history gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryCheck {
    /// Versions that the bill has had.
    pub versions: u32,
    /// Hash of the present one.
    pub version_hash: [u8; 32],
    /// What is wrong with the records; `None`: they are the bill's history.
    pub problem: Option<HistoryProblem>,
    /// The bill as the last record left it, if more records are to come.
    pub checked: Option<Bill>,
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueryProblem {
    /// No bill has these codes.
    NotFound,
    /// More bills were asked for than [`MAX_QUERIES`].
    TooMany {
        /// How many were.
        asked: usize,
    },
}

impl core::fmt::Display for QueryProblem {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotFound => f.write_str("no bill has these codes"),
            Self::TooMany { asked } => {
                write!(f, "{asked} bills asked for at once, expected at most {MAX_QUERIES}")
            }
        }
    }
}

impl std::error::Error for QueryProblem {}
