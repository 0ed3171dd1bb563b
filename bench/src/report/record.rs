//! What `--out` wrote, of whatever kind.

use crate::{
    growth::GrowthRecord,
    load::LoadRecord,
    measure::{Figure, Machine},
};
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// A record of one run.
pub(crate) enum Record {
    /// Load on a network.
    Load(Box<LoadRecord>),
    /// A ledger that grew.
    Growth(Box<GrowthRecord>),
    /// Figures that a script found.
    Values(Box<Values>),
}

impl Record {
    /// Reads a record's JSON.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        let kind = value.get("record").and_then(|kind| kind.as_str()).unwrap_or_default();
        Ok(match kind {
            "load" => Self::Load(serde_json::from_value(value)?),
            "growth" => Self::Growth(serde_json::from_value(value)?),
            "values" => Self::Values(serde_json::from_value(value)?),
            other => bail!("\"record\": expected load, growth or values, found \"{other}\""),
        })
    }

    /// Name of the measurement.
    pub(crate) fn case(&self) -> &str {
        match self {
            Self::Load(record) => &record.case,
            Self::Growth(record) => &record.case,
            Self::Values(record) => &record.case,
        }
    }

    /// What was measured, where two things are compared.
    pub(crate) fn side(&self) -> &str {
        match self {
            Self::Load(record) => &record.side,
            Self::Growth(record) => &record.side,
            Self::Values(record) => &record.side,
        }
    }

    /// The figures to compare.
    pub(crate) fn figures(&self) -> Vec<Figure> {
        match self {
            Self::Load(record) => record.figures(),
            Self::Growth(record) => record.figures(),
            Self::Values(record) => record.values.clone(),
        }
    }
}

/// Figures that a script found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Values {
    pub(crate) record: String,
    pub(crate) case: String,
    pub(crate) side: String,
    #[serde(default)]
    pub(crate) commit: String,
    #[serde(default)]
    pub(crate) machine: Machine,
    pub(crate) values: Vec<Figure>,
}
