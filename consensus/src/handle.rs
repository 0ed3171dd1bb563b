//! Starting, watching and stopping consensus.

use std::sync::Arc;

use malachitebft_app_channel::app::engine::network::NetworkMsg;
use malachitebft_app_channel::app::net::PeerId;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::application::Application;
use crate::config::{ConsensusConfig, NodeIdentity};
use crate::engine::Network;
use crate::error::ConsensusError;
use crate::stage::{Member, SharedNetwork};

/// Where consensus stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Height being decided.
    pub height: u64,
    /// Its round; above 0 a proposer was missing or late.
    pub round: u32,
    /// Height committed last; 0 before the first.
    pub committed: u64,
    /// Whether this node votes at this height.
    pub is_validator: bool,
    /// Whether the last block came from value sync.
    pub catching_up: bool,
}

/// A connected peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerState {
    /// Its peer id.
    pub peer: PeerId,
    /// The name it gives itself.
    pub name: String,
    /// Address of the connection.
    pub address: String,
}

/// Running consensus. Dropping the handle without [`stop`](Self::stop) leaves it
/// running until the process ends.
pub struct ConsensusHandle {
    /// None once it has ended and the outcome was given.
    task: Option<JoinHandle<Result<(), ConsensusError>>>,
    stop: oneshot::Sender<()>,
    status: watch::Receiver<Status>,
    network: SharedNetwork,
}

impl ConsensusHandle {
    /// Follows height, round and role.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Peers connected at this moment; empty while the engine stops.
    pub async fn peers(&self) -> Vec<PeerState> {
        self.peer_reader().peers().await
    }

    /// A reader of the connected peers that outlives a borrow of the handle.
    pub fn peer_reader(&self) -> PeerReader {
        PeerReader(self.network.clone())
    }

    /// Resolves when consensus has ended by itself, which it does only on an
    /// error: the node must stop then. May be dropped and called again. The
    /// reason is given once; after it this is `Ok`.
    pub async fn ended(&mut self) -> Result<(), ConsensusError> {
        let Some(task) = &mut self.task else { return Ok(()) };
        let outcome = task.await;
        self.task = None;
        joined(outcome)
    }

    /// Stops gently: a commit under way is finished, files and port are closed.
    /// May be called at any time; an error that [`ended`](Self::ended) has given
    /// is not given again.
    pub async fn stop(mut self) -> Result<(), ConsensusError> {
        let Some(task) = self.task.take() else { return Ok(()) };
        // Fails if it has ended already; then the task has the reason.
        let _ = self.stop.send(());
        joined(task.await)
    }
}

/// Reads the connected peers.
#[derive(Clone)]
pub struct PeerReader(SharedNetwork);

impl PeerReader {
    /// Peers connected at this moment.
    pub async fn peers(&self) -> Vec<PeerState> {
        match self.0.get() {
            Some(network) => connected(&network).await,
            None => Vec::new(),
        }
    }
}

fn joined(
    result: Result<Result<(), ConsensusError>, tokio::task::JoinError>,
) -> Result<(), ConsensusError> {
    result.unwrap_or_else(|error| Err(ConsensusError::Stopped(error.to_string())))
}

async fn connected(network: &Network) -> Vec<PeerState> {
    let answer = network.actor().call(NetworkMsg::DumpState, None).await;
    let Ok(ractor::rpc::CallResult::Success(Some(dump))) = answer else {
        return Vec::new();
    };
    dump.peers
        .into_iter()
        .map(|(peer, info)| PeerState {
            peer,
            name: info.moniker,
            address: info.address.to_string(),
        })
        .collect()
}

/// Starts consensus. Returns when the engine's actors run; the first height
/// begins soon after, see [`ConsensusHandle::status`].
///
/// A validator whose [signing memory](crate::SigningMemoryError) says that it may
/// have signed at heights which the chain here has not reached yet follows
/// without a vote up to there, and votes from then on.
pub async fn spawn(
    config: ConsensusConfig,
    identity: NodeIdentity,
    app: Arc<dyn Application>,
) -> Result<ConsensusHandle, ConsensusError> {
    let problems = config.problems();
    if !problems.is_empty() {
        return Err(ConsensusError::Config(problems));
    }
    let (member, status) = Member::new(config, identity, app);
    let network = member.network();
    let first = member.start().await?;
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(member.run(first, stopped));
    Ok(ConsensusHandle { task: Some(task), stop, status, network })
}
