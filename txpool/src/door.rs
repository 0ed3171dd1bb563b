//! The asynchronous entrance: what is submitted waits in line, and a few
//! workers on blocking threads take from it as much as has come together. Under
//! load a check serves many transactions; without, none waits.

use crate::{PoolError, Source, StatusStream};
use billchain_primitives::Hash;
use bytes::Bytes;
use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Submissions that one worker takes together, at most: the last of them waits
/// for the check of all.
const MAX_TAKEN: usize = 64;

/// A transaction that asks to be let in.
pub(crate) struct Submission {
    /// Its encoding with the length prefix.
    pub(crate) bytes: Bytes,
    pub(crate) source: Source,
    /// Whether its states are wanted, and the right to them.
    pub(crate) watch: Option<OwnedSemaphorePermit>,
}

/// What became of a submission.
pub(crate) type Imported = Result<(Hash, Option<StatusStream>), PoolError>;

struct Waiting {
    submission: Submission,
    answer: oneshot::Sender<Imported>,
}

/// The line, bounded in number and bytes.
pub(crate) struct Door {
    line: Mutex<Line>,
    max_waiting: usize,
    max_bytes: usize,
    max_workers: usize,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    workers: usize,
}

impl Door {
    pub(crate) fn new(max_waiting: usize, max_bytes: usize, max_workers: usize) -> Self {
        Self { line: Mutex::default(), max_waiting, max_bytes, max_workers }
    }

    /// Puts a submission in line. A worker that comes with the answer is the
    /// caller's to run.
    pub(crate) fn enter(
        self: &Arc<Self>,
        submission: Submission,
    ) -> Result<(oneshot::Receiver<Imported>, Option<Worker>), PoolError> {
        let line = &mut *self.line.lock();
        let bytes = line.bytes.saturating_add(submission.bytes.len());
        if line.waiting.len() >= self.max_waiting || bytes > self.max_bytes {
            return Err(PoolError::Busy { waiting: line.waiting.len() });
        }
        line.bytes = bytes;
        let (answer, receiver) = oneshot::channel();
        line.waiting.push_back(Waiting { submission, answer });
        let worker = (line.workers < self.max_workers).then(|| {
            line.workers += 1;
            Worker { door: Arc::clone(self), retired: false }
        });
        Ok((receiver, worker))
    }
}

/// The right to take from the line, until it is empty.
pub(crate) struct Worker {
    door: Arc<Door>,
    retired: bool,
}

impl Worker {
    /// Lets in what waits, by `import`, until nothing does.
    pub(crate) fn run(mut self, import: impl Fn(Vec<Submission>) -> Vec<Imported>) {
        while let Some((submissions, answers)) = self.next() {
            for (answer, imported) in answers.into_iter().zip(import(submissions)) {
                // Nobody may be waiting for it any more.
                let _ = answer.send(imported);
            }
        }
    }

    /// What one check is to serve; `None`, and the end of the worker, if
    /// nothing waits.
    fn next(&mut self) -> Option<(Vec<Submission>, Vec<oneshot::Sender<Imported>>)> {
        let line = &mut *self.door.line.lock();
        if line.waiting.is_empty() {
            // Under the lock, so that what enters next finds it gone.
            line.workers -= 1;
            self.retired = true;
            return None;
        }
        let count = line.waiting.len().min(MAX_TAKEN);
        let taken = line.waiting.drain(..count);
        let taken: (Vec<_>, Vec<_>) = taken.map(|w| (w.submission, w.answer)).unzip();
        let bytes: usize = taken.0.iter().map(|submission| submission.bytes.len()).sum();
        line.bytes = line.bytes.saturating_sub(bytes);
        Some(taken)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.retired {
            return;
        }
        // It was cut short. If no other is left, those in line are sent away,
        // which each notices by its answer's absence.
        let line = &mut *self.door.line.lock();
        line.workers -= 1;
        if line.workers == 0 {
            line.waiting.clear();
            line.bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(bytes: usize) -> Submission {
        Submission { bytes: vec![0; bytes].into(), source: Source::Local, watch: None }
    }

    fn refuse(submissions: Vec<Submission>) -> Vec<Imported> {
        submissions.iter().map(|_| Err(PoolError::NotIncludable)).collect()
    }

    #[test]
    fn the_line_is_bounded_in_number_and_bytes() {
        let door = Arc::new(Door::new(3, 100, 1));
        let (_first, worker) = door.enter(submission(40)).unwrap();
        let _second = door.enter(submission(40)).unwrap();
        assert_eq!(door.enter(submission(21)).err(), Some(PoolError::Busy { waiting: 2 }));
        let _third = door.enter(submission(20)).unwrap();
        assert_eq!(door.enter(submission(0)).err(), Some(PoolError::Busy { waiting: 3 }));
        worker.unwrap().run(refuse);
        assert!(door.enter(submission(100)).is_ok(), "all room is free again");
    }

    #[test]
    fn what_came_together_is_served_together_and_each_is_answered() {
        let door = Arc::new(Door::new(1_000, 1_000, 1));
        let (first, worker) = door.enter(submission(1)).unwrap();
        let mut answers = vec![first];
        for _ in 0..MAX_TAKEN {
            let (answer, second_worker) = door.enter(submission(1)).unwrap();
            assert!(second_worker.is_none(), "one worker at once");
            answers.push(answer);
        }
        let sizes = Mutex::new(Vec::new());
        worker.unwrap().run(|submissions| {
            sizes.lock().push(submissions.len());
            refuse(submissions)
        });
        assert_eq!(*sizes.lock(), [MAX_TAKEN, 1]);
        for mut answer in answers {
            assert_eq!(answer.try_recv().unwrap().err(), Some(PoolError::NotIncludable));
        }
        assert!(door.enter(submission(1)).unwrap().1.is_some(), "the worker has retired");
    }

    #[test]
    fn nobody_waits_for_a_worker_that_was_cut_short() {
        let door = Arc::new(Door::new(10, 100, 1));
        let (mut answer, worker) = door.enter(submission(1)).unwrap();
        drop(worker);
        assert!(answer.try_recv().is_err());
        assert!(door.enter(submission(1)).unwrap().1.is_some());
    }
}
