//! Copies of a node's files at one height, as who holds the database makes them.

use super::manifest::Subject;
use crate::{config::Config, database::remove};
use anyhow::Result;
use billchain_executor::Chain;
use std::path::{Path, PathBuf};

/// The place of the copies.
pub(crate) fn directory(config: &Config) -> PathBuf {
    config.data_dir.join("staging")
}

/// Makes the copies of a chain whose database this process holds.
pub(crate) fn make(chain: &Chain, directory: &Path) -> Result<Subject> {
    remove(directory)?;
    let head = chain.storage().checkpoint(directory)?;
    Subject::of(chain, head.number, head.hash)
}
