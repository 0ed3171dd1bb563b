//! Where consensus stands, for a person who asks.
//!
//! The engine is asked what votes it holds, which it has verified. That takes a moment
//! of its time: how often it may be asked is the caller's to bound.

use std::time::Duration;

use malachitebft_app_channel::app::engine::consensus::state_dump::StateDump;
use malachitebft_app_channel::app::engine::consensus::state_dump::types::Step as EngineStep;
use malachitebft_app_channel::app::types::core::{NilOrVal, VoteType};
use tokio::sync::watch;

use crate::contacts::Contact;
use crate::network::SharedNetwork;
use crate::sightings::Sighting;
use crate::status::Status;
use crate::types::{Address, BillContext, BlockHash, Height, Round};

/// How long the engine may take to say what it holds.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where consensus stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Height, round and phase.
    pub status: Status,
    /// The votes of the round at hand; `None` if the engine did not answer in time.
    pub tally: Option<Tally>,
    /// When each validator was seen to vote.
    pub sightings: Vec<Sighting>,
    /// What was heard of each peer.
    pub contacts: Vec<Contact>,
}

/// The votes of a round that the engine has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The engine's height.
    pub height: Height,
    /// Its round.
    pub round: Round,
    /// The step of the round.
    pub step: Step,
    /// Whose turn it is to propose.
    pub proposer: Option<Address>,
    /// First votes: who, and for which block; `None` is nil.
    pub prevotes: Vec<(Address, Option<BlockHash>)>,
    /// Second votes, likewise.
    pub precommits: Vec<(Address, Option<BlockHash>)>,
}

/// The step of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The round has not begun.
    New,
    /// A proposal is waited for.
    Propose,
    /// First votes are waited for.
    Prevote,
    /// Second votes are waited for.
    Precommit,
    /// It is decided.
    Decided,
}

impl Tally {
    /// What the engine says of its round; `None` of no round.
    fn of(state: &StateDump<BillContext>) -> Option<Self> {
        let consensus = &state.consensus;
        let round = Round::try_from(consensus.round).ok()?;
        let held = state.vote_keeper.votes.get(&consensus.round);
        let votes = |kind: VoteType| -> Vec<(Address, Option<BlockHash>)> {
            let all = held.into_iter().flat_map(|round| round.received_votes());
            let value = |value: &NilOrVal<BlockHash>| match value {
                NilOrVal::Nil => None,
                NilOrVal::Val(hash) => Some(*hash),
            };
            all.filter(|vote| vote.message.kind == kind)
                .map(|vote| (vote.message.voter, value(&vote.message.value)))
                .collect()
        };
        let step = match consensus.step {
            EngineStep::Unstarted => Step::New,
            EngineStep::Propose => Step::Propose,
            EngineStep::Prevote => Step::Prevote,
            EngineStep::Precommit => Step::Precommit,
            EngineStep::Commit => Step::Decided,
        };
        Some(Self {
            height: consensus.height,
            round,
            step,
            proposer: state.proposer,
            prevotes: votes(VoteType::Prevote),
            precommits: votes(VoteType::Precommit),
        })
    }
}

/// Makes reports. Cheap to clone.
#[derive(Clone)]
pub struct ReportReader {
    status: watch::Receiver<Status>,
    network: SharedNetwork,
}

impl std::fmt::Debug for ReportReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReportReader").field("status", &self.status).finish_non_exhaustive()
    }
}

impl ReportReader {
    pub(crate) fn new(status: watch::Receiver<Status>, network: SharedNetwork) -> Self {
        Self { status, network }
    }

    /// Height, round and phase at this moment, without asking anybody.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Where consensus stands. Takes 2 s at most, also while the engine stops.
    pub async fn report(&self) -> Report {
        let network = self.network.get();
        let state = async {
            match &network {
                Some(network) => network.engine_state().await,
                None => None,
            }
        };
        let state = tokio::time::timeout(PATIENCE, state).await.ok().flatten();
        let (sightings, contacts) = network.as_ref().map(|one| one.seen()).unwrap_or_default();
        let tally = state.as_ref().and_then(Tally::of);
        Report { status: self.status(), tally, sightings, contacts }
    }
}
