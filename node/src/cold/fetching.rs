//! Bringing the file of a lost segment back, from the second place or from other members. It is
//! verified whole before it is taken.

use super::second::{Second, remove};
use crate::{config::Config, disk::Room};
use anyhow::{Context, Result};
use billchain_consensus::PeerId;
use billchain_state_sync::{Doubts, MAX_FILE_BYTES, Peers, Scratch, fetch_segment};
use billchain_storage::{ColdSegment, Storage};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where a file lies until it was verified, in the directory of segments.
const SCRATCH: &str = "fetched.partial";

/// Brings files into the directory of segments of a store.
pub(crate) struct Fetcher {
    directory: PathBuf,
    /// Bytes that stay free on the disk.
    least: u64,
    /// What is known of members as those who give files.
    doubts: Doubts,
}

impl Fetcher {
    /// Makes the directory, and removes what a crash has left there. One that the configuration
    /// names was looked for when the database was opened.
    pub(crate) fn new(directory: PathBuf, config: &Config) -> Result<Self> {
        fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        let least = config.storage.min_free_bytes;
        let fetcher = Self { directory, least, doubts: Doubts::default() };
        fetcher.clear()?;
        Ok(fetcher)
    }

    /// The directory of segments.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Brings a file back from the second place; whether that has it.
    pub(crate) fn bring_from_second(
        &self,
        storage: &Storage,
        second: Option<&Second>,
        segment: &ColdSegment,
    ) -> Result<bool> {
        let Some(second) = second else { return Ok(false) };
        self.clear()?;
        let scratch = self.scratch();
        let fetched = self.room().and_then(|most| {
            let is_there = second.fetch(&segment.into(), &scratch, most)?;
            if is_there {
                storage.adopt_segment(&scratch)?;
            }
            Ok(is_there)
        });
        // The store has a copy, or what is there is worth nothing.
        let cleared = self.clear();
        let (run, index) = (segment.run, segment.index);
        let is_there = fetched.with_context(|| format!("segment {run}/{index}"))?;
        cleared?;
        if is_there {
            let from = second.shown();
            tracing::info!(run, index, %from, "a lost cold segment came from the second path");
        }
        Ok(is_there)
    }

    /// Brings a file back from whichever member has it. Blocks its thread on the disk.
    pub(crate) async fn bring_from_members(
        &mut self,
        storage: &Storage,
        peers: &dyn Peers,
        segment: &ColdSegment,
    ) -> Result<PeerId> {
        let (path, most) = (self.scratch(), self.room()?);
        let scratch = Scratch { path: &path, most };
        let peer = fetch_segment(storage, peers, segment, scratch, &mut self.doubts).await?;
        let (run, index) = (segment.run, segment.index);
        tracing::info!(run, index, %peer, "a lost cold segment came from a member");
        Ok(peer)
    }

    fn scratch(&self) -> PathBuf {
        self.directory.join(SCRATCH)
    }

    fn clear(&self) -> Result<()> {
        let scratch = self.scratch();
        remove(&scratch).with_context(|| format!("cannot remove {}", scratch.display()))
    }

    /// Most bytes of a file: the store makes a copy of it.
    fn room(&self) -> Result<u64> {
        let shown = self.directory.display();
        let room = Room::of(&self.directory)
            .with_context(|| format!("the system does not tell what room {shown} has"))?;
        Ok(MAX_FILE_BYTES.min(room.free.saturating_sub(self.least) / 2))
    }
}
