//! Copies of a node's files at one height, as who holds the database makes them.
//!
//! Files of cold segments are links beside these: they never change, and may lie on a disk of
//! their own. Where that cannot link, as some NAS, the files themselves are read.

use super::manifest::Subject;
use crate::{config::Config, database::remove};
use anyhow::{Context, Result};
use billchain_executor::Chain;
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Where copies lie.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The copies.
    pub(crate) files: PathBuf,
    /// Links to the files of cold segments.
    pub(crate) cold: PathBuf,
    /// The files themselves.
    pub(crate) segments: PathBuf,
}

impl Places {
    /// Those of a node.
    pub(crate) fn of(config: &Config) -> Self {
        let (name, segments) = ("staging", config.cold_directory());
        Self { files: config.data_dir.join(name), cold: segments.join(name), segments }
    }

    /// Makes the copies of a chain whose database this process holds.
    pub(crate) fn make(&self, chain: &Chain) -> Result<Subject> {
        self.remove()?;
        let head = chain.storage().checkpoint(&self.files)?;
        // Whatever file the copies name is there by now, and stays for longer than this takes.
        chain.storage().link_segments(&self.cold)?;
        Subject::of(chain, head.number, head.hash)
    }

    /// The files of cold segments, to be read.
    pub(crate) fn cold_files(&self) -> Result<Vec<PathBuf>> {
        let linked = segments(&self.cold)?;
        if linked.is_empty() { segments(&self.segments) } else { Ok(linked) }
    }

    /// Removes the copies, if they are there.
    pub(crate) fn remove(&self) -> Result<()> {
        remove(&self.files)?;
        remove(&self.cold)
    }
}

/// The files of segments in a directory, if it is there.
fn segments(directory: &Path) -> Result<Vec<PathBuf>> {
    let reading = || format!("cannot read {}", directory.display());
    let mut files = Vec::new();
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(files),
        entries => entries.with_context(reading)?,
    };
    for entry in entries {
        let path = entry.with_context(reading)?.path();
        if path.extension().is_some_and(|extension| extension == "segment") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
