//! Starting, watching and stopping consensus.

use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::application::Application;
use crate::config::{ConsensusConfig, NodeIdentity};
use crate::error::ConsensusError;
use crate::network::SharedNetwork;
use crate::report::ReportReader;
use crate::stage::Member;
use crate::status::{PeerReader, PeerState, Status};

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
        PeerReader::new(self.network.clone())
    }

    /// A reader of where consensus stands that outlives a borrow of the handle.
    pub fn report_reader(&self) -> ReportReader {
        ReportReader::new(self.status.clone(), self.network.clone())
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

fn joined(
    result: Result<Result<(), ConsensusError>, tokio::task::JoinError>,
) -> Result<(), ConsensusError> {
    result.unwrap_or_else(|error| Err(ConsensusError::Stopped(error.to_string())))
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
