//! What runs came to: records, figures with their medians, tables, and the
//! HTML report.

mod chart;
mod figures;
mod html;
mod load;
mod table;

pub(crate) use figures::{Better, Figure, Values, summarise};
pub(crate) use load::{LoadRecord, Raw, Setting, Step, step};

use crate::growth::GrowthRecord;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::{fs, path::PathBuf};

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

/// Options of `billchain-bench report`.
#[derive(Args)]
pub(crate) struct Options {
    /// Results of runs: what `--out` wrote.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// HTML report to write.
    #[arg(long)]
    html: Option<PathBuf>,
    /// JSON of the medians to write.
    #[arg(long)]
    summary: Option<PathBuf>,
}

/// Runs `billchain-bench report`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut records = Vec::new();
    for file in &options.files {
        let text = fs::read_to_string(file)
            .with_context(|| format!("cannot read the result {}", file.display()))?;
        records.push(Record::parse(&text).with_context(|| format!("result {}", file.display()))?);
    }
    let summary = summarise(&records);
    print!("{}", table::summary(&summary));
    if let Some(file) = &options.summary {
        fs::write(file, serde_json::to_string_pretty(&summary)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(file) = &options.html {
        fs::write(file, html::page(&records, &summary))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
