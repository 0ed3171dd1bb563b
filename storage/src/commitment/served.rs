//! A copied commitment that is read for others: its log on a thread of its own.

use super::{
    engine::MIN_CACHE_BYTES,
    proofs::Log,
    worker::{Answer, Worker},
};
use crate::StorageError;
use crossbeam_channel::Receiver;
use std::path::Path;

/// Requests that may wait; each belongs to a caller that waits for its answer.
const QUEUE: usize = 4;

struct Ask {
    request: Vec<u8>,
    answer: Answer<Option<Vec<u8>>>,
}

/// Handle of the thread.
pub(crate) struct Served(Worker<Ask>);

impl Served {
    /// Opens the copy in `path`, which nobody else uses. It takes no memory in
    /// proportion to the state.
    pub(crate) fn open(path: &Path) -> Result<Self, StorageError> {
        let open = async |context| Log::open(context, MIN_CACHE_BYTES).await;
        let serve = async |log: Log<_>, asks: Receiver<Ask>| {
            // This thread is the log's alone and may wait.
            while let Ok(Ask { request, answer }) = asks.recv() {
                let _ = answer.send(log.answer(&request).await);
            }
        };
        Worker::start((path, "served-commitment"), QUEUE, open, serve).map(Self)
    }

    /// The answer to an encoded request; `None` if it cannot be met.
    pub(crate) fn answer(&self, request: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        let request = request.to_vec();
        self.0.ask("read operations", |answer| Ask { request, answer })
    }
}
