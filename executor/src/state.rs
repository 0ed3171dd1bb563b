//! The storage's states as the runtime's views, and the genesis block.

use crate::{
    ChainError,
    cooling::cooling_of,
    externalities::{Entry, Failure, StateDelta, StateExternalities, StateView},
};
use billchain_primitives::{Hash, Header, OpaqueBlock, Sm3Hasher};
use billchain_runtime::{GenesisState, Participation, VERSION};
use billchain_storage::{StateSnapshot, Storage};
use codec::Encode;
use parking_lot::Mutex;
use sp_runtime::generic::Digest;
use std::{ops::Bound, sync::Arc};

/// A state that is only read.
pub(crate) struct ReadView(pub(crate) StateSnapshot);

impl StateView for ReadView {
    type Error = ChainError;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError> {
        Ok(self.0.get(key)?)
    }

    fn entries_above(&self, key: &[u8], limit: usize) -> Result<Vec<Entry>, ChainError> {
        Ok(self.0.pairs_paged(&[], Some(key), limit)?)
    }

    fn root(&self, _: &StateDelta) -> Result<Hash, ChainError> {
        // Only the next block's root can be computed.
        Err(ChainError::Unsupported("the state root of a read"))
    }
}

/// The head's state, on which the next block is executed.
pub(crate) struct HeadView {
    pub(crate) storage: Arc<Storage>,
    pub(crate) snapshot: StateSnapshot,
    pub(crate) head: Hash,
    /// See the chain's `head_lock`.
    pub(crate) lock: Arc<Mutex<()>>,
}

impl StateView for HeadView {
    type Error = ChainError;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError> {
        Ok(self.snapshot.get(key)?)
    }

    fn entries_above(&self, key: &[u8], limit: usize) -> Result<Vec<Entry>, ChainError> {
        Ok(self.snapshot.pairs_paged(&[], Some(key), limit)?)
    }

    fn root(&self, delta: &StateDelta) -> Result<Hash, ChainError> {
        let cooling = cooling_of(delta)?;
        // The storage computes on its head. If a block was committed since this
        // view was taken, the root would be that of another state.
        let _head_stays = self.lock.lock();
        let found = self.storage.head().hash;
        if found != self.head {
            return Err(ChainError::HeadMoved { expected: self.head, found });
        }
        Ok(self.storage.speculate(delta, &cooling)?)
    }
}

impl From<Failure<ChainError>> for ChainError {
    fn from(failure: Failure<ChainError>) -> Self {
        match failure {
            Failure::State(error) => error,
            Failure::Unsupported(what) => Self::Unsupported(what),
        }
    }
}

/// The first block of the chain that begins with `state`, encoded, and its
/// header. It has no extrinsics; its state root is the commitment to `state`, and it names
/// the validators of the first block.
pub fn genesis_block(state: &GenesisState) -> Result<(Header, Vec<u8>), ChainError> {
    let mut ext = StateExternalities::new(GenesisView(state.clone()));
    let set = ext.run(Participation::first_set);
    if let Some(failure) = ext.take_failure() {
        return Err(failure.into());
    }
    let header = Header {
        parent_hash: Hash::zero(),
        number: 0,
        state_root: billchain_storage::genesis_root(state)?,
        extrinsics_root: extrinsics_root(Vec::new()),
        digest: Digest { logs: set.into_iter().collect() },
    };
    let block = OpaqueBlock { header: header.clone(), extrinsics: Vec::new() };
    Ok((header, block.encode()))
}

/// The root a header commits to its extrinsics with; each is given encoded.
pub(crate) fn extrinsics_root(extrinsics: Vec<Vec<u8>>) -> Hash {
    frame_system::extrinsics_data_root::<Sm3Hasher>(
        extrinsics,
        VERSION.extrinsics_root_state_version(),
    )
}

/// The state that a chain begins with.
struct GenesisView(GenesisState);

impl StateView for GenesisView {
    type Error = ChainError;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError> {
        Ok(self.0.get(key).cloned())
    }

    fn entries_above(&self, key: &[u8], limit: usize) -> Result<Vec<Entry>, ChainError> {
        let above = self.0.range::<[u8], _>((Bound::Excluded(key), Bound::Unbounded));
        Ok(above.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn root(&self, _: &StateDelta) -> Result<Hash, ChainError> {
        Ok(billchain_storage::genesis_root(&self.0)?)
    }
}
