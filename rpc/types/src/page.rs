//! Lists that are read page by page.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    /// Entries, in the order of the list.
    pub items: Vec<T>,
    /// Cursor of the next page; none: this was the last. Its form is the
    /// method's own affair.
    pub next: Option<String>,
}
