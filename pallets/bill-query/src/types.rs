//! Questions and answers of this pallet.

/// Most bills asked for at once.
pub const MAX_QUERIES: usize = 500;

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
