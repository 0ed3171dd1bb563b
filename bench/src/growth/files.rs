//! Writes cold segments to files while the ledger grows, as a node's keeper does.

use anyhow::{Context, Result};
use billchain_storage::Storage;
use std::{
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Pause after which it looks again whether a segment is due.
const LOOK: Duration = Duration::from_secs(1);

/// The thread that writes.
pub(super) struct Files {
    end: Sender<()>,
    thread: JoinHandle<Result<()>>,
}

impl Files {
    pub(super) fn start(storage: &Arc<Storage>) -> Self {
        let (end, ended) = channel();
        let storage = Arc::clone(storage);
        let thread = thread::spawn(move || {
            loop {
                while storage.write_due_segment()?.is_some() {}
                storage.tidy_segments()?;
                if ended.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                    return Ok(());
                }
            }
        });
        Self { end, thread }
    }

    /// Lets a file that is being written be finished.
    pub(super) fn finish(self) -> Result<()> {
        // It may have ended, with an error.
        let _ = self.end.send(());
        let ended = self.thread.join();
        ended.ok().context("the thread that writes cold segments panicked")?
    }
}
