//! Lists that come in pages.

use serde::{Deserialize, Serialize};

/// One page of a list, in ascending order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// What to give as `after` to get the next page; none: this is the last.
    pub next: Option<u32>,
}
