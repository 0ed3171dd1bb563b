//! The event loop: one task that owns the swarm and the peers' state.
//!
//! Validity is checked on blocking threads, a bounded number of batches at
//! once, so that the loop always answers.

use super::{
    Command, GossipConfig, GossipError, GossipLimits, Peer,
    fetch::{self, Ask, FetchError, MAX_ANSWER_BYTES, fetch_protocol_name},
    link::Link,
    wire::{Codec, Outcome, Reply, Request, protocol_name},
};
use crate::{GossipMetrics, Pool, PoolError, Rejection, Source};
use billchain_primitives::Hash;
use bytes::Bytes;
use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, Transport,
    allow_block_list::{self, AllowedPeers},
    connection_limits::{self, ConnectionLimits},
    core::{muxing::StreamMuxerBox, transport::Boxed},
    dns,
    identity::Keypair,
    quic,
    request_response::{
        self, Event, InboundFailure, Message, OutboundFailure, OutboundRequestId, ProtocolSupport,
        ResponseChannel,
    },
    swarm::{
        DialError, ListenError, NetworkBehaviour, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    task::JoinSet,
    time::timeout,
};

/// Connections of one peer: both sides may connect at once, and the dead ones
/// of a peer that was restarted count until they are noticed.
const MAX_CONNECTIONS_PER_PEER: u32 = 8;

/// Connections whose identity is not shown yet.
const MAX_PENDING_CONNECTIONS: u32 = 64;

/// Streams of one connection; an honest peer uses two.
const MAX_STREAMS: usize = 8;

/// Requests for transactions at once on one connection, each way; their answers
/// may be long.
const MAX_FETCH_STREAMS: usize = 4;

/// Requests for transactions that wait for answers.
const MAX_ASKED: usize = 64;

/// How long a peer may take to answer such a request: a proposal does not wait
/// longer.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Batches of one peer that are checked or wait for it.
const MAX_INBOUND: usize = 2;

/// How long the listener may take to say where it listens.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Transactions that are passed on again in one go.
const ANNOUNCE_AGAIN: usize = 1_000;

/// How long a connection lives without use: for ever, peers stay connected.
const IDLE: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Points against a peer for a frame that is not a batch.
const MALFORMED_FRAME: u32 = 25;

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    allowed: allow_block_list::Behaviour<AllowedPeers>,
    limits: connection_limits::Behaviour,
    exchange: request_response::Behaviour<Codec>,
    fetch: request_response::Behaviour<fetch::Codec>,
}

/// Where the handle and the fetchers speak to the loop.
pub(super) struct Inputs {
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) asks: mpsc::Receiver<Ask>,
}

/// A batch of a peer, checked.
struct Checked {
    peer: PeerId,
    channel: ResponseChannel<Reply>,
    outcomes: Vec<Outcome>,
    /// Points against the peer.
    garbage: u32,
    /// The first transaction that no honest peer sends, in words.
    example: Option<String>,
}

/// What the loop owns.
pub(super) struct Service {
    swarm: Swarm<Behaviour>,
    pool: Arc<Pool>,
    limits: GossipLimits,
    metrics: GossipMetrics,
    links: HashMap<PeerId, Link>,
    inputs: Inputs,
    /// Requests for transactions and who waits for their answers.
    asked: HashMap<OutboundRequestId, oneshot::Sender<Result<fetch::Answer, FetchError>>>,
    connected: watch::Sender<Vec<PeerId>>,
    outgoing: watch::Receiver<u64>,
    checks: JoinSet<Checked>,
    /// Batches in work by task, to book those whose check failed.
    checking: HashMap<tokio::task::Id, PeerId>,
    permits: Arc<Semaphore>,
    announce_at: Instant,
}

impl Service {
    /// Listens, and begins with the peers of the configuration.
    pub(super) async fn start(
        config: GossipConfig,
        pool: Arc<Pool>,
        metrics: GossipMetrics,
        inputs: Inputs,
        connected: watch::Sender<Vec<PeerId>>,
    ) -> Result<(Self, Vec<Multiaddr>), GossipError> {
        let GossipConfig { keypair, listen, peers, genesis, limits } = config;
        let behaviour = Behaviour {
            allowed: allow_block_list::Behaviour::default(),
            limits: connection_limits::Behaviour::new(
                ConnectionLimits::default()
                    .with_max_pending_incoming(Some(MAX_PENDING_CONNECTIONS))
                    .with_max_established_per_peer(Some(MAX_CONNECTIONS_PER_PEER)),
            ),
            exchange: request_response::Behaviour::with_codec(
                Codec,
                [(protocol(protocol_name(&genesis))?, ProtocolSupport::Full)],
                request_response::Config::default()
                    .with_request_timeout(limits.request_timeout)
                    .with_max_concurrent_streams(MAX_STREAMS),
            ),
            fetch: request_response::Behaviour::with_codec(
                fetch::Codec,
                [(protocol(fetch_protocol_name(&genesis))?, ProtocolSupport::Full)],
                request_response::Config::default()
                    .with_request_timeout(FETCH_TIMEOUT)
                    .with_max_concurrent_streams(MAX_FETCH_STREAMS),
            ),
        };
        let mut swarm = Swarm::new(
            transport(&keypair),
            behaviour,
            keypair.public().to_peer_id(),
            libp2p::swarm::Config::with_tokio_executor().with_idle_connection_timeout(IDLE),
        );
        let listening = listen_on(&mut swarm, listen).await?;
        let mut this = Self {
            outgoing: pool.outgoing_end(),
            permits: Arc::new(Semaphore::new(pool.config().validation_threads)),
            announce_at: Instant::now() + limits.announce_again_after,
            swarm,
            pool,
            limits,
            metrics,
            links: HashMap::new(),
            inputs,
            asked: HashMap::new(),
            connected,
            checks: JoinSet::new(),
            checking: HashMap::new(),
        };
        this.set_peers(peers);
        Ok((this, listening))
    }

    /// Serves until it is told to stop or its handle is gone.
    pub(super) async fn run(mut self) {
        while self.step().await {}
        self.drain().await;
    }

    /// Waits for one event and deals with it; `false` when it is to stop.
    async fn step(&mut self) -> bool {
        self.on_time(Instant::now());
        let deadline = self.deadline();
        tokio::select! {
            event = self.swarm.select_next_some() => self.on_swarm(event),
            Some(done) = self.checks.join_next_with_id() => self.on_checked(done),
            Ok(()) = self.outgoing.changed() => {
                let end = *self.outgoing.borrow_and_update();
                self.want_send(end);
            }
            Some(ask) = self.inputs.asks.recv() => self.ask(ask),
            command = self.inputs.commands.recv() => match command {
                Some(Command::UpdatePeers(peers)) => self.set_peers(peers),
                Some(Command::Stop) | None => return false,
            },
            () = tokio::time::sleep_until(deadline.into()) => {}
        }
        true
    }

    /// Offers connected peers what they were not sent yet, then closes.
    async fn drain(mut self) {
        let end = Instant::now() + self.limits.drain_time;
        loop {
            let last = *self.outgoing.borrow();
            self.want_send(last);
            if Instant::now() >= end || self.links.values().all(|link| link.is_served(last)) {
                break;
            }
            self.on_time(Instant::now());
            let deadline = self.deadline().min(end);
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm(event),
                Some(done) = self.checks.join_next_with_id() => self.on_checked(done),
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
        }
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // An error means that it has gone already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        // Tells the peers, so that they need not find out by silence.
        let closed = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        let _ = timeout(Duration::from_secs(1), closed).await;
        self.checks.shutdown().await;
    }

    fn deadline(&self) -> Instant {
        let links = self.links.values().filter_map(Link::deadline).min();
        links.map_or(self.announce_at, |at| at.min(self.announce_at))
    }

    /// Does what is due.
    fn on_time(&mut self, now: Instant) {
        if self.announce_at <= now {
            let age = self.limits.announce_again_after;
            self.announce_at = now + (age / 4).max(Duration::from_millis(50));
            self.pool.announce_again(age, ANNOUNCE_AGAIN);
        }
        for peer in self.links.keys().copied().collect::<Vec<_>>() {
            let Some(link) = self.links.get_mut(&peer) else { continue };
            if link.take_unban(now) {
                tracing::info!(%peer, "peer may connect again");
                self.swarm.behaviour_mut().allowed.allow_peer(peer);
                self.metrics.banned.dec();
            }
            if link.take_dial(now) {
                self.dial(peer, now);
            }
            self.send(peer, now);
        }
    }

    fn dial(&mut self, peer: PeerId, now: Instant) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        if link.addresses.is_empty() {
            return;
        }
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(link.addresses.clone())
            .build();
        match self.swarm.dial(options) {
            Ok(()) | Err(DialError::DialPeerConditionFalse(_)) => {}
            Err(error) => {
                tracing::debug!(%peer, %error, "cannot connect");
                link.retry_dial(now);
            }
        }
    }

    fn want_send(&mut self, end: u64) {
        let now = Instant::now();
        for link in self.links.values_mut() {
            link.want_send(end, self.limits.linger, now);
        }
    }

    /// Sends the peer its next batch, if it is time to.
    fn send(&mut self, peer: PeerId, now: Instant) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        let Some(cursor) = link.take_send(now) else { return };
        // Read first: what is added meanwhile has a later place.
        let end = *self.outgoing.borrow();
        let GossipLimits { batch_count, batch_bytes, .. } = self.limits;
        let batch = self.pool.outgoing_after(cursor, batch_count, batch_bytes);
        if batch.is_empty() {
            link.skip_to(end);
            return;
        }
        let items = batch.iter().map(|(place, tx)| (*place, tx.hash)).collect();
        let request = Request::Batch(batch.into_iter().map(|(_, tx)| tx.bytes.to_vec()).collect());
        let id = self.swarm.behaviour_mut().exchange.send_request(&peer, request);
        link.on_sent(id, items, now);
    }

    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        let now = Instant::now();
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Exchange(event)) => self.on_exchange(event, now),
            SwarmEvent::Behaviour(BehaviourEvent::Fetch(event)) => self.on_fetch(event, now),
            SwarmEvent::ConnectionEstablished { peer_id, num_established, .. } => {
                if let Some(link) = self.links.get_mut(&peer_id) {
                    link.on_connected(num_established.get(), now);
                }
                if num_established.get() == 1 {
                    tracing::info!(peer = %peer_id, "connected");
                    self.publish_connected();
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established, cause, .. } => {
                if let Some(link) = self.links.get_mut(&peer_id) {
                    link.on_disconnected(num_established, now);
                }
                if num_established == 0 {
                    let cause = cause.map(|cause| cause.to_string());
                    tracing::info!(peer = %peer_id, ?cause, "disconnected");
                    self.publish_connected();
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                self.on_dial_failed(peer, &error, now);
            }
            SwarmEvent::IncomingConnectionError { peer_id, error, send_back_addr, .. } => {
                if matches!(error, ListenError::Denied { .. }) {
                    self.metrics.connections_refused.inc();
                    tracing::warn!(
                        peer = ?peer_id.map(|peer| peer.to_string()),
                        address = %send_back_addr,
                        "connection refused: not a listed peer, or one with too many connections"
                    );
                } else {
                    tracing::debug!(address = %send_back_addr, %error, "incoming connection failed");
                }
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "the listener met an error");
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                tracing::error!(?reason, "the listener closed; peers can no longer connect");
            }
            _ => {}
        }
    }

    fn on_dial_failed(&mut self, peer: PeerId, error: &DialError, now: Instant) {
        if matches!(error, DialError::DialPeerConditionFalse(_)) {
            return;
        }
        if let DialError::WrongPeerId { obtained, address } = error {
            tracing::warn!(
                expected = %peer, %obtained, %address,
                "another node answers at the peer's address; check the list of peers"
            );
        } else {
            tracing::debug!(%peer, %error, "cannot connect");
        }
        if let Some(link) = self.links.get_mut(&peer) {
            link.retry_dial(now);
        }
    }

    fn on_exchange(&mut self, event: Event<Request, Reply>, now: Instant) {
        match event {
            Event::Message { peer, message, .. } => match message {
                Message::Request { request: Request::Batch(batch), channel, .. } => {
                    self.on_batch(peer, batch, channel);
                }
                Message::Request { request: Request::Malformed(reason), channel, .. } => {
                    self.reply(channel, Reply::Malformed);
                    self.on_garbage(peer, MALFORMED_FRAME, &reason, now);
                }
                Message::Response { request_id, response } => {
                    self.on_reply(peer, request_id, response, now);
                }
            },
            Event::OutboundFailure { peer, request_id, error, .. } => {
                self.on_send_failed(peer, request_id, &error, now);
            }
            Event::InboundFailure { peer, error, .. } => {
                // The peer sends what was not answered again.
                if !matches!(error, InboundFailure::ConnectionClosed) {
                    tracing::debug!(%peer, %error, "could not answer a batch");
                }
            }
            Event::ResponseSent { .. } => {}
        }
    }

    /// Asks a peer for transactions.
    fn ask(&mut self, ask: Ask) {
        let Ask { peer, hashes, answer } = ask;
        // An error below means that nobody waits any more.
        if !self.swarm.is_connected(&peer) {
            let _ = answer.send(Err(FetchError::NotConnected));
            return;
        }
        if self.asked.len() >= MAX_ASKED {
            let _ = answer.send(Err(FetchError::Busy));
            return;
        }
        self.metrics.fetches.inc();
        let request = fetch::Request::Hashes(hashes);
        let id = self.swarm.behaviour_mut().fetch.send_request(&peer, request);
        self.asked.insert(id, answer);
    }

    fn on_fetch(&mut self, event: Event<fetch::Request, fetch::Answer>, now: Instant) {
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                let answer = self.answer_fetch(peer, request, now);
                // An error means that the connection has gone.
                let _ = self.swarm.behaviour_mut().fetch.send_response(channel, answer);
            }
            Event::Message { message: Message::Response { request_id, response }, .. } => {
                self.metrics.transactions_fetched.inc_by(response.len() as u64);
                self.on_answer(request_id, Ok(response));
            }
            Event::OutboundFailure { request_id, error, .. } => {
                self.metrics.fetches_failed.inc();
                self.on_answer(request_id, Err(FetchError::Failed(error.to_string())));
            }
            Event::InboundFailure { peer, error, .. } => {
                tracing::debug!(%peer, %error, "could not answer a request for transactions");
            }
            Event::ResponseSent { .. } => {}
        }
    }

    /// What a peer gets for its request.
    fn answer_fetch(
        &mut self,
        peer: PeerId,
        request: fetch::Request,
        now: Instant,
    ) -> fetch::Answer {
        let hashes = match request {
            fetch::Request::Hashes(hashes) => hashes,
            fetch::Request::Malformed(reason) => {
                self.on_garbage(peer, MALFORMED_FRAME, &reason, now);
                return Vec::new();
            }
        };
        let found = self.pool.recall(&hashes, MAX_ANSWER_BYTES);
        self.metrics.transactions_served.inc_by(found.len() as u64);
        found.into_iter().map(|tx| tx.bytes.clone()).collect()
    }

    fn on_answer(&mut self, id: OutboundRequestId, answer: Result<fetch::Answer, FetchError>) {
        if let Some(waiting) = self.asked.remove(&id) {
            // An error means that nobody waits any more.
            let _ = waiting.send(answer);
        }
    }

    /// A batch of a peer: has it checked, unless too much is in work.
    fn on_batch(&mut self, peer: PeerId, batch: Vec<Vec<u8>>, channel: ResponseChannel<Reply>) {
        let Some(link) = self.links.get_mut(&peer).filter(|link| link.inbound < MAX_INBOUND) else {
            self.reply(channel, Reply::Busy);
            return;
        };
        link.inbound += 1;
        self.metrics.batches_received.inc();
        self.metrics.transactions_received.inc_by(batch.len() as u64);
        let (pool, permits) = (Arc::clone(&self.pool), Arc::clone(&self.permits));
        let task = self.checks.spawn(async move {
            // Never closed; without it the batch would only be unbounded.
            let permit = permits.acquire_owned().await.ok();
            let check = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                import(&pool, batch)
            });
            let (outcomes, garbage, example) = check.await.unwrap_or_default();
            Checked { peer, channel, outcomes, garbage, example }
        });
        self.checking.insert(task.id(), peer);
    }

    fn on_checked(&mut self, done: Result<(tokio::task::Id, Checked), tokio::task::JoinError>) {
        let id = match &done {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        if let Some(peer) = self.checking.remove(&id)
            && let Some(link) = self.links.get_mut(&peer)
        {
            link.inbound = link.inbound.saturating_sub(1);
        }
        let Ok((_, checked)) = done else { return };
        let Checked { peer, channel, outcomes, garbage, example } = checked;
        // No outcomes: the check failed within, which its own log tells of.
        let reply = if outcomes.is_empty() { Reply::Busy } else { Reply::Outcomes(outcomes) };
        self.reply(channel, reply);
        if let Some(example) = example {
            self.on_garbage(peer, garbage, &example, Instant::now());
        }
    }

    fn reply(&mut self, channel: ResponseChannel<Reply>, reply: Reply) {
        // An error means that the connection has gone: the peer sends again.
        let _ = self.swarm.behaviour_mut().exchange.send_response(channel, reply);
    }

    fn on_garbage(&mut self, peer: PeerId, points: u32, reason: &str, now: Instant) {
        self.metrics.garbage.inc();
        tracing::warn!(%peer, points, reason, "garbage from a peer");
        let (limit, ban) = (self.limits.garbage_limit, self.limits.ban_time);
        let Some(link) = self.links.get_mut(&peer) else { return };
        if !link.is_banned() && link.on_garbage(points, limit, now) {
            tracing::error!(%peer, ?ban, "too much garbage: the peer is kept out for a time");
            link.ban(now + ban);
            self.metrics.banned.inc();
            self.swarm.behaviour_mut().allowed.disallow_peer(peer);
        }
    }

    /// The peer answered a batch.
    fn on_reply(&mut self, peer: PeerId, id: OutboundRequestId, reply: Reply, now: Instant) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        let Some(batch) = link.take_in_flight(id) else { return };
        self.metrics.round_trip.observe((now - batch.sent_at).as_secs_f64());
        let last = batch.items.last().map_or(0, |(place, _)| *place);
        match reply {
            Reply::Outcomes(outcomes) if outcomes.len() == batch.items.len() => {
                let full = outcomes.iter().position(|outcome| *outcome == Outcome::Full);
                let served = full.unwrap_or(outcomes.len());
                let held: Vec<Hash> = batch
                    .items
                    .iter()
                    .zip(&outcomes)
                    .filter(|(_, outcome)| matches!(outcome, Outcome::Taken | Outcome::Known))
                    .map(|((_, hash), _)| *hash)
                    .collect();
                for ((_, hash), outcome) in batch.items.iter().zip(&outcomes) {
                    if let Outcome::Refused(code) = outcome {
                        tracing::debug!(%peer, %hash, code, "peer refuses a transaction");
                    }
                }
                self.metrics.batches_sent.inc();
                self.metrics.transactions_sent.inc_by(held.len() as u64);
                match served.checked_sub(1) {
                    Some(at) => link.on_served(&batch, batch.items[at].0),
                    None => tracing::debug!(%peer, "the peer's pool is full"),
                }
                if full.is_some() {
                    link.hold_back(now);
                }
                self.pool.on_broadcast(&held, &peer.to_string());
            }
            Reply::Busy => link.hold_back(now),
            // Sending the same again would end in a ban. What is still
            // pending later is announced again in another batch.
            Reply::Malformed => {
                tracing::warn!(%peer, "the peer could not read a batch");
                link.on_served(&batch, last);
            }
            Reply::Outcomes(outcomes) => {
                let (got, expected) = (outcomes.len(), batch.items.len());
                link.on_served(&batch, last);
                let reason = format!("{got} outcomes for {expected} transactions");
                self.on_garbage(peer, MALFORMED_FRAME, &reason, now);
            }
        }
        let end = *self.outgoing.borrow();
        if let Some(link) = self.links.get_mut(&peer) {
            link.want_send(end, self.limits.linger, now);
        }
    }

    fn on_send_failed(
        &mut self,
        peer: PeerId,
        id: OutboundRequestId,
        error: &OutboundFailure,
        now: Instant,
    ) {
        self.metrics.batches_failed.inc();
        match error {
            OutboundFailure::UnsupportedProtocols => tracing::warn!(
                %peer,
                "the peer does not speak this chain's protocol: another genesis or version"
            ),
            error => tracing::debug!(%peer, %error, "a batch was not answered; it is sent again"),
        }
        if let Some(link) = self.links.get_mut(&peer)
            && link.take_in_flight(id).is_some()
        {
            link.hold_back(now);
        }
        if let OutboundFailure::Io(error) = error
            && error.kind() == std::io::ErrorKind::InvalidData
        {
            self.on_garbage(peer, MALFORMED_FRAME, &error.to_string(), now);
        }
    }

    /// Replaces the list of peers; what is known of those that stay is kept.
    fn set_peers(&mut self, peers: Vec<Peer>) {
        let now = Instant::now();
        let local = *self.swarm.local_peer_id();
        let mut wanted: HashMap<PeerId, Vec<Multiaddr>> = peers
            .into_iter()
            .filter(|peer| peer.id != local)
            .map(|peer| (peer.id, peer.addresses))
            .collect();
        let gone: Vec<PeerId> =
            self.links.keys().filter(|peer| !wanted.contains_key(peer)).copied().collect();
        for peer in gone {
            if self.links.remove(&peer).is_some_and(|link| link.is_banned()) {
                self.metrics.banned.dec();
            }
            self.swarm.behaviour_mut().allowed.disallow_peer(peer);
        }
        for (peer, link) in &mut self.links {
            if let Some(addresses) = wanted.remove(peer) {
                link.addresses = addresses;
            }
        }
        for (peer, addresses) in wanted {
            self.links.insert(peer, Link::new(addresses, &self.limits, now));
            self.swarm.behaviour_mut().allowed.allow_peer(peer);
        }
    }

    fn publish_connected(&self) {
        let mut peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        peers.sort_unstable();
        self.metrics.connected.set(peers.len() as i64);
        self.connected.send_replace(peers);
    }
}

/// Puts a peer's transactions into the pool: what became of each, points
/// against the peer, and the first reason for them.
fn import(pool: &Pool, batch: Vec<Vec<u8>>) -> (Vec<Outcome>, u32, Option<String>) {
    let batch = batch.into_iter().map(Bytes::from).collect();
    let mut garbage = 0u32;
    let mut example = None;
    let mut judge = |result: Result<Hash, PoolError>| {
        let Err(error) = result else { return Outcome::Taken };
        // An honest node checks before it passes on. A wrong signature weighs
        // little: two nodes on either side of an upgrade disagree on what was
        // signed.
        let points = match &error {
            PoolError::Rejected(Rejection::Undecodable { .. } | Rejection::Unsigned) => 10,
            PoolError::Rejected(Rejection::BadSignature | Rejection::WrongChain { .. }) => 1,
            _ => 0,
        };
        if points > 0 {
            garbage = garbage.saturating_add(points);
            example.get_or_insert_with(|| error.to_string());
        }
        outcome(&error)
    };
    let outcomes = pool.submit_all(batch, Source::Peer).into_iter().map(&mut judge).collect();
    (outcomes, garbage, example)
}

fn outcome(error: &PoolError) -> Outcome {
    match error {
        PoolError::AlreadyImported(_) | PoolError::AlreadyIncluded { .. } => Outcome::Known,
        PoolError::SenderFull { .. }
        | PoolError::FutureTooFar { .. }
        | PoolError::FutureFull { .. } => Outcome::Later,
        error if error.is_temporary() => Outcome::Full,
        error => Outcome::Refused(error.code()),
    }
}

fn protocol(name: String) -> Result<StreamProtocol, GossipError> {
    StreamProtocol::try_from_owned(name)
        .map_err(|error| GossipError::Failed(std::io::Error::other(error)))
}

/// QUIC, with names resolved where the system can.
fn transport(keypair: &Keypair) -> Boxed<(PeerId, StreamMuxerBox)> {
    let quic = || {
        let mut config = quic::Config::new(keypair);
        config.keep_alive_interval = Duration::from_secs(3);
        config.max_idle_timeout = 10_000;
        config.max_concurrent_stream_limit = 2 * MAX_STREAMS as u32;
        config.max_stream_data = 1 << 20;
        config.max_connection_data = 4 << 20;
        quic::tokio::Transport::new(config)
            .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)))
    };
    match dns::tokio::Transport::system(quic()) {
        Ok(transport) => transport.boxed(),
        Err(error) => {
            tracing::warn!(%error, "no name resolution: only numeric peer addresses are usable");
            quic().boxed()
        }
    }
}

/// An error and what caused it; libp2p's outermost ones often say nothing.
fn reasons(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let mut reasons: Vec<String> =
        chain.map(ToString::to_string).filter(|reason| !reason.is_empty()).collect();
    reasons.dedup();
    if reasons.is_empty() { format!("{error:?}") } else { reasons.join(": ") }
}

/// Listens on `address` and waits until the system says where that is.
async fn listen_on(
    swarm: &mut Swarm<Behaviour>,
    address: Multiaddr,
) -> Result<Vec<Multiaddr>, GossipError> {
    let failed = |reason: String| GossipError::Listen { address: address.clone(), reason };
    swarm.listen_on(address.clone()).map_err(|error| failed(reasons(&error)))?;
    let first = async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { address, .. } => return Ok(address),
                SwarmEvent::ListenerClosed { reason, .. } => {
                    return Err(format!("the listener closed: {reason:?}"));
                }
                SwarmEvent::ListenerError { error, .. } => return Err(error.to_string()),
                _ => {}
            }
        }
    };
    let first = timeout(LISTEN_TIMEOUT, first)
        .await
        .map_err(|_| failed(format!("no answer in {LISTEN_TIMEOUT:?}")))?
        .map_err(failed)?;
    // A wildcard address has one a network interface; the rest may follow.
    let mut all = vec![first];
    all.extend(swarm.listeners().filter(|other| !all.contains(other)).cloned().collect::<Vec<_>>());
    Ok(all)
}
