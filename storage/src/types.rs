//! What goes into the store and comes out of it.

use codec::{Decode, Encode};
use sp_core::H256;
use std::collections::BTreeMap;

/// Changes of the state by key: a new value, or `None` for a deleted key.
pub type StateDelta = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The newest committed block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Head {
    /// Its number; 0 is the genesis block.
    pub number: u32,
    /// Its hash.
    pub hash: H256,
    /// Root of the state after it.
    pub state_root: H256,
}

/// The first block and the state it stands for.
#[derive(Clone, Debug)]
pub struct Genesis {
    /// The whole state.
    pub state: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Root of `state`, as [`crate::genesis_root`] gives it.
    pub state_root: H256,
    /// Hash of the genesis block.
    pub hash: H256,
    /// The encoded genesis block.
    pub block: Vec<u8>,
    /// Digest of the document that the chain was made from, as
    /// [`crate::Storage::document`] gives it back.
    pub document: H256,
}

/// A block with everything that becomes durable together with it.
#[derive(Clone, Debug)]
pub struct BlockCommit {
    /// Its number: one above the head's.
    pub number: u32,
    /// Its hash.
    pub hash: H256,
    /// Hash of the head it stands on.
    pub parent_hash: H256,
    /// Root of the state after `delta` and `cooling`, as the block's header says.
    pub state_root: H256,
    /// The encoded block.
    pub block: Vec<u8>,
    /// The encoded commit certificate.
    pub certificate: Vec<u8>,
    /// Changes of the state.
    pub delta: StateDelta,
    /// What it orders of the cold part of the state.
    pub cooling: Cooling,
    /// What its transactions came to, by ascending [`EventGroup::first`].
    pub events: Vec<EventGroup>,
    /// Node-local index entries; `None` deletes. The last entry of a key wins.
    pub offchain: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Hashes of the block's transactions, in the order of the block.
    pub tx_hashes: Vec<H256>,
}

/// What a block orders of the cold part of the state.
///
/// Groups that have no value, are written to by the same block, cannot be in a segment, or do
/// not come in ascending order within a lap are left out; so are those after 1,024, and all while
/// there are as many runs as there may be. All nodes leave out the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cooling {
    /// Groups that become cold: what the keys of each share, ascending.
    pub groups: Vec<Vec<u8>>,
    /// Whether the lap is over with these.
    pub ends_lap: bool,
    /// Groups with which a segment ends; [`Self::MAX_SEGMENT_GROUPS`] at most, and for 0.
    pub segment_groups: u32,
    /// Most groups that are moved where two runs become one; 4,096 at most.
    pub merge_groups: u32,
}

impl Cooling {
    /// Most groups of a segment.
    pub const MAX_SEGMENT_GROUPS: u32 = 1 << 21;
}

/// Event records of consecutive transactions of one block: so many that a
/// group compresses well, so few that one of them is read quickly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventGroup {
    /// Index, in the block, of the first of these transactions. What belongs to
    /// no transaction is in the first or the last group.
    pub first: u32,
    /// The records, in the caller's encoding.
    pub records: Vec<u8>,
}

/// What the store keeps of every block beside its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct BlockIndex {
    /// Its hash.
    pub(crate) hash: H256,
    /// Root of the state after it.
    pub(crate) state_root: H256,
    /// Root of its hot part, which is QMDB's; zero where nobody winds back to.
    pub(crate) hot_root: H256,
    /// Operations in QMDB's log after it: where to wind back to.
    pub(crate) log_size: u64,
}
