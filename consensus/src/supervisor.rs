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
/// kept, and nothing that happens after it was told to stop.
#[derive(Clone, Default)]
pub(crate) struct FirstCause(Arc<Mutex<Cause>>);

#[derive(Default)]
struct Cause {
    first: Option<ConsensusError>,
    is_stopping: bool,
}

impl FirstCause {
    /// Takes note of a reason, if it is the first.
    pub(crate) fn set(&self, cause: ConsensusError) {
        let mut known = self.0.lock();
        if known.is_stopping {
            debug!(%cause, "an actor found another one stopped");
        } else if known.first.is_none() {
            error!(%cause, "consensus cannot go on");
            known.first = Some(cause);
        }
    }

    /// Consensus was told to stop: an actor that fails from now on has lost one that ended
    /// before it.
    pub(crate) fn stopping(&self) {
        self.0.lock().is_stopping = true;
    }

    /// The first reason, if there is one.
    pub(crate) fn take(&self) -> Option<ConsensusError> {
        self.0.lock().first.take()
    }

    /// Whether there is one.
    pub(crate) fn is_set(&self) -> bool {
        self.0.lock().first.is_some()
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

#[cfg(test)]
mod tests {
    use super::*;
    use malachitebft_app_channel::app::engine::util::events::TxEvent;
    use std::time::Duration;

    /// Ends as an actor does that sends to one that is gone.
    struct Losing;

    #[ractor::async_trait]
    impl Actor for Losing {
        type Msg = ();
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }

        async fn handle(
            &self,
            _: ActorRef<()>,
            (): (),
            (): &mut (),
        ) -> Result<(), ActorProcessingErr> {
            Err("channel closed".into())
        }
    }

    /// What is kept when an actor fails, before or after consensus was told to stop.
    async fn kept(is_stopping: bool) -> Option<ConsensusError> {
        let (cause, events) = (FirstCause::default(), TxEvent::new());
        let wal = PathBuf::from("wal");
        let receiver = events.subscribe();
        let supervisor = Supervisor::new(cause.clone(), wal, Metrics::new(), receiver);
        let (node, ended) = supervisor.spawn().await.unwrap();
        let (child, _) = Actor::spawn_linked(None, Losing, (), node.get_cell()).await.unwrap();
        if is_stopping {
            cause.stopping();
        }
        child.send_message(()).unwrap();
        tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap().unwrap();
        cause.take()
    }

    #[tokio::test]
    async fn an_actor_that_fails_is_a_cause_unless_consensus_was_told_to_stop() {
        let found = kept(false).await;
        assert!(
            matches!(&found, Some(ConsensusError::Stopped(why)) if why == "channel closed"),
            "{found:?}"
        );
        assert!(kept(true).await.is_none());
    }

    #[test]
    fn the_first_cause_is_kept_through_a_stop() {
        let cause = FirstCause::default();
        cause.set(ConsensusError::Stopped("first".into()));
        cause.stopping();
        cause.set(ConsensusError::Stopped("second".into()));
        assert!(matches!(cause.take(), Some(ConsensusError::Stopped(why)) if why == "first"));
    }
}
