//! What the chain knows of an access node, and the records of its history.

use billchain_primitives::{AccountId, Did, Hash, Name, PublicKey, Reason, Stamp};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// State of an access node (运行状态).
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
pub enum NodeStatus {
    /// 正常: bills come through it.
    Normal,
    /// 暂停: none do for the time being.
    Paused,
    /// 禁用: its credential is withdrawn; final.
    Disabled,
}

/// An access node as the chain holds it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct AccessNode {
    /// Name of who runs it.
    pub operator_name: Name,
    /// SM3 of its identity credential (身份凭证).
    pub credential_hash: Hash,
    /// SM2 key it proves its identity with.
    pub public_key: PublicKey,
    /// Normal, paused, or disabled for good.
    pub status: NodeStatus,
    /// Number of participants it is linked to.
    pub participants: u32,
    /// 1 when registered, one more with every change.
    pub version: u32,
    /// `SM3(previous history hash ‖ encoded HistoryRecord)`; the first record
    /// follows 32 zero bytes.
    pub history_hash: Hash,
    /// When it was registered.
    pub registered: Stamp,
    /// When it was last changed.
    pub updated: Stamp,
}

/// What a registration says of an access node.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Registration {
    /// Identifier of the device (设备分布式身份标识).
    pub node: Did,
    /// Name of who runs it.
    pub operator_name: Name,
    /// SM3 of its identity credential; not zero.
    pub credential_hash: Hash,
    /// SM2 key it proves its identity with; no other node's.
    pub public_key: PublicKey,
}

/// A node as a participant's links show it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct LinkedNode {
    /// Its identifier.
    pub node: Did,
    /// Its status, the same as in its own record.
    pub status: NodeStatus,
}

/// One change in the life of an access node.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Change {
    /// It was registered with this content.
    #[codec(index = 0)]
    Registered(Registration),
    /// Its status changed.
    #[codec(index = 1)]
    Status {
        /// The status before.
        from: NodeStatus,
        /// The status after.
        to: NodeStatus,
        /// Why.
        reason: Reason,
    },
    /// It was linked to a participant.
    #[codec(index = 2)]
    Linked {
        /// The participant.
        participant: Did,
    },
    /// A link was taken away.
    #[codec(index = 3)]
    Unlinked {
        /// The participant.
        participant: Did,
        /// Why.
        reason: Reason,
    },
}

/// One entry of a node's history, kept in each node's index under
/// [`history_key`] and bound into the state by [`AccessNode::history_hash`].
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct HistoryRecord {
    /// Version of the node that this change made.
    pub version: u32,
    /// When, and in which transaction.
    pub stamp: Stamp,
    /// Account that made the change; absent for a motion of the council.
    pub operator: Option<AccountId>,
    /// What changed.
    pub change: Change,
}

/// Prefix of the history records in the node-local index.
pub const HISTORY: &[u8] = b"n/";

/// Where the record of one version of `node` lies: versions sort together,
/// ascending.
pub fn history_key(node: &Did, version: u32) -> Vec<u8> {
    let mut key = history_prefix(node);
    key.extend_from_slice(&version.to_be_bytes());
    key
}

/// What the keys of all records of `node` begin with.
pub fn history_prefix(node: &Did) -> Vec<u8> {
    // The encoding begins with the length, so no DID is a prefix of another.
    let mut key = HISTORY.to_vec();
    node.encode_to(&mut key);
    key
}
