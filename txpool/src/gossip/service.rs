//! The event loop: one task that owns the swarm and the peers' state.
//!
//! It only tells the parts what happened: [`Peers`] connects, lets in and keeps
//! out, [`Exchange`], [`Fetch`] and [`Questions`] speak the protocols. Validity is checked
//! on blocking threads, a bounded number of batches at once, so that the loop always
//! answers.

use super::{
    Command, GossipConfig, GossipError, Peer,
    exchange::{Exchange, Todo},
    fetch::{Ask, Fetch},
    lines::{Lines, Topic, Whose},
    newcomers::Source,
    peers::Peers,
    questions::Questions,
    swarm::{self, Behaviour, BehaviourEvent},
};
use crate::{GossipMetrics, Pool};
use futures::StreamExt;
use libp2p::{Multiaddr, PeerId, Swarm, swarm::SwarmEvent};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, watch};

/// The loop's ends of what the handle and the fetchers hold.
pub(super) struct Ends {
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) asks: mpsc::Receiver<Ask>,
    pub(super) questions: Questions,
    pub(super) connected: watch::Sender<Vec<PeerId>>,
    pub(super) metrics: GossipMetrics,
    pub(super) lines: Lines,
}

/// What the loop owns.
pub(super) struct Service {
    swarm: Swarm<Behaviour>,
    drain_time: Duration,
    metrics: GossipMetrics,
    lines: Lines,
    peers: Peers,
    exchange: Exchange,
    fetch: Fetch,
    questions: Questions,
    commands: mpsc::Receiver<Command>,
    asks: mpsc::Receiver<Ask>,
    connected: watch::Sender<Vec<PeerId>>,
}

impl Service {
    /// Listens, and begins with the peers of the configuration.
    pub(super) async fn start(
        config: GossipConfig,
        pool: Arc<Pool>,
        ends: Ends,
    ) -> Result<(Self, Vec<Multiaddr>), GossipError> {
        let (swarm, listening) = swarm::start(&config).await?;
        let Ends { commands, asks, questions, connected, metrics, lines } = ends;
        let GossipConfig { peers, limits, .. } = config;
        let fetch = Fetch::new(Arc::clone(&pool), metrics.clone(), lines.clone());
        let exchange = Exchange::new(pool, limits.clone(), metrics.clone(), lines.clone());
        let known = Peers::new(limits.clone(), metrics.clone(), lines.clone());
        let drain_time = limits.drain_time;
        let mut this = Self {
            swarm,
            drain_time,
            metrics,
            lines,
            peers: known,
            exchange,
            fetch,
            questions,
            commands,
            asks,
            connected,
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
            todo = self.exchange.next() => self.on_exchange(todo),
            todo = self.questions.next() => {
                let behaviour = &mut self.swarm.behaviour_mut().questions;
                self.questions.on_todo(behaviour, todo, Instant::now());
            }
            Some(ask) = self.asks.recv() => {
                self.fetch.ask(&mut self.swarm.behaviour_mut().fetch, ask, Instant::now());
            }
            command = self.commands.recv() => match command {
                Some(Command::UpdatePeers(peers)) => self.set_peers(peers),
                Some(Command::Stop) | None => return false,
            },
            () = tokio::time::sleep_until(deadline.into()) => {}
        }
        true
    }

    /// Offers connected peers what they were not sent yet, then closes.
    async fn drain(mut self) {
        let end = Instant::now() + self.drain_time;
        loop {
            let now = Instant::now();
            self.exchange.want_send(now);
            if now >= end || self.exchange.is_served() {
                break;
            }
            self.on_time(now);
            let deadline = self.deadline().min(end);
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm(event),
                todo = self.exchange.next() => self.on_exchange(todo),
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
        }
        swarm::close(&mut self.swarm).await;
        self.exchange.shutdown().await;
    }

    fn deadline(&self) -> Instant {
        let exchange = self.exchange.deadline();
        self.peers.deadline().map_or(exchange, |at| at.min(exchange))
    }

    /// Does what is due.
    fn on_time(&mut self, now: Instant) {
        self.peers.on_time(&mut self.swarm, now);
        self.exchange.on_time(&mut self.swarm.behaviour_mut().exchange, now);
    }

    fn on_exchange(&mut self, todo: Todo) {
        let now = Instant::now();
        match todo {
            Todo::Send => self.exchange.want_send(now),
            Todo::Checked(done) => {
                let behaviour = &mut self.swarm.behaviour_mut().exchange;
                let garbage = self.exchange.on_checked(behaviour, done);
                self.peers.on_garbage(&mut self.swarm, garbage, now);
            }
        }
    }

    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        let now = Instant::now();
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Exchange(event)) => {
                let behaviour = &mut self.swarm.behaviour_mut().exchange;
                let garbage = self.exchange.on_event(behaviour, event, now);
                self.peers.on_garbage(&mut self.swarm, garbage, now);
            }
            SwarmEvent::Behaviour(BehaviourEvent::Fetch(event)) => {
                let behaviour = &mut self.swarm.behaviour_mut().fetch;
                let garbage = self.fetch.on_event(behaviour, event, now);
                self.peers.on_garbage(&mut self.swarm, garbage, now);
            }
            SwarmEvent::Behaviour(BehaviourEvent::Questions(event)) => {
                let behaviour = &mut self.swarm.behaviour_mut().questions;
                let garbage = self.questions.on_event(behaviour, event, now);
                self.peers.on_garbage(&mut self.swarm, garbage, now);
            }
            SwarmEvent::ConnectionEstablished { peer_id, num_established, endpoint, .. } => {
                let source = Source::of(endpoint.get_remote_address());
                self.on_connected(peer_id, num_established.get(), source, now);
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established, cause, .. } => {
                let cause = cause.map(|cause| cause.to_string());
                self.on_disconnected(peer_id, num_established, cause, now);
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                self.peers.on_dial_failed(peer, &error, now);
            }
            SwarmEvent::IncomingConnectionError { error, send_back_addr, .. } => {
                self.peers.on_refused(&self.swarm, &send_back_addr, &error);
            }
            SwarmEvent::ListenerError { error, .. } => {
                if let Some(omitted) = self.lines.pass(Topic::Listener, Whose::Strangers) {
                    tracing::warn!(%error, omitted, "the listener met an error");
                }
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                tracing::error!(?reason, "the listener closed; peers can no longer connect");
            }
            _ => {}
        }
    }

    fn on_connected(&mut self, peer: PeerId, connections: u32, source: Source, now: Instant) {
        self.peers.on_connected(&mut self.swarm, peer, connections, source);
        self.exchange.on_connected(&peer, now);
        if connections == 1 {
            self.publish_connected();
            if let Some(omitted) = self.lines.pass_peer(Topic::Connection, peer) {
                tracing::info!(%peer, omitted, "connected");
            }
        }
    }

    fn on_disconnected(
        &mut self,
        peer: PeerId,
        connections: u32,
        cause: Option<String>,
        now: Instant,
    ) {
        self.peers.on_disconnected(peer, connections, now);
        if connections == 0 {
            self.exchange.on_disconnected(&peer);
            self.publish_connected();
            if let Some(omitted) = self.lines.pass_peer(Topic::Connection, peer) {
                tracing::info!(%peer, ?cause, omitted, "disconnected");
            }
        }
    }

    /// Replaces the list of peers.
    fn set_peers(&mut self, peers: Vec<Peer>) {
        let now = Instant::now();
        let peers = self.peers.set(&mut self.swarm, peers, now);
        self.exchange.set_peers(&peers, now);
        self.fetch.set_peers(&peers, now);
        self.questions.set_peers(&peers, now);
    }

    fn publish_connected(&self) {
        let mut peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        peers.sort_unstable();
        self.metrics.connected.set(peers.len() as i64);
        self.connected.send_replace(peers);
    }
}
