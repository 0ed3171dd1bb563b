//! What a node that joins is to arrive at: the commitment to the state of one block.

use crate::commitment;
use codec::{Decode, Encode};
use sp_core::H256;

/// Longest [`SyncTarget::witness`].
pub const MAX_WITNESS_BYTES: usize = 256;

/// The state commitment of one block, as the operations that it consists of. The block's
/// state root proves it ([`SyncTarget::is_proven`]).
///
/// QMDB's log holds every operation since the genesis. Those before `start` are of keys
/// that were written again since: nobody needs them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SyncTarget {
    /// Number of the block.
    pub number: u32,
    /// Its hash.
    pub hash: H256,
    /// Root of the state after it.
    pub state_root: H256,
    /// Root of the operations, to which the state root commits.
    pub operations_root: H256,
    /// The first operation that is needed.
    pub start: u64,
    /// Operations in the log.
    pub end: u64,
    /// Proof that the state root commits to `operations_root`, in QMDB's encoding.
    pub witness: Vec<u8>,
}

impl SyncTarget {
    /// The request whose answer shows that the log is needed from `start` on
    /// ([`begins_rightly`](Self::begins_rightly)).
    pub fn last_request(&self) -> Vec<u8> {
        commitment::request_last(self.end)
    }

    /// Whether the answer to [`last_request`](Self::last_request) proves that the log is
    /// needed from `start` on, and not from later.
    pub fn begins_rightly(&self, answer: &[u8]) -> bool {
        commitment::first_needed(&self.operations_root, self.end, answer) == Some(self.start)
    }

    /// Whether the state root commits to these operations. Whether it is the root of a
    /// block of the chain is for the caller to say.
    pub fn is_proven(&self) -> bool {
        self.start < self.end
            && self.witness.len() <= MAX_WITNESS_BYTES
            && commitment::commits_to(&self.state_root, &self.operations_root, &self.witness)
    }
}
