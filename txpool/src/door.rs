//! The asynchronous entrance: what is submitted waits in line, and a few
//! workers on blocking threads take from it as much as has come together. Under
//! load a check serves many transactions; without, none waits.

use crate::{
    PoolConfig, PoolError, Source, StatusStream,
    journal::{Kept, Reservation},
    rooms::Usage,
};
use billchain_primitives::{AccountId, Hash};
use bytes::Bytes;
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Submissions that one worker takes together, at most: the last of them waits
/// for the check of all.
const MAX_TAKEN: usize = 64;

/// Part of the pool's bytes that may wait to be checked, apart from those held: RPC
/// itself holds little more.
const BYTES_PART: usize = 4;

/// Part of the line that is kept for senders of the reserve.
const RESERVE_PART: usize = 16;

/// Part of that which one account's name gets.
const CLAIM_PART: usize = 8;

/// A transaction that asks to be let in.
pub(crate) struct Submission {
    /// Its encoding with the length prefix.
    pub(crate) bytes: Bytes,
    pub(crate) source: Source,
    /// Whether its states are wanted, and the right to them.
    pub(crate) watch: Option<OwnedSemaphorePermit>,
    /// Room in the journal, if it is to be kept.
    pub(crate) room: Option<Reservation>,
}

/// A submission that the pool has taken.
pub(crate) struct Taken {
    pub(crate) hash: Hash,
    /// Its states, if they are wanted.
    pub(crate) states: Option<StatusStream>,
    /// Tells when the journal has it.
    pub(crate) kept: Option<Kept>,
}

/// What became of a submission.
pub(crate) type Imported = Result<Taken, PoolError>;

struct Waiting {
    submission: Submission,
    answer: oneshot::Sender<Imported>,
    /// Who is claimed to have signed it, of one that waits in the reserve.
    claimed: Option<AccountId>,
}

/// The line. What finds it full and claims a signer of the reserve may wait in a
/// line of its own.
pub(crate) struct Door {
    line: Mutex<Line>,
    max_workers: usize,
}

struct Line {
    ordinary: Queue,
    reserve: Queue,
    /// What waits in the reserve by who is claimed to have signed it. The claim is
    /// not verified, so that one name has a part of the reserve only.
    claims: HashMap<AccountId, Usage>,
    max_of_claim: Usage,
    workers: usize,
}

/// Submissions in their order, bounded in number and bytes.
struct Queue {
    waiting: VecDeque<Waiting>,
    used: Usage,
    limit: Usage,
}

impl Door {
    pub(crate) fn new(config: &PoolConfig) -> Self {
        let all = Usage { count: config.max_waiting, bytes: config.max_bytes / BYTES_PART };
        let kept = Usage { count: all.count / RESERVE_PART, bytes: all.bytes / RESERVE_PART };
        // Each line takes a transaction of any length.
        let longest = config.max_transaction_bytes;
        let ordinary = Usage {
            count: all.count.saturating_sub(kept.count),
            bytes: all.bytes.saturating_sub(kept.bytes).max(longest),
        };
        let reserve = Usage { count: kept.count.max(1), bytes: kept.bytes.max(longest) };
        let max_of_claim = Usage {
            count: (reserve.count / CLAIM_PART).max(1),
            bytes: (reserve.bytes / CLAIM_PART).max(longest),
        };
        let line = Line {
            ordinary: Queue::new(ordinary),
            reserve: Queue::new(reserve),
            claims: HashMap::new(),
            max_of_claim,
            workers: 0,
        };
        Self { line: Mutex::new(line), max_workers: config.validation_threads }
    }

    /// Puts a submission in line. A worker that comes with the answer is the
    /// caller's to run. In a full line it is asked of which account of the reserve
    /// the bytes claim to be.
    pub(crate) fn enter(
        self: &Arc<Self>,
        submission: Submission,
        claimed: impl FnOnce(&[u8]) -> Option<AccountId>,
    ) -> Result<(oneshot::Receiver<Imported>, Option<Worker>), PoolError> {
        let (answer, receiver) = oneshot::channel();
        let mut waiting = Waiting { submission, answer, claimed: None };
        let mut line = self.line.lock();
        if line.ordinary.has_room(waiting.bytes()) {
            line.ordinary.push(waiting);
        } else {
            // Not under the lock: it may read the state.
            drop(line);
            waiting.claimed = claimed(&waiting.submission.bytes);
            line = self.line.lock();
            line.enter_reserve(waiting)?;
        }
        let worker = (line.workers < self.max_workers).then(|| {
            line.workers += 1;
            Worker { door: Arc::clone(self), retired: false }
        });
        Ok((receiver, worker))
    }
}

impl Line {
    fn enter_reserve(&mut self, waiting: Waiting) -> Result<(), PoolError> {
        let busy = PoolError::Busy { waiting: self.ordinary.len() + self.reserve.len() };
        let bytes = waiting.bytes();
        let Some(account) = waiting.claimed.clone() else { return Err(busy) };
        let used = self.claims.get(&account).copied().unwrap_or_default().and(bytes);
        if !used.fits(self.max_of_claim) || !self.reserve.has_room(bytes) {
            return Err(busy);
        }
        self.claims.insert(account, used);
        self.reserve.push(waiting);
        Ok(())
    }

    /// What one check is to serve. Those of the reserve come first, but half of it
    /// is left to the others: whoever claims others' names delays them no longer.
    fn take(&mut self) -> Vec<Waiting> {
        let mut taken = Vec::with_capacity(MAX_TAKEN.min(self.ordinary.len() + self.reserve.len()));
        while taken.len() < MAX_TAKEN / 2
            && let Some(waiting) = self.reserve.pop()
        {
            self.forget_claim(&waiting);
            taken.push(waiting);
        }
        while taken.len() < MAX_TAKEN
            && let Some(waiting) = self.ordinary.pop()
        {
            taken.push(waiting);
        }
        taken
    }

    fn forget_claim(&mut self, waiting: &Waiting) {
        let Some(account) = &waiting.claimed else { return };
        let Some(used) = self.claims.get_mut(account) else { return };
        *used = used.without(waiting.bytes());
        if used.count == 0 {
            self.claims.remove(account);
        }
    }

    fn clear(&mut self) {
        self.ordinary = Queue::new(self.ordinary.limit);
        self.reserve = Queue::new(self.reserve.limit);
        self.claims.clear();
    }
}

impl Queue {
    fn new(limit: Usage) -> Self {
        Self { waiting: VecDeque::new(), used: Usage::default(), limit }
    }

    fn len(&self) -> usize {
        self.waiting.len()
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.used.and(bytes).fits(self.limit)
    }

    fn push(&mut self, waiting: Waiting) {
        self.used = self.used.and(waiting.bytes());
        self.waiting.push_back(waiting);
    }

    fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_front()?;
        self.used = self.used.without(waiting.bytes());
        Some(waiting)
    }
}

impl Waiting {
    fn bytes(&self) -> usize {
        self.submission.bytes.len()
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
        let mut line = self.door.line.lock();
        let taken = line.take();
        if taken.is_empty() {
            // Under the lock, so that what enters next finds it gone.
            line.workers -= 1;
            self.retired = true;
            return None;
        }
        drop(line);
        Some(taken.into_iter().map(|waiting| (waiting.submission, waiting.answer)).unzip())
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
            line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(bytes: usize) -> Submission {
        Submission { bytes: vec![0; bytes].into(), source: Source::Local, watch: None, room: None }
    }

    fn refuse(submissions: Vec<Submission>) -> Vec<Imported> {
        submissions.iter().map(|_| Err(PoolError::NotIncludable)).collect()
    }

    /// A door with one worker. The ordinary line has 15/16 of what is given, but
    /// at least the longest transaction.
    fn door(max_waiting: usize, bytes: usize, longest: usize) -> Arc<Door> {
        Arc::new(Door::new(&PoolConfig {
            max_waiting,
            max_bytes: bytes * BYTES_PART,
            max_transaction_bytes: longest,
            validation_threads: 1,
            ..PoolConfig::default()
        }))
    }

    fn nobody(_: &[u8]) -> Option<AccountId> {
        None
    }

    fn of(name: u8) -> impl FnOnce(&[u8]) -> Option<AccountId> {
        move |_| Some(AccountId::new([name; 32]))
    }

    #[test]
    fn the_line_is_bounded_in_number_and_bytes() {
        let door = door(3, 106, 40);
        let (_first, worker) = door.enter(submission(40), nobody).unwrap();
        let _second = door.enter(submission(40), nobody).unwrap();
        let busy = |waiting| Some(PoolError::Busy { waiting });
        assert_eq!(door.enter(submission(21), nobody).err(), busy(2));
        let never = |_: &[u8]| -> Option<AccountId> { panic!("there is room, nobody asks") };
        let _third = door.enter(submission(20), never).unwrap();
        assert_eq!(door.enter(submission(0), nobody).err(), busy(3));
        worker.unwrap().run(refuse);
        assert!(door.enter(submission(100), nobody).is_ok(), "all room is free again");
    }

    #[test]
    fn in_a_full_line_each_name_of_the_reserve_has_a_part_of_its_own() {
        // 240 places, and 16 of the reserve: 2 for each name. 15,000 and 1,000 bytes.
        let door = door(256, 16_000, 200);
        let (_first, worker) = door.enter(submission(0), nobody).unwrap();
        for _ in 1..240 {
            let _ = door.enter(submission(0), nobody).unwrap();
        }
        let busy = |waiting| Some(PoolError::Busy { waiting });
        assert_eq!(door.enter(submission(0), nobody).err(), busy(240));
        let _ = door.enter(submission(0), of(1)).unwrap();
        let _ = door.enter(submission(0), of(1)).unwrap();
        assert_eq!(door.enter(submission(0), of(1)).err(), busy(242), "its part is full");
        // In bytes too, though a transaction of any length has room.
        let _ = door.enter(submission(200), of(2)).unwrap();
        assert_eq!(door.enter(submission(1), of(2)).err(), busy(243));
        for name in 3..7 {
            let _ = door.enter(submission(200), of(name)).unwrap();
        }
        assert_eq!(door.enter(submission(1), of(7)).err(), busy(247), "the reserve is full");
        let _ = door.enter(submission(0), of(7)).unwrap();

        let sizes = Mutex::new(Vec::new());
        worker.unwrap().run(|submissions| {
            let long = submissions.iter().filter(|one| one.bytes.len() == 200).count();
            sizes.lock().push((submissions.len(), long));
            refuse(submissions)
        });
        assert_eq!(sizes.lock()[0], (MAX_TAKEN, 5), "the reserve comes first");
        let line = door.line.lock();
        assert_eq!((line.claims.len(), line.reserve.used, line.ordinary.used), Default::default());
    }

    #[test]
    fn claims_of_others_names_take_half_of_a_check_at_most() {
        let door = door(1_600, 1 << 20, 1);
        let (_first, worker) = door.enter(submission(0), nobody).unwrap();
        for _ in 1..1_500 {
            let _ = door.enter(submission(0), nobody).unwrap();
        }
        for name in 0..100 {
            let _ = door.enter(submission(1), of(name)).unwrap();
        }
        let claimed = Mutex::new(Vec::new());
        worker.unwrap().run(|submissions| {
            claimed.lock().push(submissions.iter().filter(|one| one.bytes.len() == 1).count());
            refuse(submissions)
        });
        assert_eq!(claimed.lock()[..5], [32, 32, 32, 4, 0]);
    }

    #[test]
    fn what_came_together_is_served_together_and_each_is_answered() {
        let door = door(1_000, 1_000, 1);
        let (first, worker) = door.enter(submission(1), nobody).unwrap();
        let mut answers = vec![first];
        for _ in 0..MAX_TAKEN {
            let (answer, second_worker) = door.enter(submission(1), nobody).unwrap();
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
        assert!(door.enter(submission(1), nobody).unwrap().1.is_some(), "the worker has retired");
    }

    #[test]
    fn nobody_waits_for_a_worker_that_was_cut_short() {
        let door = door(10, 100, 1);
        let (mut answer, worker) = door.enter(submission(1), nobody).unwrap();
        drop(worker);
        assert!(answer.try_recv().is_err());
        assert!(door.enter(submission(1), nobody).unwrap().1.is_some());
    }
}
