//! Copies of a node's files at one height, from which a snapshot or a rehearsal is
//! made: of a node that runs, asked at its door, or of one that is stopped.
//!
//! The copies lie in `data_dir/staging`, one at a time, with links to the files of cold
//! segments beside these. They are links where the file system can, and are only read. They go
//! when the [`Stage`] goes; a node that starts removes what a crash has left.

use super::{copies::Places, manifest::Subject};
use crate::{
    cold::report::Place,
    config::Config,
    database::{chain_directory, open_chain},
    door::{self, Lease},
};
use anyhow::{Context, Result, ensure};
use billchain_executor::Chain;
use billchain_storage::OpenMode;
use std::path::{Path, PathBuf};

/// Copies that stay as they are.
pub(crate) struct Stage {
    places: Places,
    subject: Subject,
    /// None when they were given back.
    held: Option<Held>,
}

/// Who keeps the copies.
enum Held {
    /// The node that runs, for as long as it is asked to.
    Node(Lease),
    /// Nobody else: the node is stopped, and the copies go with the stage.
    Here(Chain),
}

impl Stage {
    /// Takes them from the node of this configuration.
    pub(crate) fn take(config: &Config) -> Result<Self> {
        let places = Places::of(config);
        if let Some((lease, subject)) = door::ask(config)? {
            return Ok(Self { places, subject, held: Some(Held::Node(lease)) });
        }
        let place = chain_directory(config);
        let (_, chain) = open_chain(config, OpenMode::MustExist).with_context(|| {
            format!(
                "no node answers at {}, and the database in {} is not free either",
                door::path(config).display(),
                place.display()
            )
        })?;
        let subject = places.make(&chain)?;
        Ok(Self { places, subject, held: Some(Held::Here(chain)) })
    }

    /// Where they lie.
    pub(crate) fn directory(&self) -> &Path {
        &self.places.files
    }

    /// The files of cold segments.
    pub(crate) fn cold_files(&self) -> Result<Vec<PathBuf>> {
        self.places.cold_files()
    }

    /// How many files of cold segments the node has lost: these are not among its files.
    pub(crate) fn lost(&self, config: &Config) -> Result<usize> {
        match &self.held {
            Some(Held::Here(chain)) => Ok(chain.storage().missing_segments()?.len()),
            _ => {
                let told = door::ask_cold(config)?;
                Ok(told.map_or(0, |report| report.at(Place::Lost).count()))
            }
        }
    }

    /// The block that they were made at.
    pub(crate) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Gives them back, when all was read. Fails if they did not stay that long.
    /// `is_kept`: a snapshot has them.
    pub(crate) fn give_back(mut self, is_kept: bool) -> Result<()> {
        match self.held.take() {
            Some(Held::Node(lease)) => {
                let stayed = lease.end(is_kept)?;
                ensure!(stayed, "the node stopped while its files were read: do it again");
                Ok(())
            }
            Some(Held::Here(chain)) => {
                if is_kept {
                    chain.storage().note_held(self.subject.height)?;
                }
                self.places.remove()
            }
            None => Ok(()),
        }
    }
}

impl Drop for Stage {
    /// What a node holds it removes when it is no longer asked to.
    fn drop(&mut self) {
        if let Some(Held::Here(_)) = self.held {
            let _ = self.places.remove();
        }
    }
}
