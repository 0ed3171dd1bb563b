//! Turns of a lane, fair between connections by the time that they use.
//!
//! Start-time fair queueing, as in the pool's order of transactions: a request's
//! virtual start is the later of the present virtual time and the end of what its
//! connection used before. The earliest start goes first. So one that asks little
//! waits for a turn to end, and never behind the queue of those that ask much.

use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tokio::sync::oneshot;

/// Microseconds that a turn counts at least.
const LEAST: u64 = 50;

/// A lane's turns, and who waits for one.
#[derive(Debug)]
pub(super) struct Line(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    /// Virtual time in microseconds: the latest start that had a turn.
    now: u64,
    arrivals: u64,
    /// By virtual start, then by arrival. Whoever has gone is passed over.
    waiting: BTreeMap<(u64, u64), Waiting>,
}

/// A connection that waits for its turn.
#[derive(Debug)]
struct Waiting {
    used: Used,
    grant: oneshot::Sender<Taken>,
}

/// What a connection has used of a lane: its virtual end.
#[derive(Clone, Debug, Default)]
pub(super) struct Used(Arc<AtomicU64>);

/// A turn; the next one has it when it is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    /// None: somebody else passes the turn on.
    line: Option<Arc<Line>>,
    used: Used,
    start: u64,
    began: Instant,
}

impl Line {
    /// A line with so many turns at once.
    pub(super) fn new(turns: usize) -> Arc<Self> {
        let state = State { free: turns, now: 0, arrivals: 0, waiting: BTreeMap::new() };
        Arc::new(Self(Mutex::new(state)))
    }

    /// A turn of the connection that used so much, when it has one.
    pub(super) async fn take(self: &Arc<Self>, used: &Used) -> Option<Taken> {
        let turn = {
            let state = &mut *self.0.lock();
            let start = state.now.max(used.0.load(Ordering::Relaxed));
            if state.free > 0 {
                state.free -= 1;
                state.now = start;
                return Some(Taken::new(self, used, start));
            }
            let (grant, turn) = oneshot::channel();
            let waiting = Waiting { used: used.clone(), grant };
            state.waiting.insert((start, state.arrivals), waiting);
            state.arrivals += 1;
            turn
        };
        let mut taken = turn.await.ok()?;
        taken.began = Instant::now();
        Some(taken)
    }

    /// Gives a turn that has ended to the first that waits.
    fn pass_on(self: &Arc<Self>) {
        loop {
            let (start, Waiting { used, grant }) = {
                let state = &mut *self.0.lock();
                let Some(((start, _), waiting)) = state.waiting.pop_first() else {
                    state.free += 1;
                    return;
                };
                state.now = state.now.max(start);
                (start, waiting)
            };
            match grant.send(Taken::new(self, &used, start)) {
                Ok(()) => return,
                // It has gone: the turn is the next one's, and nobody used it.
                Err(unused) => unused.forget(),
            }
        }
    }

    /// Turns that nobody has.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.0.lock().free
    }
}

impl Taken {
    fn new(line: &Arc<Line>, used: &Used, start: u64) -> Self {
        Self { line: Some(Arc::clone(line)), used: used.clone(), start, began: Instant::now() }
    }

    /// Ends it without passing the turn on.
    fn forget(mut self) {
        self.line = None;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Some(line) = self.line.take() else { return };
        let took = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let end = self.start.saturating_add(took.max(LEAST));
        self.used.0.fetch_max(end, Ordering::Relaxed);
        line.pass_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::Future, pin::pin, task::Context, time::Duration};

    /// Polls once: whether it has its turn.
    fn poll(turn: &mut std::pin::Pin<&mut impl Future<Output = Option<Taken>>>) -> Option<Taken> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match turn.as_mut().poll(&mut context) {
            std::task::Poll::Ready(taken) => taken,
            std::task::Poll::Pending => None,
        }
    }

    #[test]
    fn one_that_asked_little_goes_before_those_that_asked_much() {
        let line = Line::new(1);
        let (much, little) = (Used::default(), Used::default());
        let mut first = pin!(line.take(&much));
        let running = poll(&mut first).expect("it is free");
        std::thread::sleep(Duration::from_millis(2));
        let (mut other, other_used) = (None, Used(Arc::new(AtomicU64::new(5_000))));
        let mut waits = pin!(line.take(&other_used));
        assert!(poll(&mut waits).is_none());
        let mut late = pin!(line.take(&little));
        assert!(poll(&mut late).is_none());
        drop(running);
        assert!(poll(&mut waits).is_none(), "it came first and has used more");
        let taken = poll(&mut late).expect("it has used nothing");
        drop(taken);
        other.get_or_insert(poll(&mut waits).expect("now it is its turn"));
        assert!(much.0.load(Ordering::Relaxed) >= 2_000, "what was used counts");
    }

    #[test]
    fn whoever_goes_away_takes_no_turn_with_it() {
        let line = Line::new(1);
        let used = Used::default();
        let running = poll(&mut pin!(line.take(&used))).expect("it is free");
        let mut granted = Box::pin(line.take(&used));
        {
            let mut gone = Box::pin(line.take(&used));
            assert!(poll(&mut gone.as_mut()).is_none());
            assert!(poll(&mut granted.as_mut()).is_none());
        }
        drop(running);
        // The turn is on its way to one that never asks for it.
        drop(granted);
        assert_eq!(line.free(), 1);
        let mut next = pin!(line.take(&used));
        assert!(poll(&mut next).is_some());
    }
}
