//! Fetching transactions by their hashes: what a node needs to put together a
//! block that refers to transactions it does not hold.
//!
//! A protocol of its own beside the batches: one stream a request, a frame each
//! way. The request is a list of hashes, the answer the transactions among them
//! that the peer holds or held a short time ago. Who asks checks that each is one
//! it asked for.
//!
//! A few bytes of a request can cost millions in the answer, so each peer has a
//! budget of what it may be answered in a second, and is told when it may ask
//! again ([`Answer::Later`]). What this node asks of one peer is bounded, too:
//! a peer that does not answer costs the others nothing.

mod fetcher;
mod wire;

use super::{
    garbage::Garbage,
    lines::{Lines, Topic},
    pace::Budget,
};
use crate::{GossipMetrics, Pool};
use billchain_primitives::Hash;
use bytes::Bytes;
use libp2p::{
    PeerId, StreamProtocol,
    request_response::{self, Event, Message, OutboundFailure, OutboundRequestId, ProtocolSupport},
};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use wire::MAX_ANSWER_BYTES;

pub(crate) use fetcher::Ask;
pub use fetcher::Fetcher;
pub(crate) use wire::{Answer, ByHash, Request};
pub use wire::{MAX_FETCH_COUNT, fetch_protocol_name};

/// The protocol's part of the swarm.
pub(super) type Behaviour = request_response::Behaviour<wire::Codec>;

/// Requests at once on one connection, each way; their answers may be long.
const MAX_STREAMS: usize = 4;

/// Requests of this node that wait for one peer's answer. Each expansion of a
/// block asks one at a time, and one publisher has two expansions under way.
const MAX_WAITING: usize = 8;

/// How long a peer may take to answer: a proposal does not wait longer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes that one peer may be answered in a second, and at most at once. Two of
/// the longest answers at once, and then eight times the 1,200 bills a second of
/// some 400 bytes that a busy chain has: a node that was restarted with an empty
/// pool gets all of every block from one peer.
const ANSWER_RATE: u64 = 4 << 20;
const ANSWER_BURST: u64 = 12 << 20;

/// What looking for one hash costs of that.
const HASH_COST: usize = 64;

/// Longest wait that a peer's word is taken for.
const MAX_LATER: Duration = Duration::from_secs(5);

/// The behaviour that speaks the protocol named `name`.
pub(super) fn behaviour(name: StreamProtocol) -> Behaviour {
    let config = request_response::Config::default()
        .with_request_timeout(TIMEOUT)
        .with_max_concurrent_streams(MAX_STREAMS);
    Behaviour::with_codec(wire::Codec::default(), [(name, ProtocolSupport::Full)], config)
}

/// Why a peer gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// There is no connection to it.
    #[error("no connection to the peer")]
    NotConnected,
    /// It gives no transactions of this chain and these rules. Its node may be joining.
    #[error("the peer does not speak the protocol")]
    OtherProtocol,
    /// Too many requests wait for its answers.
    #[error("{MAX_WAITING} requests wait for answers of the peer, as many as may")]
    Busy,
    /// It has answered as much as it does for now.
    #[error("the peer answers again in {after:?}")]
    Later {
        /// Until when it does not.
        after: Duration,
    },
    /// It did not answer, or not in the protocol.
    #[error("no answer: {0}")]
    Failed(String),
    /// It sent something else.
    #[error("the peer sent transaction {0:?}, which was not asked for")]
    Foreign(Hash),
    /// It sent something twice.
    #[error("the peer sent transaction {0:?} twice")]
    Repeated(Hash),
    /// Gossip has stopped.
    #[error("transaction gossip has stopped")]
    Stopped,
}

impl FetchError {
    /// Whether the peer did any work for it.
    fn was_asked(&self) -> bool {
        !matches!(self, Self::NotConnected | Self::OtherProtocol | Self::Busy | Self::Later { .. })
    }
}

/// One peer.
#[derive(Debug)]
struct Partner {
    /// What it may be answered.
    budget: Budget,
    /// Requests that wait for its answer.
    waiting: usize,
    /// It answers nothing before.
    not_before: Option<Instant>,
}

impl Partner {
    fn new(now: Instant) -> Self {
        Self { budget: Budget::new(ANSWER_RATE, ANSWER_BURST, now), waiting: 0, not_before: None }
    }

    /// Pays for a request of `count` hashes, or says how long it has to wait. The
    /// answer is charged when it is known: it is whole, or there is none.
    fn pay_for_request(&mut self, count: usize, now: Instant) -> Result<(), Duration> {
        let cost = count.saturating_mul(HASH_COST);
        if self.budget.available(now) < cost as u64 {
            return Err(self.budget.time_until(cost as u64, now));
        }
        self.budget.take(cost);
        Ok(())
    }

    /// Whether it may be asked now.
    fn check(&self, now: Instant) -> Result<(), FetchError> {
        if let Some(at) = self.not_before.filter(|at| *at > now) {
            return Err(FetchError::Later { after: at - now });
        }
        if self.waiting >= MAX_WAITING {
            return Err(FetchError::Busy);
        }
        Ok(())
    }
}

/// Who waits for an answer of a peer.
struct Waiting {
    peer: PeerId,
    answer: oneshot::Sender<Result<Vec<Bytes>, FetchError>>,
}

/// See the module's documentation.
pub(super) struct Fetch {
    pool: Arc<Pool>,
    metrics: GossipMetrics,
    lines: Lines,
    partners: HashMap<PeerId, Partner>,
    asked: HashMap<OutboundRequestId, Waiting>,
}

impl Fetch {
    pub(super) fn new(pool: Arc<Pool>, metrics: GossipMetrics, lines: Lines) -> Self {
        Self { pool, metrics, lines, partners: HashMap::new(), asked: HashMap::new() }
    }

    /// Forgets peers that are no longer on the list, and begins with new ones.
    pub(super) fn set_peers(&mut self, peers: &[PeerId], now: Instant) {
        let mut known = std::mem::take(&mut self.partners);
        for peer in peers {
            let partner = known.remove(peer).unwrap_or_else(|| Partner::new(now));
            self.partners.insert(*peer, partner);
        }
    }

    /// Asks a peer for transactions, if it can be asked.
    pub(super) fn ask(&mut self, behaviour: &mut Behaviour, ask: Ask, now: Instant) {
        let Ask { peer, hashes, answer } = ask;
        let partner = self.partners.get_mut(&peer).filter(|_| behaviour.is_connected(&peer));
        let partner = partner.ok_or(FetchError::NotConnected);
        match partner.and_then(|partner| partner.check(now).map(|()| partner)) {
            Ok(partner) => {
                partner.waiting += 1;
                self.metrics.fetches.inc();
                let id = behaviour.send_request(&peer, Request::Request(hashes));
                self.asked.insert(id, Waiting { peer, answer });
            }
            // An error below means that nobody waits any more.
            Err(error) => drop(answer.send(Err(error))),
        }
    }

    /// Deals with an event of the protocol; garbage if a peer sent any.
    pub(super) fn on_event(
        &mut self,
        behaviour: &mut Behaviour,
        event: Event<Request, Answer>,
        now: Instant,
    ) -> Option<Garbage> {
        match event {
            Event::Message { peer, message, .. } => match message {
                Message::Request { request, channel, .. } => {
                    let (answer, garbage) = self.answer(peer, request, now);
                    // An error means that the connection has gone.
                    let _ = behaviour.send_response(channel, answer);
                    return garbage;
                }
                Message::Response { request_id, response } => {
                    self.on_answer(request_id, response, now);
                }
            },
            Event::OutboundFailure { request_id, error, .. } => {
                self.metrics.fetches_failed.inc();
                let error = match error {
                    OutboundFailure::UnsupportedProtocols => FetchError::OtherProtocol,
                    error => FetchError::Failed(error.to_string()),
                };
                self.finish(request_id, Err(error));
            }
            Event::InboundFailure { peer, error, .. } => {
                if let Some(omitted) = self.lines.pass_peer(Topic::Fetch, peer) {
                    tracing::debug!(
                        %peer, %error, omitted, "could not answer a request for transactions"
                    );
                }
            }
            Event::ResponseSent { .. } => {}
        }
        None
    }

    /// What a peer gets for its request.
    fn answer(
        &mut self,
        peer: PeerId,
        request: Request,
        now: Instant,
    ) -> (Answer, Option<Garbage>) {
        let hashes = match request {
            Request::Request(hashes) => hashes,
            Request::Malformed(reason) => {
                let nothing = Answer::Transactions(Vec::new());
                return (nothing, Some(Garbage::frame(peer, reason)));
            }
        };
        let paid = match self.partners.get_mut(&peer) {
            Some(partner) => partner.pay_for_request(hashes.len(), now).map(|()| partner),
            None => Err(MAX_LATER),
        };
        let partner = match paid {
            Ok(partner) => partner,
            Err(wait) => return (self.put_off(peer, wait), None),
        };
        let found = self.pool.held(&hashes, MAX_ANSWER_BYTES);
        let bytes = found.iter().map(|tx| tx.bytes.len()).sum();
        partner.budget.take(bytes);
        self.metrics.transactions_served.inc_by(found.len() as u64);
        self.metrics.bytes_served.inc_by(bytes as u64);
        (Answer::Transactions(found.into_iter().map(|tx| tx.bytes.clone()).collect()), None)
    }

    /// The peer has had as much as it may.
    fn put_off(&self, peer: PeerId, wait: Duration) -> Answer {
        self.metrics.answers_put_off.inc();
        if let Some(omitted) = self.lines.pass_peer(Topic::Fetch, peer) {
            tracing::warn!(%peer, ?wait, omitted, "the peer asks for more than it may be answered");
        }
        Answer::Later { after_ms: u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1) }
    }

    fn on_answer(&mut self, id: OutboundRequestId, answer: Answer, now: Instant) {
        match answer {
            Answer::Transactions(transactions) => {
                self.metrics.transactions_fetched.inc_by(transactions.len() as u64);
                self.finish(id, Ok(transactions));
            }
            Answer::Later { after_ms } => {
                self.metrics.fetches_put_off.inc();
                let after = Duration::from_millis(after_ms.into()).min(MAX_LATER);
                let waiting = self.asked.get(&id);
                if let Some(partner) =
                    waiting.and_then(|waiting| self.partners.get_mut(&waiting.peer))
                {
                    partner.not_before = Some(now + after);
                }
                self.finish(id, Err(FetchError::Later { after }));
            }
        }
    }

    fn finish(&mut self, id: OutboundRequestId, answer: Result<Vec<Bytes>, FetchError>) {
        let Some(waiting) = self.asked.remove(&id) else { return };
        if let Some(partner) = self.partners.get_mut(&waiting.peer) {
            partner.waiting = partner.waiting.saturating_sub(1);
        }
        // An error means that nobody waits any more.
        let _ = waiting.answer.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_budget_of_answers_is_each_peers_own() {
        let now = Instant::now();
        let (mut greedy, mut honest) = (Partner::new(now), Partner::new(now));
        let mut answered = 0;
        while greedy.pay_for_request(1, now).is_ok() {
            greedy.budget.take(MAX_ANSWER_BYTES);
            answered += MAX_ANSWER_BYTES;
        }
        assert!(answered as u64 <= ANSWER_BURST + MAX_ANSWER_BYTES as u64, "{answered}");
        let wait = greedy.pay_for_request(1, now).unwrap_err();
        assert!(greedy.pay_for_request(1, now + wait / 2).is_err());
        assert_eq!(greedy.pay_for_request(1, now + wait), Ok(()));
        assert_eq!(honest.pay_for_request(1, now), Ok(()));
    }

    #[test]
    fn requests_for_nothing_are_paid_for_as_well() {
        let now = Instant::now();
        let mut peer = Partner::new(now);
        let asked = (0..1_000).filter(|_| peer.pay_for_request(MAX_FETCH_COUNT, now).is_ok());
        assert!(asked.count() <= 12);
    }

    /// All of every block, from one peer.
    #[test]
    fn a_restarted_node_on_a_busy_chain_is_answered() {
        let now = Instant::now();
        let mut peer = Partner::new(now);
        for block in 0..600u32 {
            let at = now + SECOND * block / 5;
            assert_eq!(peer.pay_for_request(240, at), Ok(()), "block {block}");
            peer.budget.take(240 * 400);
        }
    }

    #[test]
    fn a_peer_that_does_not_answer_is_not_asked_without_bound() {
        let now = Instant::now();
        let mut peer = Partner::new(now);
        peer.waiting = MAX_WAITING;
        assert_eq!(peer.check(now), Err(FetchError::Busy));
        peer.waiting -= 1;
        assert_eq!(peer.check(now), Ok(()));
        peer.not_before = Some(now + SECOND);
        assert_eq!(peer.check(now), Err(FetchError::Later { after: SECOND }));
        assert_eq!(peer.check(now + SECOND), Ok(()));
    }
}
