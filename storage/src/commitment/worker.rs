//! A thread with QMDB's runtime over a directory. It answers requests one after the
//! other; who asks waits.

use super::{engine::Failure, failure, panic_message, runner::runner};
use crate::{StorageError, SystemCause};
use commonware_runtime::{Runner as _, tokio::Context};
use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};

/// Where an answer goes.
pub(super) type Answer<T> = Sender<Result<T, Failure>>;

/// Handle of the thread, which ends with it. A panic inside QMDB or its runtime ends the
/// thread, which every caller sees as an error.
pub(super) struct Worker<R> {
    path: PathBuf,
    requests: Mutex<Option<Sender<R>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<R: Send + 'static> Worker<R> {
    /// Starts a thread in `path` which opens something and then serves it, until the
    /// requests end. At most `queue` requests wait.
    pub(super) fn start<S>(
        (path, name): (&Path, &str),
        queue: usize,
        open: impl AsyncFnOnce(Context) -> Result<S, Failure> + Send + 'static,
        serve: impl AsyncFnOnce(S, Receiver<R>) + Send + 'static,
    ) -> Result<Self, StorageError> {
        let (sender, requests) = bounded(queue);
        let (opened, ready) = bounded(1);
        let directory = path.to_owned();
        let thread = thread::Builder::new()
            .name(name.into())
            .spawn(move || run(&directory, &opened, open, async |s| serve(s, requests).await))
            .map_err(|source| StorageError::Io {
                action: "start a thread for",
                path: path.to_owned(),
                source,
            })?;
        let worker = Self {
            path: path.to_owned(),
            requests: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
        };
        let ended = || Err(Failure::Stopped("its thread ended while opening".into()));
        match ready.recv().unwrap_or_else(|_| ended()) {
            Ok(()) => Ok(worker),
            Err(found) => Err(failure(path, "open", found)),
        }
    }

    /// The answer to a request.
    pub(super) fn ask<T>(
        &self,
        action: &'static str,
        request: impl FnOnce(Answer<T>) -> R,
    ) -> Result<T, StorageError> {
        let failed = |found| failure(&self.path, action, found);
        let stopped = || failed(Failure::Stopped("its thread has ended".into()));
        let requests = self.requests.lock().clone().ok_or_else(stopped)?;
        let (answer, result) = bounded(1);
        requests.send(request(answer)).map_err(|_| stopped())?;
        drop(requests);
        result.recv().map_err(|_| stopped())?.map_err(failed)
    }
}

impl<R> Worker<R> {
    /// Ends the thread and waits for its end. Later requests fail.
    pub(super) fn close(&self) {
        self.requests.lock().take();
        if let Some(thread) = self.thread.lock().take() {
            // It has said why, if it panicked.
            let _ = thread.join();
        }
    }
}

impl<R> Drop for Worker<R> {
    fn drop(&mut self) {
        self.close();
    }
}

fn run<S>(
    directory: &Path,
    opened: &Sender<Result<(), Failure>>,
    open: impl AsyncFnOnce(Context) -> Result<S, Failure>,
    serve: impl AsyncFnOnce(S),
) {
    let runner = match runner(directory) {
        Ok(runner) => runner,
        Err(failure) => return drop(opened.send(Err(failure))),
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runner.start(|context| async move {
            match open(context).await {
                Ok(served) => {
                    if opened.send(Ok(())).is_ok() {
                        serve(served).await;
                    }
                }
                Err(failure) => drop(opened.send(Err(failure))),
            }
        });
    }));
    if let Err(panic) = outcome {
        let reason = panic_message(panic.as_ref());
        tracing::error!(path = %directory.display(), reason, "the state commitment panicked");
        // Nobody listens any more if it had opened.
        let failure = match SystemCause::of_text(&reason) {
            Some(_) => Failure::Io(reason),
            None => Failure::Damaged(reason),
        };
        let _ = opened.try_send(Err(failure));
    }
}
