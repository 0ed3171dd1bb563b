//! Seams between the contracts: a pallet asks for a role, the runtime says
//! which pallet plays it.

mod access_nodes;
mod allotments;
mod cold;
mod consensus_keys;
mod contention;
mod electorate;
mod grants;
mod ledger;
mod outbox;
mod participants;
mod policies;
mod scenes;
mod totals;
mod transitions;

pub use access_nodes::{AccessNodes, AccessProblem};
pub use allotments::{AllotmentProblem, Allotments};
pub use cold::ColdReads;
pub use consensus_keys::ConsensusKeys;
pub use contention::{BillLocks, Contention};
pub use electorate::Electorate;
pub use grants::{GrantProblem, GrantUse, Grants};
pub use ledger::{BillLedger, BillsInForce, SummaryProblem};
pub use outbox::{ExtraWork, Outbox};
pub use participants::{
    ActiveParticipant, Administrators, ParticipantProblem, ParticipantStatus, Participants,
};
pub use policies::{Policies, PolicyId, PolicyProblem, PolicyRefusal};
pub use scenes::{
    AccessNodePolicy, ReimbursementMode, SceneProblem, SceneTerms, Scenes, VoidPolicy,
};
pub use totals::{Census, Totals};
pub use transitions::{TransitionProblem, TransitionRules};
