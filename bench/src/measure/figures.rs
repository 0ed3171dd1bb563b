//! Single numbers of a run.

use serde::{Deserialize, Serialize};

/// Which way is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Better {
    /// More.
    Higher,
    /// Less.
    Lower,
    /// Neither: it describes.
    Neither,
}

/// One number of a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) better: Better,
    pub(crate) value: f64,
}

impl Figure {
    pub(crate) fn new(name: &str, unit: &str, better: Better, value: f64) -> Self {
        Self { name: name.to_owned(), unit: unit.to_owned(), better, value }
    }
}
