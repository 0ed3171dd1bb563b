//! Value sync: blocks for peers that catch up, and catching up itself.

use std::sync::Arc;

use bytes::Bytes;
use malachitebft_app_channel::app::engine::host::SyncedValueOutcome;
use malachitebft_app_channel::app::types::ProposedValue;
use malachitebft_app_channel::app::types::core::{Round as EngineRound, Validity};
use malachitebft_sync::RawDecidedValue;
use ractor::RpcReplyPort;
use tokio::sync::{Semaphore, mpsc};
use tracing::{debug, warn};

use super::{Driver, Whose, answer};
use crate::application::{AppError, Application, CheckMode};
use crate::codec::MAX_SYNC_VALUES;
use crate::error::ConsensusError;
use crate::lane::{Asker, Checked, Job};
use crate::types::{Address, BillContext, BlockValue, Height, Round};

/// Reads for peers that catch up, at once. How many each of them may ask for the
/// engine limits.
const READS: usize = 2;

/// Reads decided blocks for peers, beside everything else.
pub(super) struct Serving {
    reads: Arc<Semaphore>,
    /// Told of a read that failed.
    failed: mpsc::UnboundedSender<ConsensusError>,
}

impl Serving {
    /// Reads that fail are reported to `failed`.
    pub(super) fn new(failed: mpsc::UnboundedSender<ConsensusError>) -> Self {
        Self { reads: Arc::new(Semaphore::new(READS)), failed }
    }
}

impl Driver {
    /// A decided block from a peer. Its certificate has been verified.
    pub(super) fn on_synced_value(
        &mut self,
        height: Height,
        round: EngineRound,
        proposer: Address,
        bytes: Bytes,
        reply: RpcReplyPort<SyncedValueOutcome<BillContext>>,
    ) {
        if height != self.current.height() {
            answer(reply, SyncedValueOutcome::LocalTransientError);
            return;
        }
        if bytes.is_empty() || bytes.len() > self.config.max_block_bytes {
            if let Some(omitted) = self.reports.may_log(Whose::Anybody) {
                let bytes = bytes.len();
                warn!(%height, bytes, omitted, "a peer sent a decided block of impossible size");
            }
            answer(reply, SyncedValueOutcome::PeerFault);
            return;
        }
        let Ok(round) = Round::try_from(round) else {
            // Nothing is decided in the nil round, whatever the certificate says.
            answer(reply, SyncedValueOutcome::PeerFault);
            return;
        };
        self.current.progress.synced(height);
        let asker = Asker::Sync { round, proposer, reply };
        self.work.check_decided(Job::Check { height, bytes, mode: CheckMode::Voted, asker });
    }

    /// The check of a decided block is finished. The engine compares its hash
    /// with the certificate's.
    pub(super) fn on_sync_checked(
        &mut self,
        height: Height,
        round: Round,
        proposer: Address,
        checked: Checked,
        reply: RpcReplyPort<SyncedValueOutcome<BillContext>>,
    ) {
        let outcome = match checked {
            Checked::Valid(block) => {
                let hash = block.hash;
                self.keep(block);
                SyncedValueOutcome::Verdict(ProposedValue {
                    height,
                    round: round.into(),
                    valid_round: EngineRound::Nil,
                    proposer,
                    value: BlockValue(hash),
                    validity: Validity::Valid,
                })
            }
            // Either the peer's bytes are not the decided block, or this node
            // runs another version than those who decided. Other peers show
            // which: if all of them are wrong, it is this node.
            Checked::Invalid(reason) | Checked::Untimely(reason) => {
                if let Some(omitted) = self.reports.may_log(Whose::Anybody) {
                    warn!(%height, reason, omitted, "a decided block from a peer is invalid here");
                }
                SyncedValueOutcome::PeerFault
            }
            Checked::Skipped(reason) => {
                debug!(%height, reason, "a decided block was not checked");
                SyncedValueOutcome::LocalTransientError
            }
        };
        answer(reply, outcome);
    }

    /// The lowest height this node can serve.
    pub(super) fn on_get_earliest(&self, reply: RpcReplyPort<Height>) {
        answer(reply, self.app.earliest());
    }

    /// A peer wants blocks: read them beside everything else.
    pub(super) fn on_get_decided(
        &self,
        first: Height,
        last: Height,
        reply: RpcReplyPort<Vec<RawDecidedValue<BillContext>>>,
    ) {
        let (app, reads) = (self.app.clone(), self.serving.reads.clone());
        let failed = self.serving.failed.clone();
        // The engine cuts what exceeds the response; reading more is waste.
        let budget = 2 * self.config.max_block_bytes;
        tokio::spawn(async move {
            let Ok(_permit) = reads.acquire_owned().await else { return };
            let read =
                tokio::task::spawn_blocking(move || read_decided(&*app, first, last, budget));
            match read.await {
                Ok(Ok(values)) => answer(reply, values),
                Ok(Err((height, AppError::Skip(reason)))) => {
                    debug!(%height, reason, "cannot serve blocks now");
                }
                Ok(Err((height, source))) => {
                    let action = "read a decided block";
                    let height = height.get();
                    let _ = failed.send(ConsensusError::Application { action, height, source });
                }
                Err(_) => {
                    let _ = failed.send(ConsensusError::Panicked);
                }
            }
        });
    }
}

/// Consecutive blocks from `first`, until one is missing or the budget is spent.
fn read_decided(
    app: &dyn Application,
    first: Height,
    last: Height,
    mut budget: usize,
) -> Result<Vec<RawDecidedValue<BillContext>>, (Height, AppError)> {
    let mut values = Vec::new();
    for height in (first.get()..=last.get()).map(Height::new).take(MAX_SYNC_VALUES) {
        let Some(block) = app.decided(height).map_err(|error| (height, error))? else {
            break;
        };
        if !values.is_empty() && block.bytes.len() > budget {
            break;
        }
        budget = budget.saturating_sub(block.bytes.len());
        values.push(RawDecidedValue::new(block.bytes, block.certificate.to_engine()));
    }
    Ok(values)
}
