//! What the chain knows of a participant, and the records of its history.

use billchain_primitives::{
    AccountId, Did, Hash, Name, PublicKey, Reason, RoleSet, Stamp, seams::ParticipantStatus,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Sort of participant (类型).
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
pub enum ParticipantKind {
    /// 机构: a hospital, an insurer, a bureau.
    Organisation,
    /// 个人. Its name is a pseudonym: no personal data goes on the chain.
    Person,
}

/// A participant as the chain holds it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Participant {
    /// Name to show.
    pub name: Name,
    /// Organisation or person.
    pub kind: ParticipantKind,
    /// Key it acts with now.
    pub public_key: PublicKey,
    /// Account of that key.
    pub account: AccountId,
    /// What it may do.
    pub roles: RoleSet,
    /// Active, frozen, or cancelled for good.
    pub status: ParticipantStatus,
    /// SM3 of its 统一社会信用代码, for organisations that have one.
    pub uscc_hash: Option<Hash>,
    /// How often its key was rotated.
    pub rotations: u32,
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

/// What a registration says of a participant.
#[derive(
    Clone,
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registration {
    /// Identifier; it stays when keys change.
    pub did: Did,
    /// Name to show.
    pub name: Name,
    /// Organisation or person.
    pub kind: ParticipantKind,
    /// Key it will act with.
    pub public_key: PublicKey,
    /// What it may do.
    pub roles: RoleSet,
    /// SM3 of its 统一社会信用代码; not for persons.
    #[serde(default)]
    pub uscc_hash: Option<Hash>,
}

/// One change in the life of a participant.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Change {
    /// It was registered with this content.
    #[codec(index = 0)]
    Registered(Registration),
    /// Its status changed.
    #[codec(index = 1)]
    Status {
        /// The status before.
        from: ParticipantStatus,
        /// The status after.
        to: ParticipantStatus,
        /// Why.
        reason: Reason,
    },
    /// Its key changed; the DID did not.
    #[codec(index = 2)]
    Key {
        /// The key before, never usable again.
        from: PublicKey,
        /// The key after.
        to: PublicKey,
    },
    /// Its name or its USCC hash changed.
    #[codec(index = 3)]
    Info {
        /// The name after.
        name: Name,
        /// The USCC hash after.
        uscc_hash: Option<Hash>,
    },
    /// Its roles changed.
    #[codec(index = 4)]
    Roles {
        /// The roles before.
        from: RoleSet,
        /// The roles after.
        to: RoleSet,
    },
}

/// One entry of a participant's history, kept in each node's index under
/// [`history_key`] and bound into the state by [`Participant::history_hash`].
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct HistoryRecord {
    /// Version of the participant that this change made.
    pub version: u32,
    /// When, and in which transaction.
    pub stamp: Stamp,
    /// Account that made the change; absent for a motion of the council and
    /// for the genesis.
    pub operator: Option<AccountId>,
    /// What changed.
    pub change: Change,
}

/// Prefix of the history records in the node-local index.
pub const HISTORY: &[u8] = b"p/";

/// Where the record of one version of `did` lies: versions sort together,
/// ascending. Records of the genesis are not in the index: the chain spec
/// holds them.
pub fn history_key(did: &Did, version: u32) -> Vec<u8> {
    let mut key = history_prefix(did);
    key.extend_from_slice(&version.to_be_bytes());
    key
}

/// What the keys of all records of `did` begin with.
pub fn history_prefix(did: &Did) -> Vec<u8> {
    // The encoding begins with the length, so no DID is a prefix of another.
    let mut key = HISTORY.to_vec();
    did.encode_to(&mut key);
    key
}
