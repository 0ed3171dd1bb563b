//! Passing on transactions: each node keeps a cursor a peer into the pool's log
//! of local transactions, and sends what follows in batches, each answered
//! transaction by transaction.
//!
//! Each peer has one batch under way for each class of senders, so the reserve's
//! transactions never wait for the answer to an ordinary batch. A batch that arrives is checked on a
//! blocking thread; a bounded number of batches is in work at once, and of each
//! peer as many as an honest one sends. What a peer is owed and what it sent is
//! kept for each peer apart.

mod check;
mod lane;
mod wire;

use super::{
    GossipLimits,
    garbage::Garbage,
    lines::{Lines, Topic},
};
use crate::{GossipMetrics, Pool, SenderClass};
use billchain_primitives::Hash;
use check::Verdict;
use foldhash::HashMap;
use lane::{Batch, Lane};
use libp2p::{
    PeerId, StreamProtocol,
    request_response::{
        self, Event, InboundFailure, Message, OutboundFailure, OutboundRequestId, ProtocolSupport,
        ResponseChannel,
    },
};
use std::{sync::Arc, time::Instant};
use tokio::{
    sync::{Semaphore, watch},
    task::{Id, JoinError, JoinSet},
};

pub(crate) use wire::{Batches, Outcome, Reply, Request};
pub use wire::{MAX_BATCH_COUNT, protocol_name};

/// The protocol's part of the swarm.
pub(super) type Behaviour = request_response::Behaviour<wire::Codec>;

/// Streams of one connection; an honest peer uses two at a time.
pub(super) const MAX_STREAMS: usize = 8;

/// Batches of one peer that are checked or wait for it: one of each class.
const MAX_INBOUND: usize = 2;

/// Transactions that are passed on again in one go.
const ANNOUNCE_AGAIN: usize = 1_000;

/// The behaviour that speaks the protocol named `name`.
pub(super) fn behaviour(name: StreamProtocol, limits: &GossipLimits) -> Behaviour {
    let config = request_response::Config::default()
        .with_request_timeout(limits.request_timeout)
        .with_max_concurrent_streams(MAX_STREAMS);
    Behaviour::with_codec(wire::Codec::default(), [(name, ProtocolSupport::Full)], config)
}

/// One peer.
#[derive(Debug)]
struct Partner {
    /// The reserve's first.
    lanes: [Lane; 2],
    /// Batches of the peer that are being checked.
    inbound: usize,
    /// It has refused the protocol on this connection: nothing is sent before the next.
    is_deaf: bool,
}

impl Partner {
    fn new(limits: &GossipLimits, now: Instant) -> Self {
        let lane = |class| Lane::new(class, limits, now);
        Self {
            lanes: [lane(SenderClass::Reserved), lane(SenderClass::Ordinary)],
            inbound: 0,
            is_deaf: false,
        }
    }

    fn take_in_flight(&mut self, id: OutboundRequestId) -> Option<(&mut Lane, Batch, Instant)> {
        self.lanes.iter_mut().find_map(|lane| {
            let (batch, sent_at) = lane.take_in_flight(id)?;
            Some((lane, batch, sent_at))
        })
    }
}

/// A batch of a peer, checked.
pub(super) struct Checked {
    peer: PeerId,
    channel: ResponseChannel<Reply>,
    verdict: Verdict,
}

/// See the module's documentation.
pub(super) struct Exchange {
    pool: Arc<Pool>,
    limits: GossipLimits,
    metrics: GossipMetrics,
    lines: Lines,
    partners: HashMap<PeerId, Partner>,
    checks: JoinSet<Checked>,
    /// Batches in work by task, to book those whose check failed.
    checking: HashMap<Id, PeerId>,
    permits: Arc<Semaphore>,
    outgoing: watch::Receiver<u64>,
    announce_at: Instant,
}

impl Exchange {
    pub(super) fn new(
        pool: Arc<Pool>,
        limits: GossipLimits,
        metrics: GossipMetrics,
        lines: Lines,
    ) -> Self {
        Self {
            outgoing: pool.outgoing_end(),
            permits: Arc::new(Semaphore::new(pool.config().validation_threads)),
            announce_at: Instant::now() + limits.announce_again_after,
            pool,
            limits,
            metrics,
            lines,
            partners: HashMap::default(),
            checks: JoinSet::new(),
            checking: HashMap::default(),
        }
    }

    /// Waits for what concerns this part alone. May be dropped at any time.
    pub(super) async fn next(&mut self) -> Todo {
        tokio::select! {
            Some(done) = self.checks.join_next_with_id() => Todo::Checked(done),
            Ok(()) = self.outgoing.changed() => Todo::Send,
            else => std::future::pending().await,
        }
    }

    /// Ends the checks under way.
    pub(super) async fn shutdown(&mut self) {
        self.checks.shutdown().await;
    }

    /// Forgets peers that are no longer on the list, and begins with new ones.
    pub(super) fn set_peers(&mut self, peers: &[PeerId], now: Instant) {
        let mut known = std::mem::take(&mut self.partners);
        for peer in peers {
            let partner = known.remove(peer).unwrap_or_else(|| Partner::new(&self.limits, now));
            self.partners.insert(*peer, partner);
        }
    }

    pub(super) fn on_connected(&mut self, peer: &PeerId, now: Instant) {
        if let Some(partner) = self.partners.get_mut(peer) {
            partner.is_deaf = false;
            partner.lanes.iter_mut().for_each(|lane| lane.on_connected(now));
        }
    }

    /// The last connection to the peer closed.
    pub(super) fn on_disconnected(&mut self, peer: &PeerId) {
        if let Some(partner) = self.partners.get_mut(peer) {
            partner.lanes.iter_mut().for_each(Lane::on_disconnected);
        }
    }

    /// When there is something to do.
    pub(super) fn deadline(&self) -> Instant {
        let hearing = self.partners.values().filter(|partner| !partner.is_deaf);
        hearing
            .flat_map(|partner| &partner.lanes)
            .filter_map(Lane::deadline)
            .min()
            .map_or(self.announce_at, |at| at.min(self.announce_at))
    }

    /// Whether all connected peers were offered what is pending.
    pub(super) fn is_served(&self) -> bool {
        let end = *self.outgoing.borrow();
        let hearing = self.partners.values().filter(|partner| !partner.is_deaf);
        hearing.flat_map(|partner| &partner.lanes).all(|lane| lane.is_served(end))
    }

    /// Sees to it that what is new is sent.
    pub(super) fn want_send(&mut self, now: Instant) {
        let end = *self.outgoing.borrow_and_update();
        for lane in self.partners.values_mut().flat_map(|partner| &mut partner.lanes) {
            lane.want_send(end, now);
        }
    }

    /// Does what is due.
    pub(super) fn on_time(&mut self, behaviour: &mut Behaviour, now: Instant) {
        if self.announce_at <= now {
            let age = self.limits.announce_again_after;
            self.announce_at = now + (age / 4).max(std::time::Duration::from_millis(50));
            self.pool.announce_again(age, ANNOUNCE_AGAIN);
        }
        // Read first: what is added meanwhile has a later place.
        let end = *self.outgoing.borrow();
        let hearing = self.partners.iter_mut().filter(|(_, partner)| !partner.is_deaf);
        for (peer, partner) in hearing {
            for lane in &mut partner.lanes {
                if !lane.take_send(now) {
                    continue;
                }
                let Some(batch) = self.pool.with_outgoing(|log| lane.next_batch(log, now)) else {
                    lane.want_send(end, now);
                    continue;
                };
                self.metrics.offered_again.inc_by(batch.offered_again() as u64);
                let id = behaviour.send_request(peer, Request::Request(batch.encoded()));
                lane.on_sent(id, batch, now);
            }
        }
    }

    /// Deals with an event of the protocol; garbage if a peer sent any.
    pub(super) fn on_event(
        &mut self,
        behaviour: &mut Behaviour,
        event: Event<Request, Reply>,
        now: Instant,
    ) -> Option<Garbage> {
        match event {
            Event::Message { peer, message, .. } => match message {
                Message::Request { request: Request::Request(batch), channel, .. } => {
                    self.on_batch(behaviour, peer, batch, channel);
                    None
                }
                Message::Request { request: Request::Malformed(reason), channel, .. } => {
                    reply(behaviour, channel, Reply::Malformed);
                    Some(Garbage::frame(peer, reason))
                }
                Message::Response { request_id, response } => {
                    self.on_reply(peer, request_id, response, now)
                }
            },
            Event::OutboundFailure { peer, request_id, error, .. } => {
                self.on_send_failed(peer, request_id, &error, now)
            }
            Event::InboundFailure { peer, error, .. } => {
                // The peer sends what was not answered again.
                if !matches!(error, InboundFailure::ConnectionClosed)
                    && let Some(omitted) = self.lines.pass_peer(Topic::Batch, peer)
                {
                    tracing::debug!(%peer, %error, omitted, "could not answer a batch");
                }
                None
            }
            Event::ResponseSent { .. } => None,
        }
    }

    /// A batch of a peer: has it checked, unless too much is in work.
    fn on_batch(
        &mut self,
        behaviour: &mut Behaviour,
        peer: PeerId,
        batch: wire::Batch,
        channel: ResponseChannel<Reply>,
    ) {
        let partner = self.partners.get_mut(&peer).filter(|partner| partner.inbound < MAX_INBOUND);
        let Some(partner) = partner else {
            reply(behaviour, channel, Reply::Busy);
            return;
        };
        partner.inbound += 1;
        self.metrics.batches_received.inc();
        self.metrics.transactions_received.inc_by(batch.len() as u64);
        let (pool, permits) = (Arc::clone(&self.pool), Arc::clone(&self.permits));
        let task = self.checks.spawn(async move {
            // Never closed; without it the batch would only be unbounded.
            let permit = permits.acquire_owned().await.ok();
            let check = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                check::import(&pool, batch)
            });
            Checked { peer, channel, verdict: check.await.unwrap_or_default() }
        });
        self.checking.insert(task.id(), peer);
    }

    /// A check ended; garbage if there was any in it.
    pub(super) fn on_checked(
        &mut self,
        behaviour: &mut Behaviour,
        done: Result<(Id, Checked), JoinError>,
    ) -> Option<Garbage> {
        let id = match &done {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        if let Some(peer) = self.checking.remove(&id)
            && let Some(partner) = self.partners.get_mut(&peer)
        {
            partner.inbound = partner.inbound.saturating_sub(1);
        }
        let Ok((_, Checked { peer, channel, verdict })) = done else { return None };
        let Verdict { outcomes, garbage, example } = verdict;
        // No outcomes: the check failed within, which its own log tells of.
        let answer = if outcomes.is_empty() { Reply::Busy } else { Reply::Outcomes(outcomes) };
        reply(behaviour, channel, answer);
        example.map(|reason| Garbage { peer, points: garbage, reason })
    }

    /// The peer answered a batch.
    fn on_reply(
        &mut self,
        peer: PeerId,
        id: OutboundRequestId,
        reply: Reply,
        now: Instant,
    ) -> Option<Garbage> {
        let partner = self.partners.get_mut(&peer)?;
        let (lane, batch, sent_at) = partner.take_in_flight(id)?;
        let took = now - sent_at;
        self.metrics.round_trip.observe(took.as_secs_f64());
        lane.measured(&batch, took, now);
        let mut garbage = None;
        match reply {
            Reply::Outcomes(outcomes) if outcomes.len() == batch.len() => {
                lane.on_outcomes(&batch, &outcomes, now);
                lane.want_send(*self.outgoing.borrow(), now);
                self.book(peer, &batch, &outcomes);
                return None;
            }
            Reply::Busy => lane.hold_back(now),
            Reply::Malformed => {
                lane.give_up(&batch, now);
                if let Some(omitted) = self.lines.pass_peer(Topic::Batch, peer) {
                    tracing::warn!(%peer, omitted, "the peer could not read a batch");
                }
            }
            Reply::Outcomes(outcomes) => {
                lane.give_up(&batch, now);
                let (got, expected) = (outcomes.len(), batch.len());
                let reason = format!("{got} outcomes for {expected} transactions");
                garbage = Some(Garbage::frame(peer, reason));
            }
        }
        lane.want_send(*self.outgoing.borrow(), now);
        garbage
    }

    /// Books what a peer has, and what it refused.
    fn book(&mut self, peer: PeerId, batch: &Batch, outcomes: &[Outcome]) {
        let mut held: Vec<Hash> = Vec::with_capacity(batch.len());
        for (hash, outcome) in batch.with(outcomes) {
            match outcome {
                Outcome::Taken | Outcome::Known => held.push(hash),
                Outcome::Later => drop(self.metrics.later.inc()),
                Outcome::Full => {}
                Outcome::Refused(code) => {
                    if let Some(omitted) = self.lines.pass_peer(Topic::Outcome, peer) {
                        tracing::debug!(%peer, %hash, code, omitted, "peer refuses a transaction");
                    }
                }
            }
        }
        self.metrics.batches_sent.inc();
        self.metrics.transactions_sent.inc_by(held.len() as u64);
        self.pool.on_broadcast(&held, &peer.to_string());
    }

    fn on_send_failed(
        &mut self,
        peer: PeerId,
        id: OutboundRequestId,
        error: &OutboundFailure,
        now: Instant,
    ) -> Option<Garbage> {
        self.metrics.batches_failed.inc();
        let is_foreign = matches!(error, OutboundFailure::UnsupportedProtocols);
        let topic = if is_foreign { Topic::Protocol } else { Topic::Batch };
        if let Some(omitted) = self.lines.pass_peer(topic, peer) {
            if is_foreign {
                tracing::warn!(
                    %peer, omitted,
                    "the peer does not speak this chain's protocol: another genesis, rules or \
                     version, or it joins and only asks"
                );
            } else {
                tracing::debug!(
                    %peer, %error, omitted, "a batch was not answered; it is sent again"
                );
            }
        }
        if let Some(partner) = self.partners.get_mut(&peer) {
            partner.is_deaf |= is_foreign;
            if let Some((lane, ..)) = partner.take_in_flight(id) {
                lane.hold_back(now);
            }
        }
        match error {
            OutboundFailure::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Some(Garbage::frame(peer, error.to_string()))
            }
            _ => None,
        }
    }
}

/// What [`Exchange::next`] found.
pub(super) enum Todo {
    /// A check of a batch ended.
    Checked(Result<(Id, Checked), JoinError>),
    /// There are transactions to pass on.
    Send,
}

fn reply(behaviour: &mut Behaviour, channel: ResponseChannel<Reply>, reply: Reply) {
    // An error means that the connection has gone: the peer sends again.
    let _ = behaviour.send_response(channel, reply);
}
