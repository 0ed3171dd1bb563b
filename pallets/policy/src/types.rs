//! What the chain knows of a policy, its approval flow and the compiled list
//! that bills are judged by.

use billchain_primitives::{
    Did, Keyword, Moment, Name, Reason, SceneId, Stamp,
    condition::{Conditions, Guarded},
    seams::PolicyId,
    sm3,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame::prelude::{BoundedVec, ConstU32};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Longest document, in bytes.
pub const MAX_BODY: u32 = 16_384;
/// Most keywords of a policy.
pub const MAX_KEYWORDS: u32 = 8;
/// Most scenes of a policy.
pub const MAX_SCENES: u32 = 32;
/// Most operations of a policy: as many as there are.
pub const MAX_OPERATIONS: u32 = 4;
/// Most policies that one refers to.
pub const MAX_REFERENCES: u32 = 8;
/// Most steps of one version's flow.
pub const MAX_STEPS: u32 = 32;
/// Steps of the flow that only finalisation and changes of status may take:
/// finalised, effective, revoked.
pub const RESERVED_STEPS: u32 = 3;

/// The bytes of a document.
pub type Body = BoundedVec<u8, ConstU32<MAX_BODY>>;

/// How a document is written; see [`crate::document`].
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JSON in UTF-8.
    Json,
    /// The protobuf message `billchain.policy.v1.Policy`.
    Protobuf,
}

/// State of one version of a policy (草稿/生效/废止).
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum PolicyStatus {
    /// 草稿: submitted; it decides nothing.
    Draft,
    /// 生效: it decides, and can be referred to.
    Effective,
    /// 废止; final.
    Revoked,
}

/// What a policy says when its conditions are evaluated.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Refuses if the conditions hold.
    Deny,
    /// Refuses unless the conditions hold.
    Require,
    /// Allows if the conditions hold, whatever policies of a lower priority
    /// say.
    Permit,
}

impl Effect {
    /// What it says, given whether the conditions hold.
    pub const fn verdict(self, holds: bool) -> Option<Verdict> {
        match (self, holds) {
            (Self::Deny, true) | (Self::Require, false) => Some(Verdict::Refuse),
            (Self::Permit, true) => Some(Verdict::Allow),
            (Self::Deny | Self::Permit, false) | (Self::Require, true) => None,
        }
    }
}

/// What a policy decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The operation may happen.
    Allow,
    /// It may not.
    Refuse,
}

/// One version of a policy as the chain holds it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Policy {
    /// Name to show.
    pub name: Name,
    /// Whether it decides.
    pub status: PolicyStatus,
    /// What it says when its conditions hold.
    pub effect: Effect,
    /// The higher is asked first.
    pub priority: u16,
    /// Scenes it is for; ascending, not empty.
    pub scenes: BoundedVec<SceneId, ConstU32<MAX_SCENES>>,
    /// Operations it is for; ascending, not empty.
    pub operations: BoundedVec<Guarded, ConstU32<MAX_OPERATIONS>>,
    /// 关键词 it is found by; ascending.
    pub keywords: BoundedVec<Keyword, ConstU32<MAX_KEYWORDS>>,
    /// Policies it refers to; ascending. All are effective when it is
    /// submitted and when it becomes effective.
    pub references: BoundedVec<PolicyId, ConstU32<MAX_REFERENCES>>,
    /// Its conditions.
    pub conditions: Conditions,
    /// How its document is written.
    pub format: Format,
    /// SM3 of its document.
    pub body_hash: [u8; 32],
    /// Who submitted it.
    pub submitter: Did,
    /// Hash of the flow up to the step that finalised it, once one did.
    pub approval_hash: Option<[u8; 32]>,
    /// When it was submitted.
    pub submitted: Stamp,
    /// When its status changed last.
    pub updated: Stamp,
}

/// Where a policy stands.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Head {
    /// Its newest version, from 1.
    pub newest: u32,
    /// The version that is effective.
    pub effective: Option<u32>,
    /// The newest version that ever was effective; 0 before the first.
    pub newest_effective: u32,
}

/// 审批结果.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// 通过.
    Approved,
    /// 驳回.
    Rejected,
}

/// One act of a flow.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Act {
    /// 提案: the version was submitted.
    Submitted {
        /// SM3 of its document, which binds the flow to the content.
        body_hash: [u8; 32],
    },
    /// 审批: an approver decided.
    Decided {
        /// How.
        decision: Decision,
        /// SM3 of the comment, which stays off the chain.
        comment_hash: [u8; 32],
    },
    /// The flow was found complete.
    Finalised,
    /// The version became effective.
    MadeEffective {
        /// Why.
        reason: Reason,
    },
    /// The version was revoked.
    Revoked {
        /// Why.
        reason: Reason,
    },
    /// The version was revoked because a later one became effective.
    Replaced {
        /// The later version.
        by: u32,
    },
}

/// One step of a flow (审批流事件).
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Step {
    /// When, and in which transaction.
    pub at: Stamp,
    /// Who; absent for a motion of the council.
    pub actor: Option<Did>,
    /// What.
    pub act: Act,
}

/// What the first step's hash is chained to.
pub const NO_STEP: [u8; 32] = [0; 32];

/// The flow of one version, from proposal to revocation (审批流).
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Flow {
    /// The steps, oldest first.
    pub steps: BoundedVec<Step, ConstU32<MAX_STEPS>>,
    /// `hash_n = SM3(hash_{n−1} ‖ SCALE(step_n))`, [`NO_STEP`] before the
    /// first; this is the last one's.
    pub hash: [u8; 32],
}

impl Default for Flow {
    fn default() -> Self {
        Self { steps: BoundedVec::default(), hash: NO_STEP }
    }
}

impl Flow {
    /// The flow's hash with one more step.
    pub fn chain(hash: &[u8; 32], step: &Step) -> [u8; 32] {
        let mut bytes = hash.to_vec();
        step.encode_to(&mut bytes);
        sm3(&bytes)
    }

    /// Every decision, oldest first, with who made it.
    pub fn decisions(&self) -> impl Iterator<Item = (&Did, Decision)> {
        self.steps.iter().filter_map(|step| match (&step.actor, &step.act) {
            (Some(did), Act::Decided { decision, .. }) => Some((did, *decision)),
            _ => None,
        })
    }
}

/// A policy as it decides.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Compiled {
    /// Its number.
    pub policy: PolicyId,
    /// The version.
    pub version: u32,
    /// The higher is asked first.
    pub priority: u16,
    /// What it says when its conditions hold.
    pub effect: Effect,
    /// Its conditions.
    pub conditions: Conditions,
}

impl Compiled {
    /// Where it stands among others: a higher priority first; within one, what
    /// may refuse before what may allow, so that a tie refuses; then by number.
    pub fn rank(&self) -> (u16, Effect, PolicyId) {
        (u16::MAX - self.priority, self.effect, self.policy)
    }
}

/// A step of a flow in the node-local index; see [`by_time_key`].
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct IndexedStep {
    /// The policy.
    pub policy: PolicyId,
    /// Its version.
    pub version: u32,
    /// Place of the step in its flow, from 0.
    pub index: u32,
    /// The flow's hash with this step.
    pub hash: [u8; 32],
    /// The step.
    pub step: Step,
}

/// Prefix of the steps by time in the node-local index.
pub const BY_TIME: &[u8] = b"f/t/";
/// Prefix of the steps by actor in the node-local index.
pub const BY_ACTOR: &[u8] = b"f/d/";

/// Where a step lies by time: steps sort by the time of their block.
pub fn by_time_key(at: Moment, policy: PolicyId, version: u32, index: u32) -> Vec<u8> {
    step_key(BY_TIME.to_vec(), at, policy, version, index)
}

/// What the keys of all steps by `actor` begin with.
pub fn by_actor_prefix(actor: &Did) -> Vec<u8> {
    // The encoding begins with the length, so no DID is a prefix of another.
    let mut key = BY_ACTOR.to_vec();
    actor.encode_to(&mut key);
    key
}

/// Where a step by `actor` lies: steps sort by the time of their block.
pub fn by_actor_key(
    actor: &Did,
    at: Moment,
    policy: PolicyId,
    version: u32,
    index: u32,
) -> Vec<u8> {
    step_key(by_actor_prefix(actor), at, policy, version, index)
}

fn step_key(mut key: Vec<u8>, at: Moment, policy: PolicyId, version: u32, index: u32) -> Vec<u8> {
    key.extend_from_slice(&at.to_be_bytes());
    key.extend_from_slice(&policy.0.to_be_bytes());
    key.extend_from_slice(&version.to_be_bytes());
    key.extend_from_slice(&index.to_be_bytes());
    key
}
