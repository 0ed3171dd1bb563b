//! What the chain knows of a scene, of a change that awaits approval, and of
//! the approvals there were.

use billchain_primitives::{
    Did, Hash, Keyword, Name, Reason, SceneId, Stamp, seams::SceneTerms, sm3,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame::prelude::{BoundedVec, ConstU32};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Most kinds of related data of a scene.
pub const MAX_RELATED_DATA: u32 = 16;

/// 关联数据类型: what belongs to a bill's claim in the scene beside the bill,
/// such as 诊疗记录, 病历, 住院出院小结; each once. The data stay off the chain.
pub type RelatedData = BoundedVec<Keyword, ConstU32<MAX_RELATED_DATA>>;

/// Whether a scene can be used.
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
pub enum SceneStatus {
    /// 启用.
    Active,
    /// 停用: no new bills and locks.
    Disabled,
}

/// A scene as the chain holds it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Scene {
    /// Name to show.
    pub name: Name,
    /// Whether it can be used.
    pub status: SceneStatus,
    /// Its rules.
    pub rules: SceneTerms,
    /// Kinds of data that belong to its claims.
    pub related_data: RelatedData,
    /// 1 when it began, one more with every change that took effect.
    pub version: u32,
    /// When the last change took effect.
    pub updated: Stamp,
}

/// Number of a proposal, from 1.
pub type ProposalId = u32;

/// What a proposal does to a scene.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum SceneChange {
    /// The scene begins, active.
    #[codec(index = 0)]
    Register {
        /// Its name.
        name: Name,
        /// Its rules.
        rules: SceneTerms,
        /// Its kinds of related data.
        related_data: RelatedData,
    },
    /// It gets other rules and kinds of related data.
    #[codec(index = 1)]
    Configure {
        /// Its rules.
        rules: SceneTerms,
        /// Its kinds of related data.
        related_data: RelatedData,
    },
    /// It gets another weight in contention.
    #[codec(index = 2)]
    Weight(u16),
    /// It gets another status.
    #[codec(index = 3)]
    Status(SceneStatus),
}

/// A change that awaits the approval of a second administrator.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Proposal {
    /// Its number.
    pub id: ProposalId,
    /// What it does.
    pub change: SceneChange,
    /// 提案者.
    pub proposer: Did,
    /// When it was proposed, and in which transaction.
    pub proposed: Stamp,
    /// Why.
    pub reason: Reason,
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
    /// 通过: the change took effect.
    Approved,
    /// 驳回: it did not.
    Rejected,
}

/// How a proposal ended.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Outcome {
    /// A second administrator decided.
    #[codec(index = 0)]
    Decided {
        /// How.
        decision: Decision,
        /// 审批方.
        approver: Did,
        /// What the approver says of it.
        comment: Reason,
    },
    /// The proposer took it back.
    #[codec(index = 1)]
    Withdrawn {
        /// Why.
        reason: Reason,
    },
}

/// One entry of a scene's approval trail, kept in each node's index under
/// [`trail_key`] and bound into the state by [`Trail::hash`].
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct TrailRecord {
    /// The proposal.
    pub proposal: Proposal,
    /// How it ended.
    pub outcome: Outcome,
    /// When it ended, and in which transaction.
    pub ended: Stamp,
}

/// Where the approval trail of a scene stands.
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
pub struct Trail {
    /// Number of its records.
    pub records: u32,
    /// `SM3(hash before ‖ encoded TrailRecord)`; the first record follows 32
    /// zero bytes.
    pub hash: Hash,
}

impl Trail {
    /// The trail with one more record.
    pub fn with(self, encoded: &[u8]) -> Self {
        let chained = [self.hash.as_bytes(), encoded].concat();
        Self { records: self.records.saturating_add(1), hash: sm3(&chained).into() }
    }
}

/// Prefix of the approval trails in the node-local index.
pub const TRAILS: &[u8] = b"sa/";

/// Where a record of a scene's trail lies, numbered from 1: those of a scene
/// sort together, ascending.
pub fn trail_key(scene: SceneId, number: u32) -> Vec<u8> {
    let mut key = trail_prefix(scene);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// What the keys of all records of a scene's trail begin with.
pub fn trail_prefix(scene: SceneId) -> Vec<u8> {
    [TRAILS, &scene.0.to_be_bytes()].concat()
}
