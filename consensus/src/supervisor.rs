//! Watches the engine's actors, and keeps the reason why the first one failed.
//!
//! It stands in the place of Malachite's node actor. That one says why it stops
//! only in the log, and after a failed write of the write-ahead log it stops the
//! actors and stays, so that nobody restarts the node and signs twice. Here the
//! [signing memory](crate::memory) keeps a restart from that, so the node ends,
//! with the reason.

use std::path::PathBuf;
use std::sync::Arc;

use malachitebft_app_channel::app::engine::node::{NodeMsg, NodeRef};
use malachitebft_app_channel::app::metrics::Metrics;
use parking_lot::Mutex;
use ractor::{Actor, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::task::JoinHandle;
use tracing::{debug, error};

use crate::error::ConsensusError;

/// Why the actors end when nothing has failed.
pub(crate) const STOPPING: &str = "consensus is stopping";

/// The first reason why consensus cannot go on. What follows from it is not
/// kept.
#[derive(Clone, Default)]
pub(crate) struct FirstCause(Arc<Mutex<Option<ConsensusError>>>);

impl FirstCause {
    /// Takes note of a reason, if it is the first.
    pub(crate) fn set(&self, cause: ConsensusError) {
        let mut first = self.0.lock();
        if first.is_none() {
            error!(%cause, "consensus cannot go on");
            *first = Some(cause);
        }
    }

    /// The first reason, if there is one.
    pub(crate) fn take(&self) -> Option<ConsensusError> {
        self.0.lock().take()
    }

    /// Whether there is one.
    pub(crate) fn is_set(&self) -> bool {
        self.0.lock().is_some()
    }
}

/// The actor that all others of the engine are linked to.
pub(crate) struct Supervisor {
    cause: FirstCause,
    wal: PathBuf,
    metrics: Metrics,
}

/// Whether the actors are ending because they were told to.
pub(crate) struct Ending(bool);

impl Supervisor {
    pub(crate) async fn spawn(
        cause: FirstCause,
        wal: PathBuf,
        metrics: Metrics,
    ) -> Result<(NodeRef, JoinHandle<()>), SpawnErr> {
        Actor::spawn(None, Self { cause, wal, metrics }, ()).await
    }
}

#[ractor::async_trait]
impl Actor for Supervisor {
    type Msg = NodeMsg;
    type State = Ending;
    type Arguments = ();

    async fn pre_start(&self, _: NodeRef, (): ()) -> Result<Ending, ActorProcessingErr> {
        Ok(Ending(false))
    }

    async fn handle(
        &self,
        myself: ActorRef<NodeMsg>,
        message: NodeMsg,
        ending: &mut Ending,
    ) -> Result<(), ActorProcessingErr> {
        let NodeMsg::SafetyFailure(reason) = message;
        self.metrics.set_safety_failure();
        self.cause.set(ConsensusError::Log { log: self.wal.clone(), reason: reason.clone() });
        ending.0 = true;
        // The driver learns of it when the host's actor has ended.
        myself.get_cell().stop_children(Some(reason));
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: NodeRef,
        event: SupervisionEvent,
        ending: &mut Ending,
    ) -> Result<(), ActorProcessingErr> {
        let reason = match event {
            SupervisionEvent::ActorTerminated(_, _, reason) => reason.unwrap_or_default(),
            SupervisionEvent::ActorFailed(_, error) => error.to_string(),
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {
                return Ok(());
            }
        };
        if ending.0 {
            debug!(reason, "an actor ended");
            return Ok(());
        }
        ending.0 = true;
        if reason != STOPPING {
            self.cause.set(ConsensusError::Stopped(reason.clone()));
        }
        myself.stop(Some(reason));
        Ok(())
    }
}
