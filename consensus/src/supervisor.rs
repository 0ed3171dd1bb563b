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
use malachitebft_app_channel::app::engine::util::events::Event;
use malachitebft_app_channel::app::events::RxEvent;
use malachitebft_app_channel::app::metrics::Metrics;
use parking_lot::Mutex;
use ractor::{Actor, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::sync::broadcast::error::TryRecvError;
use tokio::task::JoinHandle;
use tracing::{debug, error};

use crate::error::ConsensusError;
use crate::types::BillContext;

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
    /// The engine's events: a failure of the log says there what the system said,
    /// and only there.
    events: Mutex<RxEvent<BillContext>>,
}

/// Whether the actors are ending because they were told to.
pub(crate) struct Ending(bool);

impl Supervisor {
    pub(crate) fn new(
        cause: FirstCause,
        wal: PathBuf,
        metrics: Metrics,
        events: RxEvent<BillContext>,
    ) -> Self {
        Self { cause, wal, metrics, events: Mutex::new(events) }
    }

    pub(crate) async fn spawn(self) -> Result<(NodeRef, JoinHandle<()>), SpawnErr> {
        Actor::spawn(None, self, ()).await
    }

    /// Why the engine failed with `reason`: the log, if one of its last events
    /// says so.
    fn explain(&self, reason: &str) -> ConsensusError {
        let mut events = self.events.lock();
        loop {
            match events.try_recv() {
                Ok(Event::WalResetError(error)) => return self.log_failed(format!("{error:#}")),
                Ok(Event::WalCorrupted(error)) => return self.log_failed(error.to_string()),
                Ok(_) | Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => {
                    return ConsensusError::Stopped(reason.to_owned());
                }
            }
        }
    }

    fn log_failed(&self, reason: String) -> ConsensusError {
        ConsensusError::Log { log: self.wal.clone(), reason }
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
        self.cause.set(self.log_failed(reason.clone()));
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
            self.cause.set(self.explain(&reason));
        }
        myself.stop(Some(reason));
        Ok(())
    }
}
