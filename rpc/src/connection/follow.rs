//! Subscriptions to the head of the chain: what each pins and has under way.

use super::pins::{Pins, Unpinned};
use crate::budget::Room;
use billchain_primitives::Hash;
use billchain_rpc_types::ArchiveStorageType;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Subscriptions to the head of one connection. The specification asks for 2 at least.
const FOLLOWS: usize = 4;
/// Operations of one subscription that are under way.
const OPERATIONS: usize = 64;
/// Items of the operations of one subscription that read entries. The specification asks
/// for 16 operations at least, of which it counts each item as one.
const ITEMS: usize = 1_000;
/// Blocks that one subscription pins, at most.
const PINS: usize = 512;

/// Subscriptions to the head of one connection, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Follows(Mutex<HashMap<String, Arc<Follow>>>);

/// One subscription to the head.
#[derive(Debug)]
pub(crate) struct Follow {
    pub(crate) with_runtime: bool,
    pins: Mutex<Pins>,
    under_way: Mutex<HashMap<String, Operation>>,
    operations: Arc<Semaphore>,
    items: Arc<Semaphore>,
    jobs: mpsc::UnboundedSender<Job>,
    ended: CancellationToken,
}

/// A subscription that was begun; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) follow: Arc<Follow>,
    /// What is to be done for it.
    pub(crate) jobs: mpsc::UnboundedReceiver<Job>,
    _ended: DropGuard,
}

/// What is read of a block.
#[derive(Debug)]
pub(crate) enum Work {
    /// Its transactions.
    Body,
    /// What a runtime API gives on its state.
    Call {
        /// Name of the API.
        function: String,
        /// Its encoded arguments.
        data: Vec<u8>,
    },
    /// Entries of its state: their keys, or what these begin with.
    Storage(Vec<(Vec<u8>, ArchiveStorageType)>),
}

/// Work that was begun and is to be done.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) operation: Operation,
    pub(crate) block: Hash,
    pub(crate) number: u32,
    pub(crate) work: Work,
    /// Fires when the client was told the id.
    pub(crate) answered: oneshot::Receiver<()>,
    taken: Option<Taken>,
}

/// What an operation takes of its connection's, held until it is done.
type Taken = (Room, OwnedSemaphorePermit, Option<OwnedSemaphorePermit>);

impl Job {
    /// Gives back what it takes: who is told that it is done may begin another.
    pub(crate) fn give_back(&mut self) {
        self.taken = None;
    }
}

/// How an operation is steered.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// Cancelled when nobody wants its outcome any more.
    pub(crate) stop: CancellationToken,
    is_waiting: Arc<AtomicBool>,
    resume: Arc<Notify>,
}

impl Operation {
    /// Says that it waits for the client from now on.
    pub(crate) fn begin_to_wait(&self) {
        self.is_waiting.store(true, Ordering::SeqCst);
    }

    /// Waits until the client says go on.
    pub(crate) async fn wait(&self) {
        self.resume.notified().await;
    }

    fn go_on(&self) -> bool {
        let was_waiting = self.is_waiting.swap(false, Ordering::SeqCst);
        if was_waiting {
            self.resume.notify_one();
        }
        was_waiting
    }
}

impl Follows {
    /// Begins one with this id. `None` if there are as many as there may be.
    pub(crate) fn begin(&self, id: &str, with_runtime: bool) -> Option<Begun> {
        let mut all = self.0.lock();
        // One that has ended and was not ended by the client counts no more.
        all.retain(|_, follow| !follow.ended.is_cancelled());
        if all.len() >= FOLLOWS {
            return None;
        }
        let (jobs, taken) = mpsc::unbounded_channel();
        let ended = CancellationToken::new();
        let follow = Arc::new(Follow {
            with_runtime,
            pins: Mutex::default(),
            under_way: Mutex::default(),
            operations: Arc::new(Semaphore::new(OPERATIONS)),
            items: Arc::new(Semaphore::new(ITEMS)),
            jobs,
            ended: ended.clone(),
        });
        all.insert(id.to_owned(), follow.clone());
        Some(Begun { follow, jobs: taken, _ended: ended.drop_guard() })
    }

    /// The one with this id, if it goes on.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Follow>> {
        let all = self.0.lock();
        all.get(id).filter(|follow| !follow.ended.is_cancelled()).cloned()
    }

    /// Ends the one with this id.
    pub(crate) fn end(&self, id: &str) {
        if let Some(follow) = self.0.lock().remove(id) {
            follow.ended.cancel();
        }
    }

    /// Ends all.
    pub(crate) fn end_all(&self) {
        self.0.lock().drain().for_each(|(_, follow)| follow.ended.cancel());
    }

    /// Most of them.
    pub(crate) const fn most() -> usize {
        FOLLOWS
    }
}

impl Follow {
    /// Pins a block; whether all pinned ones may be: there are not too many, and none of
    /// them is `window` blocks old, so old that its state may go.
    #[must_use]
    pub(crate) fn pin(&self, number: u32, hash: Hash, window: u32) -> bool {
        let mut pins = self.pins.lock();
        pins.pin(number, hash);
        let oldest = pins.oldest().unwrap_or(number);
        pins.len() <= PINS && number - oldest < window
    }

    /// Number of a pinned block.
    pub(crate) fn pinned(&self, hash: &Hash) -> Option<u32> {
        self.pins.lock().number(hash)
    }

    /// Unpins all of these blocks, or none. Work on them goes on.
    pub(crate) fn unpin(&self, hashes: &[Hash]) -> Result<(), Unpinned> {
        self.pins.lock().unpin(hashes)
    }

    /// Takes places for items, of these at most; none if there is none.
    pub(crate) fn items(&self, wanted: usize) -> Option<OwnedSemaphorePermit> {
        let count = wanted.min(self.items.available_permits());
        let count = u32::try_from(count).ok().filter(|count| *count > 0 || wanted == 0)?;
        self.items.clone().try_acquire_many_owned(count).ok()
    }

    /// Begins an operation: its id, and what to fire when the client is told it. `None` if
    /// there are as many as there may be.
    pub(crate) fn operate(
        &self,
        (number, block): (u32, Hash),
        work: Work,
        room: Room,
        items: Option<OwnedSemaphorePermit>,
    ) -> Option<(String, oneshot::Sender<()>)> {
        let place = self.operations.clone().try_acquire_owned().ok()?;
        let id = format!("{:032x}", rand::random::<u128>());
        let operation = Operation {
            stop: self.ended.child_token(),
            is_waiting: Arc::default(),
            resume: Arc::default(),
        };
        let (told, answered) = oneshot::channel();
        self.under_way.lock().insert(id.clone(), operation.clone());
        let job = Job {
            id: id.clone(),
            operation,
            block,
            number,
            work,
            answered,
            taken: Some((room, place, items)),
        };
        if self.jobs.send(job).is_err() {
            self.done(&id);
            return None;
        }
        Some((id, told))
    }

    /// Notes that an operation has ended; whether somebody still wants its last event.
    pub(crate) fn done(&self, id: &str) -> bool {
        let ended = self.under_way.lock().remove(id);
        ended.is_some_and(|operation| !operation.stop.is_cancelled())
    }

    /// Has an operation go on. Nothing if there is none of this id; otherwise whether it
    /// waited.
    pub(crate) fn go_on(&self, id: &str) -> Option<bool> {
        self.under_way.lock().get(id).map(Operation::go_on)
    }

    /// Stops an operation, if there is one of this id.
    pub(crate) fn stop(&self, id: &str) {
        if let Some(operation) = self.under_way.lock().remove(id) {
            operation.stop.cancel();
        }
    }

    /// Fires when the client wants no more.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> Begun {
        Follows::default().begin("a", true).unwrap()
    }

    fn hash(number: u32) -> Hash {
        Hash::from_low_u64_be(u64::from(number))
    }

    fn operate(follow: &Follow) -> Option<(String, oneshot::Sender<()>)> {
        follow.operate((1, hash(1)), Work::Body, Room::default(), None)
    }

    #[test]
    fn a_connection_follows_the_head_a_bounded_number_of_times() {
        let all = Follows::default();
        let mut open: Vec<_> =
            (0..FOLLOWS).map(|at| all.begin(&at.to_string(), false).unwrap()).collect();
        assert!(all.begin("more", false).is_none());
        // One that ended by itself is not found, and its place is free.
        drop(open.remove(0));
        assert!(all.find("0").is_none() && all.find("1").is_some());
        assert!(all.begin("more", false).is_some());
        all.end("1");
        assert!(all.find("1").is_none());
    }

    #[test]
    fn pins_are_bounded_by_their_number_and_their_age() {
        let follow = begun().follow;
        for number in 0..PINS as u32 {
            assert!(follow.pin(number, hash(number), u32::MAX), "{number}");
        }
        assert!(!follow.pin(PINS as u32, hash(PINS as u32), u32::MAX));
        let follow = begun().follow;
        assert!(follow.pin(10, hash(10), 3) && follow.pin(12, hash(12), 3));
        assert!(!follow.pin(13, hash(13), 3));
        follow.unpin(&[hash(10)]).unwrap();
        assert!(follow.pin(14, hash(14), 3));
    }

    #[test]
    fn operations_and_their_items_are_bounded_and_places_come_back() {
        let mut begun = begun();
        let follow = begun.follow.clone();
        let ids: Vec<_> = (0..OPERATIONS).map(|_| operate(&follow).unwrap().0).collect();
        assert!(operate(&follow).is_none());
        let job = begun.jobs.try_recv().unwrap();
        assert_eq!(job.id, ids[0]);
        assert!(follow.done(&job.id) && !follow.done(&job.id));
        drop(job);
        assert!(operate(&follow).is_some());
        let most = follow.items(ITEMS - 1).unwrap();
        assert_eq!(follow.items(5).unwrap().num_permits(), 1);
        let one = follow.items(5).unwrap();
        assert!(follow.items(5).is_none());
        // No item is no operation on entries, but none is refused for it.
        assert_eq!(follow.items(0).unwrap().num_permits(), 0);
        drop((most, one));
        assert_eq!(follow.items(2 * ITEMS).unwrap().num_permits(), ITEMS);
    }

    #[tokio::test]
    async fn an_operation_goes_on_when_it_waits_and_stops_with_its_subscription() {
        let all = Follows::default();
        let mut begun = all.begin("a", true).unwrap();
        let follow = begun.follow.clone();
        let (id, _) = operate(&follow).unwrap();
        let job = begun.jobs.try_recv().unwrap();
        assert_eq!(follow.go_on(&id), Some(false));
        job.operation.begin_to_wait();
        assert_eq!(follow.go_on(&id), Some(true));
        job.operation.wait().await;
        assert_eq!((follow.go_on(&id), follow.go_on("none")), (Some(false), None));
        all.end("a");
        assert!(job.operation.stop.is_cancelled());
        assert!(!follow.done(&id));
        // Nobody takes work any more.
        drop(begun);
        assert!(operate(&follow).is_none());
    }
}
