//! Lines of the log that a peer can cause: a few of each kind and each peer.

use super::newcomers::Source;
use billchain_logging::LineLimit;
use libp2p::PeerId;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use std::{sync::Arc, time::Instant};

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    Connection,
    Refusal,
    WrongNode,
    Listener,
    Garbage,
    Ban,
    Protocol,
    Batch,
    Outcome,
    Fetch,
    Question,
}

/// Whose doing a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    Peer(PeerId),
    /// Somebody at an address that a peer has.
    At(Source),
    /// Anybody else. Strangers have no identity that would cost them anything,
    /// so all of them together are one.
    Strangers,
}

/// The limit, shared by all parts of gossip.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    limit: Arc<Mutex<LineLimit<(Topic, Whose)>>>,
    omitted: Counter,
}

impl Lines {
    /// What is left out is counted in `omitted`.
    pub(super) fn new(omitted: Counter) -> Self {
        Self { limit: Arc::default(), omitted }
    }

    /// Whether such a line may be written: then how many were left out since the
    /// last one that was.
    pub(super) fn pass(&self, topic: Topic, whose: Whose) -> Option<u64> {
        let passed = self.limit.lock().pass((topic, whose), Instant::now());
        if passed.is_none() {
            self.omitted.inc();
        }
        passed
    }

    pub(super) fn pass_peer(&self, topic: Topic, peer: PeerId) -> Option<u64> {
        self.pass(topic, Whose::Peer(peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_a_peer_causes_are_few_and_the_rest_is_counted() {
        let omitted = Counter::default();
        let lines = Lines::new(omitted.clone());
        let (liar, honest) = (PeerId::random(), PeerId::random());
        let garbage = (0..1_000).filter(|_| lines.pass_peer(Topic::Garbage, liar).is_some());
        let count = garbage.count();
        assert!((1..=10).contains(&count), "{count}");
        assert_eq!(omitted.get(), 1_000 - count as u64);
        assert_eq!(lines.pass_peer(Topic::Garbage, honest), Some(0), "another peer's");
        assert_eq!(lines.pass_peer(Topic::Batch, liar), Some(0), "another matter");
        let strangers =
            (0..1_000).filter(|_| lines.pass(Topic::Refusal, Whose::Strangers).is_some());
        assert!(strangers.count() <= 10, "all strangers are one");
    }
}
