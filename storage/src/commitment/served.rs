//! A copied commitment that is read for others: its log on a thread of its own.

use super::{failure, panic_message, proofs::Log, runner::runner};
use crate::StorageError;
use commonware_runtime::Runner as _;
use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};

use super::engine::{Failure, MIN_CACHE_BYTES};

/// Requests that may wait; each belongs to a caller that waits for its answer.
const QUEUE: usize = 4;

type Answer = Result<Option<Vec<u8>>, Failure>;

struct Ask {
    request: Vec<u8>,
    answer: Sender<Answer>,
}

/// Handle of the thread.
pub(crate) struct Served {
    path: PathBuf,
    asks: Mutex<Option<Sender<Ask>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Served {
    /// Opens the copy in `path`, which nobody else uses. It takes no memory in
    /// proportion to the state.
    pub(crate) fn open(path: &Path) -> Result<Self, StorageError> {
        let (sender, asks) = bounded(QUEUE);
        let (opened, ready) = bounded(1);
        let directory = path.to_owned();
        let handle = thread::Builder::new()
            .name("served-commitment".into())
            .spawn(move || run(&directory, &opened, &asks))
            .map_err(|source| StorageError::Io {
                action: "start a thread for",
                path: path.to_owned(),
                source,
            })?;
        let outcome = ready
            .recv()
            .unwrap_or_else(|_| Err(Failure::Stopped("its thread ended while opening".into())));
        let served = Self {
            path: path.to_owned(),
            asks: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(handle)),
        };
        match outcome {
            Ok(()) => Ok(served),
            Err(found) => Err(failure(path, "open a copy", found)),
        }
    }

    /// The answer to an encoded request; `None` if it cannot be met.
    pub(crate) fn answer(&self, request: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        let failed = |found| failure(&self.path, "read operations", found);
        let stopped = || failed(Failure::Stopped("its thread has ended".into()));
        let asks = self.asks.lock().clone().ok_or_else(stopped)?;
        let (answer, result) = bounded(1);
        asks.send(Ask { request: request.to_vec(), answer }).map_err(|_| stopped())?;
        drop(asks);
        result.recv().map_err(|_| stopped())?.map_err(failed)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.asks.lock().take();
        if let Some(thread) = self.thread.lock().take() {
            // It has said why, if it panicked.
            let _ = thread.join();
        }
    }
}

fn run(directory: &Path, opened: &Sender<Result<(), Failure>>, asks: &Receiver<Ask>) {
    let runner = match runner(directory) {
        Ok(runner) => runner,
        Err(failure) => return drop(opened.send(Err(failure))),
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runner.start(|context| async move {
            match Log::open(context, MIN_CACHE_BYTES).await {
                Ok(log) => {
                    if opened.send(Ok(())).is_ok() {
                        // This thread is the log's alone and may wait.
                        while let Ok(Ask { request, answer }) = asks.recv() {
                            let _ = answer.send(log.answer(&request).await);
                        }
                    }
                }
                Err(failure) => drop(opened.send(Err(failure))),
            }
        });
    }));
    if let Err(panic) = outcome {
        let reason = panic_message(panic.as_ref());
        tracing::error!(path = %directory.display(), reason, "a copied commitment panicked");
        let _ = opened.try_send(Err(Failure::Damaged(reason)));
    }
}
