//! What takes time, each a task of its own. What panics in a connector ends here.

use crate::{
    connector::{Connector, Failure, Notice, Tended, Told},
    node::{Node, NodeProblem},
};
use billchain_rpc_types::ConnectorView;
use futures::FutureExt;
use pallet_outbox::{Answer, Outcome};
use std::{
    collections::BTreeSet,
    future::Future,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

/// What is to be done.
pub(super) enum Job {
    Look { node: Arc<Node>, began: Instant },
    Page { node: Arc<Node>, after: Option<u64> },
    Claim { node: Arc<Node> },
    Report { node: Arc<Node>, outcomes: Vec<Outcome> },
    Deliver { connector: Arc<dyn Connector>, notices: Vec<Notice>, within: Duration },
    Probe { connector: Arc<dyn Connector> },
    Tend { connector: Arc<dyn Connector>, within: Duration },
}

/// What came of it.
pub(super) enum Done {
    Looked {
        view: Result<Box<ConnectorView>, NodeProblem>,
        head: u32,
        began: Instant,
    },
    Page {
        notices: Result<Vec<Notice>, NodeProblem>,
    },
    Claimed {
        result: Result<(), NodeProblem>,
    },
    Reported {
        outcomes: Vec<Outcome>,
        /// Those of the refused ones that are dead letters now.
        dead: BTreeSet<u64>,
        result: Result<(), NodeProblem>,
    },
    Delivered {
        id: u64,
        notices: Vec<Notice>,
        outcomes: Vec<Result<Told, Failure>>,
    },
    Probed {
        id: u64,
        result: Result<(), Failure>,
    },
    Tended {
        id: u64,
        result: Result<Tended, Failure>,
    },
}

/// How long a probe may take.
const PROBE: Duration = Duration::from_secs(10);

impl Job {
    /// Does it.
    pub(super) async fn run(self, id: u64) -> Done {
        match self {
            Self::Look { node, began } => {
                let view = node.status().await.map(Box::new);
                let head = match &view {
                    Ok(_) => node.head().await.unwrap_or_default(),
                    Err(_) => 0,
                };
                Done::Looked { view, head, began }
            }
            Self::Page { node, after } => Done::Page { notices: node.page(after).await },
            Self::Claim { node } => Done::Claimed { result: node.claim().await },
            Self::Report { node, outcomes } => {
                let result = node.report(outcomes.clone()).await;
                let dead = dead_of(&node, &outcomes).await;
                Done::Reported { outcomes, dead, result }
            }
            Self::Deliver { connector, notices, within } => {
                let outcomes = deliver(&*connector, &notices, within).await;
                Done::Delivered { id, notices, outcomes }
            }
            Self::Probe { connector } => {
                let result = guarded(PROBE, connector.probe()).await;
                Done::Probed { id, result: result.flatten() }
            }
            Self::Tend { connector, within } => {
                let now = crate::tools::Clock::now(&crate::tools::SystemClock);
                let result = guarded(within, connector.tend(now)).await;
                Done::Tended { id, result: result.flatten() }
            }
        }
    }
}

/// Waits for a connector within a time; a panic is a failure in words.
async fn guarded<T>(within: Duration, work: impl Future<Output = T>) -> Result<T, Failure> {
    match tokio::time::timeout(within, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(_)) => {
            let what = "the connector panicked".to_owned();
            Err(Failure::Refused { what, answer: Vec::new() })
        }
        Err(_) => Err(Failure::passing(format!("nothing came of it within {within:?}"))),
    }
}

async fn deliver(
    connector: &dyn Connector,
    notices: &[Notice],
    within: Duration,
) -> Vec<Result<Told, Failure>> {
    let failure = match guarded(within, connector.deliver(notices)).await {
        Ok(outcomes) if outcomes.len() == notices.len() => return outcomes,
        Ok(outcomes) => {
            let (found, expected) = (outcomes.len(), notices.len());
            Failure::passing(format!("the connector gave {found} outcomes of {expected}"))
        }
        Err(failure) => failure,
    };
    notices.iter().map(|_| Err(failure.clone())).collect()
}

/// Which of the refused entries of a report are dead letters.
async fn dead_of(node: &Node, outcomes: &[Outcome]) -> BTreeSet<u64> {
    let refused = outcomes.iter().filter(|it| matches!(it.answer, Answer::Refused { .. }));
    let mut dead = BTreeSet::new();
    for Outcome { seq, .. } in refused {
        // One that cannot be asked comes again, and is passed over if it is dead.
        if let Ok(Some(entry)) = node.entry(*seq).await
            && entry.status != "waiting"
        {
            dead.insert(*seq);
        }
    }
    dead
}
