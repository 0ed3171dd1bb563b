//! What a node that joins is to arrive at: the commitment to the state of one block.

use crate::commitment;
use billchain_cold::proof::{Digest, MAX_RUNS, cold_root, state_root};
use codec::{Decode, Encode};
use sp_core::H256;

/// Longest [`SyncTarget::witness`].
pub const MAX_WITNESS_BYTES: usize = 256;

/// The state commitment of one block: of its hot part the operations that it consists of, of
/// its cold part the roots of its runs and SM3 of its records. The block's state root proves all
/// of them ([`SyncTarget::is_proven`]).
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
    /// Root of the hot part of the state.
    pub hot_root: H256,
    /// Roots of the runs of its cold part, the oldest first; [`MAX_RUNS`] at most.
    pub runs: Vec<H256>,
    /// SM3 of the records of its cold part.
    pub records: H256,
    /// Root of the operations, to which the hot root commits.
    pub operations_root: H256,
    /// The first operation that is needed.
    pub start: u64,
    /// Operations in the log.
    pub end: u64,
    /// Proof that the hot root commits to `operations_root`, in QMDB's encoding.
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

    /// Whether the state root commits to these operations, runs and records. Whether it is the root of a
    /// block of the chain is for the caller to say.
    pub fn is_proven(&self) -> bool {
        self.start < self.end
            && self.runs.len() <= MAX_RUNS
            && self.witness.len() <= MAX_WITNESS_BYTES
            && self.is_over_runs()
            && commitment::commits_to(&self.hot_root, &self.operations_root, &self.witness)
    }

    /// Whether the state root is over the hot root, these runs and these records.
    fn is_over_runs(&self) -> bool {
        let runs: Vec<Digest> = self.runs.iter().map(|run| run.0).collect();
        let cold = cold_root(&runs, &self.records.0);
        cold.is_some_and(|cold| state_root(&self.hot_root.0, &cold) == self.state_root.0)
    }
}
