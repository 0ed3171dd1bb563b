//! Passing transactions on to the other operators' nodes.
//!
//! Over QUIC, among the peers of a list and nobody else: a connection from any
//! other identity is closed as soon as the handshake has shown it. Each node
//! keeps a cursor for each peer and class of senders into the pool's log of local
//! transactions and sends what follows in batches, one at a time for each, which
//! are answered transaction by transaction (`exchange`). So nothing is lost while both run, a slow peer slows
//! only its own cursor, a sender for whom a peer has no room holds back only
//! itself, nothing is queued outside the pool, and a peer that connects again is
//! offered everything that is still pending, at a bounded rate.
//!
//! It does not forward what it received, and keeps nothing on disk. Beside
//! that it [fetches](Fetcher) transactions by their hashes, and serves them
//! (`fetch`), and carries [questions](Asker) of one node to another about its chain
//! (`questions`).
//!
//! What a peer can make a node do is bounded for each peer: what is answered and
//! offered again in a second, batches and requests at once, handshakes of one
//! address, lines in the log (decision 0036).

mod ask_only;
mod config;
mod exchange;
mod fetch;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod garbage;
mod lines;
mod link;
mod newcomers;
mod pace;
mod peers;
mod questions;
mod service;
mod swarm;

use crate::{ConfigError, GossipMetrics, Pool};
use libp2p::{Multiaddr, PeerId};
use lines::Lines;
use questions::Questions;
use std::{io, sync::Arc};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

pub use ask_only::{AskOnly, ask_only};
pub use config::{GossipConfig, GossipLimits, MAX_PEERS, Peer};
pub use exchange::{MAX_BATCH_COUNT, protocol_name};
pub use fetch::{FetchError, Fetcher, MAX_FETCH_COUNT, fetch_protocol_name};
pub use frame::MAX_FRAME_BYTES;
pub use questions::{
    AskError, Asker, MAX_ANSWER_BYTES, MAX_QUESTION_BYTES, Question, questions_protocol_name,
};

/// Commands that may wait for the service, and so many requests of a fetcher and
/// questions of an asker.
const COMMANDS: usize = 16;

/// Why gossip did not start or take a change.
#[derive(Debug, thiserror::Error)]
pub enum GossipError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The listen address cannot be used.
    #[error("cannot listen for transactions on {address}: {reason}")]
    Listen {
        /// The address of the configuration.
        address: Multiaddr,
        /// What the system says.
        reason: String,
    },
    /// The service has stopped.
    #[error("transaction gossip has stopped")]
    Stopped,
    /// The service ended in a way that it should not.
    #[error("transaction gossip failed: {0}")]
    Failed(#[source] io::Error),
}

/// A running service. Dropping it stops the service too, without waiting.
#[derive(Debug)]
pub struct GossipHandle {
    local: PeerId,
    listening: Vec<Multiaddr>,
    commands: mpsc::Sender<Command>,
    asks: mpsc::Sender<fetch::Ask>,
    questions: mpsc::Sender<questions::Ask>,
    connected: watch::Receiver<Vec<PeerId>>,
    lines: Lines,
    metrics: GossipMetrics,
    /// None once it has ended and that was told.
    task: Option<JoinHandle<()>>,
}

/// Changes the list of peers of a running service.
#[derive(Clone, Debug)]
pub struct PeerUpdates(mpsc::Sender<Command>);

impl PeerUpdates {
    /// Replaces the list of peers: those no longer on it are disconnected.
    pub async fn update_peers(&self, peers: Vec<Peer>) -> Result<(), GossipError> {
        let problems = config::peer_problems(&peers);
        if !problems.is_empty() {
            return Err(ConfigError { problems }.into());
        }
        self.0.send(Command::UpdatePeers(peers)).await.map_err(|_| GossipError::Stopped)
    }
}

/// What a handle tells the service.
#[derive(Debug)]
enum Command {
    UpdatePeers(Vec<Peer>),
    Stop,
}

impl GossipHandle {
    /// This node's identity.
    pub fn local_peer_id(&self) -> PeerId {
        self.local
    }

    /// Where it listens, port 0 resolved.
    pub fn listening(&self) -> &[Multiaddr] {
        &self.listening
    }

    /// Peers with a connection, as they come and go.
    pub fn connected(&self) -> watch::Receiver<Vec<PeerId>> {
        self.connected.clone()
    }

    /// Fetches transactions from the peers.
    pub fn fetcher(&self) -> Fetcher {
        Fetcher::new(self.asks.clone(), self.connected.clone(), self.lines.clone())
    }

    /// Asks the peers about their chains.
    pub fn asker(&self) -> Asker {
        Asker::new(self.questions.clone(), self.connected.clone())
    }

    /// What gossip counts; register it once.
    pub fn metrics(&self) -> &GossipMetrics {
        &self.metrics
    }

    /// Replaces the list of peers: those no longer on it are disconnected.
    pub async fn update_peers(&self, peers: Vec<Peer>) -> Result<(), GossipError> {
        self.peer_updates().update_peers(peers).await
    }

    /// Changes the list without a borrow of the handle.
    pub fn peer_updates(&self) -> PeerUpdates {
        PeerUpdates(self.commands.clone())
    }

    /// Resolves when the service has ended by itself, which it does not unless
    /// something is wrong. May be dropped and called again.
    pub async fn ended(&mut self) -> GossipError {
        let Some(task) = &mut self.task else { return GossipError::Stopped };
        let outcome = task.await;
        self.task = None;
        match outcome {
            Ok(()) => GossipError::Stopped,
            Err(error) => GossipError::Failed(io::Error::other(error)),
        }
    }

    /// Offers connected peers what is pending, for at most `drain_time`, and
    /// stops. The socket is free when the last connection has been closed in
    /// the background, some milliseconds later. May be called at any time; how
    /// it [ended](Self::ended) is not told again.
    pub async fn stop(mut self) -> Result<(), GossipError> {
        let Some(task) = self.task.take() else { return Ok(()) };
        // An error means that it has stopped already; the task tells how.
        let _ = self.commands.send(Command::Stop).await;
        task.await.map_err(|error| GossipError::Failed(io::Error::other(error)))
    }
}

/// Begins to listen, to connect to the peers and to pass on the pool's local
/// transactions. Must be called within a Tokio runtime.
pub async fn start(config: GossipConfig, pool: Arc<Pool>) -> Result<GossipHandle, GossipError> {
    config.check(pool.config().max_transaction_bytes)?;
    let local = config.keypair.public().to_peer_id();
    let metrics = GossipMetrics::default();
    let lines = Lines::new(metrics.omitted_lines.clone());
    let (commands, command_receiver) = mpsc::channel(COMMANDS);
    let (asks, ask_receiver) = mpsc::channel(COMMANDS);
    let answering = config.questions.clone();
    let (asked, questions) = Questions::new(answering, metrics.clone(), lines.clone());
    let (connected_sender, connected) = watch::channel(Vec::new());
    let ends = service::Ends {
        commands: command_receiver,
        asks: ask_receiver,
        questions: asked,
        connected: connected_sender,
        metrics: metrics.clone(),
        lines: lines.clone(),
    };
    let (service, listening) = service::Service::start(config, pool, ends).await?;
    let task = Some(tokio::spawn(service.run()));
    Ok(GossipHandle {
        local,
        listening,
        commands,
        asks,
        questions,
        connected,
        lines,
        metrics,
        task,
    })
}

#[cfg(test)]
mod tests;
