//! What runs came to: records, figures with their medians, tables, and the
//! HTML report.

mod chart;
mod figures;
mod html;
mod record;
mod table;

use anyhow::{Context, Result};
use clap::Args;
use figures::summarise;
use record::Record;
use std::{fs, path::PathBuf};

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
