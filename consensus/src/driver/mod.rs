//! The driver: answers the engine's questions with the application's answers.
//!
//! One task owns all state and never blocks: what takes long goes to the lane or
//! to a task of its own and comes back as a message, together with the port on
//! which the engine waits. So consensus goes on counting votes and timeouts while
//! a block is executed.
//!
//! What to do is decided by two pure parts: [`progress`] says where the node
//! stands between two heights, [`proposals`] which blocks are collected and in
//! which order they are checked. The other files connect them to the engine, the
//! network and the lane.

mod blocks;
mod compact;
mod current;
mod fit;
mod heights;
mod late;
mod lines;
mod missing;
mod pace;
mod peers;
mod progress;
mod proposals;
mod repeat;
mod reports;
mod run;
mod sync;
mod timing;
mod work;

#[cfg(test)]
mod simulation;

use std::sync::Arc;

use malachitebft_app_channel::app::engine::host::{HostMsg, Next};
use malachitebft_app_channel::app::engine::util::events::Event;
use malachitebft_app_channel::app::types::ProposedValue;
use ractor::RpcReplyPort;

use crate::application::Application;
use crate::config::ConsensusConfig;
use crate::error::ConsensusError;
use crate::host::Question;
use crate::lane::{Asker, Done, Job};
use crate::memory::Remembered;
use crate::parts::Assembler;
use crate::signing::Sm2Verifier;
use crate::types::{Address, BillContext};
use crate::undecided::UndecidedStore;
use compact::Expansions;
use current::Current;
use fit::Fit;
use late::Late;
use lines::Whose;
use missing::Fetching;
use pace::Beat;
use peers::Peers;
use proposals::Proposals;
use repeat::Repeating;
use reports::Reports;
pub(crate) use run::{Parts, run};
use sync::Serving;
use timing::Timing;
use work::Work;

/// See the module's documentation.
pub(crate) struct Driver {
    config: ConsensusConfig,
    app: Arc<dyn Application>,
    verifier: Sm2Verifier,
    own_address: Address,
    remembered: Option<Remembered>,
    reports: Reports,
    peers: Peers,

    current: Current,
    ports: Ports,
    beat: Beat,
    timing: Timing,
    fit: Fit,

    proposals: Proposals<RpcReplyPort<ProposedValue<BillContext>>>,
    assembler: Assembler,
    expansions: Expansions,
    store: UndecidedStore,
    repeating: Repeating,
    fetching: Fetching,
    late: Late,
    work: Work,
    serving: Serving,
}

/// Where the engine waits.
#[derive(Default)]
struct Ports {
    /// For the block to be committed.
    acknowledge: Option<RpcReplyPort<()>>,
    /// For the next height.
    next: Option<RpcReplyPort<Next<BillContext>>>,
}

impl Driver {
    /// A question about the nil round is no question: the engine is not what this
    /// driver was written for, and an answer for another round could be signed.
    fn on_question(&mut self, question: Question) -> Result<(), ConsensusError> {
        match question {
            HostMsg::ConsensusReady { reply_to } => self.on_ready(reply_to),
            HostMsg::StartedRound { height, round, role, reply_to, .. } => {
                self.on_started_round(height, round.try_into()?, role, reply_to);
            }
            HostMsg::GetValue { height, round, reply_to, .. } => {
                self.on_get_value(height, round.try_into()?, reply_to);
            }
            HostMsg::RestreamValue { value_id, .. } => self.on_restream(&value_id),
            HostMsg::ReceivedProposalPart { from, published_by, part, reply_to } => {
                self.on_part(published_by.unwrap_or(from), part, reply_to);
            }
            HostMsg::Decided { certificate, reply_to, .. } => {
                self.on_decided(&certificate, reply_to)?;
            }
            HostMsg::Finalized { evidence, reply_to, .. } => {
                self.on_evidence(&evidence);
                self.on_finalized(reply_to);
            }
            HostMsg::GetHistoryMinHeight { reply_to } => self.on_get_earliest(reply_to),
            HostMsg::GetDecidedValues { range, reply_to } => {
                self.on_get_decided(*range.start(), *range.end(), reply_to);
            }
            HostMsg::ProcessSyncedValue { height, round, proposer, value_bytes, reply_to } => {
                self.on_synced_value(height, round, proposer, value_bytes, reply_to);
            }
            // No height requires vote extensions, so the engine asks neither.
            HostMsg::ExtendVote { reply_to, .. } => answer(reply_to, None),
            HostMsg::VerifyVoteExtensions { reply_to, .. } => answer(reply_to, Vec::new()),
        }
        Ok(())
    }

    async fn on_done(&mut self, done: Done) -> Result<(), ConsensusError> {
        self.work.done();
        match done {
            Done::Proposed { proposal, reply } => self.on_proposed(proposal, reply),
            Done::Checked { height, checked, asker } => self.on_checked(height, checked, asker),
            Done::Committed(setup) => self.on_committed(setup).await,
            Done::Failed(error) => return Err(error),
        }
        Ok(())
    }

    fn on_event(&mut self, event: Event<BillContext>) {
        if let Event::Received(message) = event {
            self.on_message_seen(&message);
        }
    }

    /// Gives the lane what is most urgent, if it has nothing to do.
    fn feed(&mut self) {
        let view = self.current.view();
        let proposals = &mut self.proposals;
        self.work.feed(|| {
            let (proposed, mode) = proposals.next_check(&view)?;
            let (height, bytes) = (proposed.announced.height, proposed.bytes.clone());
            Some(Job::Check { height, bytes, mode, asker: Asker::Proposal(Box::new(proposed)) })
        });
    }
}

/// Answers a question. An engine that no longer waits is not an error: the
/// question was overtaken or the engine is stopping.
fn answer<T>(port: RpcReplyPort<T>, value: T) {
    let _ = port.send(value);
}
